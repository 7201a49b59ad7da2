"""Fragments and themes are approved with what names them, frozen at launch, and a campaign may dress its templates otherwise."""

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
LETTER = {
    "subject": "Hello",
    "blocks": [
        {"type": "text", "id": "it", "text": "Hello"},
        {"type": "fragment", "id": "end", "fragment": "legal"},
    ],
}


def legal(words: str) -> dict[str, Any]:
    blocks = [{"type": "text", "id": "why", "text": words}, {"type": "footer", "id": "footer", "address": "1 Quay, Cork"}]
    return make.fragment(locales={"en": {"blocks": blocks}})


def theme(accent: str) -> dict[str, Any]:
    return {"title": accent, "accent": accent}


def sale(now: datetime, **campaign: Any) -> str:
    make.put("fragment", "legal", legal("You asked for this."), now=now)
    make.put("theme", "house", theme("#0b5563"), now=now)
    make.put("theme", "winter", theme("#7a1f1f"), now=now)
    changes = {"locales": {"en": LETTER}, "theme": "house"}
    return make.spring_sale(now=now, template_changes=changes, **campaign)


def send_all(now: datetime) -> None:
    worker.drain(now=lambda: now)


def mail() -> str:
    found = OutboxMail.objects.order_by("pk").first()
    assert found is not None
    return found.html or ""


def test_what_was_launched_keeps_the_fragment_and_the_theme_it_was_launched_with(client: Client, now: datetime) -> None:
    make.profiles(2, now=now)
    run = pipeline.launch(make.person("ben", now=now), sale(now), now=now)
    make.put("fragment", "legal", legal("Something else."), now=now)
    make.release("fragment", "legal", now=now)
    make.put("theme", "house", theme("#111111"), now=now)
    make.release("theme", "house", now=now)
    send_all(now)

    assert "You asked for this." in mail() and "Something else." not in mail()
    assert "#0b5563" in mail() and "#111111" not in mail()
    kinds = {governance.revision_by_id(run.workspace_id, pin).kind for pin in Dispatch.objects.get(pk=run.dispatch_id).pins}
    assert {"campaign", "template", "fragment", "theme"} <= kinds
    with pytest.raises(Refused, match="not what was approved"):
        governance.approval(run.workspace_id, "campaign", run.campaign_key, now=now)

    client.force_login(governance.User.objects.get(username="ben"))
    page = client.get(f"/console/messages/{delivery.message_id(run.dispatch_id, 0)}/content/").content.decode()
    assert "You asked for this." in page and "#0b5563" in page


def test_a_recalled_fragment_halts_what_pins_it(now: datetime) -> None:
    make.profiles(2, now=now)
    run = pipeline.launch(make.person("ben", now=now), sale(now), now=now)
    governance.recall(make.person("ben", now=now), "fragment", "legal", number=1, reason="a wrong address", now=now)
    send_all(now)
    assert delivery.facts(run.workspace_id, run.dispatch_id).counts == {"recalled": 2}


@pytest.mark.parametrize(
    ("worn", "there", "not_there"),
    [
        ("winter", "#7a1f1f", "#0b5563"),
        ({"base": "winter", "accent": "#224466"}, "#224466", "#7a1f1f"),
        ({"accent": "#224466"}, "#224466", "#0b5563"),
    ],
)
def test_a_campaign_dresses_its_mails_otherwise(client: Client, worn: Any, there: str, not_there: str, now: datetime) -> None:
    make.profiles(1, now=now)
    run = pipeline.launch(make.person("ben", now=now), sale(now, theme=worn), now=now)
    send_all(now)
    assert there in mail() and not_there not in mail()
    client.force_login(governance.User.objects.get(username="ben"))
    page = client.get(f"/console/messages/{delivery.message_id(run.dispatch_id, 0)}/content/").content.decode()
    assert there in page and not_there not in page


def test_the_next_transactional_message_says_what_the_fragment_in_force_says(now: datetime) -> None:
    make.put("fragment", "legal", legal("First."), now=now)
    make.in_force(
        "template", "code", make.template(message_class="transactional", topic=None, variables={}, locales={"en": LETTER}), now=now
    )
    wanted = pipeline.MessageRequest.model_validate({"type": "code", "to": {"external_id": "ann", "email": "ann@example.com"}, "data": {}})
    for words in ("First.", "Second."):
        if words == "Second.":
            make.put("fragment", "legal", legal(words), now=now)
            make.release("template", "code", now=now)
        accept(governance.system_actor(make.workspace().pk, label="tests"), wanted, idempotency_key=None, now=now)
    send_all(now)
    said = ["First." if "First." in text else "Second." for text in OutboxMail.objects.order_by("pk").values_list("text", flat=True)]
    assert sorted(said) == ["First.", "Second."]
