"""What segments and snapshots have in common, who came and who went, and who would if a draft were released."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap64

from audience import door as audience
from audience.models import Snapshot
from audience.snapshots import change
from governance.door import Invalid, Missing, create_workspace
from tests import factories
from tests.audience.statements import noting

BRITONS = {"profile": "country", "op": "is", "value": "GB"}
GERMANS = {"profile": "country", "op": "is", "value": "DE"}
TEXTED = {"reachable": "sms"}
few = st.sets(st.integers(1, 60), max_size=40).map(BitMap64)


def home() -> int:
    return factories.workspace().pk


def released(key: str, rule: Any, now: datetime) -> None:
    factories.put("segment", key, factories.segment(title=key.capitalize(), rule=rule), now=now)
    factories.release("segment", key, now=now)


def drafted(key: str, rule: Any, now: datetime) -> None:
    factories.put("segment", key, factories.segment(title=key.capitalize(), rule=rule), now=now)


@pytest.fixture
def crowd(db: None, now: datetime) -> dict[str, list[int]]:
    """Three Britons, two of them with a phone, and two Germans, one of them with one; segments of both and of whoever has one."""
    britons = [factories.profile(now=now, country="GB", phone=phone) for phone in (None, "+447400123451", "+447400123452")]
    germans = [factories.profile(now=now, country="DE", phone=phone) for phone in (None, "+4915112345671")]
    for key, rule in {"britons": BRITONS, "germans": GERMANS, "texted": TEXTED}.items():
        released(key, rule, now)
    return {"britons": britons, "germans": germans}


# ── sets ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_segments_are_joined_crossed_and_subtracted(crowd: dict[str, list[int]], now: datetime) -> None:
    britons, germans = crowd["britons"], crowd["germans"]
    assert audience.union(home(), ["britons", "texted"], as_of=now) == BitMap64([*britons, germans[1]])
    assert audience.intersection(home(), ["britons", "texted"], as_of=now) == BitMap64(britons[1:])
    assert audience.difference(home(), "britons", ["texted"], as_of=now) == BitMap64(britons[:1])
    assert audience.difference(home(), "texted", ["britons", "germans"], as_of=now) == BitMap64()


def test_a_snapshot_is_a_set_like_any_segment(crowd: dict[str, list[int]], now: datetime) -> None:
    then = audience.take_snapshot(home(), "britons", as_of=now)
    newcomer = factories.profile(now=now, country="GB")
    assert audience.difference(home(), "britons", [then], as_of=now) == BitMap64([newcomer])
    assert audience.union(home(), [then, "germans"], as_of=now) == BitMap64([*crowd["britons"], *crowd["germans"]])
    assert audience.intersection(home(), [then], as_of=now) == BitMap64(crowd["britons"])
    assert audience.intersection(home(), [then, BitMap64([newcomer, crowd["britons"][0]])], as_of=now) == BitMap64(crowd["britons"][:1])


def test_of_no_set_there_is_no_intersection_but_an_empty_union(crowd: dict[str, list[int]], now: datetime) -> None:
    assert audience.union(home(), [], as_of=now) == BitMap64()
    with pytest.raises(Invalid, match="one set or more"):
        audience.intersection(home(), [], as_of=now)


def test_a_snapshot_of_another_workspace_is_no_set_here(crowd: dict[str, list[int]], now: datetime) -> None:
    then = audience.take_snapshot(home(), "britons", as_of=now)
    elsewhere = create_workspace("other", "Other").pk
    with pytest.raises(Missing, match="another workspace"):
        audience.union(elsewhere, [then], as_of=now)


def test_too_many_sets_at_once_are_refused(crowd: dict[str, list[int]], now: datetime) -> None:
    with pytest.raises(Invalid, match="at most 50"):
        audience.overlap(home(), ["britons"] * 51, as_of=now)


def test_the_overlap_of_segments_counts_every_pair_and_tells_shares(crowd: dict[str, list[int]], now: datetime) -> None:
    found = audience.overlap(home(), ["britons", "germans", "texted"], as_of=now)
    assert found.counts == ((3, 0, 2), (0, 2, 1), (2, 1, 3))
    assert found.share(0, 2) == 2 / 3 and found.share(1, 2) == 0.5 and found.share(1, 0) == 0.0


def test_an_empty_set_shares_nothing(crowd: dict[str, list[int]], now: datetime) -> None:
    released("nobody", {"none": [{"everyone": True}]}, now)
    assert audience.overlap(home(), ["nobody", "britons"], as_of=now).share(0, 1) == 0.0


def test_each_segment_of_an_overlap_is_asked_once(crowd: dict[str, list[int]], now: datetime) -> None:
    def people_asked(parts: list[Any]) -> int:
        statements: list[str] = []
        with connection.execute_wrapper(noting(statements)):
            audience.overlap(home(), parts, as_of=now)
        return sum("audience_profile" in each for each in statements)

    assert people_asked(["britons", "germans"]) == people_asked(["britons", "germans", "britons", "germans"]) == 2


@given(few, few, few)
def test_who_entered_who_left_and_who_stayed_are_everybody(before: BitMap64, after: BitMap64, other: BitMap64) -> None:
    moved = change(before, after)
    assert (before - moved.left) | moved.entered == after and not moved.entered & moved.left
    assert moved.stayed == len(before & after) and (moved.before, moved.after) == (len(before), len(after))
    assert change(after, before).entered == moved.left


# ── between two snapshots ─────────────────────────────────────────────────────────────────────────────────────────


def test_two_snapshots_tell_who_entered_and_who_left(crowd: dict[str, list[int]], now: datetime) -> None:
    then = audience.take_snapshot(home(), "britons", as_of=now)
    moved_away = audience.load(home(), crowd["britons"][:1])[0].external_id
    audience.upsert(home(), [audience.ProfileRow(external_id=moved_away, country="FR")], source="tests", now=now)
    newcomers = factories.profiles(30, now=now, country="GB")
    later = audience.take_snapshot(home(), "britons", as_of=now + timedelta(hours=1))

    moved = audience.between(then, later)
    assert (moved.before, moved.after, moved.stayed) == (3, 32, 2)
    assert moved.entered == BitMap64(newcomers) and moved.left == BitMap64(crowd["britons"][:1])
    some = audience.some_of(home(), moved.entered, 5)
    assert len(some) == 5 and {one.id for one in some} < set(newcomers)
    assert some == audience.some_of(home(), moved.entered, 5), "the same at every look"


def test_whoever_was_erased_since_has_left_and_is_not_shown(crowd: dict[str, list[int]], now: datetime) -> None:
    then = audience.take_snapshot(home(), "germans", as_of=now)
    audience.erase(factories.person("cleo", now=now), audience.load(home(), crowd["germans"][:1])[0].external_id, now=now)
    moved = audience.between(then, audience.take_snapshot(home(), "germans", as_of=now + timedelta(hours=1)))
    assert moved.left == BitMap64(crowd["germans"][:1]) and audience.some_of(home(), moved.left, 5) == []


def test_a_snapshot_whose_people_are_no_longer_kept_says_so(crowd: dict[str, list[int]], now: datetime) -> None:
    then = audience.take_snapshot(home(), "britons", as_of=now)
    Snapshot.objects.filter(pk=then.pk).update(bitmap=b"")
    with pytest.raises(Missing, match="only how many were is kept"):
        audience.between(Snapshot.objects.get(pk=then.pk), then)


# ── if this were released ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_draft_tells_who_would_enter_and_who_would_leave(crowd: dict[str, list[int]], now: datetime) -> None:
    drafted("britons", {"any": [{"all": [BRITONS, TEXTED]}, GERMANS]}, now)
    moved = audience.if_released(home(), "britons", as_of=now)
    assert moved is not None
    assert moved.entered == BitMap64(crowd["germans"]) and moved.left == BitMap64(crowd["britons"][:1])
    assert (moved.before, moved.after) == (3, 4)
    assert audience.resolve(home(), "britons", as_of=now).count == 3, "looking releases nothing"


def test_the_drafts_that_a_segment_uses_count_as_released_with_it(crowd: dict[str, list[int]], now: datetime) -> None:
    released("islanders", {"segment": "britons"}, now)
    drafted("britons", GERMANS, now)
    moved = audience.if_released(home(), "islanders", as_of=now)
    assert moved is not None and moved.entered == BitMap64(crowd["germans"]) and moved.left == BitMap64(crowd["britons"])


def test_where_nothing_is_released_yet_there_is_no_comparison(crowd: dict[str, list[int]], now: datetime) -> None:
    drafted("new", BRITONS, now)
    assert audience.if_released(home(), "new", as_of=now) is None


def test_each_of_those_who_would_move_has_a_reason_by_the_draft(crowd: dict[str, list[int]], now: datetime) -> None:
    drafted("britons", {"all": [BRITONS, TEXTED]}, now)
    draft = audience.SegmentBody.model_validate(factories.segment(rule={"all": [BRITONS, TEXTED]}))
    moved = audience.if_released(home(), "britons", as_of=now)
    assert moved is not None
    (leaving,) = audience.reasons(home(), draft, list(moved.left), as_of=now, drafts=True)
    assert leaving.person.id == crowd["britons"][0] and leaving.why == ("not: who can be reached by SMS",)


# ── beside other segments ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_segment_is_set_beside_every_other_one_in_force(crowd: dict[str, list[int]], now: datetime) -> None:
    drafted("draft", BRITONS, now)
    mine = audience.resolve(home(), "texted", as_of=now).ids
    told = audience.beside(home(), mine, without="texted", as_of=now)
    assert [(one.released.key, one.both, one.count) for one in told] == [("britons", 2, 3), ("germans", 1, 2)]


def test_what_was_counted_today_is_not_counted_again(crowd: dict[str, list[int]], now: datetime) -> None:
    audience.take_snapshot(home(), "britons", as_of=now)
    factories.profile(now=now, country="GB", phone="+447400123459")
    later = now + timedelta(hours=2)
    mine = audience.resolve(home(), "texted", as_of=later).ids

    def britons(at: datetime) -> audience.Beside:
        return next(one for one in audience.beside(home(), mine, without="texted", as_of=at) if one.released.key == "britons")

    assert (britons(later).both, britons(later).count, britons(later).as_of) == (2, 3, now)
    tomorrow = now + timedelta(hours=27)
    assert (britons(tomorrow).both, britons(tomorrow).count, britons(tomorrow).as_of) == (3, 4, tomorrow)


def test_a_snapshot_of_the_rule_before_is_not_taken_for_the_one_in_force(crowd: dict[str, list[int]], now: datetime) -> None:
    audience.take_snapshot(home(), "britons", as_of=now)
    released("britons", {"any": [BRITONS, GERMANS]}, now)
    mine = audience.resolve(home(), "germans", as_of=now).ids
    told = {one.released.key: one.both for one in audience.beside(home(), mine, without="germans", as_of=now)}
    assert told == {"britons": 2, "texted": 1}


def test_a_segment_that_can_not_be_asked_says_why_and_stops_no_other(crowd: dict[str, list[int]], now: datetime) -> None:
    for number in range(13):
        released(f"more-{number:02}", BRITONS, now)
    mine = audience.resolve(home(), "texted", as_of=now).ids
    told = audience.beside(home(), mine, without="texted", as_of=now)
    assert len(told) == 15 and sum(one.count is None for one in told) == 3
    assert told[-1].why == "the worker hasn’t counted it today" and told[0].count == 3
