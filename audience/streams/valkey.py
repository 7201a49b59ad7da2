"""A stream of Valkey or Redis (7 or newer), read by a consumer group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import structlog

from audience.streams.source import Backlog, Entry, Holds, SourceAway

log = structlog.get_logger(__name__)
BODY, RECORDER = b"body", b"source"  # fields of an entry
PATIENCE = 5.0  # seconds that the server may take to answer a consumer
FORGOTTEN_AFTER = 24 * 3_600_000  # milliseconds after which a reader that holds nothing and never came back is forgotten
T = TypeVar("T")


class ValkeyStream:
    """One stream as `reader` of `group` reads it. patience: seconds that the server may take."""

    def __init__(self, url: str, name: str, holds: Holds, *, group: str, reader: str, patience: float = PATIENCE) -> None:
        try:
            import redis  # an optional engine
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ImportError:
            raise SourceAway("OMNI_STREAM_URL needs the extra `redis`: install requirements/engines.txt") from None
        self.name, self.holds, self.group, self.reader = name, holds, group, reader
        self._failures, self._refused = redis.RedisError, redis.ResponseError
        never = Retry(NoBackoff(), 0)  # the consumer tries again, and a page doesn't wait
        self._client: Any = redis.Redis.from_url(url, socket_timeout=patience, socket_connect_timeout=patience, retry=never, protocol=2)

    def read(self, limit: int) -> list[Entry]:
        """The next entries that nobody was given yet."""
        answer = self._grouped(lambda: self._client.xreadgroup(self.group, self.reader, {self.name: ">"}, count=limit))
        return [_entry(number, fields) for _, entries in answer or () for number, fields in entries]

    def left_behind(self, limit: int, *, idle: float) -> list[Entry]:
        """The first entries that some reader took so long ago and didn't finish; an entry that was deleted meanwhile is logged."""
        start: Any = "0-0"
        while True:
            start, entries, deleted = self._grouped(partial(self._claimed, start, limit, int(idle * 1000)))
            if deleted:
                log.error("stream.entries_deleted", stream=self.name, entries=len(deleted))
            if entries or start in (b"0-0", "0-0"):
                return [_entry(number, fields) for number, fields in entries]

    def done(self, entries: Sequence[Entry]) -> None:
        """Acknowledge them."""
        if entries:
            self._asked(lambda: self._client.xack(self.name, self.group, *(entry.id for entry in entries)))

    def anything(self) -> bool:
        """Whether some reader holds entries, or the stream had one after the last that was read."""
        group = self._grouped(self._of_group)
        if group["pending"]:
            return True
        return bool(self._asked(lambda: self._client.xinfo_stream(self.name))["last-generated-id"] != group["last-delivered-id"])

    def backlog(self) -> Backlog:
        """What isn't acknowledged. A stream that nobody wrote to or read yet has nothing."""
        return self._asked(self._backlog)

    def tidy(self, *, before: datetime) -> int:
        """Trim what is older and done by every group of the stream; forget readers that are gone for a day and hold nothing."""
        return self._grouped(lambda: self._tidy(int(before.timestamp() * 1000)))

    def close(self) -> None:
        """Close the connection. A reader that holds nothing is forgotten."""
        with suppress(self._failures):
            if not any(each["name"].decode() == self.reader and each["pending"] for each in self._readers()):
                self._client.xgroup_delconsumer(self.name, self.group, self.reader)
            self._client.close()

    # ── asking the server ─────────────────────────────────────────────────────────────────────────────────────────

    def _away(self, error: Exception) -> SourceAway:
        """Which server it is that failed, and how: the library's own words may quote the whole address."""
        known = self._client.connection_pool.connection_kwargs
        where = known.get("path") or f"{known.get('host')}:{known.get('port')}"
        return SourceAway(f"{where} ({type(error).__name__})")

    def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except self._failures as error:
            raise self._away(error) from error

    def _claimed(self, start: Any, limit: int, idle: int) -> Any:
        return self._client.xautoclaim(self.name, self.group, self.reader, min_idle_time=idle, start_id=start, count=limit)

    def _grouped(self, ask: Callable[[], T]) -> T:
        """As _asked; a group that isn't there yet, or any more, is made and reads the stream from its beginning."""
        try:
            return ask()
        except self._refused as error:
            if not str(error).startswith("NOGROUP") and "no such key" not in str(error):
                raise self._away(error) from error
        except self._failures as error:
            raise self._away(error) from error
        self._asked(self._make_group)
        return self._asked(ask)

    def _make_group(self) -> None:
        try:
            self._client.xgroup_create(self.name, self.group, id="0", mkstream=True)
        except self._refused as error:
            if not str(error).startswith("BUSYGROUP"):  # another consumer was first
                raise

    def _of_group(self) -> dict[str, Any]:
        found = next((each for each in self._client.xinfo_groups(self.name) if each["name"].decode() == self.group), None)
        if found is None:
            raise self._refused("NOGROUP")
        return dict(found)

    def _backlog(self) -> Backlog:
        try:
            group = self._of_group()
        except self._refused:
            first = self._client.xrange(self.name, count=1)
            return Backlog(self._client.xlen(self.name), 0, _moment(first[0][0]) if first else None)
        unread = group.get("lag")
        fresh = self._client.xrange(self.name, min=b"(" + group["last-delivered-id"], count=1)
        if unread is None:  # entries were deleted in the middle: the server can't tell, so they are counted
            unread = sum(1 for _ in self._after(group["last-delivered-id"]))
        held = self._client.xpending(self.name, self.group)["min"] if group["pending"] else None
        oldest = [_moment(number) for number in (held, fresh[0][0] if fresh else None) if number]
        return Backlog(int(unread), int(group["pending"]), min(oldest, default=None))

    def _after(self, number: bytes) -> Iterable[bytes]:
        while some := self._client.xrange(self.name, min=b"(" + number, count=1_000):
            for number, _ in some:
                yield number

    def _readers(self) -> list[dict[str, Any]]:
        return list(self._client.xinfo_consumers(self.name, self.group))

    def _tidy(self, before: int) -> int:
        for each in self._readers():
            if not each["pending"] and each["idle"] > FORGOTTEN_AFTER and each["name"].decode() != self.reader:
                self._client.xgroup_delconsumer(self.name, self.group, each["name"])
        first = (before, 0)
        for group in self._client.xinfo_groups(self.name):
            if group["pending"]:
                first = min(first, _parts(self._client.xpending(self.name, group["name"])["min"]))
            else:
                milliseconds, number = _parts(group["last-delivered-id"])
                first = min(first, (milliseconds, number + 1))
        return int(self._client.xtrim(self.name, minid=f"{first[0]}-{first[1]}", approximate=False))


def _entry(number: bytes, fields: dict[bytes, bytes] | None) -> Entry:
    given = fields or {}
    return Entry(number.decode(), _moment(number), given.get(BODY), given.get(RECORDER, b"").decode("utf-8", "replace").strip())


def _parts(number: bytes) -> tuple[int, int]:
    milliseconds, _, count = number.decode().partition("-")
    return int(milliseconds), int(count or 0)


def _moment(number: bytes) -> datetime:
    """When the server took an entry: its number begins with milliseconds, unless the writer gave a number of its own."""
    try:
        return datetime.fromtimestamp(_parts(number)[0] / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.now(UTC)
