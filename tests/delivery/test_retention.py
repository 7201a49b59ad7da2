"""A year of mail leaves the database: archived, verified, dropped, and still accounted for."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.db import connection

from audience import door as audience
from delivery import door as delivery
from delivery import partitions, tracking
from delivery.history import old_events, retention
from delivery.message_ids import MessageKey
from delivery.models import Attempt, Dispatch, Message, VendorEvent
from delivery.settled import finish_dispatch
from governance.door import Invalid, Refused
from omni.environment import read_environment
from tests.delivery.conftest import Street
from tests.simulation.chaos import Killed

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept(street: Street, settings: Any, tmp_path: Path) -> Street:
    """Messages and events are kept for 150 days, then archived."""
    settings.OMNI = settings.OMNI.model_copy(update={"keep_messages": 150, "keep_events": 150, "archive_dir": str(tmp_path)})
    street.route("sendgrid")
    return street


def sent(street: Street, name: str, people: list[int]) -> int:
    dispatch = street.launch(people, campaign_key=name)
    street.work()
    street.hear("delivered", street.vendor.accepted[-3:])
    finish_dispatch(dispatch, now=street.clock())
    return dispatch


def archived(folder: Path, table: str, dispatch: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for path in folder.glob(f"default/{table}/*/run-{dispatch:010d}.parquet"):
        rows += pq.ParquetFile(path).read().to_pylist()
    return rows


def test_an_old_run_leaves_and_its_page_still_tells_how_it_ended(kept: Street, tmp_path: Path) -> None:
    people = kept.people(20)
    old = sent(kept, "old", people)
    before = kept.facts(old)
    said = delivery.engagement(kept.workspace_id, old)
    kept.clock.pass_(days=200)
    new = sent(kept, "new", people)

    done = retention.retire(now=kept.clock())

    assert done.runs == 1 and set(Message.objects.values_list("dispatch_id", flat=True)) == {new}
    assert not Attempt.objects.filter(dispatch_id=old).exists()
    assert [row["n"] for row in archived(tmp_path, "messages", old)] == list(range(20))
    assert sum(row["state"] == "delivered" for row in archived(tmp_path, "messages", old)) == 3
    after = kept.facts(old)
    assert (after.counts, after.cost_micros, after.requests) == (before.counts, before.cost_micros, before.requests)
    assert delivery.engagement(kept.workspace_id, old) == said and after.archived_at == kept.clock()
    assert kept.why(old, people[0]) == ("archived", "") and kept.why(new, people[0])[0] == "sent"


def test_what_is_in_doubt_or_held_stays(kept: Street) -> None:
    people = kept.people(4)
    kept.vendor.fault = lambda number: "drop" if number == 0 else "ok"
    doubtful, held = sent(kept, "doubtful", people), sent(kept, "held", people)
    assert retention.hold(kept.workspace_id, held, True)
    kept.clock.pass_(days=200)

    done = retention.retire(now=kept.clock())

    assert done.runs == 0 and done.held == [doubtful, held]


def test_nothing_is_dropped_where_the_archive_cannot_be_written(kept: Street, settings: Any, tmp_path: Path) -> None:
    sent(kept, "old", kept.people(4))
    kept.clock.pass_(days=200)
    settings.OMNI = settings.OMNI.model_copy(update={"archive_dir": str(tmp_path / "file" / "x")})
    (tmp_path / "file").write_text("in the way")

    with pytest.raises((Refused, Invalid)):
        retention.retire(now=kept.clock())

    assert Message.objects.count() == 4


@pytest.mark.parametrize("seed", range(2))
def test_killed_anywhere_the_next_round_goes_on_and_loses_nothing(kept: Street, tmp_path: Path, seed: int) -> None:
    drawn = random.Random(seed)
    people = kept.people(12)
    runs = [sent(kept, f"run-{number}", people) for number in range(3)]
    kept.clock.pass_(days=200)
    for _ in range(40):
        left = drawn.randrange(1, 9)

        def each() -> None:
            nonlocal left
            left -= 1
            if not left:
                raise Killed

        try:
            retention.retire(now=kept.clock(), each=each)
        except Killed:
            continue

    retention.retire(now=kept.clock())

    assert Message.objects.count() == 0 and not Dispatch.objects.filter(emptied=False).exists()
    for run in runs:
        assert [row["n"] for row in archived(tmp_path, "messages", run)] == list(range(12))
        assert len(archived(tmp_path, "attempts", run)) == 1


def test_a_link_of_long_ago_still_unsubscribes(kept: Street) -> None:
    people = kept.people(3)
    old = sent(kept, "old", people)
    kept.clock.pass_(days=200)
    retention.retire(now=kept.clock())

    who = tracking.reader(MessageKey(old, 1))
    assert who is not None and who.profile_id == sorted(people)[1]
    tracking.unsubscribe(who, everything=True, now=kept.clock())

    plan = kept.launch(people, campaign_key="next")
    assert kept.why(plan, who.profile_id)[0] == "left_out"
    assert audience.consents(kept.workspace_id, who.profile_id)


def test_a_relaunch_reaches_nobody_twice_whose_message_is_in_the_archive(kept: Street) -> None:
    people = kept.people(3)
    sent(kept, "once", people)
    kept.clock.pass_(days=200)
    retention.retire(now=kept.clock())

    again = kept.launch(people, campaign_key="once", relaunch=1)

    assert kept.facts(again).left_out == {"reached": 3}


def test_an_event_about_an_archived_message_changes_only_its_own_row(kept: Street) -> None:
    old = sent(kept, "old", kept.people(3))
    late = kept.vendor.accepted[-1:]
    kept.clock.pass_(days=200)
    retention.retire(now=kept.clock())
    before = kept.facts(old).counts

    kept.hear("bounce", late)

    assert kept.facts(old).counts == before
    assert VendorEvent.objects.filter(kind="bounced", dispatch_id=0).count() == 1


def test_old_events_leave_by_whole_blocks(kept: Street, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(old_events, "BLOCK", 4)
    sent(kept, "old", kept.people(9))
    kept.hear("open")
    kept.clock.pass_(days=200)
    new = sent(kept, "new", kept.people(3))
    many = VendorEvent.objects.exclude(dispatch_id=new).count()

    done = retention.retire(now=kept.clock())

    kept_rows = sum(pq.ParquetFile(path).metadata.num_rows for path in tmp_path.glob("default/events/*/*.parquet"))
    assert done.events == kept_rows and many - 4 < kept_rows <= many
    assert VendorEvent.objects.filter(dispatch_id=new).count() == 3


def test_events_of_a_run_that_somebody_holds_stay_and_later_ones_go(kept: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(old_events, "BLOCK", 1)
    held, other = sent(kept, "held", kept.people(3)), sent(kept, "other", kept.people(3))
    assert retention.hold(kept.workspace_id, held, True)
    kept.clock.pass_(days=200)
    sent(kept, "new", kept.people(3))

    retention.retire(now=kept.clock())
    of_the_held = VendorEvent.objects.filter(dispatch_id=held)

    assert of_the_held.count() == 3 and not VendorEvent.objects.filter(dispatch_id=other).exists()
    assert retention.hold(kept.workspace_id, held, False)
    retention.retire(now=kept.clock())
    assert not of_the_held.exists()


def test_too_short_a_time_is_refused() -> None:
    with pytest.raises(SystemExit, match="OMNI_KEEP_MESSAGES"):
        read_environment({"OMNI_KEEP_MESSAGES": "30"})


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_on_postgresql_a_whole_range_goes_at_once_and_its_events_with_it(kept: Street, tmp_path: Path, ranges: Ranges) -> None:
    people = kept.people(3)
    ranges.begin()
    old = sent(kept, "old", people)
    ranges.end()
    young = sent(kept, "young", people)
    kept.clock.pass_(days=200)
    Dispatch.objects.filter(pk=young).update(finished_at=kept.clock())

    done = retention.retire(now=kept.clock())

    assert (done.runs, done.ranges, done.events) == (1, 1, 3)
    assert not {table for table in tables() if table.endswith(f"_{ranges.start}")}
    assert len(archived(tmp_path, "messages", old)) == 3 and kept.why(old, people[0]) == ("archived", "")
    files = tmp_path.glob(f"default/events/*/{ranges.start}-at-once-from-*.parquet")
    assert sum(pq.ParquetFile(path).metadata.num_rows for path in files) == 3
    assert VendorEvent.objects.filter(dispatch_id=young).count() == 3


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_events_of_a_range_that_somebody_took_out_and_died_over_are_archived_and_dropped(
    kept: Street, tmp_path: Path, ranges: Ranges, settings: Any
) -> None:
    settings.OMNI = settings.OMNI.model_copy(update={"keep_messages": 0})
    ranges.begin()
    old = sent(kept, "old", kept.people(3))
    ranges.end()
    kept.clock.pass_(days=200)
    assert partitions.detach(ranges.start, partitions.EVENTS)
    kept.hear("open", kept.vendor.accepted[-1:])  # comes into the default partition: its range is gone

    done = retention.retire(now=kept.clock())

    assert done.events == 3 and list(VendorEvent.objects.filter(dispatch_id=old).values_list("kind", flat=True)) == ["opened"]
    assert Message.objects.filter(dispatch_id=old).count() == 3 and not partitions.detached(partitions.EVENTS)


class Ranges:
    """A range of dispatches of its own, far beyond those of other tests."""

    start = 50_000

    def begin(self) -> None:
        """The next dispatch is the first of the range, which is there."""
        self._newest(self.start - partitions.SPAN // 2)
        assert partitions.prepare_next() == f"delivery_message_{self.start}"
        self._newest(self.start - 1)

    def end(self) -> None:
        """The next dispatch is the first of the range after it."""
        self._newest(self.start + partitions.SPAN - 1)
        partitions.prepare_next()

    def _newest(self, number: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT setval('delivery_dispatch_id_seq', %s)", [number])


@pytest.fixture
def ranges() -> Iterator[Ranges]:
    made = Ranges()
    yield made
    for start in (made.start, made.start + partitions.SPAN):
        partitions.drop(start, *partitions.LEDGER, partitions.EVENTS)


def tables() -> set[str]:
    return set(connection.introspection.table_names())
