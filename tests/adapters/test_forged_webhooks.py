"""Forgeries of every kind against every adapter that takes webhooks: none is believed, and the genuine call always is."""

from __future__ import annotations

import hashlib
import hmac
import importlib
import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from twilio.request_validator import RequestValidator

from delivery.adapters.base import Account, Webhook
from delivery.adapters.registry import ADAPTERS, HOUSE
from tests.adapters import letters
from tests.adapters.test_mail_by_contract import certificate

HOOK = "https://omni.example.com/hooks/"
EC_KEYS = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
RSA_KEYS = [letters.RSA_KEY, rsa.generate_private_key(65_537, 2_048)]
SECRETS = ("the-secret", "another-secret")
BODY, OTHER = b'[{"event":"open"}]', b'[{"event":"unsubscribe"}]'
TOPIC = str(letters.SES_SETTINGS["topic_arn"])
Change = Callable[[str], str]


@dataclass(frozen=True)
class Signer:
    """How one vendor signs. sign(body, when, which key); signed: changes the signature where the call carries it; whether it covers
    the body, and the time."""

    sign: Callable[[bytes, datetime, int], Webhook]
    signed: Callable[[Webhook, Change], Webhook]
    account: Account
    covers_body: bool = True
    covers_time: bool = False


def header(name: str) -> Callable[[Webhook, Change], Webhook]:
    return lambda webhook, change: replace(webhook, headers={**webhook.headers, name: change(webhook.headers[name])})


