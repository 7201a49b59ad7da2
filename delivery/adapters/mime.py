"""A mail as bytes (RFC 5322, 2045, 2047, 2231), by hand: the standard library's classes cost more than everything else that sends it.

Law: nothing that a person or a document gave can end a header line or begin another one; control and direction characters are
refused in every header and address. Lines end with CRLF and none is longer than the protocol carries.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Final
from urllib.parse import quote

import numpy as np

from delivery.adapters.base import Attachment, Sender, Unsendable

LONGEST_LINE = 990  # octets; SMTP carries 998
_UNSAFE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_NAME: Final = re.compile(r"[!-9;-~]+", re.ASCII)
_WORDS: Final = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]*", re.ASCII)
_ATOM: Final = re.compile(r"[^\s\x00-\x20\x7f()<>\[\]:;@\\,\".]+(\.[^\s\x00-\x20\x7f()<>\[\]:;@\\,\".]+)*")
_A_DOMAIN: Final = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*", re.ASCII
)
_TYPE: Final = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+", re.ASCII)


def wire_address(address: str, *, kind: str = "permanent_address") -> str:
    """The address as an envelope carries it: an international domain in its ASCII form, the local part as it is.

    Raises Unsendable for what isn't a plain local part and a domain: quoted local parts are not sent to.
    """
    local, at, domain = address.rpartition("@")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode()
        except UnicodeError:
            domain = ""
    if not at or _UNSAFE.search(address) or not _ATOM.fullmatch(local) or len(local.encode()) > 64 or not _A_DOMAIN.fullmatch(domain):
        raise Unsendable("permanent_address" if kind == "permanent_address" else "misconfigured", "not an address that mail goes to")
    return f"{local}@{domain}"


@lru_cache(maxsize=256)
def sender_address(address: str) -> str:
    """The same for whom mail is from, where a fault asks for a person."""
    return wire_address(address, kind="sender")


def text_value(value: str) -> str:
    """A header's text: as it is where that is plain ASCII, else in encoded words. Raises Unsendable for control characters."""
    if _UNSAFE.search(value):
        raise Unsendable("permanent_message", "a header with a control character")
    if value.isascii() and len(value) <= 200 and "=?" not in value:
        return value
    return "\r\n ".join(f"=?utf-8?b?{b2a_base64(part, newline=False).decode()}?=" for part in _pieces(value.encode(), 42))


@lru_cache(maxsize=256)
def party(address: str, name: str) -> str:
    """`Name <address>` for From and Reply-To."""
    where = sender_address(address)
    if not name:
        return f"<{where}>"
    if _UNSAFE.search(name):
        raise Unsendable("misconfigured", "a sender's name with a control character")
    return f"{name if _WORDS.fullmatch(name) else _quoted(name)} <{where}>"


