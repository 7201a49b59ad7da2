"""A mail as bytes, its envelope, and what a relay's answers mean."""

from __future__ import annotations

import email
import email.policy
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from delivery.adapters import mime
from delivery.adapters.base import Account, Attachment, OutgoingMessage, OutgoingRequest, Sender, Unsendable, VendorResponse
from delivery.adapters.smtp import Smtp
from tests.adapters import letters

RELAY = letters.RELAY
AT = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)


def message(**changes: Any) -> OutgoingMessage:
    return replace(letters.messages(1, "email")[0], **changes)


def built(one: OutgoingMessage | None = None, account: Account = RELAY, **changes: Any) -> Any:
    given = {"sender": Sender("hello@example.com", "Wayfare"), "reply_to": "", **changes}
    return Smtp().build(OutgoingRequest(7, "email", messages=[one or message()], at=AT, **given), account)


def parsed(body: bytes) -> EmailMessage:
    found = email.message_from_bytes(body, policy=email.policy.default)
    assert isinstance(found, EmailMessage) and not found.defects
    return found


def words(part: Any) -> str:
    """A part's text with the line ends that we write."""
    return str(part.get_content()).replace("\r\n", "\n")


def filled(**parts: Any) -> Any:
    class Given:
        subject, text, html, headers = "Hello", b"Hello\n", b"<p>Hello</p>\n", dict[str, str]()

    return type("Filled", (Given,), parts)()


def test_a_mail_says_to_every_reader_what_was_filled() -> None:
    ours = message()
    request = built(ours, reply_to="help@example.com")
    mail = parsed(request.body)

    assert (request.url, request.headers["from"], request.headers["to"]) == ("smtp://relay.test:587", "hello@example.com", ours.address)
    assert (mail["From"], mail["To"], mail["Subject"]) == ("Wayfare <hello@example.com>", ours.address, ours.filled.subject)
    assert (mail["Reply-To"], mail["Date"].datetime) == ("help@example.com", AT)
    assert mail["Message-ID"] == f"<{ours.message_id}@example.com>" and mail["X-Message-ID"] == ours.message_id
    assert mail["List-Unsubscribe"] == f"<{letters.BASE}/u/{ours.message_id}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail.get_content_type() == "multipart/alternative"
    plain, rich = mail.iter_parts()
    assert words(plain).rstrip("\n") == ours.filled.text.decode().rstrip("\n") and plain.get_content_type() == "text/plain"
    assert words(rich).rstrip("\n") == (ours.filled.html or b"").decode().rstrip("\n") and rich.get_content_type() == "text/html"


def test_lines_end_with_both_characters_and_none_is_too_long() -> None:
    body = built(message(filled=filled(text=b"a\rb\nc\r\nd", html=b"x" * 5_000 + "ü".encode()))).body
    assert b"\n" not in body.replace(b"\r\n", b"") and b"\r" not in body.replace(b"\r\n", b"")
    assert max(map(len, body.split(b"\r\n"))) <= 998
    plain, rich = parsed(body).iter_parts()
    assert words(plain) == "a\nb\nc\nd" and words(rich).rstrip("\n") == "x" * 5_000 + "ü"


def test_a_route_may_ask_for_seven_bits() -> None:
    account = replace(RELAY, settings={**RELAY.settings, "seven_bit": True})
    body = built(message(filled=filled(text="Grüße aus Köln =\n.\n".encode(), html=None)), account).body
    assert body.isascii() and words(parsed(body)) == "Grüße aus Köln =\n.\n"


@pytest.mark.parametrize("subject", ["Grüße, 你好 and more " * 12, "plain " * 60, "=?utf-8?b?abc?=", "a, b: c", "🎈" * 40])
def test_a_subject_of_any_script_and_length_comes_back_as_it_was(subject: str) -> None:
    body = built(message(filled=filled(subject=subject.strip()))).body
    assert max(map(len, body.split(b"\r\n"))) <= 998
    assert parsed(body)["Subject"] == subject.strip()


