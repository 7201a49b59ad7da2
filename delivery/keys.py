"""Idempotency keys of the transactional door: the same key and request have one effect, for as long as keys are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from delivery import sql
from delivery.addresses import text_hash
from delivery.message_ids import MessageKey
from governance.door import Conflict, Finding, Invalid


@dataclass(frozen=True, slots=True)
class Once:
    """A caller's key, and the SHA-256 of what was asked under it. Raises Invalid for an unusable key."""

    key: str
    request: str

    def __post_init__(self) -> None:
        if not 1 <= len(self.key) <= 255 or not self.key.isprintable():
            raise Invalid([Finding("error", "/idempotency_key", f"{len(self.key)} characters", "1 to 255 printable characters")])

    def hashed(self, workspace_id: int) -> list[str]:
        """Key and request as they are kept: keyed hashes, since callers make them from what they know of people."""
        return [text_hash(workspace_id, self.key), text_hash(workspace_id, self.request)]


class AlreadyDecided(Exception):
    """The key was used before. The caller's transaction must be rolled back; then `decided` tells what came of it."""


def claim(workspace_id: int, once: Once, message: MessageKey, *, now: datetime) -> None:
    """Keep what the key led to, in the transaction that decided it; of callers at once one succeeds and the others wait for its end.
    Raises AlreadyDecided."""
    statement = """INSERT INTO delivery_idempotencykey (workspace_id, key, request, at, dispatch_id, n)
        VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"""
    if not sql.run(statement, [workspace_id, *once.hashed(workspace_id), sql.moment(now), message.dispatch_id, message.n]):
        raise AlreadyDecided


def decided(workspace_id: int, once: Once) -> MessageKey | None:
    """The message that this key led to, None where it is new. Raises Conflict where it was used with another request."""
    key, request = once.hashed(workspace_id)
    statement = "SELECT request, dispatch_id, n FROM delivery_idempotencykey WHERE workspace_id = %s AND key = %s"
    for known, dispatch_id, n in sql.rows(statement, [workspace_id, key]):
        if known != request:
            raise Conflict("this Idempotency-Key was used with another request", title="Used before with another request")
        return MessageKey(dispatch_id, n)
    return None
