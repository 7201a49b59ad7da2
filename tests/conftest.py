"""What every test may use: real engines, a browser, a network that ends at this machine, and a clock to hand in."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from django.conf import settings
from django.db import connection

from tests import engines, order
from tests.network import loopback_only

if TYPE_CHECKING:
    from playwright.sync_api import Browser

hypothesis.settings.register_profile("omni", deadline=None)  # how long an example takes is the machine's affair
hypothesis.settings.load_profile("omni")
CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
NOT_HERE = "engine missing"


# ── which tests this run is about ─────────────────────────────────────────────────────────────────────────────────


def pytest_configure(config: pytest.Config) -> None:
    assert settings.OMNI.env == "test", "tests run with DJANGO_SETTINGS_MODULE=tests.settings"


@pytest.hookimpl(trylast=True)  # the browser's folder marks its tests
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about the other database, and on PostgreSQL what asks none: it is not skipped, it belongs to the other half of
    `make test`."""
    on_postgres = "postgresql" in settings.DATABASES["default"]["ENGINE"]
    other = "sqlite" if on_postgres else "postgres"
    left_out = {item for item in items if item.get_closest_marker(other) or (on_postgres and _asks_no_database(item))}
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
        items[:] = [item for item in items if item not in left_out]
    if (workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))) > 1:
        items[:] = order.dealt(items, workers)


def _asks_no_database(item: pytest.Item) -> bool:
    """pytest-django refuses such a test every query, so that no database can change what it finds. street: asks for one as it is made."""
    databases = {"db", "transactional_db", "postgres_url", "street"} & set(getattr(item, "fixturenames", ()))
    return not databases and not any(map(item.get_closest_marker, ("django_db", "postgres")))


# ── a missing engine: skipped, said loudly; a failure where CI=true ───────────────────────────────────────────────


def _engine(start: Callable[[], str], name: str) -> str:
    try:
        return start()
    except engines.EngineMissing as reason:
        pytest.skip(f"{NOT_HERE}: {name}: {reason}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[None]:
    report = yield
    if CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and with CI=true a skip is a failure: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = terminalreporter.stats.get("skipped", [])
    reasons = sorted({_reason(report) for report in reports if NOT_HERE in _reason(report)})
    if reasons:
        count = sum(NOT_HERE in _reason(report) for report in reports)
        words = "; ".join(reason.split(f"{NOT_HERE}: ", 1)[1] for reason in reasons)
        terminalreporter.write_line("")
        terminalreporter.write_line(f"!!! {count} TEST{'S' if count > 1 else ''} DID NOT RUN: {words}", red=True, bold=True)


def _reason(report: Any) -> str:
    return str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)


# ── engines ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """`OMNI_DATABASE_URL` of a new, empty PostgreSQL database of this test's own (for processes the test starts)."""
    import psycopg

    server, name = _engine(engines.postgres, "PostgreSQL"), f"omni_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as maintenance:
        maintenance.execute(f"CREATE DATABASE {name}")
        yield engines.database_url(server, name)
        maintenance.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def elasticsearch_url() -> str:
    """`OMNI_ELASTICSEARCH_URL` of a real server, shared by the run: name your indexes after your test."""
    return _engine(engines.elasticsearch, "Elasticsearch")


@pytest.fixture(scope="session")
def valkey_url() -> str:
    """`OMNI_BROKER_URL` of a real Valkey, shared by the run."""
    return _engine(engines.valkey, "Valkey")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A Chromium that can reach nothing but this machine. Open a context of your own and close it."""
    path = _engine(engines.chromium, "Chromium")
    from playwright.sync_api import sync_playwright

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's loop runs in this thread; our queries don't use it
    flags = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost", "--disable-dev-shm-usage"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path, args=[*flags, "--no-sandbox"] if os.geteuid() == 0 else flags, timeout=60_000
        )
        yield chromium
        chromium.close()


# ── the world outside ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(autouse=True, scope="session")
def _network_ends_here() -> Iterator[None]:
    with loopback_only():
        yield


@pytest.fixture
def now() -> datetime:
    """An ordinary moment (a Monday morning, UTC) to hand to doors."""
    return datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def on_postgres() -> bool:
    """True in the half of the run that uses PostgreSQL."""
    return connection.vendor == "postgresql"
