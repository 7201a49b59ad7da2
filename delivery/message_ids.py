"""The id of a message as the outside world sees it: (dispatch, n) and a keyed check, in 28 URL-safe characters.

21 bytes: version (1), dispatch (6), n (4), check (10: BLAKE2b keyed, over the first eleven). The same token is the vendor's
custom id, the link token and the unsubscribe token, so a repeated build gives the same id and an event finds its partition
without a look-up. 21 is a multiple of 3: there is no padding and no spare bit, so each message has exactly one spelling.
"""

from __future__ import annotations

import hmac
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from django.conf import settings

VERSION = 1
CHECK_BYTES = 10  # 80 bits: a forger needs 2^79 requests on average
TOKEN_LENGTH, TOKEN_BYTES = 28, 21
_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_+/", b"+/!!")  # "+" and "/" are no second spelling


@dataclass(frozen=True, slots=True)
class MessageKey:
    """The ledger's key of a message."""

    dispatch_id: int
    n: int


def message_ids(dispatch_id: int, ns: Iterable[int]) -> list[str]:
    """The tokens of these messages, in order. O(len), about a microsecond each; reads no table.

    dispatch_id: 0 to 2^48 - 1; n: 0 to 2^32 - 1; OverflowError outside.
    """
    prefix = bytes([VERSION]) + dispatch_id.to_bytes(6, "big")
    start = blake2b(prefix, digest_size=CHECK_BYTES, key=token_keys()[0], person=b"omni.message")
    raw = bytearray()
    for n in ns:
        place = n.to_bytes(4, "big")
        check = start.copy()
        check.update(place)
        raw += prefix + place + check.digest()
    text = token_text(bytes(raw))
    return [text[at : at + TOKEN_LENGTH] for at in range(0, len(text), TOKEN_LENGTH)]


def message_id(dispatch_id: int, n: int) -> str:
    """The token of one message."""
    return message_ids(dispatch_id, (n,))[0]


def token_text(raw: bytes) -> str:
    """Bytes as they stand in a link."""
    return b2a_base64(raw, newline=False).translate(_TO_URL).decode("ascii")


def read_token(token: str, version: int) -> bytes | None:
    """The 21 bytes of a token that begins with this version; None for every other text. Whether they are ours is the caller's to check."""
    if len(token) != TOKEN_LENGTH or not token.isascii():
        return None
    try:
        raw = a2b_base64(token.encode("ascii").translate(_FROM_URL), strict_mode=True)
    except Base64Error:
        return None
    return raw if len(raw) == TOKEN_BYTES and raw[0] == version else None


def read_message_id(token: str) -> MessageKey | None:
    """Whose token this is; None for anything that we didn't make with a key that is still listed."""
    raw = read_token(token, VERSION)
    if raw is None:
        return None
    body, given = raw[:11], raw[11:]
    known = [hmac.compare_digest(given, _check(key, body)) for key in token_keys()]  # every key is tried: the time says nothing
    return MessageKey(int.from_bytes(body[1:7], "big"), int.from_bytes(body[7:], "big")) if any(known) else None


def _check(key: bytes, body: bytes) -> bytes:
    return blake2b(body, digest_size=CHECK_BYTES, key=key, person=b"omni.message").digest()


def token_keys() -> tuple[bytes, ...]:
    """The keys of whatever stands in messages' links, newest first."""
    return _derived(settings.OMNI.token_keys, settings.SECRET_KEY)


@lru_cache(maxsize=8)
def _derived(listed: str, secret_key: str) -> tuple[bytes, ...]:
    """32-byte keys, newest first; without any listed one (development) a key derived from the secret key."""
    names = [name.strip() for name in listed.split(",") if name.strip()]
    return tuple(blake2b(name.encode(), digest_size=32, person=b"omni.token-key").digest() for name in names or [secret_key])
