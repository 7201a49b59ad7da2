"""Search by address: the ledger keeps keyed hashes, so whoever asks must know the whole address, in any spelling."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from audience import door as audience
from delivery.addresses import address_hash
from delivery.suppression import normal
from governance.door import Actor, audit

NUMBER = re.compile(r"\+?[0-9][0-9 ()./\-\u00a0\u2010-\u2013]{5,30}")


@dataclass(frozen=True, slots=True)
class Asked:
    """An address as the ledger knows it. channel: email, or sms for every channel that uses numbers."""

    channel: str
    hash: int


def asked_address(workspace_id: int, text: str) -> Asked | None:
    """The address in this text; None for what is neither an e-mail address nor a number in international form (+ or 00)."""
    text = text.strip()
    if "@" in text:
        return Asked("email", address_hash(workspace_id, "email", normal("email", text)))
    if not NUMBER.fullmatch(text) or not text.startswith(("+", "00")):
        return None
    written = "+" + text[2:] if text.startswith("00") else text
    return Asked("sms", address_hash(workspace_id, "sms", normal("sms", written)))


def note_search(actor: Actor, asked: Asked, *, now: datetime) -> None:
    """Who looked for an address, in the audit trail; the address itself as its keyed hash."""
    audit(actor, "messages.searched", subject=f"address:{asked.hash & (2**64 - 1):016x}", data={"channel": asked.channel}, now=now)


def holder(workspace_id: int, text: str) -> audience.Person | None:
    """Whose address it is today, in any spelling."""
    text = text.strip()
    return audience.find(workspace_id, address="+" + text[2:] if text.startswith("00") else text)
