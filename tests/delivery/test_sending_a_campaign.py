"""A campaign goes out: everybody once, in the order of its waves, and everybody considered can be explained."""

from __future__ import annotations

import pytest
from pyroaring import BitMap64

from delivery import door as delivery
from delivery.models import Batch, LeftOut, Slice
from delivery.waves import waves_of
from governance.door import Invalid, Missing
from tests import factories
from tests.delivery.conftest import Street

pytestmark = pytest.mark.django_db


def test_everybody_gets_one_message_and_the_dispatch_is_done(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(250))

    street.work()

    assert len(street.vendor.accepted) == 250
    assert set(street.vendor.times().values()) == {1}
    assert street.counts(dispatch) == {"sent": 250}
    assert street.facts(dispatch).state == "done"
    assert street.vendor.requests == 3


def test_planning_the_same_launch_twice_adds_nothing(street: Street) -> None:
    street.route("sendgrid")
    ids = street.people(250)
    first = street.launch(ids)
    rows = Batch.objects.count(), Slice.objects.count(), LeftOut.objects.count()

    assert street.launch(ids) == first
    assert (Batch.objects.count(), Slice.objects.count(), LeftOut.objects.count()) == rows


def test_the_same_address_gets_one_message_the_lowest_id_wins(street: Street) -> None:
    street.route("sendgrid")
    first = factories.profile(now=street.clock(), email="ann@example.com")
    again = factories.profile(now=street.clock(), email="ANN@example.com")
    dispatch = street.launch([first, again])

    street.work()

    assert street.vendor.received_by("ann@example.com") == 1
    assert street.why(dispatch, again) == ("left_out", "duplicate")
    assert street.counts(dispatch) == {"sent": 1, "duplicate": 1}


def test_an_edited_relaunch_reaches_only_those_whom_the_first_did_not(street: Street) -> None:
    street.route("sendgrid")
    ids = street.people(30)
    first = street.launch(ids[:20], batch_size=10)
    street.work(pieces=1)
    delivery.stop(street.person("ada"), first, now=street.clock(), reason="a typo")

    second = street.launch(ids, relaunch=1)
    street.work()

    assert set(street.vendor.times().values()) == {1} and len(street.vendor.accepted) == 30
    assert street.counts(second) == {"sent": 20, "reached": 10}


def test_a_running_launch_keeps_its_people_from_the_next_one(street: Street) -> None:
    street.route("sendgrid")
    ids = street.people(20)
    street.launch(ids)

    second = street.launch(ids, relaunch=1)

    assert street.facts(second).planned == 0 and street.facts(second).state == "done"


def test_reentry_reaches_everybody_again(street: Street) -> None:
    street.route("sendgrid")
    ids = street.people(20)
    for relaunch in (0, 1):
        street.launch(ids, relaunch=relaunch, reentry=True)

    street.work()

    assert len(street.vendor.accepted) == 40


def test_those_held_out_are_explained(street: Street) -> None:
    street.route("sendgrid")
    ids = street.people(10)
    dispatch = street.launch(ids[2:], left_out={"holdout": BitMap64(ids[:2])})
    street.work()

    assert street.why(dispatch, ids[0]) == ("left_out", "holdout")
    assert street.why(dispatch, ids[5]) == ("sent", "")
    assert street.why(dispatch, 10**12) == ("not_considered", "")
    view = street.facts(dispatch)
    assert view.considered == 10 and sum(view.counts.values()) == 10


def test_a_ramp_waits_for_its_soak_and_a_person_may_open_a_wave_early(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(300), ramp=(0.1, 0.5, 1.0), soak_minutes=15)
    waves = [wave.people for wave in street.facts(dispatch).waves]
    assert sum(waves) == 300 and 10 < waves[0] < 60

    street.work()
    street.keep_house()  # sees the first wave through: the soak begins
    street.clock.pass_(minutes=14)
    street.keep_house()
    street.work()
    assert len(street.vendor.accepted) == waves[0]

    street.clock.pass_(minutes=1)
    street.keep_house()
    street.work()
    assert len(street.vendor.accepted) == waves[0] + waves[1]

    delivery.open_next_wave(street.person("ben"), dispatch, now=street.clock())
    street.work()
    assert street.counts(dispatch) == {"sent": 300}


def test_a_canary_is_a_fair_sample_that_never_changes() -> None:
    ids = BitMap64(range(1, 100_001))
    waves = waves_of(ids, (0.01, 0.1, 1.0), "spring-sale")

    assert [len(wave) for wave in waves] == [len(wave) for wave in waves_of(ids, (0.01, 0.1, 1.0), "spring-sale")]
    assert 850 < len(waves[0]) < 1_150 and 8_600 < len(waves[1]) < 9_400
    assert waves[0] | waves[1] | waves[2] == ids and not waves[0] & waves[1]
    assert 420 < len(waves[0] & BitMap64(range(1, 50_001))) < 580


def test_a_dark_launch_does_everything_but_call_the_vendor(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(20), shadow=True)

    street.work()

    assert street.vendor.requests == 0
    assert street.counts(dispatch) == {"shadow": 20}


def test_an_empty_audience_is_done_at_once(street: Street) -> None:
    street.route("sendgrid")
    dispatch = street.launch([])
    assert street.lease() is None
    assert street.facts(dispatch).state == "done"


def test_nothing_is_planned_without_a_released_route(street: Street) -> None:
    with pytest.raises(Missing, match="vendor route for email"):
        street.launch(street.people(1))


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"batch_size": 0}, "/batch_size"),
        ({"ramp": (0.5, 0.1)}, "/ramp"),
        ({"ramp": (0.5, 1.5)}, "/ramp"),
        ({"budget_micros": -1}, "/budget_micros"),
    ],
)
def test_an_impossible_plan_names_the_field(street: Street, changes: dict[str, object], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        street.launch([], **changes)
    assert [finding.path for finding in refused.value.findings] == [path]
