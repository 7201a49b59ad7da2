"""Who a message comes from is approved, frozen at launch and halted by a recall, like everything else that it says."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from delivery import door as delivery
from delivery.models import Dispatch, OutboxMail
from governance import door as governance
from governance.door import Refused
from tests import factories as make
from workflow import pipeline, worker
from workflow.transactional import accept

pytestmark = pytest.mark.django_db(transaction=True)


def sale(now: datetime) -> str:
    make.put("sender", "offers", make.mail_sender(), now=now, author="cleo")
    return make.spring_sale(now=now, template_changes={"sender": "offers"})


def changed(now: datetime, **changes: Any) -> None:
    """Another revision of the sender, approved and released by itself."""
    make.put("sender", "offers", make.mail_sender(**changes), now=now, author="cleo")
    make.release("sender", "offers", now=now, author="cleo")


def send_all(now: datetime) -> None:
    worker.drain(now=lambda: now)


def test_what_was_launched_keeps_the_sender_it_was_launched_with(now: datetime) -> None:
    make.profiles(2, now=now)
    run = pipeline.launch(make.person("ben", now=now), sale(now), now=now)
    changed(now, name="Somebody else", address="other@elsewhere.example")
    send_all(now)

    mail = OutboxMail.objects.order_by("pk").first()
    assert mail is not None and (mail.sender, mail.sender_name, mail.reply_to) == (
        "offers@mail.wayfare.example",
        "Wayfare Offers",
        "help@wayfare.example",
    )
    released = governance.revision(run.workspace_id, "sender", "offers", 1)
    assert released.id in Dispatch.objects.get(pk=run.dispatch_id).pins
    with pytest.raises(Refused, match="not what was approved"):
        governance.approval(run.workspace_id, "campaign", run.campaign_key, now=now)


def test_a_recalled_sender_halts_what_pins_it(now: datetime) -> None:
    make.profiles(2, now=now)
    run = pipeline.launch(make.person("ben", now=now), sale(now), now=now)
    governance.recall(make.person("ben", now=now), "sender", "offers", number=1, reason="not ours", now=now)
    send_all(now)
    assert delivery.facts(run.workspace_id, run.dispatch_id).counts == {"recalled": 2}
    assert not OutboxMail.objects.exists()


def test_the_next_transactional_message_comes_from_the_sender_in_force(now: datetime) -> None:
    make.put("sender", "offers", make.mail_sender(), now=now, author="cleo")
    letter = {"subject": "Code", "blocks": [{"type": "text", "id": "it", "text": "42"}]}
    body = make.template(message_class="transactional", topic=None, variables={}, locales={"en": letter}, sender="offers")
    make.in_force("template", "code", body, now=now)
    wanted = pipeline.MessageRequest.model_validate({"type": "code", "to": {"external_id": "ann", "email": "ann@example.com"}, "data": {}})
    for name in ("Wayfare Offers", "Wayfare Accounts"):
        if name == "Wayfare Accounts":
            make.put("sender", "offers", make.mail_sender(name=name), now=now, author="cleo")
            make.release("template", "code", now=now)  # its bill changed: it is asked for again, and the sender goes along
        accept(governance.system_actor(make.workspace().pk, label="tests"), wanted, idempotency_key=None, now=now)
    send_all(now)
    assert sorted(OutboxMail.objects.values_list("sender_name", flat=True)) == ["Wayfare Accounts", "Wayfare Offers"]


def test_a_message_is_shown_as_it_was_sent_whoever_sends_now(client: Client, now: datetime) -> None:
    make.profiles(1, now=now)
    blocks = [{"type": "text", "id": "it", "text": "Hello"}, {"type": "footer", "id": "footer"}]
    make.put("sender", "offers", make.mail_sender(), now=now, author="cleo")
    changes = {"sender": "offers", "locales": {"en": {"subject": "Hello", "blocks": blocks}}}
    run = pipeline.launch(make.person("ben", now=now), make.spring_sale(now=now, template_changes=changes), now=now)
    send_all(now)
    changed(now, postal_address="1 New Quay, Cork")

    client.force_login(governance.User.objects.get(username="ben"))
    page = client.get(f"/console/messages/{delivery.message_id(run.dispatch_id, 0)}/content/").content.decode()
    assert "12 Harbour Street, Dublin" in page and "Cork" not in page
    mail = OutboxMail.objects.get()
    assert "12 Harbour Street, Dublin" in mail.text and "12 Harbour Street, Dublin" in (mail.html or "")
