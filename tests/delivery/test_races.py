"""Many workers at once on PostgreSQL: caps, budgets, leases and pauses hold where statements really interleave."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from audience import door as audience
from delivery import door as delivery
from delivery.models import Dispatch, Message
from delivery.states import MessageState
from tests.delivery.conftest import Street

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
PRICE = {"currency": "USD", "otherwise_micros": 10, "countries": {}}


def now() -> datetime:
    return datetime.now(UTC)


def workers(street: Street, count: int, each: Callable[[delivery.Work], None] | None = None) -> list[BaseException]:
    """So many threads that lease and send until nothing is due; what went wrong in them."""
    faults: list[BaseException] = []

    def work(name: str) -> None:
        vendors = delivery.Connections(transport=street.vendor.transport())
        try:
            idle = 0
            while idle < 5:
                piece = delivery.lease(lanes=("transactional", "promotional"), worker=name, now=now())
                if piece is None:
                    idle += 1
                    time.sleep(0.02)
                    continue
                if each is not None:
                    each(piece)
                delivery.send(piece, street.render(piece), vendors=vendors, clock=now)
        except BaseException as fault:
            faults.append(fault)
        finally:
            vendors.close()
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(work, [f"w{number}" for number in range(count)]))
    return faults


@pytest.fixture
def busy(street: Street) -> Iterator[Street]:
    street.clock.at = now()
    yield street


def test_nobody_gets_over_the_cap_when_all_campaigns_collide(busy: Street) -> None:
    busy.route("sendgrid")
    busy.policy(caps=[{"count": 2, "hours": 24}])
    ids = busy.people(400)
    for number in range(5):
        busy.launch(ids, campaign_key=f"campaign-{number}", policy_key="manners", batch_size=50)

    assert workers(busy, 6) == []

    sent = Counter(Message.objects.filter(state__lt=MessageState.FAILED).values_list("profile_id", flat=True))
    assert set(sent.values()) == {2} and len(sent) == 400
    assert set(busy.vendor.times().values()) == {1}


def test_no_two_workers_hold_the_same_work(busy: Street) -> None:
    busy.route("sendgrid")
    dispatch = busy.launch(busy.people(600), batch_size=10)
    held: list[tuple[int, ...]] = []

    assert workers(busy, 6, each=lambda piece: held.append(piece.source_ids)) == []

    assert len(held) == len(set(held)) == 60
    assert busy.counts(dispatch) == {"sent": 600}
    assert busy.facts(dispatch).state == "done", "of the last two pieces the later one ends the dispatch"


def test_no_two_workers_spend_the_same_money(busy: Street) -> None:
    busy.route("sendgrid", price=PRICE)
    dispatch = busy.launch(busy.people(300), batch_size=10, budget_micros=1_234)

    assert workers(busy, 6) == []

    assert busy.counts(dispatch) == {"sent": 123, "waiting": 177}
    assert busy.facts(dispatch).state == "paused"
    assert Dispatch.objects.get(pk=dispatch).committed_micros == 1_230


def test_after_a_pause_has_returned_no_last_look_commits(busy: Street) -> None:
    """Workers admit all the time; at the instant pause returns, the ledger is as large as it will ever be."""
    busy.route("sendgrid")
    ada, ids = busy.person("ada"), busy.people(1_000)
    for round_number in range(4):
        dispatch = busy.launch(ids, campaign_key=f"campaign-{round_number}", batch_size=10)
        seen: dict[str, Any] = {}

        def press(dispatch: int = dispatch, seen: dict[str, Any] = seen) -> None:
            while not Message.objects.filter(dispatch_id=dispatch).exists():
                time.sleep(0.002)
            delivery.pause(ada, dispatch, now=now())
            seen["rows"] = Message.objects.filter(dispatch_id=dispatch).count()
            connection.close()

        thread = threading.Thread(target=press)
        thread.start()
        assert workers(busy, 4) == []
        thread.join()
        assert Message.objects.filter(dispatch_id=dispatch).count() == seen["rows"]
        assert 0 < seen["rows"] < 1_000


def test_deciding_never_waits_for_another_decision(busy: Street) -> None:
    busy.route("sendgrid")
    dispatch, ids = busy.message_type(), busy.people(4)
    inside, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        from django.db import transaction

        with transaction.atomic():
            busy.decide(dispatch, ids[:1])
            inside.set()
            go_on.wait(10)
        connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert inside.wait(10)
    began = time.monotonic()
    busy.decide(dispatch, ids[1:])
    took = time.monotonic() - began
    go_on.set()
    thread.join()
    assert took < 5
    assert workers(busy, 3) == []
    assert busy.counts(dispatch) == {"sent": 4}


def test_cancelling_and_admitting_the_same_message_cannot_both_win(busy: Street) -> None:
    busy.route("sendgrid")
    dispatch, ids = busy.message_type(), busy.people(200)
    tokens = delivery.message_ids(dispatch, busy.decide(dispatch, ids))
    won: list[str] = []

    def cancel() -> None:
        won.extend(token for token in reversed(tokens) if delivery.cancel(busy.workspace_id, token, now=now()))
        connection.close()

    thread = threading.Thread(target=cancel)
    thread.start()
    assert workers(busy, 2) == []
    thread.join()

    assert not set(won) & set(busy.vendor.times())
    assert len(won) + len(busy.vendor.times()) == 200


def test_planning_the_same_launch_at_once_makes_one_dispatch(busy: Street) -> None:
    busy.route("sendgrid")
    ids = busy.people(50)

    def plan(_: int) -> int:
        try:
            return busy.launch(ids)
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        assert len(set(pool.map(plan, range(5)))) == 1
    assert Dispatch.objects.count() == 1


def test_people_who_turn_out_to_be_one_while_many_workers_send_get_it_once(busy: Street) -> None:
    """Whichever comes first, a last look or a merge, sees the other: only whom both looks met as two may be written to twice."""
    busy.route("sendgrid")
    ada = busy.person("cleo")
    ids = busy.people(200)
    names = {person.id: person.external_id for person in audience.load(busy.workspace_id, ids)}
    dispatch = busy.launch(ids, batch_size=3, message_class="service")
    goes, stays, merged_at = ids[:100], ids[100:], dict[int, datetime]()

    def merge() -> None:
        for stay, go in zip(stays, goes, strict=True):
            audience.merge(ada, names[stay], names[go], now=now())
            merged_at[stay] = now()
        connection.close()

    thread = threading.Thread(target=merge)
    thread.start()
    assert workers(busy, 4) == []
    thread.join()
    assert workers(busy, 1) == []

    has = Counter[int]()
    late = Counter[int]()
    for number, at in Message.objects.filter(dispatch_id=dispatch, state__lt=MessageState.FAILED).values_list("profile_id", "at"):
        has[number] += 1
        late[number] += at > merged_at[number]
    assert set(has) == set(stays), "somebody was forgotten"
    assert [number for number in stays if has[number] > 1 and late[number]] == []
    assert busy.counts(dispatch)["merged"] > 0
