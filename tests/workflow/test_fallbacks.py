"""A code by text message, and by e-mail if it didn't arrive: one at a time, once each, and none after one that did."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from audience import door as audience
from delivery import door as delivery
from governance import door as governance
from tests import factories as make
from tests.delivery.conftest import Street, clock, street, vendor
from tests.together import together
from workflow import pipeline
from workflow.models import Chain
from workflow.transactional import accept

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["clock", "street", "vendor"]  # fixtures
ANN = {"external_id": "ann", "email": "ann@example.com", "phone": "+14155550001"}


@pytest.fixture
def town(street: Street) -> Street:
    """Two types of one message: `code-text` and `code-mail`."""
    for route in ("sendgrid", "twilio"):
        street.route(route)
    code = {"code": {"source": "data.code", "type": "text", "sample": "1"}}
    text = make.text_message(message_class="transactional", topic=None)
    make.in_force("template", "code-text", {**text, "variables": code, "locales": {"en": {"text": "Code {{ code }}"}}}, now=street.clock())
    letter = {"subject": "Code {{ code }}", "blocks": [{"type": "text", "id": "it", "text": "It is {{ code }}."}]}
    mail = make.template(message_class="transactional", topic=None, variables=code, locales={"en": letter})
    make.in_force("template", "code-mail", mail, now=street.clock())
    return street


def ask(town: Street, *, key: str | None = None, **changes: Any) -> str:
    fallback = [{"type": "code-mail", "after": 60}]
    body = {"type": "code-text", "to": ANN, "data": {"code": "42"}, "fallback": fallback, **changes}
    actor = governance.system_actor(town.workspace_id, label="tests")
    return accept(actor, pipeline.MessageRequest.model_validate(body), idempotency_key=key, now=town.clock()).message_id


def work(town: Street, **span: float) -> None:
    """Time passes; then whoever keeps time looks, and a worker sends."""
    town.clock.pass_(**span)
    pipeline.fall_back(now=town.clock())
    while (piece := town.lease()) is not None:
        pipeline.send_batch(piece, vendors=town.vendors, clock=town.clock)


def sent(town: Street) -> list[str]:
    return [one.vendor for one in town.vendor.accepted]


def arrives(town: Street, message_id: str, kind: str = "delivered") -> None:
    from delivery import evidence
    from delivery.adapters.base import VendorEvent

    event = VendorEvent("twilio", f"{kind}-{message_id}", message_id, kind, town.clock())  # type: ignore[arg-type]
    evidence.take([event], home=town.workspace_id, now=town.clock())


def test_what_did_not_arrive_in_time_goes_by_the_next_channel(town: Street) -> None:
    first = ask(town)
    work(town)
    work(town, seconds=59)
    assert sent(town) == ["twilio"]
    work(town, seconds=2)
    assert sent(town) == ["twilio", "sendgrid"]
    followed = pipeline.followed(town.workspace_id, first)
    assert [(step["type"], step["because"]) for step in followed] == [("code-mail", "no delivery in time")]
    assert followed[0]["message_id"] == town.vendor.accepted[1].message_id
    whole = [("code-text", first), ("code-mail", followed[0]["message_id"])]
    for token in (first, followed[0]["message_id"]):
        assert [(step["type"], step["message_id"]) for step in pipeline.chain(town.workspace_id, token)] == whole


def test_what_arrived_in_time_is_followed_by_nothing(town: Street) -> None:
    first = ask(town)
    work(town)
    arrives(town, first)
    work(town, seconds=3_000)
    assert sent(town) == ["twilio"] and Chain.objects.get().ended == "reached" and Chain.objects.get().data == {}


def test_what_failed_does_not_wait_for_the_time_to_be_over(town: Street) -> None:
    town.vendor.fault = lambda number: "400" if number == 0 else "ok"
    ask(town)
    work(town)
    work(town, seconds=6)
    assert sent(town) == ["sendgrid"]
    assert pipeline.followed(town.workspace_id, town.vendor.accepted[0].message_id) == []


def test_a_number_that_is_on_no_network_is_followed_at_once(town: Street) -> None:
    first = ask(town)
    work(town)
    arrives(town, first, "failed")
    work(town, seconds=6)
    assert sent(town) == ["twilio", "sendgrid"]


def test_a_message_taken_back_ends_its_chain(town: Street) -> None:
    first = ask(town, send_at=(town.clock() + timedelta(minutes=5)).isoformat())
    assert delivery.cancel(town.workspace_id, first, now=town.clock())
    work(town, hours=1)
    assert sent(town) == [] and Chain.objects.get().ended == "cancelled"


def test_nothing_follows_once_it_is_of_no_use(town: Street) -> None:
    ask(town, expires_in=60, fallback=[{"type": "code-mail", "after": 120}])
    work(town)
    work(town, seconds=121)
    assert sent(town) == ["twilio"] and Chain.objects.get().ended == "expired"


def test_a_type_that_cannot_be_sent_any_more_is_passed_over_and_told(town: Street) -> None:
    steps = [{"type": "code-mail", "after": 60}, {"type": "code-text", "after": 60}]
    first = ask(town, fallback=steps)
    work(town)
    number = governance.document(town.workspace_id, "template", "code-mail").latest.number
    governance.recall(town.person("ben"), "template", "code-mail", number=number, reason="wrong", now=town.clock())
    work(town, seconds=61)
    assert sent(town) == ["twilio", "twilio"]
    passed, followed = pipeline.followed(town.workspace_id, first)
    assert passed["message_id"] == "" and passed["passed_over"] and followed["type"] == "code-text"


def test_an_unknown_type_in_a_chain_is_refused_with_its_place(town: Street) -> None:
    with pytest.raises(governance.Invalid) as refused:
        ask(town, fallback=[{"type": "code-mial", "after": 60}])
    assert refused.value.findings[0].path == "/fallback/0/type" and not Chain.objects.exists()


def test_a_repeated_request_begins_no_second_chain(town: Street) -> None:
    assert ask(town, key="k") == ask(town, key="k")
    assert Chain.objects.count() == 1


def test_a_forgotten_person_is_followed_by_nothing(town: Street) -> None:
    ask(town)
    work(town)
    audience.erase(town.person("cleo"), "ann", now=town.clock())
    work(town, seconds=61)
    assert sent(town) == ["twilio"] and Chain.objects.get().data == {}


@pytest.mark.postgres
def test_many_who_look_at_once_send_one_message(town: Street) -> None:
    ask(town)
    work(town)
    town.clock.pass_(seconds=61)
    decided = together([lambda: pipeline.fall_back(now=town.clock())] * 8)
    assert sum(decided) == 1


# ── to a phone first ──────────────────────────────────────────────────────────────────────────────────────────────

LATER = [{"type": "code-text", "after": 60}, {"type": "code-mail", "after": 60}]


@pytest.fixture
def phones(town: Street) -> Street:
    """The same town with a third type, `code-push`, and Ann, who is known."""
    town.route("fcm")
    code = {"code": {"source": "data.code", "type": "text", "sample": "1"}}
    body = make.push_message(message_class="transactional", topic=None, locales={"en": {"subject": "Code", "text": "It is {{ code }}"}})
    make.in_force("template", "code-push", {**body, "variables": code, "ttl": 30}, now=town.clock())
    town.ann = make.profile(now=town.clock(), **ANN)  # type: ignore[attr-defined]
    return town


def test_whoever_has_no_device_gets_the_text_at_once_and_the_mail_in_time(phones: Street) -> None:
    first = ask(phones, type="code-push", fallback=LATER)
    work(phones)
    work(phones, seconds=6)
    assert sent(phones) == ["twilio"]
    work(phones, seconds=61)
    assert sent(phones) == ["twilio", "sendgrid"]
    told = [(step["type"], step["because"]) for step in pipeline.followed(phones.workspace_id, first)]
    assert told == [("code-text", "skipped"), ("code-mail", "no delivery in time")]


def test_a_device_that_is_registered_no_longer_is_followed_at_once(phones: Street) -> None:
    phones.vendor.gone = {phones.device(phones.ann, "token-of-the-old-phone")}  # type: ignore[attr-defined]
    first = ask(phones, type="code-push", fallback=LATER)
    work(phones)
    work(phones, seconds=6)
    assert sent(phones) == ["twilio"]
    arrives(phones, phones.vendor.accepted[0].message_id)
    work(phones, hours=1)
    assert sent(phones) == ["twilio"]
    assert [step["because"] for step in pipeline.followed(phones.workspace_id, first)] == ["failed"]


def test_what_the_push_service_took_is_followed_by_nothing(phones: Street) -> None:
    phones.device(phones.ann, "token-of-the-phone")  # type: ignore[attr-defined]
    ask(phones, type="code-push", fallback=LATER)
    work(phones)
    work(phones, hours=1)
    assert sent(phones) == ["fcm"] and Chain.objects.get().ended == "reached"
    assert "It is 42" in phones.vendor.accepted[0].body and '"ttl": "30s"' in phones.vendor.accepted[0].body


def test_a_push_without_an_answer_is_followed_when_its_time_is_over(phones: Street) -> None:
    phones.device(phones.ann, "token-of-the-phone")  # type: ignore[attr-defined]
    phones.vendor.fault = lambda number: "accept_drop" if number == 0 else "ok"
    ask(phones, type="code-push", fallback=[{"type": "code-text", "after": 20}])
    work(phones)
    work(phones, seconds=21)
    assert sent(phones) == ["fcm", "twilio"]


def test_a_push_to_nobody_with_a_device_needs_a_fallback(phones: Street) -> None:
    with pytest.raises(governance.Invalid) as refused:
        ask(phones, type="code-push", fallback=[])
    assert refused.value.findings[0].path == "/to"


def test_a_chain_may_lead_to_a_device(phones: Street) -> None:
    phones.device(phones.ann, "token-of-the-phone")  # type: ignore[attr-defined]
    phones.vendor.fault = lambda number: "400" if number == 0 else "ok"
    ask(phones, fallback=[{"type": "code-push", "after": 60}])
    work(phones)
    work(phones, seconds=6)
    assert sent(phones) == ["fcm"]
