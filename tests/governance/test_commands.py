from __future__ import annotations

import io
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from governance import door as governance
from governance.door import Role, User
from tests.governance.office import Office


def status(*command: str, **options: Any) -> object:
    with pytest.raises(SystemExit) as caught:
        call_command(*command, **options)
    return caught.value.code


def test_a_person_is_let_in_with_a_password(office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a-long-enough-phrase\n"))
    call_command("add_member", "dora", role="approver", legal=True, password=True, email="dora@example.com")
    assert "dora is approver of default" in capsys.readouterr().out
    assert authenticate(username="dora", password="a-long-enough-phrase") == User.objects.get(username="dora")
    actor = governance.actor_for(User.objects.get(username="dora"), office.workspace_id, "console")
    assert (actor.role, actor.legal) == (Role.APPROVER, True)


def test_an_easy_password_is_refused(office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("password\n"))
    assert status("add_member", "dora", role="viewer", password=True) == 2
    assert "too easy to guess" in capsys.readouterr().err
    assert not User.objects.filter(username="dora").exists()


def test_an_author_by_command_lets_nobody_in(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("value"))
    assert status("add_member", "dora", role="admin", as_user="ada") == 3
    assert status("set_secret", "SENDGRID", as_user="ada") == 3
    assert not User.objects.filter(username="dora").exists()


def test_an_unknown_person_or_workspace_is_invalid_input(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    assert status("submit", "page", "welcome", as_user="zoe") == 2
    assert status("submit", "page", "welcome", as_user="ada", workspace="moon") == 2
    assert capsys.readouterr().err.splitlines() == ["no user 'zoe'", "no workspace 'moon'"]


def test_a_document_goes_to_release_and_back_by_commands(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("Hi", "Hello"):
        office.save(office.ada, "page", "welcome", text=text)
        call_command("submit", "page", "welcome", as_user="ada")
        call_command("approve", "page", "welcome", as_user="ben", comment="Good")
        call_command("release", "page", "welcome", as_user="ben")
    call_command("roll_back", "page", "welcome", "1", as_user="ben", reason="typo")
    assert office.released("page", "welcome") == 1
    call_command("recall", "page", "welcome", "2", as_user="ben", reason="typo")
    assert "released  page welcome revision 2" in capsys.readouterr().out
    assert status("approve", "page", "welcome", as_user="ben") == 2
    assert status("release", "page", "welcome", as_user="ben") == 2


def test_a_rejection_by_command_says_why(office: Office) -> None:
    office.save(office.ada, "page", "welcome", text="Hi")
    call_command("submit", "page", "welcome", as_user="ada")
    assert status("approve", "page", "welcome", as_user="ben", reject=True) == 2
    call_command("approve", "page", "welcome", as_user="ben", reject=True, comment="Too short")
    assert office.view("page", "welcome").state == "draft"


def test_an_approval_by_command_may_name_the_bill_that_was_read(office: Office) -> None:
    office.save(office.ada, "page", "welcome", text="Hi")
    bill = office.submit(office.ada, "page", "welcome").bill_hash
    assert status("approve", "page", "welcome", as_user="ben", bill="0" * 64) == 3
    call_command("approve", "page", "welcome", as_user="ben", bill=bill)


def test_a_key_made_by_command_is_printed_once(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_api_key", "Sync", as_user="cleo", scope=["documents:read"])
    told = capsys.readouterr()
    assert told.out.startswith("omni_") and len(told.out.split()) == 1
    assert "acts for cleo, at most as author, until " in told.err
    call_command("create_api_key", "Answers", as_user="cleo", role="admin", days=0)
    assert "acts for cleo, at most as admin, until it is revoked" in capsys.readouterr().err


@pytest.mark.django_db(transaction=True)
def test_a_flushed_database_keeps_its_guards_and_production_is_never_flushed(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import DatabaseError, transaction

    workspace = governance.default_workspace()
    governance.audit(governance.system_actor(workspace.pk), "test.happened", subject="x", data={}, now=workspace.created_at)
    # Numbers go on: by them this process remembers what earlier stories wrote.
    call_command("flush", interactive=False, verbosity=0, reset_sequences=False)
    assert governance.AuditEntry.objects.count() == 0
    workspace = governance.default_workspace()
    workspace.refresh_from_db()
    governance.audit(governance.system_actor(workspace.pk), "test.happened", subject="x", data={}, now=workspace.created_at)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        governance.AuditEntry.objects.update(action="other")
    monkeypatch.setattr("django.conf.settings.PRODUCTION", True)
    with pytest.raises(CommandError, match="refused in production"):
        call_command("flush", interactive=False, verbosity=0)
