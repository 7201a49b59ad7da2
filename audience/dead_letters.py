"""Entries of streams that could not be recorded: kept with what is wrong with them until somebody replays or drops them.

They hold people's data: the text goes as soon as an entry is replayed or dropped, with the person it is about, and after
OMNI_KEEP_DEAD_LETTERS days at the latest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import orjson
import structlog
from django.conf import settings
from django.db.models import Count, F, Min, Q, QuerySet

from audience.models import DeadLetter
from governance.door import Actor, Finding, audit

DeadLetterReason = Literal["not-json", "too-large", "invalid", "unknown-person", "broke"]
DeadLetterState = Literal["waiting", "replayed", "dropped", "expired"]
REASONS: dict[str, str] = {
    "unknown-person": "Nobody has its id",
    "invalid": "Something in it is wrong",
    "not-json": "It is no JSON",
    "too-large": "It is too large",
    "broke": "It broke its recording",
}
STATES: dict[str, str] = {"waiting": "Waits", "replayed": "Replayed", "dropped": "Dropped", "expired": "Forgotten"}
MAX_ID = 200  # characters of an external id that is looked for
KEPT_OF_LARGE = 10_000  # characters of an entry that is too large to be replayed
MAX_FINDINGS = 20
LOOKS_AGAIN = timedelta(minutes=10)
AT_ONCE = 5_000
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Faulty:
    """An entry that can't be recorded, and why. recorder: what recorded the consents in it."""

    entry_id: str
    entry_at: datetime
    body: bytes | None
    recorder: str
    reason: DeadLetterReason
    findings: tuple[Finding, ...]


def keep(workspace_id: int, stream: str, holds: str, faulty: Sequence[Faulty], *, now: datetime) -> None:
    """Keep them in this order, in the transaction of their batch; one that is there already counts once more, and stays settled."""
    if not faulty:
        return
    named = {each.entry_id: each for each in faulty}
    rows = DeadLetter.objects.filter(workspace_id=workspace_id, stream=stream)
    again = set(rows.filter(entry_id__in=list(named)).values_list("entry_id", flat=True))
    rows.filter(entry_id__in=again).update(times=F("times") + 1, last_at=now)
    new = [_row(workspace_id, stream, holds, named[entry_id], now) for entry_id in named if entry_id not in again]
    DeadLetter.objects.bulk_create(new, ignore_conflicts=True)  # another consumer may have been given the same entries
    log.warning("stream.dead_letters", stream=stream, entries=len(new), again=len(again))


def _row(workspace_id: int, stream: str, holds: str, faulty: Faulty, now: datetime) -> DeadLetter:
    body, whole = text_of(faulty.body)
    if faulty.reason == "too-large":
        body, whole = body[:KEPT_OF_LARGE], False
    return DeadLetter(
        workspace_id=workspace_id,
        stream=stream,
        entry_id=faulty.entry_id,
        entry_at=faulty.entry_at,
        holds=holds,
        external_id=_external_id(faulty.body) if whole else "",
        recorder=faulty.recorder[:80],
        body=body,
        whole=whole,
        reason=faulty.reason,
        findings=findings_of(faulty),
        first_at=now,
        last_at=now,
    )


def findings_of(faulty: Faulty) -> list[dict[str, str]]:
    """As they are stored."""
    return [each.as_dict() for each in faulty.findings[:MAX_FINDINGS]]


def text_of(body: bytes | None) -> tuple[str, bool]:
    """The entry as text, and whether that text is all of it: what is no UTF-8 or has a NUL can't be stored as it is."""
    try:
        text = (body or b"").decode()
    except UnicodeDecodeError:
        return (body or b"").decode("utf-8", "backslashreplace").replace("\0", "\\0"), False
    return text.replace("\0", "\\0"), body is not None and "\0" not in text


def _external_id(body: bytes | None) -> str:
    """Whom it is about, as far as that can be read."""
    try:
        given = orjson.loads(body or b"null")
    except orjson.JSONDecodeError:
        return ""
    said = given.get("external_id") if isinstance(given, dict) else None
    said = str(said) if isinstance(said, int) else said
    return said.strip()[:MAX_ID] if isinstance(said, str) and said.isprintable() else ""


# ── looking ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which dead letters. Empty: any. since: that came first at or after that."""

    state: str = "waiting"
    holds: str = ""
    reason: str = ""
    external_id: str = ""
    ids: tuple[int, ...] = ()
    since: datetime | None = None


def letters(workspace_id: int, wanted: Wanted) -> QuerySet[DeadLetter]:
    """Those that fit, in no order."""
    fits = {name: value for name in ("state", "holds", "reason", "external_id") if (value := getattr(wanted, name))}
    rows = DeadLetter.objects.filter(workspace_id=workspace_id, **fits)
    if wanted.ids:
        rows = rows.filter(pk__in=wanted.ids)
    return rows.filter(first_at__gte=wanted.since) if wanted.since else rows


def waiting_letters(workspace_id: int | None = None) -> tuple[int, datetime | None]:
    """How many wait for somebody, and since when the first does; None: in all workspaces."""
    rows = DeadLetter.objects.filter(state="waiting", **({} if workspace_id is None else {"workspace_id": workspace_id}))
    found: dict[str, Any] = rows.aggregate(many=Count("id"), first=Min("first_at"))
    return found["many"], found["first"]


# ── letting go ────────────────────────────────────────────────────────────────────────────────────────────────────

GONE: dict[str, Any] = {"body": "", "external_id": "", "whole": False}


def drop(actor: Actor, wanted: Wanted, *, now: datetime) -> int:
    """Give up those that wait and fit, for good; how many."""
    rows = letters(actor.workspace_id, wanted).filter(state="waiting")
    dropped = rows.update(state="dropped", settled_at=now, **GONE)
    if dropped:
        audit(actor, "dead_letters.dropped", subject="dead_letters", data={"letters": dropped}, now=now)
    return dropped


def forget(workspace_id: int, known: Iterable[tuple[str, str | None, str | None]]) -> None:
    """What is kept of somebody who is forgotten: what names an id of theirs, and of what nobody can read what quotes it or an address.

    known: what each of their numbers is known by (external id, e-mail, phone).
    """
    about = Q(pk__in=[])
    for external_id, *addresses in known:
        about |= Q(external_id=external_id)
        for text in (external_id, *filter(None, addresses)):
            about |= Q(external_id="", body__contains=text)
    DeadLetter.objects.filter(workspace_id=workspace_id).filter(about).delete()


@dataclass
class DeadLetterKeeper:
    """The worker's part: what waited for too long loses its text, and what was settled long ago goes."""

    _look_at: datetime = field(default=datetime.min.replace(tzinfo=UTC))

    def keep(self, *, now: datetime) -> None:
        """Every ten minutes, some thousands at a time."""
        if now < self._look_at:
            return
        self._look_at = now + LOOKS_AGAIN
        before = now - timedelta(days=settings.OMNI.keep_dead_letters)
        old = DeadLetter.objects.filter(state="waiting", first_at__lt=before).order_by("first_at").values_list("pk", flat=True)[:AT_ONCE]
        if expired := DeadLetter.objects.filter(pk__in=list(old)).update(state="expired", settled_at=now, **GONE):
            log.warning("dead_letters.expired", letters=expired)
        done = DeadLetter.objects.filter(settled_at__lt=before).values_list("pk", flat=True)[:AT_ONCE]
        DeadLetter.objects.filter(pk__in=list(done)).delete()
