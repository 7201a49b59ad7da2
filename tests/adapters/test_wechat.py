"""WeChat: template messages with an id of ours, tokens that nobody retires, and callbacks that the vendor made."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from delivery.adapters.base import Account, Fate, Token, VendorResponse, Webhook
from delivery.adapters.registry import adapter
from tests.adapters import letters

WECHAT = adapter("wechat")
MOMENT = int(letters.AT.timestamp())


def built(**options: Any) -> tuple[str, dict[str, Any]]:
    one = replace(letters.messages(1, "wechat")[0], options=options)
    request = WECHAT.build(letters.request([one], "wechat"), letters.WECHAT)
    parts = urlsplit(request.url)
    assert parse_qs(parts.query) == {"access_token": ["lab_token"]} and "lab_token" not in repr(request) and not request.idempotent
    body: dict[str, Any] = json.loads(request.body)
    return parts.path, body


def test_a_template_message_carries_our_id_and_its_texts() -> None:
    path, body = built(template="T1", data={"first": "Hello", "count": 3}, url="https://example.com")
    assert path == "/cgi-bin/message/template/send" and body["client_msg_id"] == letters.messages(1, "wechat")[0].message_id
    assert body["data"] == {"first": {"value": "Hello"}, "count": {"value": "3"}} and body["url"] == "https://example.com"


def test_without_a_template_the_text_goes_as_a_customer_message() -> None:
    path, body = built()
    assert path == "/cgi-bin/message/custom/send" and body["text"] == {"content": "Hello Änn 0: your code is 1234 €"}


def test_ten_minutes_are_no_promise_for_whoever_takes_over_a_lease() -> None:
    assert not WECHAT.features.idempotency_key and not WECHAT.features.echoes_message_id


def token(**answer: Any) -> Token | Fate:
    return WECHAT.read_token(VendorResponse(200, {}, json.dumps(answer).encode()))


def test_a_token_is_never_forced_anew() -> None:
    asked = WECHAT.token_request(letters.WECHAT, letters.AT)
    assert asked is not None and json.loads(asked.body)["force_refresh"] is False and "s3cret" not in repr(asked)
    assert token(access_token="lab_1", expires_in=7_200) == Token("lab_1", 7_200.0)


@pytest.mark.parametrize(
    ("errcode", "kind"), [(40013, "misconfigured"), (40125, "misconfigured"), (40164, "misconfigured"), (-1, "transient")]
)
def test_why_there_is_no_token_says_who_must_act(errcode: int, kind: str) -> None:
    found = token(errcode=errcode, errmsg="no")
    assert isinstance(found, Fate) and found.kind == kind


# ── callbacks ─────────────────────────────────────────────────────────────────────────────────────────────────────


def address(token: str = "t0ken", moment: int = MOMENT, nonce: str = "1320562132", **more: str) -> str:
    made = hashlib.sha1("".join(sorted((token, str(moment), nonce))).encode()).hexdigest()
    return "https://omni.example.com/hooks/wechat?" + urlencode({"signature": made, "timestamp": moment, "nonce": nonce, **more})


def genuine(url: str, token: str = "t0ken") -> bool:
    return WECHAT.verify(Webhook(url, {}, b"<xml></xml>", letters.AT), Account("", {"callback_token": token}))


def test_a_callback_is_the_vendors_for_ten_minutes() -> None:
    assert genuine(address()) and genuine(address(moment=MOMENT - 600))
    assert not genuine(address(moment=MOMENT - 601)) and not genuine(address(moment=MOMENT + 601))
    assert not genuine(address(token="another")) and not genuine(address(token=""), token="")
    assert not genuine(address().replace("signature=", "signature=é")) and not genuine(
        "https://omni.example.com/hooks/wechat?timestamp=soon"
    )


def test_the_address_is_confirmed_by_an_echo() -> None:
    def echo(url: str) -> str | None:
        return WECHAT.greet(Webhook(url, {}, b"", letters.AT), Account("", {"callback_token": "t0ken"}))

    assert echo(address(echostr="4375120948345356249")) == "4375120948345356249"
    assert echo(address(token="guess", echostr="4375120948345356249")) is None
    assert echo(address(echostr="<b>")) is None and echo(address()) is None
