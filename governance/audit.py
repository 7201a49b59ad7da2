"""Who did what: append-only and chained, so that a missing or altered entry shows.

hash(n) = SHA-256(hash(n-1) + canonical row). The database refuses updates and deletes of entries. The workspace's row notes the
last number and hash, and the next entry follows those: what was cut off leaves a gap for good.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from governance import witness
from governance.canonical import canonical
from governance.models import AuditEntry, Workspace
from governance.roles import Actor

START = "0" * 64
ADDRESS = re.compile(r"[^\s@:]+@[^\s@]+\.\w+|(?<!\w)\+\d{7,15}(?!\w)")


def audit(actor: Actor, action: str, *, subject: str, data: Mapping[str, Any], now: datetime) -> AuditEntry:
    """Append one entry in the caller's transaction: what was done ("template.released") to what ("template:welcome").

    data: ids, numbers and words of our own; anything that looks like an address is struck out.
    """
    with transaction.atomic():
        witness.lock(actor.workspace_id)
        n, head = Workspace.objects.values_list("audited", "audit_head").get(pk=actor.workspace_id)
        entry = AuditEntry(
            workspace_id=actor.workspace_id,
            n=n + 1,
            at=now,
            user_id=actor.user_id,
            api_key_id=actor.api_key_id,
            via=actor.via,
            action=action,
            subject=_plain(subject)[:160],
            data={str(key): _plain(value) for key, value in data.items()},
            previous=head or START,
        )
        entry.hash = digest(entry)
        entry.save(force_insert=True)
        Workspace.objects.filter(pk=actor.workspace_id).update(audited=entry.n, audit_head=entry.hash)
    return entry


def digest(entry: AuditEntry) -> str:
    """The hash that this row should carry after `entry.previous`."""
    row = {
        "workspace": entry.workspace_id,
        "n": entry.n,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "user": entry.user_id,
        "api_key": entry.api_key_id,
        "via": entry.via,
        "action": entry.action,
        "subject": entry.subject,
        "data": entry.data,
    }
    return hashlib.sha256((entry.previous + canonical(row)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Chain:
    """What verifying found: how many entries, the last hash, and the first that doesn't fit ("" if all do)."""

    entries: int
    head: str
    fault: str = ""


def verify(workspace_id: int, *, expected: tuple[int, str] | None = None) -> Chain:
    """Walk the whole chain to the end that the workspace's own row notes.

    expected: (number, hash) noted elsewhere, which proves the same against somebody who rewrote that row, too.
    """
    noted = Workspace.objects.values_list("audited", "audit_head").get(pk=workspace_id)  # first: entries may come while we walk
    head, count = START, 0
    for entry in AuditEntry.objects.filter(workspace_id=workspace_id).order_by("n").iterator(chunk_size=2_000):
        if entry.n != count + 1:
            return Chain(count, head, f"entry {count + 1} is missing")
        if entry.previous != head or entry.hash != digest(entry):
            return Chain(count, head, f"entry {entry.n} was altered")
        if any(end and end[0] == entry.n and end[1] != entry.hash for end in (noted, expected)):
            return Chain(count, head, f"entry {entry.n} is not the one noted earlier")
        head, count = entry.hash, entry.n
    if expected and expected[0] > count:
        return Chain(count, head, f"entry {expected[0]} was noted earlier and is missing")
    if noted[0] > count:
        return Chain(count, head, f"entry {count + 1} is missing: the end was cut off")
    return Chain(count, head)


def _plain(value: Any) -> Any:
    """JSON that hashes the same on every database: no floats, no objects, no addresses."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(inner) for inner in value]
    return ADDRESS.sub("[address]", str(value).replace("\0", ""))