@pytest.mark.parametrize("name", ["Wayfare", "Müller & Söhne", 'The "Best", Inc.', "Café 你好", ""])
def test_a_senders_name_comes_back_as_it_was(name: str) -> None:
    assert parsed(built(sender=Sender("hello@example.com", name)).body)["From"].addresses[0].display_name == name


@pytest.mark.parametrize(
    "evil", ["Hi\r\nBcc: eve@example.com", "Hi\nX: y", "Hi\rX: y", "a\x00b", "a\x85b", "a\u2028b", "invoice\u202egpj.exe", "a\u2066b"]
)
def test_no_value_can_begin_another_header(evil: str) -> None:
    for given in (message(filled=filled(subject=evil)), message(headers={"List-Unsubscribe": evil}), message(headers={evil: "x"})):
        with pytest.raises(Unsendable) as refused:
            built(given)
        assert refused.value.fate.kind == "permanent_message"
    with pytest.raises(Unsendable) as refused:
        built(message(address=f"ann{evil}@example.com"))
    assert refused.value.fate.kind == "permanent_address"
    for sender in (Sender("hello@example.com", evil), Sender(f"hello{evil}@example.com")):
        with pytest.raises(Unsendable) as refused:
            built(sender=sender)
        assert refused.value.fate.kind == "misconfigured"


@pytest.mark.parametrize(
    "address", ["ann", "ann@", "@example.com", "a b@example.com", '"a b"@example.com', "a..b@example.com", "ann@exa_mple.com", "ann@-x.com"]
)
def test_what_is_no_address_is_refused_for_good(address: str) -> None:
    with pytest.raises(Unsendable) as refused:
        built(message(address=address))
    assert refused.value.fate.kind == "permanent_address"


def test_an_international_domain_travels_in_its_ascii_form() -> None:
    assert mime.wire_address("ann@münchen.example") == "ann@xn--mnchen-3ya.example"
    assert built(message(address="jürgen@münchen.example")).headers["to"] == "jürgen@xn--mnchen-3ya.example"


