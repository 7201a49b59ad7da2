"""The exported tables: their columns, types and meaning. The reference page is written from this file.

Law: within one version of the schema no column goes, changes its type or its meaning; new ones are added at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from delivery.states import AttemptState, MessageState, Reason

VERSION = 1
Kind = Literal["int64", "int32", "bool", "string", "word", "moment"]  # word: a string of few values; moment: UTC, microseconds


@dataclass(frozen=True, slots=True)
class Column:
    """One column. words: what the database's numbers are called."""

    name: str
    kind: Kind
    meaning: str
    nullable: bool = False
    words: Mapping[int, str] | None = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class Table:
    """One exported table. day: what the partition's date is taken from; key: the columns that name a row."""

    name: str
    meaning: str
    day: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]


_STATES: Mapping[int, str] = {state.value: str(state.label).replace(" ", "_") for state in MessageState}
_ATTEMPTS: Mapping[int, str] = {state.value: str(state.label).replace(" ", "_") for state in AttemptState}
_REASONS: Mapping[int, str] = {reason.value: str(reason.label) for reason in Reason}
_DISPATCH = Column("dispatch_id", "int64", "The run's number, `runs.id`.")
_N = Column("n", "int64", "The message's place in its run; with `dispatch_id` its key.")
_PROFILE = Column("profile_id", "int64", "The person's number, which outlives their erasure and is never given to anybody else.")

