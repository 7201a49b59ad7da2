"""Entries of streams that could not be recorded: list them, take them once more, or give them up."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from audience.dead_letters import REASONS, STATES, Wanted, drop, letters
from audience.models import DeadLetter
from audience.streams.replay import replay
from governance.door import DoorCommand, Finding, Invalid, Report, shorten

SHOWN = 50


class Command(DoorCommand):
    """Bodies are never printed: they are people's data. The console shows one to admins."""

    help = "List, replay or drop entries of streams that could not be recorded."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=("list", "replay", "drop"), help="what to do with them")
        parser.add_argument("--id", type=int, nargs="+", default=[], help="these")
        parser.add_argument("--all", action="store_true", help="every one that waits; replay and drop want this, --since or --id")
        parser.add_argument("--since", default="", help="those that came at or after this instant, such as 2026-12-01T09:00:00Z")
        parser.add_argument("--holds", choices=("profiles", "events"), default="", help="of one of the two")
        parser.add_argument("--reason", choices=tuple(REASONS), default="", help="for this reason only")
        parser.add_argument("--state", choices=tuple(STATES), default="waiting", help="to list (default: %(default)s)")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def act(self, *, what: str, **options: Any) -> Report:
        """Do one of the three."""
        since = _instant(options["since"])
        state = options["state"] if what == "list" else "waiting"
        wanted = Wanted(state, options["holds"], options["reason"], ids=tuple(options["id"]), since=since)
        if what == "list":
            return self._listed(wanted)
        if not (options["id"] or options["all"] or since):
            expected = "which: --id NUMBER, --since INSTANT or --all; --reason and --holds narrow it"
            raise Invalid([Finding("error", "/id", "nothing", expected)])
        if what == "drop":
            dropped = drop(self.actor, wanted, now=timezone.now())
            _somebody(dropped, options)
            return Report((f"{dropped:,} dropped",), {"dropped": dropped})
        done = replay(self.actor, wanted, now=timezone.now())
        _somebody(done.replayed + done.still, options)
        lines = (f"{done.replayed:,} replayed, {done.still:,} still can't be recorded",)
        return Report(lines, {"replayed": done.replayed, "still": done.still}, status=2 if done.still else 0)

    def _listed(self, wanted: Wanted) -> Report:
        rows = letters(self.workspace.pk, wanted)
        many, shown = rows.count(), list(rows.order_by("-pk")[:SHOWN])
        lines = [f"{row.pk}  {row.first_at:%Y-%m-%d %H:%M}  {row.stream} {row.entry_id}  {row.reason}: {_first(row)}" for row in shown]
        more = [f"and {many - len(shown):,} older ones"] if many > len(shown) else []
        data = [
            {name: getattr(row, name) for name in ("id", "stream", "entry_id", "holds", "reason", "state", "times", "first_at", "findings")}
            for row in shown
        ]
        return Report((f"{many:,} dead letters", *lines, *more), {"letters": many, "newest": data})


def _somebody(found: int, options: dict[str, Any]) -> None:
    if options["id"] and not found:
        raise Invalid([Finding("error", "/id", shorten(" ".join(map(str, options["id"]))), "the number of an entry that waits")])


def _first(row: DeadLetter) -> str:
    if not row.findings:
        return "settled"
    return str(Finding(**row.findings[0])) + (f" (and {len(row.findings) - 1} more)" if len(row.findings) > 1 else "")


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid([Finding("error", "/since", shorten(text), "an instant such as 2026-12-01T09:00:00Z")]) from None
    return moment if moment.tzinfo else timezone.make_aware(moment)
