"""`check --deploy` explains what production needs, and says nothing where nothing is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.conf import settings

from omni import checks
from omni.environment import BASE_DIR, Environment

KEY = "k3J8s0aQ9zX1cV2bN4mL5hG6fD7pO8iU0yT1rE2wQ3aS4dF5gH6j"


def production(**changes: object) -> Environment:
    good: dict[str, object] = {
        "env": "production",
        "secret_key": KEY,
        "token_keys": f"{KEY[::-1]},{'0123456789abcdef' * 2}",
        "vault_keys": Fernet.generate_key().decode(),
        "database_url": "postgresql://omni@db/omni",
        "public_url": "https://omni.example.com",
        "allowed_hosts": "omni.example.com",
        "vendor": "routes",
        "sendgrid_webhook_key": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE",
        "metrics_token": "0123456789abcdef",
        "log_format": "json",
        "data_dir": settings.OMNI.data_dir,
    }
    return Environment.model_validate({**good, **changes})


def found(omni: Environment) -> set[str]:
    always = (checks.names, checks.times, checks.recipients, checks.engines)
    every = (*always, checks.stage, checks.keys, checks.addresses, checks.storage, checks.operation)
    messages = [message for check in every for message in check(omni)]
    assert all(message.hint for message in messages), "each says what to do"
    return {str(message.id) for message in messages}


def test_a_good_production_environment_has_nothing_to_say() -> None:
    assert found(production()) == set()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"lease_seconds": 29.0}, "omni.E002"),
        ({"in_doubt_after": 5.0}, "omni.E003"),
        ({"bell": "postgres", "database_url": ""}, "omni.E004"),
        ({"bell": "celery"}, "omni.E005"),
        ({"bell": "celery", "broker_url": "redis://broker/0", "database_url": ""}, "omni.E006"),
        ({"bell": "celery", "broker_url": "broker"}, "omni.E005"),
        ({"elasticsearch_url": "localhost:9200"}, "omni.E010"),
        ({"elasticsearch_url": "http://search"}, "omni.E010"),
        ({"env": "staging"}, "omni.W020"),
        ({"env": "staging"}, "omni.W021"),
        ({"allowed_recipients": "@example.com"}, "omni.W022"),
        ({"secret_key": ""}, "omni.E023"),
        ({"secret_key": "short"}, "omni.E023"),
        ({"secret_key": "a" * 60}, "omni.E023"),
        ({"token_keys": ""}, "omni.E024"),
        ({"token_keys": f"{KEY[::-1]},short"}, "omni.E024"),
        ({"token_keys": KEY}, "omni.W025"),
        ({"vault_keys": ""}, "omni.E026"),
        ({"vault_keys": "not a key"}, "omni.E026"),
        ({"public_url": "http://omni.example.com"}, "omni.E027"),
        ({"public_url": "https://127.0.0.1"}, "omni.E027"),
        ({"allowed_hosts": "*"}, "omni.E028"),
        ({"allowed_hosts": "other.example.com"}, "omni.E029"),
        ({"sendgrid_base_url": "http://vendor.example.com"}, "omni.E030"),
        ({"database_url": ""}, "omni.W031"),
        ({"data_dir": "/nonexistent"}, "omni.E032"),
        ({"vendor": "outbox"}, "omni.W033"),
        ({"sendgrid_webhook_key": ""}, "omni.I034"),
        ({"metrics_token": ""}, "omni.W035"),
        ({"log_format": "console"}, "omni.W036"),
    ],
)
def test_each_missing_or_unsafe_value_is_explained(changes: dict[str, object], expected: str) -> None:
    if "data_dir" in changes:
        changes = {"data_dir": Path("/nonexistent")}
    assert expected in found(production(**changes))


def test_no_explanation_shows_a_value() -> None:
    omni = production(secret_key="hunter2", token_keys="hunter2", vault_keys="hunter2", metrics_token="hunter2", env="staging")
    every = (checks.stage, checks.keys, checks.addresses, checks.storage, checks.operation)
    assert not [message for check in every for message in check(omni) if "hunter2" in f"{message.msg} {message.hint}"]


def test_a_misspelt_variable_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNI_DATABSE_URL", "postgresql://somewhere/else")
    (message,) = checks.names(Environment())
    assert "OMNI_DATABSE_URL" in message.msg and "OMNI_DATABASE_URL" in str(message.hint)


def test_secrets_by_name_are_no_misspelt_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNI_SECRET_SENDGRID_API_KEY", "SG.x")
    assert list(checks.names(Environment())) == []


@pytest.mark.postgres
@pytest.mark.django_db
def test_the_database_answers_that_its_transactions_are_read_committed() -> None:
    assert checks.isolation(None, ["default"]) == []


@pytest.mark.postgres
def test_check_deploy_passes_with_a_good_environment(postgres_url: str, tmp_path: Path) -> None:
    good = production(database_url=postgres_url, data_dir=tmp_path)
    given = {f"OMNI_{name.upper()}": str(getattr(good, name)) for name in Environment.model_fields if name != "demo_serve"}
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("OMNI_", "DJANGO_"))}
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING", "--database", "default"],
        cwd=BASE_DIR,
        env={**outside, **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_tests_may_reach_the_addresses_of_the_samples() -> None:
    assert "@example.com" in settings.OMNI.allowed_recipients