RUNS = Table(
    "runs",
    "Dispatches: a campaign's launch, or a day of what is decided one by one (transactional messages, campaigns on events).",
    "planned_at",
    ("id",),
    (
        Column("id", "int64", "The dispatch's number."),
        Column("kind", "word", "`campaign`, `transactional`, `event`, or `probe` for messages to a seed address."),
        Column("key", "string", "Key of the campaign or the message type."),
        Column("occurrence", "string", "Which planned instant, launch or day."),
        Column("channel", "word", "Through which channel."),
        Column("message_class", "word", "`transactional`, `service` or `promotional`."),
        Column("topic", "string", "The subscription category, empty for none."),
        Column("vendor", "word", "The vendor of its route, when it was planned."),
        Column("account", "string", "Key of that route."),
        Column("template_revision_id", "int64", "The template's pinned revision.", nullable=True),
        Column("campaign_revision_id", "int64", "The campaign's pinned revision.", nullable=True),
        Column("bill_hash", "string", "Hash of everything that was approved, empty for what needs no approval."),
        Column("shadow", "bool", "A dark launch: everything but the sending."),
        Column("state", "word", "`running`, `paused`, `stopped` or `done`."),
        Column("considered", "int64", "Everybody whom the audience named; 0 for what is decided one by one."),
        Column("planned", "int64", "Messages planned at launch; 0 for what is decided one by one."),
        Column("estimated_micros", "int64", "Cost estimated at launch, in millionths of `currency`."),
        Column("currency", "word", "ISO 4217, empty where nothing costs anything."),
        Column("planned_at", "moment", "When it was planned."),
        Column("finished_at", "moment", "When nothing of it waited any more.", nullable=True),
        Column("archived_at", "moment", "When its messages were moved to the archive; empty: they are in the ledger.", nullable=True),
    ),
)
MESSAGES = Table(
    "messages",
    "The ledger: one row per message that had its last look. What is planned and waits has none.",
    "the run's planned_at",
    ("dispatch_id", "n"),
    (
        _DISPATCH,
        _N,
        _PROFILE,
        Column("state", "word", f"As it really stood: {', '.join(f'`{word}`' for word in _STATES.values())}.", words=_STATES),
        Column("reason", "word", "Why it was skipped or failed, else empty; the words of `why`.", words=_REASONS),
        Column("variant", "int32", "Number of the experiment's variant, from 0."),
        Column("at", "moment", "When it had its last look."),
        Column("attempt_id", "int64", "The vendor request that carried it, `attempts.id`; 0: none."),
        Column("vendor", "word", "That request's vendor, empty for none."),
        Column("account", "word", "That request's route, empty for none."),
    ),
)
ATTEMPTS = Table(
    "attempts",
    "Vendor requests. What one carries is accepted or refused as a whole, and it is what may be in doubt.",
    "the run's planned_at",
    ("id",),
    (
        Column("id", "int64", "The request's number."),
        _DISPATCH,
        Column("vendor", "word", "The vendor."),
        Column("account", "word", "Key of the route."),
        Column("state", "word", f"As it stood: {', '.join(f'`{word}`' for word in _ATTEMPTS.values())}.", words=_ATTEMPTS),
        Column("messages", "int32", "How many it carried."),
        Column("first_n", "int64", "The first of them."),
        Column("last_n", "int64", "The last of them."),
        Column("cost_micros", "int64", "What it was reckoned to cost, in millionths of the run's currency."),
        Column("posted_at", "moment", "When it left."),
        Column("heard_at", "moment", "When the vendor's first event about it arrived.", nullable=True),
        Column("resolved_at", "moment", "When its fate was known.", nullable=True),
        Column("resolved_by", "word", "By whom: `vendor`, `event`, `lookup`, `resend`, `person` or `worker`; empty while it isn't."),
        Column("vendor_id", "string", "The vendor's own number, empty where it gave none."),
        Column("detail", "string", "What the vendor said, without addresses."),
        Column("reported_micros", "int64", "What the vendor says it cost.", nullable=True),
    ),
)
EVENTS = Table(
    "events",
    "What vendors said about messages and what readers did, each once. A row never changes; a click is exported once it is clear whose.",
    "received_at",
    ("id",),
    (
        Column("id", "int64", "The event's number, in the order of arrival."),
        Column("dispatch_id", "int64", "The message's run; empty: about nothing that is known.", nullable=True),
        Column("n", "int64", "The message's place in it.", nullable=True),
        Column("vendor", "word", "Who said it; `omni`: our own links, pixel and pages."),
        Column("kind", "word", "`delivered`, `opened`, `clicked`, `bounced`, `complained`, `unsubscribed`, …"),
        Column("at", "moment", "When it happened, by the one who said it."),
        Column("received_at", "moment", "When it arrived."),
        Column("machine", "bool", "Done by software: a privacy proxy, a link scanner."),
        Column("permanent", "bool", "Of a bounce: the address will never work."),
        Column("link", "int32", "Of a click: number of the link in its template, from 0.", nullable=True),
        Column("detail", "string", "The vendor's words without addresses; empty for what couldn't be read."),
    ),
)
LEFT_OUT = Table(
    "left_out",
    "People whom the audience named and the plan left out. Written once per run.",
    "the run's planned_at",
    ("dispatch_id", "profile_id"),
    (_DISPATCH, _PROFILE, Column("reason", "word", "Why: `holdout`, `duplicate`, `no_consent`, …", words=_REASONS)),
)
DECISIONS = Table(
    "decisions",
    "What was decided one by one, without the data that it was decided with. In archives only.",
    "the run's planned_at",
    ("dispatch_id", "n"),
    (
        _DISPATCH,
        _N,
        _PROFILE,
        Column("decided_at", "moment", "When it was decided."),
        Column("expires_at", "moment", "Until when it was of use.", nullable=True),
    ),
)
PEOPLE = Table(
    "people",
    "Whose number is whose external id. Only with `--with-people`; rewritten at every export, so whoever was erased is gone from it. "
    "Not by day: a file holds 65,536 numbers.",
    "",
    ("profile_id",),
    (_PROFILE, Column("external_id", "string", "The id that the person has outside.")),
)
EXPORTED = (RUNS, MESSAGES, ATTEMPTS, EVENTS, LEFT_OUT, PEOPLE)
ARCHIVED = (MESSAGES, ATTEMPTS, EVENTS, LEFT_OUT, DECISIONS)
TABLES = (RUNS, MESSAGES, ATTEMPTS, EVENTS, LEFT_OUT, DECISIONS, PEOPLE)
