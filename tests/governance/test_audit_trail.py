from __future__ import annotations

import random

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from governance import door as governance
from governance.append_only import PROTECTED, guard_all, unguard_all
from governance.audit import verify
from governance.door import AuditEntry, Decision, Release, Revision
from tests.governance.office import Office


def test_every_governing_act_leaves_an_entry(office: Office) -> None:
    office.publish("page", "welcome", text="Hello")
    office.publish("page", "welcome", text="Hello there")
    governance.roll_back(office.ben, "page", "welcome", number=1, reason="typo", now=office.now())
    governance.recall(office.ben, "page", "welcome", number=2, reason="typo", now=office.now())
    entries = AuditEntry.objects.filter(workspace_id=office.workspace_id, subject="page:welcome").order_by("n")
    once = ["page.saved", "page.submitted", "page.decided", "page.released"]
    assert [entry.action for entry in entries] == [*once, *once, "page.rolled_back", "page.recalled"]
    assert entries[2].user_id == office.ben.user_id and entries[2].data["verdict"] == "approve"


def test_a_refused_act_leaves_none(office: Office) -> None:
    before = AuditEntry.objects.count()
    with pytest.raises(governance.Refused):
        office.save(office.vera, "page", "welcome", text="Hello")
    assert AuditEntry.objects.count() == before


def test_a_whole_chain_verifies_and_says_where_it_ends(office: Office) -> None:
    office.publish("page", "welcome", text="Hello")
    chain = verify(office.workspace_id)
    assert (chain.fault, chain.entries) == ("", AuditEntry.objects.count())
    assert verify(office.workspace_id, expected=(chain.entries, chain.head)).fault == ""


def test_each_workspace_has_a_chain_of_its_own(office: Office) -> None:
    other = governance.create_workspace("other", "Other").pk
    governance.audit(governance.system_actor(other), "test.happened", subject="test:1", data={}, now=office.now())
    assert (verify(other).entries, verify(other).fault) == (1, "")
    assert verify(office.workspace_id).fault == ""


@pytest.mark.parametrize("name", sorted(PROTECTED))
@pytest.mark.parametrize("act", ["update", "delete"])
def test_the_database_refuses_to_rewrite_history(office: Office, name: str, act: str) -> None:
    office.publish("page", "welcome", text="Hello")
    model = {"AuditEntry": AuditEntry, "Revision": Revision, "Decision": Decision, "Release": Release}[name]
    row = model._default_manager.latest("pk")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        if act == "update":
            row.save()
        else:
            model._default_manager.filter(pk=row.pk)._raw_delete("default")


@pytest.mark.postgres
def test_postgres_refuses_to_empty_the_trail(open_office: Office) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE governance_auditentry")


def test_only_the_recall_of_a_revision_may_be_written(office: Office) -> None:
    revision = office.save(office.ada, "page", "welcome", text="Hello")
    assert Revision.objects.filter(pk=revision.pk).update(recalled_at=office.now()) == 1


def test_the_guards_can_be_lifted_and_put_back_by_a_migration() -> None:
    from governance.append_only import AppendOnly

    operation = AppendOnly("AuditEntry")
    assert operation.reversible and operation.describe() == "Make AuditEntry append-only"


@pytest.mark.django_db
def test_the_guards_are_there_after_migrating() -> None:
    names = {f"{governance.Revision._meta.app_label}_{name.lower()}_no_{act}" for name in PROTECTED for act in ("update", "delete")}
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute("SELECT tgname FROM pg_trigger")
        found = {row[0] for row in cursor.fetchall()}
    assert names <= found


def _without_guards(*statements: tuple[str, list[int]]) -> None:
    with connection.cursor() as cursor:
        for statement in unguard_all(connection):
            cursor.execute(statement)
        for statement, values in statements:
            cursor.execute(statement, values)
        for statement in guard_all(connection):
            cursor.execute(statement)


