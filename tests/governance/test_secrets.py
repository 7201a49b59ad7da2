from __future__ import annotations

import io

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management import call_command

from governance import door as governance
from governance.door import AuditEntry, Invalid, Missing, Refused
from governance.models import Secret
from governance.vault import reseal
from tests.governance.office import Office
from tests.tables import over


def with_keys(monkeypatch: pytest.MonkeyPatch, *keys: str) -> None:
    monkeypatch.setattr("django.conf.settings.OMNI", settings.OMNI.model_copy(update={"vault_keys": ",".join(keys)}))


def test_a_stored_secret_is_read_back_and_encrypted_at_rest(office: Office) -> None:
    governance.set_secret(office.cleo, "sendgrid", "canary-value", now=office.now())
    assert governance.secret(office.workspace_id, "SENDGRID") == "canary-value"
    assert b"canary-value" not in bytes(Secret.objects.get().ciphertext)
    assert all("canary" not in str(entry.data) for entry in AuditEntry.objects.all())


def test_the_environment_comes_first(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    governance.set_secret(office.cleo, "SENDGRID", "stored", now=office.now())
    monkeypatch.setenv("OMNI_SECRET_SENDGRID", "from outside")
    assert governance.secret(office.workspace_id, "SENDGRID") == "from outside"


def test_a_missing_secret_says_where_to_put_it(office: Office) -> None:
    with pytest.raises(Missing, match=r"use OMNI_SECRET_TWILIO or `manage.py set_secret TWILIO`"):
        governance.secret(office.workspace_id, "twilio")


def test_another_workspace_does_not_read_it(office: Office) -> None:
    governance.set_secret(office.cleo, "SENDGRID", "ours", now=office.now())
    with pytest.raises(Missing):
        governance.secret(governance.create_workspace("other", "Other").pk, "SENDGRID")


def test_only_admins_set_secrets(office: Office) -> None:
    with pytest.raises(Refused):
        governance.set_secret(office.ben, "SENDGRID", "x", now=office.now())


@over("name", ["", "1st", "a-b", "x" * 61, "A B"])
def test_a_name_is_letters_and_digits(office: Office, name: str) -> None:
    with pytest.raises(Invalid, match="/name"):
        governance.set_secret(office.cleo, name, "x", now=office.now())


def test_keys_are_rotated_without_losing_a_secret(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    with_keys(monkeypatch, old)
    governance.set_secret(office.cleo, "SENDGRID", "kept", now=office.now())
    with_keys(monkeypatch, new, old)
    assert governance.secret(office.workspace_id, "SENDGRID") == "kept"
    assert reseal(office.cleo, now=office.now()) == 1
    with_keys(monkeypatch, new)
    assert governance.secret(office.workspace_id, "SENDGRID") == "kept"


def test_a_lost_vault_key_is_said_and_no_crash(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    governance.set_secret(office.cleo, "SENDGRID", "lost", now=office.now())
    with_keys(monkeypatch, Fernet.generate_key().decode())
    with pytest.raises(Refused, match="OMNI_VAULT_KEYS"):
        governance.secret(office.workspace_id, "SENDGRID")
    with pytest.raises(Refused, match="list the old key too"):
        reseal(office.cleo, now=office.now())
    with_keys(monkeypatch)
    with pytest.raises(Refused, match="OMNI_VAULT_KEYS"):
        governance.set_secret(office.cleo, "SENDGRID", "x", now=office.now())
    with_keys(monkeypatch, "not a key")
    with pytest.raises(Refused, match="Fernet"):
        governance.set_secret(office.cleo, "SENDGRID", "x", now=office.now())


def test_the_command_reads_the_value_from_standard_input(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("typed value\n"))
    call_command("set_secret", "sendgrid")
    assert governance.secret(office.workspace_id, "SENDGRID") == "typed value"


def test_a_set_secret_moves_the_witness_so_that_workers_read_it_anew(office: Office) -> None:
    before = governance.epoch(office.workspace_id)
    governance.set_secret(office.cleo, "SENDGRID", "x", now=office.now())
    assert governance.epoch(office.workspace_id) != before
