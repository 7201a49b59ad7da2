"""JSON web tokens (RFC 7515, 7519), signed here: what a vendor asks for instead of a password. Pure: the same claims give the
same bytes, because RSA signs that way and ECDSA is made to (RFC 6979)."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from functools import lru_cache

import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class BadKey(ValueError):
    """The secret doesn't hold the kind of key that the vendor issues. Never shows the key."""


def base64url(data: bytes) -> str:
    """Without padding, as these tokens and web push write it."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """With or without padding. Raises ValueError."""
    return urlsafe_b64decode(text.strip().rstrip("=") + "=" * (-len(text.strip().rstrip("=")) % 4))


@lru_cache(maxsize=64)
def private_key(pem: str) -> PrivateKey:
    """An RSA or P-256 key from PEM, also where its line breaks came as `\\n`. Raises BadKey."""
    try:
        key = serialization.load_pem_private_key(pem.replace("\\n", "\n").strip().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadKey("not a private key in PEM") from None
    if isinstance(key, rsa.RSAPrivateKey) or (isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp256r1"):
        return key
    raise BadKey("neither an RSA nor a P-256 key")


def signed(claims: Mapping[str, object], key: PrivateKey, *, key_id: str = "") -> str:
    """The compact form: RS256 or ES256, by the key's kind."""
    elliptic = isinstance(key, ec.EllipticCurvePrivateKey)
    header = {"typ": "JWT", "alg": "ES256" if elliptic else "RS256", **({"kid": key_id} if key_id else {})}
    text = f"{base64url(orjson.dumps(header))}.{base64url(orjson.dumps(claims))}"
    return f"{text}.{base64url(_signature(text.encode(), key))}"


def _signature(text: bytes, key: PrivateKey) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(text, padding.PKCS1v15(), hashes.SHA256())
    r, s = decode_dss_signature(key.sign(text, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")
