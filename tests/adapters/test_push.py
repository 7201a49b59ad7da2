"""Push: to apps by Firebase and Apple, to browsers by web push; signed here, the same bytes every time."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from delivery.adapters import webpush_encryption
from delivery.adapters.base import Account, OutgoingMessage, Unsendable, VendorRequest
from delivery.adapters.json_web_tokens import base64url, from_base64url
from delivery.adapters.registry import adapter
from delivery.adapters.webpush import public_key
from tests.adapters import letters
from tests.adapters.vendors import webpush

FCM, APNS, WEBPUSH = adapter("fcm"), adapter("apns"), adapter("webpush")
OPTIONS = {
    "title": "Spring",
    "link": "https://example.com/spring",
    "image": "https://example.com/spring.png",
    "collapse_key": "spring",
    "badge": 3,
    "data": {"order": 7, "from": "us", "google.x": "y"},
}


def message(channel: str, **options: Any) -> OutgoingMessage:
    return replace(letters.messages(1, channel)[0], options=options)


def built(key: str, channel: str, account: Account | None = None, **options: Any) -> VendorRequest:
    request = letters.request([message(channel, **options)], channel, valid_for=600)
    return adapter(key).build(request, account or letters.ACCOUNTS[key])


def claims(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    head, body, _ = token.split(".")
    return tuple(json.loads(from_base64url(one)) for one in (head, body))  # type: ignore[return-value]


def by_the_key(token: str) -> bool:
    """Whether the tests' P-256 key signed it: ES256 joins r and s instead of writing ASN.1."""
    text, _, signature = token.rpartition(".")
    raw = from_base64url(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    letters.EC_KEY.public_key().verify(der, text.encode(), ec.ECDSA(hashes.SHA256()))
    return len(raw) == 64


# ── Firebase ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_firebase_gets_subject_and_text_where_a_message_has_no_options() -> None:
    one = built("fcm", "push")
    said = json.loads(one.body)["message"]
    assert one.url == "https://fcm.test/v1/projects/omni/messages:send" and one.headers["authorization"] == "Bearer ya29.token"
    assert said["notification"] == {"body": "Hello Änn 0: your code is 1234 €"} and said["token"] == "push-0"
    assert set(said["data"]) == {"message_id"} and said["android"]["ttl"] == "600s"


def test_firebase_carries_what_a_push_may_have_and_leaves_out_what_it_refuses() -> None:
    said = json.loads(built("fcm", "push", **OPTIONS).body)["message"]
    assert said["notification"]["title"] == "Spring" and said["notification"]["image"] == OPTIONS["image"]
    assert {name: said["data"][name] for name in said["data"] if name != "message_id"} == {"order": "7", "link": OPTIONS["link"]}
    assert said["android"]["collapse_key"] == said["apns"]["headers"]["apns-collapse-id"] == "spring"
    assert said["apns"]["payload"] == {"aps": {"badge": 3}} and said["webpush"]["fcm_options"]["link"] == OPTIONS["link"]


def test_the_service_account_signs_for_its_own_token_service_only() -> None:
    asked = FCM.token_request(letters.FCM, letters.AT)
    assert asked is not None and asked.url == "https://oauth2.fcm.test/token"
    assertion = parse_qs(asked.body.decode())["assertion"][0]
    head, said = claims(assertion)
    assert head["alg"] == "RS256" and said["aud"] == asked.url and said["exp"] - said["iat"] == 3_600
    text, _, signature = assertion.rpartition(".")
    letters.RSA_KEY.public_key().verify(from_base64url(signature), text.encode(), padding.PKCS1v15(), hashes.SHA256())


# ── Apple ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_apple_gets_http_2_a_topic_and_a_payload() -> None:
    one = built("apns", "push", **OPTIONS)
    assert one.http2 and one.url == "https://apns.test/3/device/push-0" and one.headers["apns-topic"] == "com.example.app"
    said = json.loads(one.body)
    assert said["aps"] == {"alert": {"title": "Spring", "body": "Hello Änn 0: your code is 1234 €"}, "badge": 3, "mutable-content": 1}
    assert said["order"] == "7" and said["link"] == OPTIONS["link"] and said["message_id"] == message("push").message_id
    assert one.headers["apns-expiration"] == str(int(letters.AT.timestamp()) + 600) and one.headers["apns-collapse-id"] == "spring"


def test_a_repeat_to_apple_takes_the_place_of_the_first() -> None:
    first, again = built("apns", "push"), built("apns", "push")
    assert first.headers["apns-collapse-id"] == again.headers["apns-collapse-id"] == message("push").message_id
    assert first.headers["apns-id"] == again.headers["apns-id"] != built("apns", "push", collapse_key="é" * 80).headers["apns-collapse-id"]


def test_apples_token_serves_for_half_an_hour_and_no_longer() -> None:
    def token(minutes: float) -> str:
        request = letters.request([message("push")], "push")
        at = replace(request, at=letters.AT + timedelta(minutes=minutes))
        return APNS.build(at, letters.APNS).headers["authorization"].removeprefix("bearer ")

    assert token(0) == token(29.9) != token(30)
    head, said = claims(token(0))
    assert head == {"typ": "JWT", "alg": "ES256", "kid": "ABC123DEFG"} and by_the_key(token(0))
    assert said == {"iss": "TEAM123456", "iat": int(letters.AT.timestamp())}


def test_an_app_under_test_is_pushed_to_in_its_own_world() -> None:
    assert APNS.home({"sandbox": True}) == "https://api.sandbox.push.apple.com" and APNS.home({}) == "https://api.push.apple.com"


def test_a_payload_too_large_for_apple_never_leaves_the_house() -> None:
    with pytest.raises(Unsendable, match="4,096"):
        built("apns", "push", body="x" * 4_100)


@pytest.mark.parametrize("key", ["", "no key", letters.pem(letters.RSA_KEY)[:200]])
def test_a_key_that_is_none_needs_a_person(key: str) -> None:
    for vendor, channel, secret in (("apns", "push", "auth_key"), ("webpush", "webpush", "vapid_private_key")):
        account = replace(letters.ACCOUNTS[vendor], secrets={secret: key})
        with pytest.raises(Unsendable) as refused:
            built(vendor, channel, account)
        assert refused.value.fate.kind == "misconfigured" and (not key or key not in str(refused.value))


# ── web push ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_example_of_the_rfc_comes_out_to_the_byte() -> None:
    """RFC 8291, section 5 and appendix A."""
    to = webpush_encryption.Subscription(
        "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
        from_base64url("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        from_base64url("BTBZMqHH6r4Tts7J_aSIgg"),
    )
    one_time = ec.derive_private_key(int.from_bytes(from_base64url("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), ec.SECP256R1())
    body = webpush_encryption.sealed(b"When I grow up, I want to be a watermelon", to, one_time, from_base64url("DGv6ra1nlYgDCS1FRnbzlw"))
    assert base64url(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
        "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_only_the_browser_can_read_what_it_gets() -> None:
    one = built("webpush", "webpush", **OPTIONS)
    said = webpush.opened(one.body)
    assert said["title"] == "Spring" and said["data"]["order"] == "7" and said["message_id"] == message("webpush").message_id
    assert b"Spring" not in one.body and len(one.body) <= 4_096 and one.headers["content-encoding"] == "aes128gcm"


def test_no_two_texts_share_a_key_and_the_same_text_is_the_same_bytes() -> None:
    bodies = [built("webpush", "webpush", title=title).body for title in ("a", "b", "a")]
    assert bodies[0] == bodies[2] and bodies[0][:16] != bodies[1][:16] and bodies[0][21:86] != bodies[1][21:86]


def test_a_push_service_is_told_who_sends_and_for_how_long() -> None:
    one = built("webpush", "webpush")
    token, key = one.headers["authorization"].removeprefix("vapid t=").split(", k=")
    _, said = claims(token)
    assert said["aud"] == "https://push.test" and said["sub"] == "mailto:push@example.com" and by_the_key(token)
    assert 0 < said["exp"] - letters.AT.timestamp() <= 86_400 and one.headers["ttl"] == "600"
    assert key == public_key(letters.pem(letters.EC_KEY))
    raw = base64url(letters.EC_KEY.private_numbers().private_value.to_bytes(32, "big"))
    assert public_key(raw) == key, "the 32 bytes that most tools print are the same key"


def test_a_repeat_replaces_what_the_browser_has_not_seen_yet() -> None:
    assert built("webpush", "webpush").headers["topic"] == message("webpush").message_id
    topic = built("webpush", "webpush", collapse_key="Frühling " * 20).headers["topic"]
    assert len(topic) == 32 and len(urlsafe_b64decode(topic)) == 24


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.test/1",
        "https://push.test.evil.example/1",
        "https://evil.example/push.test",
        "https://push.test@evil.example/1",
        "https://push.test:8443/1",
        "https://169.254.169.254/latest",
        "https://push.test:x/1",
        "file:///etc/passwd",
        "",
    ],
)
def test_a_subscription_makes_us_post_to_push_services_only(endpoint: str) -> None:
    one = replace(message("webpush"), address=letters.subscription(endpoint))
    with pytest.raises(Unsendable) as refused:
        WEBPUSH.build(letters.request([one], "webpush"), letters.WEBPUSH)
    assert refused.value.fate.kind == "permanent_address"


@pytest.mark.parametrize("address", ["", "https://push.test/1", "{}", '{"endpoint": 7, "keys": {"p256dh": "AA", "auth": "AA"}}', "[]"])
def test_what_is_no_subscription_is_an_address_that_never_works(address: str) -> None:
    with pytest.raises(Unsendable) as refused:
        WEBPUSH.build(letters.request([replace(message("webpush"), address=address)], "webpush"), letters.WEBPUSH)
    assert refused.value.fate.kind == "permanent_address"


def test_the_browsers_own_services_are_known() -> None:
    account = replace(letters.WEBPUSH, settings={"subject": "mailto:push@example.com"})
    for host in ("fcm.googleapis.com", "updates.push.services.mozilla.com", "web.push.apple.com", "wns2-par02p.notify.windows.com"):
        one = replace(message("webpush"), address=letters.subscription(f"https://{host}/x/1"))
        assert WEBPUSH.build(letters.request([one], "webpush"), account).url == f"https://{host}/x/1"


def test_a_payload_that_firebase_would_refuse_is_not_posted() -> None:
    assert built("fcm", "push", data={"a": "x" * 3_900}).body
    with pytest.raises(Unsendable, match="4,096 are taken"):
        built("fcm", "push", data={"a": "x" * 4_090})
