"""What a DKIM selector's record says (RFC 6376, 3.6.1; RFC 8301; RFC 8463)."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from dataclasses import dataclass
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from delivery.domains.answers import Ask

SMALLEST = 1_024  # bits of an RSA key that mailbox providers accept
GOOD = 2_048


@dataclass(frozen=True, slots=True)
class Key:
    """status: good, weak (it works, and better is known), bad, none, or unanswered. what: in words."""

    status: Literal["good", "weak", "bad", "none", "unanswered"]
    what: str
    name: str


def tags(record: str) -> dict[str, str]:
    """A tag list as a dictionary; the first of a name counts."""
    found: dict[str, str] = {}
    for part in record.split(";"):
        name, equals, value = part.partition("=")
        if equals:
            found.setdefault(name.strip().lower(), value.strip())
    return found


def read(selector: str, domain: str, ask: Ask) -> Key:
    """The public key of one selector."""
    name = f"{selector}._domainkey.{domain}"
    said = ask(name, "TXT")
    if not said.known:
        return Key("unanswered", said.why, name)
    found = [text for text in said.records if "p" in tags(text)]
    if not found:
        alias = f" (it is an alias of {said.canonical})" if said.canonical else ""
        return Key("none", f"no key{alias}", name)
    if len(found) > 1:
        return Key("bad", f"{len(found)} keys, of which nobody knows which counts", name)
    return _judged(tags(found[0]), name)


def _judged(said: dict[str, str], name: str) -> Key:
    version, kind = said.get("v", "DKIM1"), said.get("k", "rsa").lower()
    if version != "DKIM1":
        return Key("bad", f"a record of version “{version[:20]}”, not DKIM1", name)
    if not re.sub(r"\s", "", said["p"]):
        return Key("bad", "a key that was revoked (p= is empty)", name)
    if "h" in said and "sha256" not in re.split(r"\s*:\s*", said["h"].lower()):
        return Key("bad", f"a key for {said['h'][:30]} only, and signatures are SHA-256", name)
    if "s" in said and not {"*", "email"} & set(re.split(r"\s*:\s*", said["s"].lower())):
        return Key("bad", f"a key for “{said['s'][:30]}”, not for e-mail", name)
    try:
        raw = b64decode(re.sub(r"\s", "", said["p"]), validate=True)
    except (Error, ValueError):
        return Key("bad", "a key that can't be read: it is no base64, often because a part was lost in copying", name)
    testing = "y" in re.split(r"\s*:\s*", said.get("t", "").lower())
    key = (
        _ed25519(raw, name)
        if kind == "ed25519"
        else _rsa(raw, name)
        if kind == "rsa"
        else Key("bad", f"a key of the kind “{kind[:20]}”", name)
    )
    if testing and key.status in ("good", "weak"):
        return Key("weak", f"{key.what}, marked as a test (t=y)", name)
    return key


def _rsa(raw: bytes, name: str) -> Key:
    try:
        key = load_der_public_key(raw)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return Key("bad", "a key that can't be read, often because a part was lost in copying", name)
    if not isinstance(key, rsa.RSAPublicKey):
        return Key("bad", "a key that isn't RSA, though the record says so", name)
    what = f"an RSA key of {key.key_size:,} bits"
    return Key("bad" if key.key_size < SMALLEST else "weak" if key.key_size < GOOD else "good", what, name)


def _ed25519(raw: bytes, name: str) -> Key:
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(raw)
    except ValueError:
        return Key("bad", "an Ed25519 key that can't be read", name)
    return Key("weak", "an Ed25519 key, which not all mailbox providers read", name)