def sendgrid(body: bytes, at: datetime, key: int) -> Webhook:
    stamp = str(int(at.timestamp()))
    made = b64encode(EC_KEYS[key].sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
    names = ("x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp")
    return Webhook(f"{HOOK}sendgrid", dict(zip(names, (made, stamp), strict=True)), body, letters.AT)


def twilio(body: bytes, at: datetime, key: int) -> Webhook:
    form = {"MessageSid": "SM" + "1" * 32, "Body": body.decode()}
    made = RequestValidator(SECRETS[key]).compute_signature(f"{HOOK}twilio", form)
    headers = {"x-twilio-signature": made, "content-type": "application/x-www-form-urlencoded"}
    return Webhook(f"{HOOK}twilio", headers, urlencode(form).encode(), letters.AT)


def whatsapp(body: bytes, at: datetime, key: int) -> Webhook:
    made = "sha256=" + hmac.new(SECRETS[key].encode(), body, hashlib.sha256).hexdigest()
    return Webhook(f"{HOOK}whatsapp_cloud", {"x-hub-signature-256": made}, body, letters.AT)


def mailgun(body: bytes, at: datetime, key: int) -> Webhook:
    stamp = str(int(at.timestamp()))
    made = hmac.new(SECRETS[key].encode(), f"{stamp}t0ken".encode(), hashlib.sha256).hexdigest()
    said = {"signature": {"timestamp": stamp, "token": "t0ken", "signature": made}, "event-data": body.decode()}
    return Webhook(f"{HOOK}mailgun", {}, json.dumps(said).encode(), letters.AT)


def in_mailguns_body(webhook: Webhook, change: Change) -> Webhook:
    said = json.loads(webhook.body)
    said["signature"]["signature"] = change(said["signature"]["signature"])
    return replace(webhook, body=json.dumps(said).encode())


def ses(body: bytes, at: datetime, key: int) -> Webhook:
    said = {"Type": "Notification", "MessageId": "1", "TopicArn": TOPIC, "Message": body.decode(), "SignatureVersion": "2"}
    said["Timestamp"] = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    text = "".join(f"{name}\n{said[name]}\n" for name in ("Message", "MessageId", "Timestamp", "TopicArn", "Type"))
    said["Signature"] = b64encode(RSA_KEYS[key].sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
    return Webhook(f"{HOOK}ses", {}, json.dumps(said).encode(), letters.AT)


def in_sess_body(webhook: Webhook, change: Change) -> Webhook:
    said = json.loads(webhook.body)
    return replace(webhook, body=json.dumps({**said, "Signature": change(said["Signature"])}).encode())


def wechat(body: bytes, at: datetime, key: int) -> Webhook:
    stamp = str(int(at.timestamp()))
    made = hashlib.sha1("".join(sorted((SECRETS[key], stamp, "17"))).encode()).hexdigest()
    return Webhook(f"{HOOK}wechat?{urlencode({'signature': made, 'timestamp': stamp, 'nonce': '17'})}", {}, body, letters.AT)


def in_wechats_address(webhook: Webhook, change: Change) -> Webhook:
    query = {name: values[0] for name, values in parse_qs(urlsplit(webhook.url).query).items()}
    return replace(webhook, url=f"{HOOK}wechat?{urlencode({**query, 'signature': change(query['signature'])}, errors='surrogatepass')}")


def postmark(body: bytes, at: datetime, key: int) -> Webhook:
    made = "Basic " + b64encode(f"omni:{SECRETS[key]}".encode()).decode()
    return Webhook(f"{HOOK}postmark", {"authorization": made}, body, letters.AT)


def public(key: ec.EllipticCurvePrivateKey) -> str:
    return b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


SIGNERS = {
    "sendgrid": Signer(
        sendgrid,
        header("x-twilio-email-event-webhook-signature"),
        Account("", {"webhook_key": public(EC_KEYS[0])}),
        covers_time=True,
    ),
    "twilio": Signer(twilio, header("x-twilio-signature"), Account("", {"auth_token": SECRETS[0]})),
    "whatsapp_cloud": Signer(whatsapp, header("x-hub-signature-256"), Account("", {"app_secret": SECRETS[0]})),
    "mailgun": Signer(mailgun, in_mailguns_body, Account("", {"signing_key": SECRETS[0]}), covers_body=False, covers_time=True),
    "ses": Signer(ses, in_sess_body, Account("", {"sns_certificate": certificate()}, {"topic_arn": TOPIC}), covers_time=True),
    "wechat": Signer(wechat, in_wechats_address, Account("", {"callback_token": SECRETS[0]}), covers_body=False, covers_time=True),
    "postmark": Signer(postmark, header("authorization"), Account("", {"webhook_password": SECRETS[0]}), covers_body=False),
}


def forgeries(signer: Signer) -> Iterator[tuple[str, Webhook]]:
    """Everything that somebody without the key can make of a genuine call, or without one."""
    genuine = signer.sign(BODY, letters.AT, 0)
    changes: dict[str, Change] = {
        "nothing": lambda made: "",
        "cut short": lambda made: made[:-4],
        "made longer": lambda made: made + "AAAA",
        "one character changed": lambda made: made[:-6] + ("A" if made[-6] != "A" else "B") + made[-5:],
        "turned round": lambda made: made[::-1],
        "zeros": lambda made: "0" * len(made),
        "no text of its kind": lambda made: "%",
        "letters beyond ASCII": lambda made: "é" + made[1:],
        "half a character": lambda made: "\ud800",
        "very long": lambda made: made * 1_000,
        "a list of two": lambda made: f"{made},{made}",
    }
    yield from ((name, signer.signed(genuine, change)) for name, change in changes.items())
    yield "another key's", signer.sign(BODY, letters.AT, 1)
    yield "no headers, no query, no body", Webhook(genuine.url.partition("?")[0], {}, b"", letters.AT)
    if signer.covers_body:
        other = signer.sign(OTHER, letters.AT, 0)
        yield "the body of another call", replace(genuine, body=other.body) if genuine.headers else _body_of(genuine, other)
        yield "a body with one more byte", replace(genuine, body=genuine.body.replace(b"open", b"opens"))
    if signer.covers_time:
        yield "of the day before yesterday", signer.sign(BODY, letters.AT - timedelta(hours=26), 0)
        yield "of tomorrow", signer.sign(BODY, letters.AT + timedelta(hours=1), 0)


def _body_of(genuine: Webhook, other: Webhook) -> Webhook:
    """SNS signs inside the body: the message of one call under the signature of another."""
    return replace(genuine, body=json.dumps({**json.loads(other.body), "Signature": json.loads(genuine.body)["Signature"]}).encode())


def test_every_vendor_of_the_house_that_calls_is_attacked() -> None:
    assert set(SIGNERS) == {adapter.key for adapter in HOUSE if adapter.webhook_secret}


@pytest.mark.parametrize("vendor", SIGNERS)
def test_the_genuine_call_is_believed_and_no_forgery_is(vendor: str) -> None:
    signer, adapter = SIGNERS[vendor], ADAPTERS[vendor]
    assert adapter.verify(signer.sign(BODY, letters.AT, 0), signer.account)
    tried = list(forgeries(signer))
    assert len(tried) >= 12 and [name for name, webhook in tried if adapter.verify(webhook, signer.account)] == []


COMPARED_BY = {  # what compares a signature with the right one; public keys are checked by the library, without a secret of ours
    "twilio": "twilio.request_validator.compare",
    **dict.fromkeys(("whatsapp_cloud", "mailgun", "wechat", "postmark"), "hmac.compare_digest"),
}


@pytest.mark.parametrize("vendor", COMPARED_BY)
def test_every_wrong_signature_is_compared_in_constant_time_and_to_its_end(vendor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """How long a refusal takes must not tell how much of a guess was right: no guess is judged by anything but the comparison."""
    signer, compared = SIGNERS[vendor], list[tuple[object, object]]()
    module, _, name = COMPARED_BY[vendor].rpartition(".")
    constant = getattr(importlib.import_module(module), name)

    def watched(one: object, other: object) -> bool:
        compared.append((one, other))
        return bool(constant(one, other))

    monkeypatch.setattr(COMPARED_BY[vendor], watched)
    genuine = signer.sign(BODY, letters.AT, 0)
    guesses: list[Change] = [
        lambda made: made,
        *(lambda made, place=place: _other_at(made, place) for place in (-3, -8, -20)),  # type: ignore[misc]
    ]
    for guess in guesses:
        before = len(compared)
        ADAPTERS[vendor].verify(signer.signed(genuine, guess), signer.account)
        assert len(compared) > before
    assert len({type(each) for pair in compared for each in pair}) == 1
    assert len({len(each) for pair in compared for each in pair}) <= 2  # type: ignore[arg-type]


def _other_at(made: str, place: int) -> str:
    """Another letter there, of those that stand in any of these signatures."""
    return made[:place] + ("b" if made[place] != "b" else "c") + made[place + 1 :]


@pytest.mark.parametrize("vendor", SIGNERS)
def test_an_account_without_a_secret_believes_nobody(vendor: str) -> None:
    signer = SIGNERS[vendor]
    for secrets in ({}, dict.fromkeys(signer.account.secrets, "")):
        account = replace(signer.account, secrets=secrets)
        assert not any(ADAPTERS[vendor].verify(signer.sign(BODY, letters.AT, key), account) for key in (0, 1))


@pytest.mark.parametrize("vendor", [vendor for vendor, signer in SIGNERS.items() if signer.covers_time])
def test_a_stale_call_says_when_it_was_signed(vendor: str) -> None:
    then = letters.AT - timedelta(hours=30)
    assert ADAPTERS[vendor].signed_at(SIGNERS[vendor].sign(BODY, then, 0)) == then.replace(microsecond=0)
