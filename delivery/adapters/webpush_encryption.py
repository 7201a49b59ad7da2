"""A web push payload, encrypted for one subscription (RFC 8291, by the content encoding aes128gcm of RFC 8188).

Pure: the one-time key and the salt are derived (HKDF) from the sender's private key, the subscription and the text itself, as
RFC 6979 does for signatures. Nobody without that key can foresee them, and another text never meets the same pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from delivery.adapters.json_web_tokens import from_base64url

RECORD = 4_096  # bytes of the one record, which is the whole body
OVERHEAD = 86 + 1 + 16  # header with the one-time public key, the padding's delimiter, the tag
LARGEST_TEXT = RECORD - OVERHEAD
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of the curve P-256


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a browser handed out: where to post, its public key (65 bytes, uncompressed) and its secret (16 bytes)."""

    endpoint: str
    public: bytes
    secret: bytes


def subscription(address: str) -> Subscription | None:
    """A subscription as browsers write it, `{"endpoint": …, "keys": {"p256dh": …, "auth": …}}`; None for anything else."""
    try:
        given = orjson.loads(address)
        found = Subscription(given["endpoint"], from_base64url(given["keys"]["p256dh"]), from_base64url(given["keys"]["auth"]))
        _point(found.public)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return found if isinstance(found.endpoint, str) and len(found.secret) == 16 and len(found.public) == 65 else None


def encrypted(text: bytes, to: Subscription, sender: ec.EllipticCurvePrivateKey) -> bytes:
    """The body of the request. text: at most LARGEST_TEXT bytes."""
    seed = _derived(sender.private_numbers().private_value.to_bytes(32, "big"), _digest(text), b"omni web push\x00" + to.public, 64)
    one_time = ec.derive_private_key(int.from_bytes(seed[:48], "big") % (ORDER - 1) + 1, ec.SECP256R1())
    return sealed(text, to, one_time, seed[48:])


def sealed(text: bytes, to: Subscription, one_time: ec.EllipticCurvePrivateKey, salt: bytes) -> bytes:
    """RFC 8291 as it stands, with a given one-time key and salt (16 bytes)."""
    public = public_bytes(one_time.public_key())
    shared = one_time.exchange(ec.ECDH(), _point(to.public))
    material = _derived(shared, to.secret, b"WebPush: info\x00" + to.public + public, 32)
    key = _derived(material, salt, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _derived(material, salt, b"Content-Encoding: nonce\x00", 12)
    head = salt + RECORD.to_bytes(4, "big") + bytes([len(public)]) + public
    return head + AESGCM(key).encrypt(nonce, text + b"\x02", None)


def public_bytes(key: ec.EllipticCurvePublicKey) -> bytes:
    """The uncompressed point, 65 bytes."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@lru_cache(maxsize=8)  # checked, then used
def _point(public: bytes) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)


def _derived(material: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(material)


def _digest(text: bytes) -> bytes:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(text)
    return digest.finalize()
