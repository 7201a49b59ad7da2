"""WhatsApp: templates and free text by two vendors, and webhooks that only Meta can have sent."""

from __future__ import annotations

import hmac
import json
from dataclasses import replace
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs

import pytest

from delivery.adapters.base import Account, Unsendable, Webhook
from delivery.adapters.registry import adapter
from tests.adapters import letters

CLOUD, TWILIO = adapter("whatsapp_cloud"), adapter("twilio")
URL = "https://omni.example.com/hooks/whatsapp_cloud"
SECRETS = {"app_secret": "s3cret", "verify_token": "knock"}


def body(**options: Any) -> dict[str, Any]:
    one = replace(letters.messages(1, "whatsapp")[0], options=options)
    built = CLOUD.build(letters.request([one], "whatsapp"), letters.WHATSAPP)
    assert built.url == "https://graph.test/v23.0/1055/messages" and built.headers["authorization"] == "Bearer EAAsecret"
    said: dict[str, Any] = json.loads(built.body)
    assert said["to"] == "+15550000000" and said["biz_opaque_callback_data"] == one.message_id
    return said


def test_without_a_template_the_text_goes_as_it_is() -> None:
    assert body()["text"] == {"preview_url": False, "body": "Hello Änn 0: your code is 1234 €"}


def test_a_template_carries_its_variables_in_order_or_by_name() -> None:
    template = body(template="order_sent", language="pt-BR", variables=["Ana", 7])["template"]
    assert (template["name"], template["language"]) == ("order_sent", {"policy": "deterministic", "code": "pt_BR"})
    assert template["components"] == [{"type": "body", "parameters": [{"type": "text", "text": "Ana"}, {"type": "text", "text": "7"}]}]
    named = body(template="order_sent", variables={"name": "Ana"})["template"]
    assert named["components"][0]["parameters"] == [{"type": "text", "parameter_name": "name", "text": "Ana"}]
    assert named["language"]["code"] == "en", "the locale of the message where none is given"


def test_buttons_and_the_headers_picture_are_components_of_their_own() -> None:
    components = body(template="sale", image="https://example.com/a.png", buttons=["spring", "summer"])["template"]["components"]
    assert [(one["type"], one.get("index")) for one in components] == [("header", None), ("button", "0"), ("button", "1")]
    assert components[2]["parameters"] == [{"type": "text", "text": "summer"}]


def test_a_text_that_is_too_long_never_leaves_the_house() -> None:
    one = letters.messages(1, "whatsapp", names={0: "x" * 5_000})
    with pytest.raises(Unsendable) as refused:
        CLOUD.build(letters.request(one, "whatsapp"), letters.WHATSAPP)
    assert refused.value.fate.kind == "permanent_message"


def form(channel: str, **options: Any) -> dict[str, str]:
    one = replace(letters.messages(1, channel)[0], options=options)
    built = TWILIO.build(letters.request([one], channel), letters.TWILIO)
    return {name: values[0] for name, values in parse_qs(built.body.decode()).items()}


def test_twilio_names_the_channel_on_both_sides() -> None:
    fields = form("whatsapp")
    assert (fields["To"], fields["From"]) == ("whatsapp:+15550000000", "whatsapp:+15550009999")
    assert fields["Body"] == "Hello Änn 0: your code is 1234 €" and form("sms")["To"] == "+15550000000"


def test_twilio_takes_a_template_by_its_sid_and_its_variables_by_place() -> None:
    fields = form("whatsapp", template="HX" + "a" * 32, variables=["Ana", 7])
    assert fields["ContentSid"] == "HX" + "a" * 32 and json.loads(fields["ContentVariables"]) == {"1": "Ana", "2": "7"}
    assert "Body" not in fields
    assert json.loads(form("whatsapp", template="HX1", variables={"name": "Ana"})["ContentVariables"]) == {"name": "Ana"}
    assert "ContentVariables" not in form("whatsapp", template="HX1")


def test_an_unanswered_whatsapp_message_is_looked_up_by_its_number_there() -> None:
    request = letters.request(letters.messages(1, "whatsapp"), "whatsapp")
    question = TWILIO.lookup(request, letters.TWILIO, posted_at=letters.AT)
    assert question is not None and "To=whatsapp%3A%2B15550000000" in question.url


# ── webhooks ──────────────────────────────────────────────────────────────────────────────────────────────────────


def genuine(content: bytes, signature: str, secret: str = "s3cret") -> bool:
    return CLOUD.verify(Webhook(URL, {"x-hub-signature-256": signature}, content, letters.AT), Account("", {"app_secret": secret}))


def signature(content: bytes, secret: str = "s3cret") -> str:
    return "sha256=" + hmac.new(secret.encode(), content, sha256).hexdigest()


def test_what_meta_signed_is_metas_and_an_altered_body_is_not() -> None:
    content = '{"entry": [], "ü": 1}\r\n'.encode()
    assert genuine(content, signature(content))
    assert not genuine(content + b" ", signature(content)) and not genuine(content, signature(content, "another"))
    assert not genuine(content, signature(content).removeprefix("sha256=")) and not genuine(content, "")
    assert not genuine(content, signature(content, ""), secret="")


def challenge(**query: str) -> str | None:
    url = f"{URL}?" + "&".join(f"hub.{name}={value}" for name, value in query.items())
    return CLOUD.greet(Webhook(url, {}, b"", letters.AT), Account("", SECRETS))


def test_meta_gets_its_challenge_back_only_with_the_token() -> None:
    assert challenge(mode="subscribe", verify_token="knock", challenge="1158201444") == "1158201444"
    assert challenge(mode="subscribe", verify_token="guess", challenge="1158201444") is None
    assert challenge(mode="unsubscribe", verify_token="knock", challenge="1158201444") is None
    assert challenge(mode="subscribe", verify_token="knock", challenge="<script>") is None
    assert CLOUD.greet(Webhook(f"{URL}?hub.mode=subscribe&hub.verify_token=&hub.challenge=1", {}, b"", letters.AT), Account("")) is None
