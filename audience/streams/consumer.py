"""The loop that takes streams into the database: read, record, acknowledge, until told to stop.

Laws: an entry is acknowledged after the commit that recorded it, so a consumer that is killed loses nothing; it is recorded once,
however often it is read. Events may be taken by any number of consumers, in any order. A stream of people is taken by one at a time
(audience/streams/turn.py), in its order: what somebody's last entry says is what is known of them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, connection, transaction
from django.utils import timezone

from audience.streams.source import Entry, Source, SourceAway
from audience.streams.taking import Taken, take
from audience.streams.turn import end_turn, take_turn

PAUSE = 0.1  # seconds between looks when nothing comes
AWAY = 0.5  # seconds between tries when the database or the broker is away
STANDS_BY = 1.0  # seconds between looks whether the other consumer of people has ended
LOOKS_FOR_LEFT_BEHIND = 5.0  # seconds between looks at what dead consumers hold
TIDIES = 60.0  # seconds
KEEPS_CONNECTION = 1.0  # seconds
log = structlog.get_logger(__name__)
Clock = Callable[[], datetime]


@dataclass(slots=True)
class Counts:
    """What became of the entries so far: recorded, repeated (known before) and dead_letters add up to them."""

    recorded: int = 0
    repeated: int = 0
    dead_letters: int = 0


@dataclass
class Consumer:
    """One process' part. heard: called after events were recorded, to wake who waits for them."""

    workspace_id: int
    name: str
    sources: Sequence[Source]
    heard: Callable[[], None] = lambda: None
    clock: Clock = timezone.now
    batch: int = 1_000
    claim_after: float = 60.0  # seconds
    counts: Counts = field(default_factory=Counts)
    stopping: threading.Event = field(default_factory=threading.Event)
    _held: dict[str, list[Entry]] = field(default_factory=dict)  # of events: read, and not yet acknowledged
    _next: dict[tuple[str, str], float] = field(default_factory=dict)  # when something is to be done again, by stream and what

    def run(self) -> None:
        """Until `stop`. What is away is waited for; meanwhile nothing is acknowledged, and what was read is kept."""
        log.info("stream.consumer_started", consumer=self.name, streams=[source.name for source in self.sources])
        while not self.stopping.is_set():
            self._try()
        with suppress(SourceAway, OperationalError, InterfaceError):  # whatever is away: others take over a little later
            self._leave()
        close_old_connections()
        log.info("stream.consumer_stopped", consumer=self.name, recorded=self.counts.recorded, dead_letters=self.counts.dead_letters)

    def drain(self) -> None:
        """Until nothing waits that this consumer may take. Raises what is away."""
        while self.step() and not self.stopping.is_set():
            pass
        self._leave()

    def stop(self) -> None:
        """End after the batch in hand."""
        self.stopping.set()

    def step(self) -> bool:
        """One batch of each stream, people first; whether there was any."""
        busy = False
        for source in self.sources:
            busy |= self._take_ordered(source) if source.holds == "profiles" else self._take_any(source)
            if self._due(source, "tidy", TIDIES):
                self._tidy(source)
        return busy

    def _try(self) -> None:
        try:
            if not self.step():
                self.stopping.wait(PAUSE)
            if time.monotonic() >= self._next.get(("", "connection"), 0.0):
                close_old_connections()
                self._next["", "connection"] = time.monotonic() + KEEPS_CONNECTION
        except SourceAway as away:
            log.error("stream.broker_away", consumer=self.name, error=str(away))
            self.stopping.wait(AWAY)
        except (OperationalError, InterfaceError) as error:
            log.error("stream.database_away", consumer=self.name, error=type(error.__cause__ or error).__name__)
            connection.close()
            self.stopping.wait(AWAY)
        except Exception as error:  # the outermost loop; the words of an error may quote people's data
            log.error("stream.step_failed", consumer=self.name, error=type(error).__name__)
            close_old_connections()
            self.stopping.wait(AWAY)

    # ── events: any consumer, any order ───────────────────────────────────────────────────────────────────────────

    def _take_any(self, source: Source) -> bool:
        entries = self._held.get(source.name) or self._read_any(source)
        if not entries:
            return False
        self._held[source.name] = entries
        began = time.monotonic()
        taken = take(self.workspace_id, source.name, source.holds, entries, now=self.clock())
        self.heard()
        source.done(entries)
        self._held[source.name] = []
        self._tell(source, entries, taken, began)
        return True

    def _read_any(self, source: Source) -> list[Entry]:
        if self._due(source, "left behind", LOOKS_FOR_LEFT_BEHIND) and (entries := source.left_behind(self.batch, idle=self.claim_after)):
            log.warning("stream.taken_over", stream=source.name, entries=len(entries))
            self._next.pop((source.name, "left behind"))  # there may be more
            return entries
        return source.read(self.batch)

    # ── people: one consumer at a time, in the stream's order ─────────────────────────────────────────────────────

    def _take_ordered(self, source: Source) -> bool:
        """What any reader before us held and didn't finish comes before what is new: nobody else reads as long as it is our turn."""
        if time.monotonic() < self._next.get((source.name, "turn"), 0.0) or not source.anything():
            return False
        began = time.monotonic()
        with transaction.atomic():
            if not take_turn(self.workspace_id, source.name, self.name, now=self.clock()):
                self._next[source.name, "turn"] = time.monotonic() + STANDS_BY
                return False
            entries = source.left_behind(self.batch, idle=0) or source.read(self.batch)
            taken = take(self.workspace_id, source.name, source.holds, entries, now=self.clock()) if entries else Taken()
        source.done(entries)
        if entries:
            self._tell(source, entries, taken, began)
        return bool(entries)

    # ── beside ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _leave(self) -> None:
        """Let others come at once."""
        for source in self.sources:
            if source.holds == "profiles":
                end_turn(self.workspace_id, source.name, self.name, now=self.clock())
            source.close()

    def _due(self, source: Source, what: str, every: float) -> bool:
        """Whether it is time again; if so the next time is noted."""
        now = time.monotonic()
        if now < self._next.get((source.name, what), 0.0):
            return False
        self._next[source.name, what] = now + every
        return True

    def _tidy(self, source: Source) -> None:
        hours = settings.OMNI.stream_keep
        if hours and (gone := source.tidy(before=self.clock() - timedelta(hours=hours))):
            log.info("stream.trimmed", stream=source.name, entries=gone)

    def _tell(self, source: Source, entries: Sequence[Entry], taken: Taken, began: float) -> None:
        self.counts.recorded += taken.recorded
        self.counts.repeated += taken.repeated
        self.counts.dead_letters += len(taken.faulty)
        log.info(
            "stream.taken",
            stream=source.name,
            entries=len(entries),
            recorded=taken.recorded,
            repeated=taken.repeated,
            dead_letters=len(taken.faulty),
            seconds=round(time.monotonic() - began, 3),
            age=round((self.clock() - entries[0].at).total_seconds(), 1),
        )
