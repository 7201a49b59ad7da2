"""What the stations of a message's street say, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from delivery.conclusions import OURS
from delivery.stations import Stop

EVENTS = {
    "processed": "The vendor took it on",
    "deferred": "Deferred by the receiving server",
    "delivered": "Delivered",
    "bounced": "Bounced",
    "blocked": "Blocked by the receiving server",
    "dropped": "Dropped by the vendor",
    "opened": "Opened",
    "opening": "Its picture was fetched; not clear yet by whom",
    "clicking": "A link was fetched; not clear yet by whom",
    "clicked": "Clicked",
    "complained": "Marked as spam",
    "unsubscribed": "Unsubscribed",
    "resubscribed": "Subscribed again",
    "failed": "Failed at the vendor",
}
MARKS = {
    "blocked": "bounced",
    "dropped": "failed",
    "processed": "sent",
    "deferred": "waiting",
    "opening": "waiting",
    "clicking": "waiting",
    "resubscribed": "subscribed",
}
ATTEMPTS = {
    "posting": "Being handed to the vendor",
    "in doubt": "Handed to the vendor, no answer: in doubt",
    "sent": "The vendor accepted it",
    "refused": "The vendor surely didn’t take it; it may be tried again",
    "failed": "The vendor refused it for good",
}


SETTLED_BY = {
    "vendor": "its answer",
    "event": "an event about one of its messages",
    "lookup": "a look-up at the vendor",
    "resend": "the vendor’s silence past its feed; sent again",
    "person": "a person’s decision",
    "worker": "the worker that took over",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One station as the page draws it."""

    mark: str
    title: str
    at: datetime | None
    facts: Sequence[tuple[str, Any]]
    machine: bool = False


Leads = Callable[[int], str | None]  # where the link of this number leads, as far as that is known


def tell(stops: Sequence[Stop], leads: Leads = lambda _: None) -> list[Told]:
    """The street in words, in the order it was walked."""
    return [_tell(stop, leads) for stop in stops]


def _tell(stop: Stop, leads: Leads) -> Told:
    facts = stop.facts
    if "event" in facts:
        kind = str(facts["event"])
        k = facts.get("link")
        link = None if k is None else leads(int(k)) or f"number {int(k) + 1}"
        by = "our own pages" if facts.get("by") == OURS else facts.get("by")
        details = [
            ("said by", by),
            ("it said", facts.get("detail")),
            ("link", link),
        ]
        title = EVENTS.get(kind, kind) + (", by a machine" if facts.get("machine") else "")
        return Told(MARKS.get(kind, kind), title, stop.at, _given(details), bool(facts.get("machine")))
    if "attempt" in facts:
        return _attempt(stop, facts)
    if "answered" in facts:
        return _answered(stop, facts)
    if "considered" in facts:
        if facts["considered"]:
            return Told("planned", "Considered: in the audience at launch", stop.at, _given([("with", _people(facts.get("people")))]))
        return Told("skipped", "Not in the audience when this was launched", stop.at, ())
    if "chosen" in facts:
        return Told("accepted", f"Variant {facts['chosen']} chosen, of {facts['of']}", stop.at, ())
    if "rendered" in facts:
        filled = "Filled from its pinned template" if facts["rendered"] else "It couldn’t be filled"
        return Told("accepted" if facts["rendered"] else "failed", filled, stop.at, ())
    if "postponed_until" in facts:
        return Told("postponed", "Postponed: it may not go yet", stop.at, _given([("until", facts["postponed_until"])]))
    if "archived" in facts:
        return Told("archived", "Moved to the archive with its run", stop.at, _given([("run", facts["dispatch"])]))
    if "admitted" in facts:
        reason = str(facts.get("reason") or "")
        if facts["admitted"]:
            return Told("accepted", "Passed the last look: consent, suppression, caps, quiet hours, budget", stop.at, ())
        more = [("reason", reason), ("they", facts.get("because")), ("they get it as", facts.get("instead"))]
        return Told("skipped", "Left out at the last look", stop.at, _given(more))
    if "due_at" in facts:
        return Told(
            "planned",
            "Decided by an event or a call",
            stop.at,
            _given([("due", facts["due_at"]), ("of use until", facts.get("expires_at"))]),
        )
    if facts.get("planned") is False:
        given = [("reason", facts.get("reason")), ("they", facts.get("because"))]
        return Told("skipped", "Left out when it was planned", stop.at, _given(given))
    return Told(
        "planned", "Planned at launch", stop.at, _given([("wave", facts.get("wave")), ("place in the run", _place(facts.get("n")))])
    )


def _place(n: object) -> str:
    """Where it stands in the frozen order, as people count: the ledger's n begins at 0."""
    return f"{n + 1:,}" if isinstance(n, int) else ""


def _people(many: object) -> str:
    return f"{many:,} people" if isinstance(many, int) and many else ""


def _attempt(stop: Stop, facts: Mapping[str, Any]) -> Told:
    """When it left. What became of it stands at the moment when that was known; until then, here."""
    state = str(facts.get("state", ""))
    details = [
        ("request", facts.get("attempt")),
        ("vendor", facts.get("vendor")),
        ("its id", facts.get("vendor_id")),
        ("messages in the request", facts.get("messages")),
        ("it said", facts.get("detail")),
    ]
    known = state not in ("posting", "in doubt")
    return Told(
        "sending" if known else state.replace(" ", "_"), "Handed to the vendor" if known else ATTEMPTS[state], stop.at, _given(details)
    )


def _answered(stop: Stop, facts: Mapping[str, Any]) -> Told:
    state, by = str(facts["answered"]), str(facts.get("by", ""))
    details = [
        ("request", facts.get("attempt_id")),
        ("known by", SETTLED_BY.get(by, by)),
        ("in doubt for", _span(facts.get("in_doubt_seconds"))),
    ]
    return Told(state.replace(" ", "_"), ATTEMPTS.get(state, state), stop.at, _given(details))


def _span(seconds: object) -> str:
    """How long, in the unit that says it best."""
    if not isinstance(seconds, int | float):
        return ""
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _given(pairs: Sequence[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    return tuple((name, value) for name, value in pairs if value not in (None, ""))