@pytest.mark.parametrize("seed", range(12))
def test_every_edit_deletion_and_swap_behind_the_guards_is_found_and_placed(office: Office, seed: int) -> None:
    for number in range(4):
        office.save(office.ada, "page", "welcome", text=f"Hello {number}")
    chain, table = verify(office.workspace_id), "governance_auditentry"
    draw = random.Random(seed)
    n = draw.randint(1, chain.entries)
    where, mine = f"WHERE workspace_id = %s AND n = {n}", [office.workspace_id]
    kind = seed % 4
    if kind == 0:
        _without_guards((f"UPDATE {table} SET action = 'page.loved' {where}", mine))
    elif kind == 1:
        _without_guards((f"UPDATE {table} SET user_id = 424242 {where}", mine))
    elif kind == 2:
        _without_guards((f"DELETE FROM {table} {where}", mine))
    else:
        n = min(n, chain.entries - 1)
        swap = [(n, 1_000_000), (n + 1, n), (1_000_000, n + 1)]
        _without_guards(*((f"UPDATE {table} SET n = {to} WHERE workspace_id = %s AND n = {of}", mine) for of, to in swap))
    found = verify(office.workspace_id, expected=(chain.entries, chain.head)).fault
    assert f"entry {n} " in found


@pytest.mark.parametrize("many", [1, 3])
def test_a_cut_off_end_shows_by_itself(office: Office, many: int) -> None:
    office.publish("page", "welcome", text="Hello")
    whole, mine = verify(office.workspace_id).entries, [office.workspace_id]
    _without_guards((f"DELETE FROM governance_auditentry WHERE n > {whole - many} AND workspace_id = %s", mine))
    assert verify(office.workspace_id).fault == f"entry {whole - many + 1} is missing: the end was cut off"


def test_a_cut_off_end_does_not_grow_back_unseen(office: Office) -> None:
    office.publish("page", "welcome", text="Hello")
    whole, mine = verify(office.workspace_id).entries, [office.workspace_id]
    _without_guards((f"DELETE FROM governance_auditentry WHERE n = {whole} AND workspace_id = %s", mine))
    office.save(office.ada, "page", "welcome", text="Nothing happened")
    assert verify(office.workspace_id).fault == f"entry {whole} is missing"


def test_a_cut_off_end_with_its_note_rewritten_shows_against_an_end_kept_elsewhere(office: Office) -> None:
    office.publish("page", "welcome", text="Hello")
    noted, mine = verify(office.workspace_id), [office.workspace_id]
    before = AuditEntry.objects.get(workspace_id=office.workspace_id, n=noted.entries - 1)
    _without_guards((f"DELETE FROM governance_auditentry WHERE n = {noted.entries} AND workspace_id = %s", mine))
    governance.Workspace.objects.filter(pk=office.workspace_id).update(audited=before.n, audit_head=before.hash)
    assert verify(office.workspace_id).fault == ""
    assert "missing" in verify(office.workspace_id, expected=(noted.entries, noted.head)).fault


def test_addresses_never_get_into_the_trail(office: Office) -> None:
    data = {"who": "ada@example.com", "numbers": ["+4915112345678", 15], "words": "mail ada@example.com, twice", "share": 0.5}
    entry = governance.audit(office.ada, "test.happened", subject="profile:ada@example.com", data=data, now=office.now())
    assert entry.data == {"who": "[address]", "numbers": ["[address]", 15], "words": "mail [address], twice", "share": "0.5"}
    assert "example.com" not in entry.subject


def test_the_command_names_the_break_and_exits_with_2(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    office.publish("page", "welcome", text="Hello")
    call_command("audit_verify")
    assert "all whole" in capsys.readouterr().out
    _without_guards(
        ("UPDATE governance_auditentry SET at = at WHERE n = 2", []), ("UPDATE governance_auditentry SET via = 'api' WHERE n = 2", [])
    )
    with pytest.raises(SystemExit) as caught:
        call_command("audit_verify")
    assert caught.value.code == 2
    assert "entry 2 was altered" in capsys.readouterr().out
