"""What WeChat's callbacks say, and whether the vendor made them."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha1, sha256
from urllib.parse import parse_qs, urlsplit
from xml.parsers import expat
from xml.sax.saxutils import escape

from delivery.adapters.base import EventKind, Unreadable, VendorEvent, Webhook
from delivery.adapters.keywords import language, wish

VENDOR = "wechat"
WINDOW = 600  # seconds; the vendor repeats a callback within fifteen
FOLLOWING: Mapping[str, EventKind] = {"unsubscribe": "unsubscribed", "subscribe": "resubscribed"}
LARGEST = 100_000  # bytes of a callback
OLDEST, NEWEST = 946_684_800, 4_102_444_800  # 2000 and 2100: outside is no timestamp


def verify(webhook: Webhook, token: str) -> bool:
    """Whether somebody who knows the token made this address, in the last ten minutes. Never raises.

    The signature covers token, time and nonce, not the body: whoever has read one such address could use it for another body until
    the window closes. It travels by TLS only, and nothing that such a body says moves more than one message or one follower.
    """
    signature, timestamp, nonce = signed(webhook)
    if not (token and timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    if abs(webhook.received_at.timestamp() - int(timestamp)) > WINDOW:
        return False
    made = sha1("".join(sorted((token, timestamp, nonce))).encode("utf-8", "surrogatepass")).hexdigest()
    return signature.isascii() and hmac.compare_digest(signature, made)


def greet(webhook: Webhook, token: str) -> str | None:
    """What the vendor wants echoed when the address is entered on its page."""
    echo = parse_qs(urlsplit(webhook.url).query).get("echostr", [""])[0]
    return echo if echo.isascii() and echo.isalnum() and len(echo) <= 200 and verify(webhook, token) else None


def read(webhook: Webhook) -> Iterator[VendorEvent | Unreadable]:
    """The one thing that a callback says."""
    try:
        yield _event(_fields(webhook.body))
    except ValueError as fault:
        yield Unreadable(VENDOR, str(fault), f"{len(webhook.body)} bytes")


def answer(webhook: Webhook, text: str) -> str:
    """The callback's answer that sends a text back to the follower who wrote."""
    try:
        fields = _fields(webhook.body) if text else {}
    except ValueError:
        return "success"
    if not fields.get("FromUserName"):
        return "success"
    given = {"ToUserName": fields["FromUserName"], "FromUserName": fields.get("ToUserName", "")}
    given |= {"CreateTime": f"{int(webhook.received_at.timestamp())}", "MsgType": "text", "Content": text}
    return "<xml>" + "".join(f"<{name}>{escape(value)}</{name}>" for name, value in given.items()) + "</xml>"


def _event(fields: dict[str, str]) -> VendorEvent:
    """Raises ValueError with the field and what was expected there."""
    name, at = fields.get("Event", ""), fields.get("CreateTime", "")
    if not (at.isascii() and at.isdigit() and len(at) <= 12 and OLDEST <= int(at) <= NEWEST):
        raise ValueError("/CreateTime: expected seconds since 1970")
    moment, person = datetime.fromtimestamp(int(at), UTC), fields.get("FromUserName", "")
    if name == "TEMPLATESENDJOBFINISH":
        msgid, status = fields.get("MsgID", ""), fields.get("Status", "")
        if not (msgid.isascii() and msgid.isdigit() and len(msgid) <= 40):
            raise ValueError("/MsgID: expected a number")
        return VendorEvent(VENDOR, f"{msgid}:finished", "", _kind(status), moment, detail=status[:60], vendor_id=msgid, channel=VENDOR)
    if not 1 <= len(person) <= 100:
        raise ValueError("/FromUserName: expected 1 to 100 characters")
    text = fields.get("Content", "") if fields.get("MsgType") == "text" else ""
    kind: EventKind = FOLLOWING.get(name) or wish(text) or "processed"
    heeded = kind != "processed"
    said = fields.get("MsgId", "")[:40] if text else name or fields.get("MsgType", "")
    return VendorEvent(
        vendor=VENDOR,
        event_id=f"{sha256(person.encode()).hexdigest()[:32]}:{at}:{said}"[:160],
        message_id="",
        kind=kind,
        at=moment,
        detail={"unsubscribe": "no longer follows", "subscribe": "follows"}.get(name, "inbound keyword" if heeded else "other news"),
        everything=kind in ("unsubscribed", "resubscribed"),
        address=person if heeded else "",
        channel=VENDOR,
        language=language(text),
        answered=not text,
    )


def _kind(status: str) -> EventKind:
    if status == "success":
        return "delivered"
    if not status.startswith("failed"):
        raise ValueError("/Status: expected success or failed")
    return "blocked" if "user block" in status else "failed"


def signed(webhook: Webhook) -> tuple[str, str, str]:
    """Signature, time and nonce as the address gives them."""
    query = parse_qs(urlsplit(webhook.url).query)
    signature, timestamp, nonce = (query.get(name, [""])[0] for name in ("signature", "timestamp", "nonce"))
    return signature, timestamp, nonce


def _fields(body: bytes) -> dict[str, str]:
    """The texts of the elements right below the root. No document type, so no entity can be declared, and nothing is fetched."""
    if len(body) > LARGEST:
        raise ValueError(f"expected at most {LARGEST:,} bytes")
    fields, path, texts = dict[str, str](), list[str](), list[str]()
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def begin(name: str, attributes: dict[str, str]) -> None:
        path.append(name)
        texts.clear()

    def end(name: str) -> None:
        if len(path) == 2:
            fields[name] = "".join(texts).strip()
        path.pop()

    def refuse(*_: object) -> None:
        raise ValueError("expected no document type")

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begin, end, texts.append
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(body, True)
    except expat.ExpatError:
        raise ValueError("expected an XML document") from None
    if not fields:
        raise ValueError("expected elements below /xml")
    return fields