def mail(
    *,
    sender: Sender,
    to: str,
    subject: str,
    text: bytes,
    html: bytes | None,
    headers: Mapping[str, str],
    message_id: str,
    reply_to: str,
    at: datetime,
    attachments: Sequence[Attachment] = (),
    seven_bit: bool = False,
) -> bytes:
    """The whole mail, unstuffed. to: as `wire_address` gives it. message_id: ours; it also makes the boundary, so the same message
    has the same bytes. seven_bit: everything in ASCII, for relays without 8BITMIME."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,80}", message_id):
        raise Unsendable("permanent_message", "a message id of another form")
    first = (
        f"{_constant(sender, reply_to)}To: <{to}>\r\nSubject: {text_value(subject)}\r\nDate: {_date(at)}\r\n"
        f"Message-ID: <{message_id}@{sender_address(sender.address).rpartition('@')[2]}>\r\nX-Message-ID: {message_id}\r\n"
    )
    lines = [first.encode(), *map(_header, headers.items())]
    parts = [_part(b"text/plain; charset=utf-8", text, seven_bit)]
    if html is not None:
        parts.append(_part(b"text/html; charset=utf-8", html, seven_bit))
    whole = _joined(b"alternative", b"=_a_" + message_id.encode(), parts) if len(parts) > 1 else parts[0]
    if attachments:
        whole = _joined(b"mixed", b"=_m_" + message_id.encode(), [whole, *map(_attached, attachments)])
    return b"".join([*lines, whole])


@lru_cache(maxsize=256)
def _constant(sender: Sender, reply_to: str) -> str:
    """What all mails of one program begin with."""
    replies = f"Reply-To: {party(reply_to, '')}\r\n" if reply_to else ""
    return f"MIME-Version: 1.0\r\nFrom: {party(sender.address, sender.name)}\r\n{replies}"


@lru_cache(maxsize=64)
def _date(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC).replace(microsecond=0))


def _header(item: tuple[str, str]) -> bytes:
    name, value = item
    if not _NAME.fullmatch(name) or not value.isascii() or _UNSAFE.search(value) or len(value) > 900:
        raise Unsendable("permanent_message", "a header that can't be written")
    return f"{name}: {value}\r\n".encode()


def _part(kind: bytes, content: bytes, seven_bit: bool) -> bytes:
    """One text, with lines that end and are no longer than they may be."""
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    plain = content.isascii()
    if b"\0" in content or (seven_bit and not plain) or _has_long_lines(content):
        body = _base64(content.replace(b"\n", b"\r\n"))
        return b"Content-Type: %s\r\nContent-Transfer-Encoding: base64\r\n\r\n%s" % (kind, body)
    coding, body = b"7bit" if plain else b"8bit", content.replace(b"\n", b"\r\n")
    return b"Content-Type: %s\r\nContent-Transfer-Encoding: %s\r\n\r\n%s%s" % (
        kind,
        coding,
        body,
        b"" if body.endswith(b"\r\n") else b"\r\n",
    )


def _has_long_lines(content: bytes) -> bool:
    """Whether a line is longer than SMTP carries. Compiled HTML nearly always has one."""
    at = 0
    while len(content) - at > LONGEST_LINE:
        end = content.rfind(b"\n", at, at + LONGEST_LINE)
        if end < 0:
            return True
        at = end + 1
    return False


def _base64(content: bytes) -> bytes:
    """In lines of 76 characters, cut as one block: quoted-printable took forty times as long."""
    coded = b2a_base64(content, newline=False)
    whole = len(coded) // 76
    lines = np.empty((whole, 78), dtype=np.uint8)
    lines[:, :76] = np.frombuffer(coded, dtype=np.uint8, count=whole * 76).reshape(whole, 76)
    lines[:, 76], lines[:, 77] = 13, 10
    rest = coded[whole * 76 :]
    return lines.tobytes() + (rest + b"\r\n" if rest else b"")


def _joined(kind: bytes, boundary: bytes, parts: Sequence[bytes]) -> bytes:
    head = b'Content-Type: multipart/%s; boundary="%s"\r\n\r\n' % (kind, boundary)
    return head + b"".join(b"--%s\r\n%s" % (boundary, part) for part in parts) + b"--%s--\r\n" % boundary


def _attached(one: Attachment) -> bytes:
    kind = one.content_type if _TYPE.fullmatch(one.content_type) else "application/octet-stream"
    name = _UNSAFE.sub("", one.name)[:120] or "file"
    lines = [f"Content-Type: {kind}", "Content-Transfer-Encoding: base64"]
    if one.content_id and re.fullmatch(r"[A-Za-z0-9._@-]{1,200}", one.content_id):
        lines.append(f"Content-ID: <{one.content_id}>")
    lines.append(f"Content-Disposition: {'inline' if one.content_id else 'attachment'};\r\n filename*=utf-8''{quote(name, safe='')}")
    return "\r\n".join([*lines, "", ""]).encode() + _base64(one.content)


def _quoted(name: str) -> str:
    """A name that isn't plain words: in quotes, or encoded."""
    if name.isascii() and len(name) <= 200:
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return text_value(name)


def _pieces(encoded: bytes, size: int) -> list[bytes]:
    """Cut so that no character is."""
    pieces = []
    while encoded:
        end = min(size, len(encoded))
        while end < len(encoded) and encoded[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(encoded[:end])
        encoded = encoded[end:]
    return pieces
