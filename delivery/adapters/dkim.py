"""DKIM signatures (RFC 6376, 8463): relaxed header and body canonicalisation, RSA or Ed25519."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import datetime
from functools import lru_cache
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from delivery.adapters.base import Unsendable

SIGNED = (
    "from",
    "reply-to",
    "to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "list-unsubscribe",
    "list-unsubscribe-post",
)
_BLANKS = re.compile(rb"[ \t]+")
_AT_THE_END = re.compile(rb"[ \t]+\r\n")


def signed(mail: bytes, *, domain: str, selector: str, key: str, at: datetime) -> bytes:
    """The mail with a DKIM-Signature in front. key: a private key in PEM. Raises Unsendable (misconfigured) for one that isn't."""
    private = _key(key)
    head, _, body = mail.partition(b"\r\n\r\n")
    headers = _headers(head)
    names = [name for name in SIGNED if name in headers]
    kind = "rsa-sha256" if isinstance(private, rsa.RSAPrivateKey) else "ed25519-sha256"
    field = (
        f"v=1; a={kind}; c=relaxed/relaxed; d={domain}; s={selector}; t={int(at.timestamp())};\r\n h={':'.join(['from', *names])};\r\n"
        f" bh={b64encode(sha256(_relaxed(body)).digest()).decode()};\r\n b="
    )
    # "from" is named once more than it occurs, so that nobody can add another one.
    lines = [headers[name] for name in names]
    text = b"\r\n".join([*lines, b"dkim-signature:" + _value(field.encode())])
    if isinstance(private, rsa.RSAPrivateKey):
        signature = private.sign(text, padding.PKCS1v15(), hashes.SHA256())
    else:
        signature = private.sign(sha256(text).digest())
    return b"DKIM-Signature: " + (field + "\r\n ".join(_cut(b64encode(signature).decode()))).encode() + b"\r\n" + mail


@lru_cache(maxsize=16)
def _key(pem: str) -> rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey:
    try:
        found = load_pem_private_key(pem.replace("\\n", "\n").encode(), None)
    except (ValueError, TypeError) as error:
        raise Unsendable("misconfigured", "the DKIM key can't be read") from error
    if not isinstance(found, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        raise Unsendable("misconfigured", "the DKIM key is neither RSA nor Ed25519")
    return found


def _headers(head: bytes) -> dict[str, bytes]:
    """Each header in its relaxed form, by name; we write none twice."""
    found = {}
    for line in re.split(rb"\r\n(?![ \t])", head):
        name, _, value = line.partition(b":")
        found[name.strip().lower().decode("latin-1")] = name.strip().lower() + b":" + _value(value)
    return found


def _value(value: bytes) -> bytes:
    return _BLANKS.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")


def _relaxed(body: bytes) -> bytes:
    """Blanks are one space, none at a line's end; empty lines at the end are none."""
    body = _AT_THE_END.sub(b"\r\n", _BLANKS.sub(b" ", body)).rstrip(b"\r\n")
    return body + b"\r\n" if body else b""


def _cut(text: str) -> list[str]:
    return [text[at : at + 72] for at in range(0, len(text), 72)]
