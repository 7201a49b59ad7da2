"""Addresses in the ledger are keyed 64-bit hashes: enough to find and to suppress, useless to write to."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from audience.door import Person

EVERY_CHANNEL = "*"
PHONE_CHANNELS = frozenset({"sms", "whatsapp"})  # written to at a phone number


def address_hash(workspace_id: int, channel: str, address: str) -> int:
    """The keyed hash of one address, a signed 64-bit integer, never 0. Case and surrounding space don't matter.

    The key comes from the *oldest* listed token key (the last one), so newer keys may be added in front at will.
    """
    return address_hashes(workspace_id, channel, (address,))[0]


def address_hashes(workspace_id: int, channel: str, addresses: list[str] | tuple[str, ...]) -> list[int]:
    """The hashes of many addresses, in order; about a microsecond each. An address hashes alike on every channel, so that a
    suppression of all channels (`"*"`) is found from each."""
    start = blake2b(f"{workspace_id}\x00".encode(), digest_size=8, key=_key(), person=b"omni.address")
    hashes = []
    for address in addresses:
        digest = start.copy()
        digest.update(address.strip().casefold().encode("utf-8", "surrogatepass"))
        hashes.append(int.from_bytes(digest.digest(), "big", signed=True) or 1)
    return hashes


def address_of(channel: str, person: Person, platforms: Collection[str] | None = None) -> str:
    """What this person is written to on this channel, "" where there is none.

    For push the device that was seen last (audience's `give_devices` has told them), of those of these platforms; None: of any.
    """
    if channel == "push":
        return next((device.text for device in person.devices if platforms is None or device.platform in platforms), "")
    if channel == "email":
        return person.email or ""
    return (person.phone or "") if channel in PHONE_CHANNELS else ""


def addresses_of(channel: str, person: Person) -> list[str]:
    """Everything that this person may be written to at on this channel: of push all their devices."""
    if channel == "push":
        return [device.text for device in person.devices]
    return [address] if (address := address_of(channel, person)) else []


def text_hash(workspace_id: int, text: str) -> str:
    """The keyed hash of a text that may say something about a person, in 64 hexadecimal digits: it can be recognised, not read."""
    raw = f"{workspace_id}\x00{text}".encode("utf-8", "surrogatepass")
    return blake2b(raw, digest_size=32, key=_key(), person=b"omni.text").hexdigest()


def key_fingerprint() -> str:
    """Shows, without revealing it, which key the hashes in this database were made with."""
    return blake2b(_key(), digest_size=8, person=b"omni.keyprint").hexdigest()


def _key() -> bytes:
    return _derived(settings.OMNI.token_keys, settings.SECRET_KEY)


@lru_cache(maxsize=8)
def _derived(listed: str, secret_key: str) -> bytes:
    names = [name.strip() for name in listed.split(",") if name.strip()]
    return blake2b((names[-1] if names else secret_key).encode(), digest_size=32, person=b"omni.address-key").digest()
