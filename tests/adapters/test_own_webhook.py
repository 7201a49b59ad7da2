"""A message as a signed call to a service of one's own."""

from __future__ import annotations

import base64
import json

import pytest

from delivery.adapters.registry import adapter
from delivery.adapters.webhook import signature
from tests.adapters import letters

OWN = adapter("webhook")


def test_the_call_says_everything_and_bears_the_messages_id() -> None:
    one = letters.messages(1, "webhook")[0]
    built = OWN.build(letters.request([one], "webhook"), letters.WEBHOOK)
    said = json.loads(built.body)
    assert built.url == "https://own.test/omni" and built.headers["webhook-id"] == said["data"]["message_id"] == one.message_id
    assert said["type"] == "omni.message" and said["timestamp"] == "2026-03-02T09:00:00+00:00"
    assert said["data"]["to"] == "webhook-0" and said["data"]["text"] == "Hello Änn 0: your code is 1234 €"


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of the Standard Webhooks specification's own libraries."""
    made = signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_that_is_no_base64_is_used_as_it_stands() -> None:
    assert signature("plain words", "m", 1, b"") == signature("whsec_" + base64.b64encode(b"plain words").decode(), "m", 1, b"")


@pytest.mark.parametrize("url", ["http://own.test/omni", "ftp://own.test", "own.test", "https://", "javascript:alert(1)", ""])
def test_a_route_posts_to_https_only(url: str) -> None:
    assert [name for name, _ in OWN.faults({"url": url})] == ["url"]


@pytest.mark.parametrize("url", ["https://own.test/omni", "http://127.0.0.1:9000/omni"])
def test_a_service_on_this_machine_may_do_without(url: str) -> None:
    assert not list(OWN.faults({"url": url}))
