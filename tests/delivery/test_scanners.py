"""A third of the readers behind a scanner that follows every link, a third behind a proxy that looks at everything: no rate moves."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from delivery import tracking
from delivery.door import MessageKey, engagement, register_link_resolver, settle_clicks
from delivery.models import VendorEvent
from tests.delivery.sent import Sent, sent

pytestmark = pytest.mark.django_db
PERSON = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36"  # scanners say the same
PRIVACY_PROXY = "Mozilla/5.0"
READERS, SCANNED, PROXIED = 50, range(15), range(15, 30)


@pytest.fixture
def now() -> datetime:
    return timezone.now() - timedelta(hours=2)


@pytest.fixture(autouse=True)
def _links(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tracking, "_resolvers", [])
    register_link_resolver(lambda dispatch_id, n, k: f"https://shop.example.com/{k}")
    yield


def reader(mail: Sent, n: int) -> tracking.Reader:
    found = tracking.reader(MessageKey(mail.dispatch.pk, n))
    assert found is not None
    return found


def scan(mail: Sent, n: int, links: int, chance: random.Random, now: datetime) -> None:
    """Fetch everything that is in the mail, in any order, within seconds of its coming: links, the picture, the way out."""
    at = now + timedelta(seconds=chance.uniform(1, 300))
    for each in chance.sample([*range(links), "picture", "u", "p"], links + 3):
        at += timedelta(seconds=chance.uniform(0.02, 0.25))
        if isinstance(each, int):
            tracking.clicked(reader(mail, n), each, agent=PERSON, by_hand=True, now=at)
        elif each == "picture":
            tracking.opened(reader(mail, n), agent=PERSON, by_hand=True, now=at)
        else:
            assert Client().get(f"/{each}/{mail.tokens[n]}", headers={"User-Agent": PERSON}).status_code == 200


def live(mail: Sent, links: int, now: datetime) -> None:
    """What people do, machines or not: some open, some click when they have read, two leave. Behind the proxy pictures say nothing."""
    chance = random.Random(7)
    for n in range(READERS):
        opens, clicks, minutes = chance.random() < 0.5, chance.random() < 0.3, chance.uniform(6, 90)
        at = now + timedelta(minutes=minutes)
        if opens and n not in PROXIED:
            tracking.opened(reader(mail, n), agent=PERSON, by_hand=True, now=at)
        if opens and clicks:
            tracking.clicked(reader(mail, n), chance.randrange(links), agent=PERSON, by_hand=True, now=at + timedelta(seconds=9))
        if n in (3, 40):
            tracking.unsubscribe(reader(mail, n), everything=False, now=at + timedelta(seconds=20))


def rates(mail: Sent) -> dict[str, int]:
    """What the run's page counts as people's."""
    found = engagement(mail.dispatch.workspace_id, mail.dispatch.pk)
    assert found.opened_by_machines + found.clicked_by_machines + found.opened + found.clicked > 0
    return {"opened": found.opened, "clicked": found.clicked, "unsubscribed": found.unsubscribed}


@pytest.mark.parametrize("links", [1, 3])
def test_machines_move_no_rate_of_people(now: datetime, links: int) -> None:
    quiet, busy = (sent(READERS, now=now) for _ in range(2))
    chance = random.Random(links)
    for n in SCANNED:
        scan(busy, n, links, chance, now)
    for n in PROXIED:
        tracking.opened(reader(busy, n), agent=PRIVACY_PROXY, by_hand=True, now=now + timedelta(seconds=chance.uniform(1, 600)))
    for mail in (quiet, busy):
        live(mail, links, now)
    settle_clicks(now=timezone.now())
    assert rates(busy) == rates(quiet) and rates(quiet)["clicked"] > 5
    assert VendorEvent.objects.filter(dispatch_id=busy.dispatch.pk, machine=True, n__in=SCANNED).count() >= len(SCANNED) * (links + 1)
    assert not VendorEvent.objects.filter(dispatch_id=quiet.dispatch.pk, machine=True).exists()


def test_a_click_that_comes_with_the_mail_is_no_persons(now: datetime) -> None:
    mail = sent(2, now=now)
    tracking.clicked(reader(mail, 0), 0, agent=PERSON, by_hand=True, now=now + timedelta(seconds=2))
    tracking.clicked(reader(mail, 1), 0, agent=PERSON, by_hand=True, now=now + timedelta(seconds=20))
    settle_clicks(now=timezone.now())
    assert dict(VendorEvent.objects.values_list("n", "machine")) == {0: True, 1: False}
