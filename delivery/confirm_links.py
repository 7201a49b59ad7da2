"""The link by which somebody confirms what they are said to have agreed to: who may follow it, what it asks, and what it does.

Laws: following the link changes nothing (scanners follow links), only the button does; a token names one entry of the ledger and the
address that it was sent to, so that it is worth nothing once the person has another one; it isn't the message's id, so whoever may
look messages up can't confirm in somebody's name.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from django.db import transaction

from audience import door as audience
from delivery import suppression
from delivery.addresses import address_hash, address_of
from delivery.message_ids import read_token, token_keys, token_text
from governance import door as governance

CONFIRMS = "confirms"  # in a message's data: the number of the entry that it asks about
VERSION = 2  # the first byte; message ids have another one
NUMBER_BYTES = 7
CHECK_BYTES = 13  # 104 bits


@dataclass(frozen=True, slots=True)
class Question:
    """What a link asks. address: that it was sent to; held: why nothing goes there, whatever is confirmed ("" where something may)."""

    about: audience.ToConfirm
    person: audience.Person
    address: str
    held: str


def confirm_token(workspace_id: int, channel: str, person: audience.Person, number: int) -> str:
    """The token for the link about this entry, sent to this person's address; "" for no number of an entry. Reads no table."""
    if not 0 < number < 1 << 8 * NUMBER_BYTES:
        return ""
    raw = _body(number) + _check(token_keys()[0], number, _hash(workspace_id, channel, address_of(channel, person)))
    return token_text(raw)


def question(token: str, *, now: datetime) -> Question | None:
    """What this link asks, answered already or not; None for every token that isn't ours, or is so no longer."""
    number, given = _read(token)
    about = audience.to_confirm(number, now=now)
    people = audience.load(about.workspace_id, [about.profile_id]) if about is not None else []
    address = address_of(about.channel, people[0]) if about is not None and people else ""
    hashed = _hash(about.workspace_id, about.channel, address) if about is not None else 0
    known = [hmac.compare_digest(given, _check(key, number, hashed)) for key in token_keys()]  # every key is tried: the time says nothing
    if about is None or not address or not any(known):
        return None
    stopped = suppression.reason_of(about.workspace_id, about.channel, address)
    return Question(about, people[0], address, "" if stopped in suppression.MARKETING_ONLY else stopped)


def confirm(asked: Question, *, now: datetime) -> bool:
    """The person says yes. True where that stands, by this link. Written before this returns; their own unsubscription from everything
    is lifted with it."""
    if asked.held:
        return False
    about = asked.about
    with transaction.atomic():
        if audience.confirm(about.number, now=now):
            suppression.lift_own(about.workspace_id, about.channel, asked.address)
            return True
    again = audience.to_confirm(about.number, now=now)
    return again is not None and again.stage == "confirmed"


def sender_of(asked: Question) -> str:
    """The name that the question came from: of its template's sender, else of the workspace."""
    about = asked.about
    declared = audience.opt_in(about.workspace_id, about.channel, about.topic)
    name = ""
    if declared is not None:
        try:
            sender = governance.released(about.workspace_id, "template", declared.confirm_with).body.get("sender", {})
            if isinstance(sender, str):
                sender = governance.released(about.workspace_id, "sender", sender).body
            name = sender.get("name") or ""
        except governance.Missing:
            pass
    return name or str(governance.Workspace.objects.values_list("name", flat=True).get(pk=about.workspace_id))


def _read(token: str) -> tuple[int, bytes]:
    """The number and the check of a token; of one that isn't ours, a number that nobody has."""
    nobodys = (0, bytes(CHECK_BYTES))
    raw = read_token(token, VERSION)
    if raw is None:
        return nobodys
    return int.from_bytes(raw[1 : 1 + NUMBER_BYTES], "big"), raw[1 + NUMBER_BYTES :]


def _body(number: int) -> bytes:
    return bytes([VERSION]) + number.to_bytes(NUMBER_BYTES, "big")


def _check(key: bytes, number: int, hashed: int) -> bytes:
    text = _body(number) + hashed.to_bytes(8, "big", signed=True)
    return blake2b(text, digest_size=CHECK_BYTES, key=key, person=b"omni.confirm").digest()


def _hash(workspace_id: int, channel: str, address: str) -> int:
    return address_hash(workspace_id, channel, suppression.normal(channel, address)) if address else 0
