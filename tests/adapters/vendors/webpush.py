"""A push service, and the browser behind it that opens what arrives (RFC 8291, the receiver's side)."""

from __future__ import annotations

import json
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from delivery.adapters.webpush_encryption import public_bytes
from tests.adapters.vendors.contract import Answered, Asked

NAME = "webpush"
BROWSER, SECRET = ec.generate_private_key(ec.SECP256R1()), bytes(range(16))


def matches(asked: Asked) -> bool:
    return asked.path.startswith("/webpush/")


def answer(asked: Asked, number: int) -> Answered:
    name, headers = asked.path.rpartition("/")[2], asked.headers
    assert headers["ttl"].isdigit() and headers["authorization"].startswith("vapid t=") and len(headers["topic"]) <= 32
    if name.startswith("gone"):
        return Answered(410)
    said = opened(asked.body)
    assert said["message_id"] == headers["topic"]
    return Answered(201, b"", {"location": f"/message/{number}"}, ((name, said["message_id"]),))


def error(status: int) -> Answered:
    return Answered(status)


def opened(body: bytes) -> dict[str, Any]:
    """What the browser shows its service worker."""
    text = opened_with(body, BROWSER, SECRET)
    said: dict[str, Any] = json.loads(text)
    return said


def opened_with(body: bytes, browser: ec.EllipticCurvePrivateKey, secret: bytes) -> bytes:
    salt, sender, sealed = body[:16], body[21 : 21 + body[20]], body[21 + body[20] :]
    shared = browser.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
    material = HKDF(hashes.SHA256(), 32, secret, b"WebPush: info\x00" + public_bytes(browser.public_key()) + sender).derive(shared)
    key = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\x00").derive(material)
    nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\x00").derive(material)
    padded = AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\x00")
    assert padded.endswith(b"\x02")
    return padded[:-1]
