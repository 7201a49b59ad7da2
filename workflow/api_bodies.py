"""What the workflow's API answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from audience.door import ConsentEntryAnswer
from workflow.requests import BatchedMessage


class FindingBody(BaseModel):
    """One remark: where (JSON Pointer), what was found, what was expected."""

    level: str
    path: str
    found: str
    expected: str


class RejectedEventBody(BaseModel):
    """An event that was not taken, by its place in the request."""

    place: int
    findings: list[FindingBody]


class EventsAnswer(BaseModel):
    """What became of the events of one request. Rejected ones never stop the others."""

    accepted: int
    duplicates: int
    rejected: list[RejectedEventBody]


class Followed(BaseModel):
    """A message that was sent because the one before didn't arrive. passed_over: why this type could not be sent, "" where it was."""

    type: str
    message_id: str
    because: str
    passed_over: str


class PermissionBody(BaseModel):
    """What permitted a message, or forbade it, as of its last look (`at`), whatever its person said later. verdict: not_needed, agreed,
    not_refused (service), refused, not_agreed, pending, expired, erased, undecided (not looked at yet) or archived; words: the same in
    English; consent: the entry of the ledger that decides it."""

    verdict: str
    words: str
    channel: str
    topic: str
    message_class: str
    at: datetime | None
    consent: ConsentEntryAnswer | None


class MessageAnswer(BaseModel):
    """A message. state: accepted until its last look, then as the ledger says. fallbacks: what was sent after it. permission: null in the
    answer that accepts it."""

    id: str
    state: str
    reason: str = ""
    href: str
    timeline: list[dict[str, Any]] = []
    fallbacks: list[Followed] = []
    permission: PermissionBody | None = None


class BatchSchema(BaseModel):
    """Up to 500 messages, each as for a single one."""

    messages: list[BatchedMessage]


class BatchedAnswer(BaseModel):
    """One of a batch, at its place. Either an id or findings."""

    id: str
    state: str
    href: str
    replayed: bool
    findings: list[FindingBody]


class BatchAnswer(BaseModel):
    """What became of each message of a batch, in the order of the request."""

    accepted: int
    refused: int
    messages: list[BatchedAnswer]


class RunBody(BaseModel):
    """One launch of a campaign with its counts by state and reason. state_reason: why it is paused or stopped. Money in micros."""

    id: int
    campaign: str
    trigger: str
    state: str
    state_reason: str
    planned_at: datetime
    started_at: datetime
    shadow: bool
    considered: int
    counts: dict[str, int]
    in_doubt: int
    cost_micros: int
    budget_micros: int | None
    currency: str
    href: str


class RunsPage(BaseModel):
    """One page of runs, newest first."""

    items: list[RunBody]
    next: str | None


class OutlookAnswer(BaseModel):
    """What launching would do now; `count` is what a launch must repeat."""

    campaign: str
    count: int
    left_out: dict[str, int]
    first_wave: int
    estimated_micros: int
    currency: str
    audience: str
    engine: str
    note: str
    findings: list[FindingBody]


class RuleNodeBody(BaseModel):
    """One node of a segment's rule and its answer for one person. decided: the whole answer hangs on this one's."""

    node: str
    path: str
    matched: bool
    sentence: str
    decided: bool
    facts: dict[str, Any]
    children: list[RuleNodeBody]


class BecauseBody(BaseModel):
    """Why somebody was in the audience or wasn't: the segment as the run pinned it, asked of what is known of them today.

    as_of: the moment that the rule's dates are counted from; event: what triggered it, "" for a launch."""

    segment: str
    revision: int
    as_of: datetime
    event: str
    rule: RuleNodeBody


class WhyAnswer(BaseModel):
    """What became of one person in one run, and the stops on the way. audience: null where the rule can't be asked any more."""

    state: str
    reason: str
    audience: BecauseBody | None
    stops: list[dict[str, Any]]


class SmsPartsBody(BaseModel):
    """How a text message is cut and billed. odd: the characters that made it longer."""

    encoding: str
    parts: int
    units: int
    odd: list[str]


class PreviewAnswer(BaseModel):
    """A template as one person sees it. bytes: the size of the HTML, for a text message of its text, for push of all that travels.
    options: of push, beside title (`subject`) and body (`text`): link, image, collapse_key, data."""

    revision: int
    locale: str
    subject: str
    preheader: str
    html: str
    text: str
    bytes: int
    findings: list[FindingBody]
    sms_parts: SmsPartsBody | None
    options: dict[str, Any]


class TrialAnswer(BaseModel):
    """What became of a test. vendor: who took it; detail: what the vendor said where it didn't."""

    accepted: bool
    vendor: str
    detail: str


class FoundMessage(BaseModel):
    """One message of the ledger. external_id: null for somebody who was erased."""

    id: str
    external_id: str | None
    kind: str
    key: str
    channel: str
    state: str
    reason: str
    at: datetime
    vendor: str
    href: str


class RunOfPerson(BaseModel):
    """What became of one person in one run: also `left_out`, `not_considered`, `archived`."""

    run: int
    campaign: str
    planned_at: datetime
    state: str
    reason: str
    message_id: str


class SearchAnswer(BaseModel):
    """A page of messages. archived_until: messages of runs planned until then may be in the archive, and not here."""

    external_id: str | None
    items: list[FoundMessage]
    next: str | None
    runs: list[RunOfPerson]
    archived_until: datetime | None


class DoubtBody(BaseModel):
    """An unanswered request. waits_for: event, neighbours, probe, lookup, repeat, round or person; words: the same in a sentence."""

    id: int
    dispatch_id: int
    kind: str
    key: str
    vendor: str
    account: str
    message_class: str
    messages: int
    posted_at: datetime
    detail: str
    waits_for: str
    until: datetime | None
    words: str


class DoubtsPage(BaseModel):
    """Requests in doubt, oldest first."""

    items: list[DoubtBody]
    next: str | None
