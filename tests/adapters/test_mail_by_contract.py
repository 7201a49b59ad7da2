"""SES, Mailgun and Postmark: what goes out, and webhooks that only the vendor can have made. Tried against their contracts only."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.adapters.aws_signature import AwsKey, signed
from delivery.adapters.base import Account, OutgoingMessage, Unsupported, Webhook
from delivery.adapters.registry import adapter
from tests.adapters import letters
from tests.adapters.vendors.mailgun import Mail, delivered

SES, MAILGUN, POSTMARK = adapter("ses"), adapter("mailgun"), adapter("postmark")
HOOK = "https://omni.example.com/hooks/"


# ── SES ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_signature_is_that_of_amazons_own_example() -> None:
    """ "get-vanilla" of the vendor's test suite for signature version 4."""
    key = AwsKey("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service")
    headers = signed("GET", "https://example.amazonaws.com/", {}, b"", key, datetime(2015, 8, 30, 12, 36, tzinfo=UTC))
    assert headers == {
        "x-amz-date": "20150830T123600Z",
        "authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, "
        "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    }


def ses(**changes: Any) -> dict[str, Any]:
    account = replace(letters.SES, settings={**letters.SES.settings, **changes})
    one = letters.messages(1)
    built = SES.build(letters.request(one, reply_to="help@example.com"), account)
    assert built.url == "https://email.eu-west-1.amazonaws.test/v2/email/outbound-emails"
    assert "/eu-west-1/ses/aws4_request" in built.headers["authorization"] and "wJalr" not in repr(built)
    body: dict[str, Any] = json.loads(built.body)
    return body


def test_ses_gets_a_simple_message_with_our_headers_and_our_id_as_a_tag() -> None:
    body = ses(configuration_set="omni")
    one = letters.messages(1)[0]
    assert body["EmailTags"] == [{"Name": "message_id", "Value": one.message_id}] and body["ConfigurationSetName"] == "omni"
    assert body["FromEmailAddress"] == "Wayfare <hello@example.com>" and body["ReplyToAddresses"] == ["help@example.com"]
    content = body["Content"]["Simple"]
    assert content["Subject"]["Data"] == one.filled.subject and content["Body"]["Html"]["Data"] == (one.filled.html or b"").decode()
    assert {head["Name"]: head["Value"] for head in content["Headers"]} == dict(one.filled.headers) != {}
    assert "ConfigurationSetName" not in ses()


def test_a_region_is_an_address_of_its_own() -> None:
    assert SES.home({"region": "eu-west-1"}) == "https://email.eu-west-1.amazonaws.com"
    assert MAILGUN.home({"region": "eu"}) == "https://api.eu.mailgun.net" and MAILGUN.home({}) == "https://api.mailgun.net"


@lru_cache
def certificate() -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(letters.RSA_KEY.public_key()).serial_number(1)
    made = made.not_valid_before(letters.AT - timedelta(days=1)).not_valid_after(letters.AT + timedelta(days=1))
    return made.sign(letters.RSA_KEY, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def from_sns(**changes: Any) -> bytes:
    """A notification as SNS signs it: names and values of some fields, in order."""
    said = {
        "Type": "Notification",
        "MessageId": "1",
        "TopicArn": letters.SES_SETTINGS["topic_arn"],
        "Message": "{}",
        "Timestamp": "2026-03-02T09:00:00.000Z",
        "SignatureVersion": "2",
        **changes,
    }
    asked = ("Message", "MessageId", "SubscribeURL", "Subject", "Timestamp", "Token", "TopicArn", "Type")
    text = "".join(f"{name}\n{said[name]}\n" for name in asked if name in said)
    signature = letters.RSA_KEY.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return json.dumps({"Signature": b64encode(signature).decode(), **said}).encode()


def by_sns(body: bytes, topic: str = letters.SES_SETTINGS["topic_arn"], pem: str | None = None) -> bool:
    account = Account("", {"sns_certificate": certificate() if pem is None else pem}, {"topic_arn": topic})
    return SES.verify(Webhook(f"{HOOK}ses", {}, body, letters.AT), account)


def test_a_notification_is_believed_by_the_configured_certificate_only() -> None:
    assert by_sns(from_sns()) and by_sns(from_sns(Subject="Amazon SES Email Event Notification"))
    assert (
        not by_sns(from_sns().replace(b'"{}"', b'"{ }"')) and not by_sns(from_sns(Signature="AAAA")) and not by_sns(from_sns(Signature="%"))
    )
    assert not by_sns(from_sns(), pem="") and not by_sns(from_sns(), pem="-----BEGIN CERTIFICATE-----") and not by_sns(b"null")


def test_another_customers_topic_is_not_believed_although_sns_signed_it() -> None:
    assert not by_sns(from_sns(TopicArn="arn:aws:sns:eu-west-1:6666:evil")) and not by_sns(from_sns(), topic="")


def test_the_older_signature_is_refused() -> None:
    assert not by_sns(from_sns(SignatureVersion="1"))


@pytest.mark.parametrize(
    ("url", "called"),
    [
        ("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t", True),
        ("https://sns.eu-west-1.amazonaws.com.evil.example/?Action=x", False),
        ("https://evil.example/?https://sns.eu-west-1.amazonaws.com/", False),
        ("http://sns.eu-west-1.amazonaws.com/?Action=x", False),
        ("https://sns.eu-west-1.amazonaws.com@evil.example/?x", False),
    ],
)
def test_a_subscription_is_confirmed_at_sns_and_nowhere_else(url: str, called: bool) -> None:
    body = from_sns(Type="SubscriptionConfirmation", Token="t", SubscribeURL=url)
    assert by_sns(body)
    asked = SES.confirm(Webhook(f"{HOOK}ses", {}, body, letters.AT))
    assert (asked is not None and asked.url == url) == called
    assert SES.confirm(Webhook(f"{HOOK}ses", {}, from_sns(), letters.AT)) is None


# ── Mailgun ───────────────────────────────────────────────────────────────────────────────────────────────────────


def mails(some: list[OutgoingMessage], **more: Any) -> list[Mail]:
    built = MAILGUN.build(letters.request(some, **more), letters.MAILGUN)
    assert built.url == "https://api.mailgun.test/v3/mg.example.com/messages"
    return delivered(built.headers["content-type"], built.body)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc"]), max_size=40), min_size=1, max_size=6))
def test_what_mailgun_puts_together_is_what_we_would_have_filled(names: list[str]) -> None:
    some = [one for one in letters.messages(len(names), names=dict(enumerate(names))) if MAILGUN.fits(one, letters.substituted())]
    for mail, one in zip(mails(some, substituted=letters.substituted()) if some else [], some, strict=True):
        assert (mail.to, mail.message_id) == (one.address, one.message_id)
        assert (mail.subject, mail.text, mail.html) == (one.filled.subject, one.filled.text.decode(), (one.filled.html or b"").decode())
        assert mail.headers == dict(one.filled.headers)


def test_a_message_that_travels_alone_is_the_same() -> None:
    one = letters.messages(1)[0]
    (mail,) = mails([one], reply_to="help@example.com")
    assert (mail.subject, mail.text, mail.message_id) == (one.filled.subject, one.filled.text.decode(), one.message_id)
    assert mail.headers == {**one.filled.headers, "Reply-To": "help@example.com"}


def test_two_messages_to_one_address_never_share_a_request() -> None:
    some = [replace(one, address="Ann@example.com" if place % 2 else "ann@example.com") for place, one in enumerate(letters.messages(4))]
    parcels = MAILGUN.parcels([*some, *letters.messages(8)[4:]], substituted=letters.substituted(), at_most=1_000)
    assert sorted(len(parcel.messages) for parcel in parcels) == [1, 1, 1, 5]


def test_what_looks_like_a_variable_of_the_vendors_travels_alone() -> None:
    some = letters.messages(2, names={0: "%recipient.email%"})
    parcels = MAILGUN.parcels(some, substituted=letters.substituted(), at_most=10)
    assert [(len(parcel.messages), parcel.substituted is None) for parcel in parcels] == [(1, False), (1, True)]
    assert not MAILGUN.fits(letters.messages(1, notes={0: "x" * 10_000})[0], letters.substituted())


def test_a_files_name_cannot_break_the_form() -> None:
    file = letters.attachment('a"\r\nx: y.txt')
    (mail,) = mails([replace(letters.messages(1)[0], attachments=[file])])
    assert mail.files == ("a___x: y.txt",)
    with pytest.raises(Unsupported):
        two = [replace(one, attachments=[file]) for one in letters.messages(2)]
        MAILGUN.build(letters.request(two, substituted=letters.substituted()), letters.MAILGUN)


def by_mailgun(moment: int, *, key: str = "key", secret: str = "key", token: str = "t0ken", **changes: Any) -> bool:
    made = hmac.new(key.encode(), f"{moment}{token}".encode(), sha256).hexdigest()
    signature = {"timestamp": str(moment), "token": token, "signature": made, **changes}
    body = json.dumps({"signature": signature, "event-data": {}}).encode()
    return MAILGUN.verify(Webhook(f"{HOOK}mailgun", {}, body, letters.AT), Account("", {"signing_key": secret}))


def test_mailgun_signs_time_and_token_and_is_believed_for_a_day() -> None:
    now = int(letters.AT.timestamp())
    assert by_mailgun(now) and by_mailgun(now - 24 * 3_600)
    assert not by_mailgun(now - 26 * 3_600) and not by_mailgun(now + 3_600)
    assert not by_mailgun(now, key="another") and not by_mailgun(now, key="", secret="")
    assert not by_mailgun(now, token="t", signature="é") and not by_mailgun(now, timestamp=now) and not by_mailgun(now, timestamp="soon")


# ── Postmark ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_postmark_gets_one_message_whose_metadata_is_our_id() -> None:
    one = letters.messages(1)[0]
    account = replace(letters.POSTMARK, settings={"message_stream": "broadcast"})
    built = POSTMARK.build(letters.request([one], reply_to="help@example.com"), account)
    body = json.loads(built.body)
    assert built.headers["x-postmark-server-token"] == "token-secret" and built.url == "https://api.postmark.test/email"
    assert body["Metadata"] == {"message_id": one.message_id} and body["MessageStream"] == "broadcast"
    assert (body["ReplyTo"], body["TrackOpens"], body["TrackLinks"]) == ("help@example.com", False, "None")
    assert {head["Name"]: head["Value"] for head in body["Headers"]} == dict(one.filled.headers)


def by_postmark(authorization: str, password: str = "hook-secret") -> bool:
    webhook = Webhook(f"{HOOK}postmark", {"authorization": authorization}, b"{}", letters.AT)
    return POSTMARK.verify(webhook, Account("", {"webhook_password": password}))


def test_postmark_is_whoever_knows_the_password() -> None:
    def basic(text: str) -> str:
        return "Basic " + b64encode(text.encode()).decode()

    assert by_postmark(basic("omni:hook-secret")) and by_postmark(basic("anybody:hook-secret"))
    assert not by_postmark(basic("omni:another")) and not by_postmark(basic("omni")) and not by_postmark("Bearer hook-secret")
    assert not by_postmark("Basic é") and not by_postmark("") and not by_postmark(basic("omni:"), password="")
