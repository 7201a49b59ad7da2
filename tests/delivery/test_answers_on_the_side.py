"""While one window's answers are written down on a connection of their own, the next window has its last look."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection, transaction

from delivery import door as delivery
from delivery.adapters.base import VendorRequest
from delivery.adapters.twilio import Twilio
from delivery.models import Attempt
from delivery.scribe import Scribe
from tests.delivery.conftest import Street

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
WINDOW = Twilio.limits.concurrency // 3


class Vendor:
    """Calls something at its request of that number, before it answers."""

    def __init__(self, street: Street, at: dict[int, Callable[[], None]]) -> None:
        self._real, self._at, self.asked = street.vendor.transport(), at, 0

    def __call__(self, request: VendorRequest) -> Any:
        self.asked += 1
        self._at.get(self.asked, lambda: None)()
        return self._real(request)


@contextmanager
def first_window_held() -> Iterator[Callable[[], None]]:
    """Somebody else holds the rows of the requests so far, from the call of what this yields until the block ends."""
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                list(Attempt.objects.select_for_update().order_by("id"))
                held.set()
                over.wait(30)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)

    def begin() -> None:
        thread.start()
        assert held.wait(10)

    try:
        yield begin
    finally:
        over.set()
        thread.join()


def send(street: Street, vendor: Vendor) -> threading.Thread:
    """In a thread of its own: a worker with a scribe."""
    work = street.lease()
    assert work is not None
    vendors = delivery.Connections(transport=vendor)
    vendors.scribe = Scribe()

    def run() -> None:
        try:
            delivery.send(work, street.render(work), vendors=vendors, clock=street.clock)
        finally:
            vendors.close()
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.fixture
def texts(street: Street) -> Street:
    street.clock.at = datetime.now(UTC)
    street.route("twilio")
    return street


@pytest.mark.parametrize("cut", [False, True], ids=["held up", "held up and cut off"])
def test_a_window_leaves_while_another_is_written_down_and_no_more_than_that(texts: Street, cut: bool) -> None:
    dispatch = texts.launch(texts.numbers(4 * WINDOW + 50), channel="sms", batch_size=4 * WINDOW + 50)
    full = threading.Event()
    with first_window_held() as hold:
        vendor = Vendor(texts, {WINDOW + 1: hold, 3 * WINDOW: full.set})
        sending = send(texts, vendor)
        assert full.wait(30), "the third window leaves before the first is written down"
        sending.join(0.5)
        assert vendor.asked == Twilio.limits.concurrency, "a kill now would leave no more than that in doubt"
        assert texts.counts(dispatch)["sending"] == Twilio.limits.concurrency
        if cut:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
                )
                assert cursor.fetchall() == [(True,)]
    sending.join(30)

    assert texts.counts(dispatch) == {"sent": 4 * WINDOW + 50}
    assert set(texts.vendor.times().values()) == {1}
    assert texts.facts(dispatch).state == "done"


def test_what_the_vendor_refuses_is_followed_up_before_anything_else_leaves(texts: Street) -> None:
    """A window of which something was refused isn't left to the scribe: what follows decides what leaves next."""
    dispatch = texts.launch(texts.numbers(4 * WINDOW), channel="sms", batch_size=4 * WINDOW)
    texts.vendor.fault = lambda number: "429" if number == 5 else "ok"
    vendor = Vendor(texts, {})
    send(texts, vendor).join(30)

    assert vendor.asked == 2 * WINDOW, "the account rests: the third window waits"
    texts.clock.pass_(minutes=2)
    texts.vendor.fault = lambda number: "ok"
    texts.work()
    assert texts.counts(dispatch) == {"sent": 4 * WINDOW}
    assert set(texts.vendor.times().values()) == {1}
