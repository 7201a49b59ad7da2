"""Load balancers learn whether we live and may be given work; nobody learns why not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.db.backends.postgresql.base import DatabaseWrapper
from django.test import Client
from structlog.testing import capture_logs

from omni import health
from omni.settings import database
from tests.runs import free_port


@pytest.fixture(autouse=True)
def _not_draining() -> Iterator[None]:
    yield
    health.draining.clear()


def test_a_process_that_answers_is_alive(client: Client) -> None:
    answer = client.get("/healthz", headers={"host": "10.0.0.7"})
    assert answer.status_code == 200 and answer.json() == {"status": "ok"}
    assert answer.headers["X-Request-Id"]


@pytest.mark.django_db
def test_a_migrated_process_is_ready(client: Client) -> None:
    answer = client.get("/readyz", headers={"host": "10.0.0.7"})
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "database": "ok", "migrations": "ok", "bell": "ok"}


@pytest.mark.django_db
def test_a_process_that_was_told_to_stop_is_alive_but_not_ready(client: Client) -> None:
    health.draining.set()
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert answer.status_code == 503 and answer.json() == {"status": "not ready", "process": "draining"}


@pytest.mark.django_db
def test_a_database_that_is_down_is_named_without_its_words(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> None:
        raise OperationalError("password authentication failed for user omni at db.internal")

    monkeypatch.setattr(type(connection), "pool", None, raising=False)  # a pool is asked in a story of its own
    monkeypatch.setattr(connection, "cursor", unreachable)
    monkeypatch.setattr(connection, "close", lambda: None)
    answer = client.get("/readyz")
    assert answer.status_code == 503 and answer.json()["database"] == "unreachable"
    assert "omni at" not in answer.content.decode()
    assert client.get("/healthz").status_code == 200


@pytest.mark.sqlite
def test_a_pooled_database_that_answers_nobody_is_asked_with_little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "OMNI", settings.OMNI.model_copy(update={"database_pool": 4}))
    monkeypatch.setattr("omni.settings.OMNI", settings.OMNI)
    chosen = {**connection.settings_dict, **database(f"postgresql://omni@127.0.0.1:{free_port()}/omni")}
    away = DatabaseWrapper(chosen, alias="away")
    monkeypatch.setattr(health, "connection", away)
    assert chosen["OPTIONS"]["pool"]["timeout"] > health.DATABASE_WITHIN
    with capture_logs() as told:
        assert health.states()["database"] == "unreachable"
    assert [each["error"] for each in told] == ["OperationalError"]
    away.close_pool()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "body"), [("/api/v1/runs", None), ("/api/v1/messages", b"{}"), ("/hooks/sendgrid", b"[]"), ("/hooks/twilio", b"a=b")]
)
def test_while_the_database_is_away_callers_are_told_to_come_again(client: Client, path: str, body: bytes | None) -> None:
    def away(*_: object) -> None:
        raise OperationalError("the connection to db.internal is lost")

    with connection.execute_wrapper(away):
        bearer = {"authorization": "Bearer omni_aaaaaaaa_bbbbbbbbbbbbbbbbbbbbbbbb"}
        answer = (
            client.get(path, headers=bearer) if body is None else client.post(path, body, content_type="application/json", headers=bearer)
        )

    assert answer.status_code == 503 and answer.headers["Retry-After"]
    assert "internal" not in answer.content.decode()


@pytest.mark.valkey
@pytest.mark.django_db
def test_a_broker_that_answers_is_a_bell_that_can_ring(client: Client, valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from omni.celery import app

    monkeypatch.setattr(settings, "OMNI", settings.OMNI.model_copy(update={"bell": "celery", "broker_url": valkey_url}))
    monkeypatch.setattr(app.conf, "broker_url", valkey_url)
    assert client.get("/readyz").json()["bell"] == "ok"
    monkeypatch.setattr(app.conf, "broker_url", "redis://127.0.0.1:1")
    assert client.get("/readyz").json()["bell"] == "unreachable"


def test_probes_only_look(client: Client) -> None:
    assert client.post("/healthz").status_code == 405
    assert client.head("/healthz").status_code == 200
