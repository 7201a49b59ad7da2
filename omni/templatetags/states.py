"""Every state that the console shows: its word, icon and tone. Colour never speaks alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from presentation.door import CHANNEL_WORDS

Tone = Literal["neutral", "good", "caution", "danger", "info", "accent"]


@dataclass(frozen=True, slots=True)
class Look:
    """How one state is drawn."""

    word: str
    icon: str
    tone: Tone


LOOKS: dict[str, Look] = {
    # documents and submissions
    "draft": Look("Draft", "circle-dashed", "neutral"),
    "changed": Look("Changed", "circle-half", "caution"),
    "submitted": Look("Awaiting approval", "clock", "info"),
    "open": Look("Awaiting approval", "clock", "info"),
    "approved": Look("Approved", "circle-check", "accent"),
    "released": Look("Released", "circle-check", "good"),
    "rejected": Look("Rejected", "circle-x", "danger"),
    "withdrawn": Look("Withdrawn", "circle-minus", "neutral"),
    "recalled": Look("Recalled", "error", "danger"),
    "archived": Look("Archived", "circle-minus", "neutral"),
    "new": Look("New", "plus", "info"),
    # runs, dispatches, waves and batches
    "planned": Look("Planned", "calendar", "neutral"),
    "running": Look("Sending", "run", "info"),
    "soaking": Look("Watching", "eye", "info"),
    "waiting": Look("Waiting", "clock", "neutral"),
    "paused": Look("Paused", "pause", "caution"),
    "stopped": Look("Stopped", "stop", "danger"),
    "halted": Look("Halted", "stop", "danger"),
    "expired": Look("Expired", "clock", "caution"),
    "finished": Look("Finished", "circle-check", "good"),
    "done": Look("Finished", "circle-check", "good"),
    "shadow": Look("Shadow", "shadow", "neutral"),
    "launched": Look("Launched", "circle-check", "good"),
    "refused": Look("Refused", "circle-x", "danger"),
    "too_late": Look("Too late", "clock", "caution"),
    # messages
    "accepted": Look("Accepted", "clock", "neutral"),
    "postponed": Look("Postponed", "clock", "neutral"),
    "cancelled": Look("Cancelled", "circle-minus", "neutral"),
    "sending": Look("Sending", "run", "info"),
    "in_doubt": Look("In doubt", "help", "caution"),
    "sent": Look("Sent", "delivery", "info"),
    "delivered": Look("Delivered", "circle-check", "good"),
    "opened": Look("Opened", "eye", "good"),
    "clicked": Look("Clicked", "cursor", "good"),
    "bounced": Look("Bounced", "roll-back", "danger"),
    "complained": Look("Complained", "flag", "danger"),
    "failed": Look("Failed", "circle-x", "danger"),
    "skipped": Look("Skipped", "circle-minus", "neutral"),
    "unsubscribed": Look("Unsubscribed", "circle-minus", "caution"),
    "subscribed": Look("Subscribed", "circle-check", "good"),
    "pending": Look("Not confirmed yet", "clock", "caution"),
    "suppressed": Look("Suppressed", "circle-minus", "danger"),
    # devices
    "next": Look("Written to next", "delivery", "info"),
    "gone": Look("Gone", "circle-x", "danger"),
    # what somebody would get now
    "would_get": Look("Would get it", "circle-check", "good"),
    "left_out": Look("Left out", "circle-minus", "neutral"),
    # keys, switches, checks
    "active": Look("Active", "circle-check", "good"),
    "revoked": Look("Revoked", "circle-x", "danger"),
    "killed": Look("Killed", "power", "danger"),
    "healthy": Look("Healthy", "circle-check", "good"),
    "troubled": Look("Errors", "warning", "danger"),
    "error": Look("Error", "error", "danger"),
    "warning": Look("Warning", "warning", "caution"),
    "note": Look("Note", "info", "info"),
    "good": Look("All right", "circle-check", "good"),
    "caution": Look("Could be better", "warning", "caution"),
    "bad": Look("To mend", "error", "danger"),
    "unknown": Look("Not known", "help", "neutral"),
}


def look(name: str) -> Look:
    """The look of a state; an unknown one is shown plainly in its own words."""
    return LOOKS.get(name.replace(" ", "_")) or Look(name.replace("_", " ").capitalize(), "circle", "neutral")


REASONS = {
    "suppressed": "on the suppression list",
    "no_consent": "no consent for this topic",
    "unreachable": "no address for this channel",
    "no_route": "no route to their country",
    "capped": "had enough messages (frequency cap)",
    "quiet_hours": "quiet hours until it expired",
    "holdout": "held out on purpose",
    "outranked": "another campaign came first",
    "duplicate": "the same address twice",
    "merged": "one person with another of the run, and gets it once",
    "not_matching": "no longer in the segment",
    "expired": "too late to be useful",
    "invalid": "could not be rendered or addressed",
    "cancelled": "cancelled",
    "recalled": "the content was recalled",
    "shadow": "a shadow run sends nothing",
    "not_allowed": "not on the allow-list of this instance",
    "reached": "reached by an earlier run of it",
    "postponed": "waits until it may go",
    "poison": "rendering it broke the worker",
    "rejected": "refused by the vendor for good",
    "bad_address": "an address that will never work",
    "given_up": "given up by a person",
}


CHANNELS: dict[str, str] = {key: word if word[1:].lower() != word[1:] else word.lower() for key, word in CHANNEL_WORDS.items()} | {
    "*": "every channel"
}


def channel_words(channel: str) -> str:
    """A channel inside a sentence: "e-mail", "SMS", "web push"."""
    return CHANNELS.get(channel, channel)


SUPPRESSED = {
    "bounced": "bounced",
    "complained": "marked as spam",
    "invalid": "doesn’t exist",
    "stopped": "answered STOP",
    "imported": "on an imported list",
    "manual": "a person’s decision",
    "unsubscribed": "left everything",
}


def suppression_words(reason: str) -> str:
    """Why nothing is sent to an address, as a person says it."""
    return SUPPRESSED.get(reason, reason)


def reason_words(reason: str) -> str:
    """A skip reason as a person says it."""
    return REASONS.get(reason) or reason.replace("_", " ")
