"""Who can't or doesn't want to be written to, asked about a whole audience: the same answer as the last look's."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.utils import timezone
from pyroaring import BitMap64

from audience import door as audience
from audience import reach
from audience.models import Subscription
from tests import factories as make

pytestmark = pytest.mark.django_db
SAID = [
    (),
    (("email", "offers", "subscribed"),),
    (("email", "offers", "unsubscribed"),),
    (("email", "*", "unsubscribed"), ("email", "offers", "subscribed")),
    (("email", "*", "subscribed"),),
    (("email", "news", "subscribed"),),
    (("sms", "offers", "subscribed"),),
]


@pytest.fixture
def ids(now: datetime) -> list[int]:
    people = [make.profile(now=now, consents=said) for _ in range(3) for said in SAID]
    for topic in ("offers", "*"):  # who has yet to confirm what they said, with and without a refusal that stands until then
        for refused in (True, False):
            said = (("email", topic, "subscribed"), ("email", "offers" if topic == "*" else "news", "subscribed"))
            people.append(make.profile(now=now, consents=said))
            waits = Subscription.objects.filter(profile_id=people[-1], topic=topic)
            assert waits.update(state="pending", refused=refused) == 1
    return [people[-1], *people]


@pytest.mark.parametrize("message_class", ["promotional", "service", "transactional"])
@pytest.mark.parametrize("sparse", [False, True], ids=["as a range", "by its members"])
def test_the_unwilling_are_whom_the_last_look_would_refuse(
    ids: list[int], message_class: str, sparse: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "SPARSE", 0 if sparse else 8)
    monkeypatch.setattr(reach, "AT_ONCE", 4)  # several pieces
    workspace, asked = make.workspace().pk, ids[2:]
    about = {"channel": "email", "topic": "offers", "message_class": message_class}
    willing = audience.consenting(workspace, asked, **about, now=timezone.now())
    assert set(asked) - set(audience.unwilling(workspace, BitMap64(asked), **about, now=timezone.now())) == willing


def test_who_has_no_address_or_was_erased_is_unreachable(now: datetime) -> None:
    workspace = make.workspace().pk
    both = make.profile(now=now, phone="+14155550100")
    mail = make.profile(now=now)
    text = make.profile(now=now, email=None, phone="+14155550101")
    gone = make.profile(now=now, phone="+14155550102", external_id="gone")
    audience.erase(make.person("cleo", now=now), "gone", now=now)
    asked = BitMap64([both, mail, text, gone])
    assert audience.unreachable(workspace, asked, channel="email") == BitMap64([text, gone])
    assert audience.unreachable(workspace, asked, channel="sms") == BitMap64([mail, gone])
