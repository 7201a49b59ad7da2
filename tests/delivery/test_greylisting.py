"""A recipient's server that wants one mail later holds up that mail alone, for longer each time; a relay that wants less rests."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from delivery import door as delivery
from delivery.models import VendorAccount
from tests.delivery.conftest import Street
from tests.delivery.relay import Relay

pytestmark = pytest.mark.django_db


class Greylist(Relay):
    """Wants each mail to a domain of `grey` so many times later."""

    def __init__(self, grey: dict[str, int], said: str = "450 4.2.0 Greylisted, see you later") -> None:
        super().__init__(say=self._say)
        self.grey, self.said, self.asked = grey, said, Counter[str]()

    def _say(self, verb: str, argument: str) -> str:
        if verb != "RCPT":
            return ""
        address = argument.partition("<")[2].partition(">")[0]
        self.asked[address] += 1
        return self.said if self.asked[address] <= self.grey.get(address.rpartition("@")[2], 0) else ""


def test_one_greylisted_recipient_holds_up_nobody_else(street: Street, relayed: Any) -> None:
    relay = Greylist({"grey.example": 2})
    relayed(relay)
    (slow,) = street.people(1, domain="grey.example")
    dispatch = street.launch([slow, *street.people(5)], batch_size=3)

    street.work()
    assert street.counts(dispatch)["sent"] == 5 and not VendorAccount.objects.filter(blocked_until__isnull=False).exists()
    assert street.facts(dispatch).state == "running"

    tried = []
    for _ in range(10):
        street.clock.pass_(minutes=1)
        street.work()
        tried.append(sum(many for address, many in relay.asked.items() if address.endswith("@grey.example")))

    assert tried == [1, 2, 2, 2, 2, 2, 3, 3, 3, 3], "two minutes, then five"
    assert (street.counts(dispatch), street.facts(dispatch).state) == ({"sent": 6}, "done")
    assert len(relay.taken) == 6


def test_a_greylisted_password_reset_is_tried_until_it_is_of_no_use(street: Street, relayed: Any) -> None:
    relayed(Greylist({"grey.example": 100}))
    dispatch = street.message_type()
    street.decide(dispatch, street.people(1, domain="grey.example"), expires_at=street.clock() + timedelta(minutes=30))
    street.decide(dispatch, street.people(2), expires_at=street.clock() + timedelta(minutes=30))

    street.work()
    assert street.counts(dispatch)["sent"] == 2
    for _ in range(60):
        street.clock.pass_(minutes=1)
        street.work()

    assert street.counts(dispatch) == {"sent": 2, "expired": 1}


def test_stopping_cancels_what_was_put_off(street: Street, relayed: Any) -> None:
    relayed(Greylist({"grey.example": 100}))
    dispatch = street.launch([*street.people(1, domain="grey.example"), *street.people(1)])
    street.work()

    delivery.stop(street.person("ada"), dispatch, now=street.clock(), reason="no")

    assert street.counts(dispatch) == {"sent": 1, "cancelled": 1}


@pytest.mark.parametrize("said", ["451 4.3.2 System busy", "421 4.7.0 Too fast", "450 4.2.0 Later"])
def test_a_relay_that_puts_off_everybody_or_speaks_of_itself_rests(street: Street, relayed: Any, said: str) -> None:
    relayed(Greylist({"grey.example": 1}, said))
    dispatch = street.launch(street.people(12, domain="grey.example"))

    street.work()

    assert street.counts(dispatch).get("sent", 0) == 0
    assert VendorAccount.objects.filter(blocked_until__gt=street.clock()).count() == 1