def test_files_go_along_as_they_are() -> None:
    files = [
        Attachment("Rechnung März.pdf", "application/pdf", bytes(range(256)) * 20),
        Attachment("logo.png", "image/png", b"png", "logo@us"),
    ]
    mail = parsed(built(message(attachments=files)).body)
    assert mail.get_content_type() == "multipart/mixed"
    body, pdf, logo = mail.iter_parts()
    assert body.get_content_type() == "multipart/alternative"
    assert (pdf.get_filename(), pdf.get_content(), pdf.get_content_disposition()) == (
        "Rechnung März.pdf",
        bytes(range(256)) * 20,
        "attachment",
    )
    assert (logo["Content-ID"], logo.get_content_disposition()) == ("<logo@us>", "inline")


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_signature_holds_for_an_independent_reader_and_breaks_when_touched(kind: str) -> None:
    if kind == "rsa":
        private: Any = rsa.generate_private_key(65_537, 2048)
        public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        private = ed25519.Ed25519PrivateKey.generate()
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    settings = {**RELAY.settings, "dkim_domain": "example.com", "dkim_selector": "omni"}
    account = replace(RELAY, settings=settings, secrets={**RELAY.secrets, "dkim_key": pem})
    text = b"two  blanks \t\n\nand an end\n\n\n"
    body = built(message(filled=filled(text=text, subject="Grüße " * 20)), account).body

    def record(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"omni._domainkey.example.com."
        return b"v=DKIM1; k=" + kind.encode() + b"; p=" + b64encode(public)

    assert dkim.verify(body, dnsfunc=record)
    assert not dkim.verify(body.replace(b"and an end", b"and no end"), dnsfunc=record)
    assert not dkim.verify(body.replace(b"To: <", b"To: <x"), dnsfunc=record)
    assert not dkim.verify(b"From: <eve@example.com>\r\n" + body, dnsfunc=record)


def test_a_key_that_cannot_be_read_needs_a_person() -> None:
    settings = {**RELAY.settings, "dkim_domain": "example.com", "dkim_selector": "omni"}
    with pytest.raises(Unsendable) as refused:
        built(account=replace(RELAY, settings=settings, secrets={**RELAY.secrets, "dkim_key": "nonsense"}))
    assert refused.value.fate.kind == "misconfigured"


@pytest.mark.parametrize(
    ("code", "enhanced", "stage", "kind", "suppress"),
    [
        (250, "2.0.0", "message", "accepted", ""),
        (421, "4.3.2", "message", "throttled", ""),
        (450, "4.2.1", "rcpt", "throttled", ""),
        (451, "4.7.1", "rcpt", "throttled", ""),
        (452, "4.5.3", "rcpt", "throttled", ""),
        (455, "", "mail", "transient", ""),
        (454, "4.7.0", "auth", "misconfigured", ""),
        (550, "5.1.1", "rcpt", "permanent_address", "bounced"),
        (550, "", "rcpt", "permanent_address", ""),
        (551, "5.1.6", "rcpt", "permanent_address", "bounced"),
        (553, "5.1.3", "rcpt", "permanent_address", "bounced"),
        (550, "5.7.1", "rcpt", "permanent_message", ""),
        (550, "5.7.1", "message", "permanent_message", ""),
        (552, "5.3.4", "message", "permanent_message", ""),
        (554, "5.7.1", "message", "permanent_message", ""),
        (554, "", "message", "permanent_message", ""),
        (554, "5.7.0", "greeting", "misconfigured", ""),
        (530, "5.7.0", "mail", "misconfigured", ""),
        (534, "5.7.9", "auth", "misconfigured", ""),
        (535, "5.7.8", "auth", "misconfigured", ""),
        (553, "5.7.1", "mail", "misconfigured", ""),
        (350, "", "message", "ambiguous", ""),
    ],
)
def test_each_reply_means_one_thing(code: int, enhanced: str, stage: str, kind: str, suppress: str) -> None:
    headers = {"stage": stage, **({"enhanced": enhanced} if enhanced else {})}
    fate = Smtp().read(VendorResponse(code, headers, b"words about <ann@example.com>"), ["m1"])
    assert (fate.kind, fate.suppress) == (kind, suppress)
    assert fate.culprit == ("m1" if kind.startswith("permanent") else None)
    assert "@" not in fate.detail


def test_a_relay_that_forwards_for_nobody_is_no_word_about_a_person() -> None:
    fate = Smtp().read(VendorResponse(554, {"stage": "rcpt", "enhanced": "5.7.1"}, b"<ann@example.com>: Relay access denied"), ["m1"])
    assert (fate.kind, fate.culprit) == ("misconfigured", None)


def test_the_relays_own_id_is_kept() -> None:
    answer = VendorResponse(250, {"stage": "message", "enhanced": "2.0.0"}, b"2.0.0 Ok: queued as 4AB1C2D3")
    assert Smtp().read(answer).vendor_id == "4AB1C2D3"


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({"host": "relay.test"}, "smtp://relay.test:587"),
        ({"host": "relay.test", "tls": "implicit"}, "smtps://relay.test:465"),
        ({"host": "relay.test", "tls": "none", "port": "25"}, "smtp://relay.test:25"),
    ],
)
def test_a_route_says_where_the_relay_is(settings: dict[str, str], url: str) -> None:
    assert Smtp().home(settings) == url and not list(Smtp().faults(settings))


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({}, "host"),
        ({"host": "relay.test/x"}, "host"),
        ({"host": "relay.test", "port": "99999"}, "port"),
        ({"host": "relay.test", "tls": "maybe"}, "tls"),
        ({"host": "relay.test", "connections": "1000"}, "connections"),
        ({"host": "relay.test", "dkim_domain": "example.com"}, "dkim_selector"),
    ],
)
def test_a_route_that_cannot_work_is_told_what_is_wrong(settings: dict[str, str], name: str) -> None:
    assert [found for found, _ in Smtp().faults(settings)] == [name]
