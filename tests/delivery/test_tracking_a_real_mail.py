"""From a mail that a campaign sent: its own links, pixel and header do what they promise, and the next campaign knows."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from audience import door as audience
from delivery import door as delivery
from delivery.models import OutboxMail
from tests import factories as make
from workflow import pipeline, worker

pytestmark = pytest.mark.django_db(transaction=True)
PERSON = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}


@pytest.fixture
def now() -> datetime:
    return timezone.now() - timedelta(hours=2)


def launched(now: datetime) -> tuple[int, list[OutboxMail]]:
    """One campaign to whoever is there; its dispatch and its mails."""
    run = pipeline.launch(make.person("ben", now=now), "spring-sale", now=now)
    worker.drain(now=lambda: now)
    token = {delivery.read_message_id(mail.message_id): mail for mail in OutboxMail.objects.all()}
    return run.dispatch_id, [mail for key, mail in token.items() if key is not None and key.dispatch_id == run.dispatch_id]


def path(url: str) -> str:
    return urlsplit(url).path


def test_a_reader_opens_clicks_leaves_and_is_left_alone(now: datetime) -> None:
    ada = make.profile(now=now, email="ada@example.com")
    make.profile(now=now, email="bob@example.com")
    make.spring_sale(now=now)
    dispatch, mails = launched(now)
    mail = next(one for one in mails if one.recipient == "ada@example.com")
    assert mail.html is not None
    links = re.findall(r'href="([^"]+/t/[^"]+)"', mail.html)
    (pixel,) = re.findall(r'src="([^"]+/o/[^"]+)"', mail.html)
    leave = mail.headers["List-Unsubscribe"].strip("<>")
    assert mail.message_id in leave and mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    client = Client(enforce_csrf_checks=True)
    assert client.get(path(pixel), headers=PERSON).status_code == 200
    followed = client.get(path(links[0]), headers=PERSON)
    assert (followed.status_code, followed.headers["Location"]) == (302, "https://www.wayfare.example/spring")
    assert client.post(path(leave), {"List-Unsubscribe": "One-Click"}).status_code == 200

    home = make.workspace().pk
    names = sorted(each.name for each in audience.events_of(home, ada))
    assert names == ["message.clicked", "message.opened", "message.unsubscribed"]
    assert delivery.facts(home, dispatch).counts == {"sent": 1, "delivered": 1}

    make.profile(now=now, email="eve@example.com")
    make.in_force("campaign", "spring-sale", make.campaign(title="Again", reentry=True), now=now)
    _, again = launched(now + timedelta(hours=1))
    assert sorted(one.recipient for one in again) == ["bob@example.com", "eve@example.com"]
