"""The history as Parquet: whatever happens and whenever it is exported, the files together are the database's truth."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from django.db import connection, transaction

from audience import door as audience
from delivery import door as delivery
from delivery import vendor_prices
from delivery.history import exporting, page, parquet, reading
from delivery.history.schema import ATTEMPTS, EVENTS, EXPORTED, LEFT_OUT, MESSAGES, RUNS, Table
from delivery.models import Attempt, Dispatch, Message, VendorEvent
from delivery.states import AttemptState
from governance.door import Invalid, Refused
from tests import factories
from tests.delivery.conftest import Street
from tests.simulation.chaos import Killed

pytestmark = pytest.mark.django_db


def export(street: Street, folder: Path, *, each: Callable[[], None] = lambda: None, **more: Any) -> exporting.Exported:
    asked: dict[str, Any] = {"since": None, "with_people": False, "now": street.clock(), **more}
    return exporting.export(street.workspace_id, "default", folder, each=each, **asked)


def held(folder: Path, table: Table) -> list[tuple[Any, ...]]:
    """Every row of a table that lies in the folder, as a reader of Hive folders finds it."""
    rows: list[tuple[Any, ...]] = []
    for path in sorted(folder.glob(f"{table.name}/**/[!._]*.parquet")):
        rows += [tuple(row[column.name] for column in table.columns) for row in pq.ParquetFile(path).read().to_pylist()]
    return sorted(rows, key=str)


def truth(street: Street, table: Table) -> list[tuple[Any, ...]]:
    """The same from the database, by way of what people are shown."""
    ws, rows = street.workspace_id, list[tuple[Any, ...]]()
    for dispatch in Dispatch.objects.order_by("pk"):
        if table is MESSAGES:
            views, after = [], ""
            while True:
                shown = delivery.messages(ws, dispatch_id=dispatch.pk, after=after, limit=200)
                views += shown.items
                if not (after := shown.next):
                    break
            rows += [(v.dispatch_id, v.n, v.profile_id, v.state.replace(" ", "_"), v.reason, v.attempt_id or 0) for v in views]
        elif table is LEFT_OUT:
            for reason in ("no_consent", "duplicate", "holdout", "reached", "suppressed"):
                rows += [(dispatch.pk, each, reason) for each in delivery.left_out(ws, dispatch.pk, reason, limit=10_000).profile_ids]
    if table is ATTEMPTS:
        rows = [(a.pk, AttemptState(a.state).label.replace(" ", "_"), a.count, a.heard_at, a.resolved_by) for a in Attempt.objects.all()]
    if table is RUNS:
        rows = [(d.pk, d.key, d.state, d.finished_at) for d in Dispatch.objects.all()]
    return sorted(rows, key=str)


PICKED = {
    MESSAGES: ("dispatch_id", "n", "profile_id", "state", "reason", "attempt_id"),
    ATTEMPTS: ("id", "state", "messages", "heard_at", "resolved_by"),
    LEFT_OUT: ("dispatch_id", "profile_id", "reason"),
    RUNS: ("id", "key", "state", "finished_at"),
}


def agrees(street: Street, folder: Path) -> None:
    for table, names in PICKED.items():
        places = [[column.name for column in table.columns].index(name) for name in names]
        assert sorted((tuple(row[at] for at in places) for row in held(folder, table)), key=str) == truth(street, table), table.name
    names = [column.name for column in EVENTS.columns]
    said = [row for some in reading.events(street.workspace_id, after=0, upto=2**62) for row in some.to_pylist()]
    events = [tuple(row[name] for name in names) for row in said]
    assert [row[0] for row in held(folder, EVENTS)] and sorted(held(folder, EVENTS), key=str) == sorted(events, key=str)


@pytest.mark.parametrize("seed", range(2))
def test_whatever_happens_and_whenever_it_is_exported_the_files_are_the_truth(street: Street, tmp_path: Path, seed: int) -> None:
    drawn = random.Random(seed)
    street.route("sendgrid")
    people = street.people(60)
    shy = [factories.profile(now=street.clock(), consents=()) for _ in range(3)]
    street.vendor.fault = lambda number: drawn.choice(["ok", "ok", "drop", "accept_drop", "429"])
    approver = factories.person("ben", now=street.clock())

    def launch() -> None:
        ids = [*drawn.sample(people, 25), *shy]
        street.launch(ids, campaign_key=f"c{drawn.random()}", batch_size=10)

    def decide() -> None:
        standing = street.message_type()
        street.decide(standing, drawn.sample(people, 2))

    def hear() -> None:
        if street.vendor.accepted:
            some = drawn.sample(street.vendor.accepted, min(4, len(street.vendor.accepted)))
            street.hear(drawn.choice(["delivered", "bounce", "open", "delivered"]), some)

    def settle() -> None:
        doubtful = delivery.in_doubt(street.workspace_id, limit=1)
        if doubtful:
            verdict: Any = drawn.choice(["sent", "give_up"])
            delivery.resolve_in_doubt(approver, doubtful[0].pk, verdict, now=street.clock())

    def killed_export() -> None:
        left = drawn.randrange(12)

        def each() -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed

        try:
            export(street, tmp_path, each=each)
        except Killed:
            return

    acts = [launch, decide, hear, hear, settle, killed_export, lambda: street.work(1), lambda: street.work(2), street.keep_house]
    for _ in range(25):
        drawn.choice(acts)()
        street.clock.pass_(seconds=drawn.randrange(40))
    launch()
    street.work()
    hear()
    export(street, tmp_path)

    agrees(street, tmp_path)
    assert export(street, tmp_path).files == 0, "a second export finds nothing new"


def test_an_export_reads_only_runs_that_may_have_changed(street: Street, tmp_path: Path) -> None:
    street.route("sendgrid")
    street.launch(street.people(30), campaign_key="first")
    street.work()
    street.keep_house()
    street.launch(street.people(10), campaign_key="second")
    street.work()
    street.keep_house()
    assert export(street, tmp_path).rows == {"runs": 2, "messages": 40, "attempts": 2}

    assert export(street, tmp_path).runs == 0
    street.hear("delivered", street.vendor.accepted[:1])
    again = export(street, tmp_path)

    assert again.runs == 1 and again.rows == {"events": 1, "messages": 30, "attempts": 1}


def test_a_price_that_the_vendor_reports_later_is_exported_too(street: Street, tmp_path: Path) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(2))
    street.work()
    street.keep_house()
    export(street, tmp_path)
    vendor_prices.keep(street.workspace_id, [{"run": dispatch, "id": Attempt.objects.get().pk, "micros": 7}])

    assert export(street, tmp_path).rows == {"attempts": 1}
    assert [row[-1] for row in held(tmp_path, ATTEMPTS)] == [7]


def test_no_file_holds_an_address_or_what_a_message_was_made_with(street: Street, tmp_path: Path) -> None:
    street.route("sendgrid")
    ada = factories.profile(now=street.clock(), email="ada.lovelace@example.com", external_id="customer-77")
    standing = street.message_type()
    delivery.decide(standing, [delivery.NewDecision(ada, {"code": "secret-4711"})], now=street.clock())
    street.launch([ada])
    street.work()
    street.hear("bounce")
    export(street, tmp_path)

    for path in tmp_path.rglob("*.parquet"):
        text = str(pq.ParquetFile(path).read().to_pylist())
        assert "lovelace" not in text and "4711" not in text and "customer-77" not in text


def test_external_ids_are_given_by_choice_and_vanish_with_the_person(street: Street, tmp_path: Path) -> None:
    street.route("sendgrid")
    ada = factories.profile(now=street.clock(), email="ada@example.com", external_id="customer-77")
    bob = factories.profile(now=street.clock(), email="bob@example.com", external_id="customer-78")
    street.launch([ada, bob])
    street.work()
    export(street, tmp_path, with_people=True)
    named = {
        row["profile_id"]: row["external_id"]
        for path in tmp_path.glob("people/*.parquet")
        for row in pq.ParquetFile(path).read().to_pylist()
    }
    assert named[ada] == "customer-77"

    audience.erase(factories.person("ada", now=street.clock()), "customer-77", now=street.clock())
    export(street, tmp_path, with_people=True)

    named = {
        row["profile_id"]: row["external_id"]
        for path in tmp_path.glob("people/*.parquet")
        for row in pq.ParquetFile(path).read().to_pylist()
    }
    assert ada not in named and named[bob] == "customer-78"
    with pytest.raises(Invalid):
        export(street, tmp_path, with_people=False)


def test_a_copy_of_an_earlier_database_is_not_mixed_into_a_folder(street: Street, tmp_path: Path) -> None:
    street.route("sendgrid")
    street.launch(street.people(2))
    street.work()
    street.hear("delivered")
    export(street, tmp_path)
    manifest = tmp_path / "_manifest.json"
    manifest.write_text(manifest.read_text().replace('"events_upto": ', '"events_upto": 9'))

    with pytest.raises(Refused, match="copy of an earlier state"):
        export(street, tmp_path)


def test_files_carry_the_schema_they_were_written_with(street: Street, tmp_path: Path) -> None:
    street.route("sendgrid")
    street.launch(street.people(2))
    street.work()
    street.hear("delivered")
    call_command("export_history", to=tmp_path)

    for table in EXPORTED:
        for path in tmp_path.glob(f"{table.name}/**/*.parquet"):
            schema = pq.read_schema(path)
            assert schema.equals(parquet.arrow_schema(table)) and schema.metadata[b"omni.schema"] == b"1"
    assert Message.objects.count() == 2


def test_without_pyarrow_the_command_says_what_to_install(
    street: Street, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SystemExit) as ended:
        call_command("export_history", to=tmp_path)
    assert ended.value.code == 3 and "requirements/parquet.txt" in capsys.readouterr().err


def test_a_day_that_is_none_is_named(street: Street, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("export_history", to=tmp_path, since="yesterday")
    assert ended.value.code == 2


def test_only_what_was_planned_since_a_day_is_exported(street: Street, tmp_path: Path) -> None:
    street.route("sendgrid")
    street.launch(street.people(2), campaign_key="old")
    street.work()
    street.clock.pass_(days=3)
    new = street.launch(street.people(2), campaign_key="new")
    street.work()
    export(street, tmp_path, since=street.clock() - timedelta(days=1))

    assert {row[0] for row in held(tmp_path, MESSAGES)} == {new}


def test_the_reference_page_is_written_from_the_schema() -> None:
    from django.conf import settings

    written = (Path(settings.BASE_DIR) / "docs/reference/export-schema.md").read_text(encoding="utf-8")
    assert written == page.page(), "run `manage.py export_schema > docs/reference/export-schema.md`"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_event_that_is_committed_after_a_later_one_is_not_lost(street: Street, tmp_path: Path) -> None:
    written, may_commit, exported = threading.Event(), threading.Event(), threading.Event()

    def slowly() -> None:
        with transaction.atomic():
            _event(street, "early")
            written.set()
            may_commit.wait(10)
        connection.close()

    def exporting_meanwhile() -> None:
        export(street, tmp_path)
        exported.set()
        connection.close()

    writer, exporter = threading.Thread(target=slowly), threading.Thread(target=exporting_meanwhile)
    writer.start()
    written.wait(10)
    _event(street, "late")
    exporter.start()
    waits = not exported.wait(0.3)
    may_commit.set()
    writer.join()
    exporter.join()

    assert waits and [row[10] for row in held(tmp_path, EVENTS)] == ["early", "late"]


def _event(street: Street, name: str) -> None:
    at = street.clock()
    VendorEvent.objects.create(
        workspace_id=street.workspace_id, vendor="sendgrid", event_id=name, kind="delivered", at=at, received_at=at, detail=name
    )
