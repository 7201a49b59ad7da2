"""The page of a mail domain says what is wrong and hands out the record that mends it; the API says the same."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from delivery.domains import kept
from delivery.models import Attempt, VendorEvent
from governance import door as governance
from governance.door import User
from tests import factories as make
from tests.delivery.dns.zone import name_server
from tests.delivery.sent import sent
from tests.delivery.test_domain_verdicts import SOUND, D
from tests.doors.street import key_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite]  # what a page says doesn't depend on the database


def signed_in(who: str, now: datetime) -> Client:
    make.person(who, now=now)
    client = Client()
    client.force_login(User.objects.get(username=who))
    return client


def test_somebody_sees_what_is_missing_asks_again_and_copies_the_record(settings: Any, now: datetime) -> None:
    make.put("sender", "offers", make.mail_sender(title="Spring offers"), now=now, author="cleo")
    address = f"/console/delivery/domains/{D}/"
    ada, vera = signed_in("ada", now), signed_in("vera", now)
    before = ada.get(address).content.decode()
    assert "Nothing is known of its DNS yet." in before and "Spring offers" in before
    assert "/check/" in before and "/check/" not in vera.get(address).content.decode()

    zone = {place: records for place, records in SOUND.items() if place != f"TXT _dmarc.{D}"}
    with name_server(zone) as (server, _):
        settings.OMNI = settings.OMNI.model_copy(update={"dns": server})
        assert ada.post(address + "check/").status_code == 302
        assert "looked up a moment ago" in ada.post(address + "check/", follow=True).content.decode()

    page = ada.get(address).content.decode()
    assert f"{D} has no DMARC policy" in page and f'data-copy="v=DMARC1; p=none; rua=mailto:dmarc@{D}"' in page
    assert "DMARC" in ada.get("/console/delivery/domains/").content.decode()
    assert f"All about {D}" in vera.get("/console/senders/offers/preview/").content.decode()

    headers = {"Authorization": f"Bearer {key_for(make.person('ada', now=now), now)}"}
    told = Client().get(f"/api/v1/domains/{D}", headers=headers).json()
    [dmarc] = [each for each in told["verdicts"] if each["check"] == "dmarc"]
    assert (told["level"], dmarc["level"], dmarc["record"]["name"]) == ("bad", "bad", f"_dmarc.{D}")
    assert told["used_by"] == [{"kind": "sender", "key": "offers", "address": f"offers@{D}", "in_force": False}]
    assert Client().post(f"/api/v1/domains/{D}/check", headers=headers).status_code == 403
    assert Client().get("/api/v1/domains/victim.example", headers=headers).status_code == 404


def test_a_template_is_given_a_sender_in_its_editor(now: datetime) -> None:
    make.put("sender", "offers", make.mail_sender(title="Spring offers"), now=now, author="cleo")
    make.put("attribute", "first_name", make.attribute(title="First name", sensitivity="personal"), now=now)
    make.put("template", "offer", make.template(sender="offers"), now=now)
    page = signed_in("ada", now).get("/console/templates/offer/").content.decode()
    assert '<option value="offers" selected>Spring offers</option>' in page and "Sender’s address" not in page


@pytest.mark.parametrize(
    ("complained", "level", "told"), [(0, "good", ": 0.00\u00a0%"), (2, "caution", ": 0.10\u00a0%"), (7, "bad", ": 0.35\u00a0%")]
)
def test_a_domain_whose_mail_is_reported_as_spam_says_so(now: datetime, complained: int, level: str, told: str) -> None:
    make.put("sender", "offers", make.mail_sender(title="Spring offers"), now=now, author="cleo")
    make.put("attribute", "first_name", make.attribute(title="First name", sensitivity="personal"), now=now)
    make.put("template", "offer", make.template(sender="offers"), now=now)
    sender, template = (
        governance.revision(make.workspace().pk, "sender", "offers", 1),
        governance.revision(make.workspace().pk, "template", "offer", 1),
    )
    run = sent(1, now=timezone.now(), template_revision_id=template.id, pins=[sender.id, template.id])
    Attempt.objects.update(count=2_000)
    for n in range(complained):
        VendorEvent.objects.create(
            workspace_id=make.workspace().pk,
            vendor="sendgrid",
            event_id=str(n),
            kind="complained",
            dispatch_id=run.dispatch.pk,
            n=n,
            at=timezone.now(),
            received_at=timezone.now(),
        )
    view = kept.domain(make.workspace().pk, D, now=timezone.now())
    (spam,) = [each.verdict for each in view.judged if each.verdict.check == "complaints"]
    assert (spam.level, told in spam.found) == (level, True)
    page = signed_in("vera", now).get(f"/console/delivery/domains/{D}/").content.decode()
    assert "2,000 mails of the last seven days were reported as spam" in page
    assert kept.domain(make.workspace().pk, D, now=timezone.now() + timedelta(days=8)).judged[-1].verdict.check != "complaints"
