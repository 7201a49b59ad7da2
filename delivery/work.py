"""What walks through the send path, as plain data: a plan, leased work, filled messages, and what became of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pyroaring import BitMap64

from delivery.adapters.base import Sender
from delivery.domains.identity import PlannedMail

if TYPE_CHECKING:
    from audience.door import Person
    from rendering.door import Filled, Substituted

Clock = Callable[[], datetime]  # called where the law needs the present moment: after the locks, before a request
LaneName = Literal["transactional", "promotional"]
DispatchKind = Literal["campaign", "transactional", "event", "probe"]


@dataclass(frozen=True)
class Surveyed:
    """Who would get nothing and why, by reason, disjoint; reached: whom an earlier dispatch of the same occurrence reached or will."""

    reached: BitMap64
    left_out: Mapping[str, BitMap64]


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchPlan:
    """Everything a launch freezes.

    occurrence: what it is a launch of ("2026-11-23T09:00Z", a run's number); planning the same (campaign, occurrence,
    relaunch) again adds nothing. relaunch: 0, and one more for each "edit and relaunch" of the same occurrence.
    ids: everybody who may be sent to; left_out: the others, by reason ("holdout"). ramp: cumulative shares of the waves,
    (0.01, 0.1, 1.0); () or (1.0,) is one wave. pins: ids of all revisions in the bill; recall of one halts the dispatch.
    surveyed: what was seen of exactly these people, moments before.
    mails: what is asked about each template of a mail campaign; nothing of it is kept.
    experiment is handed back with each piece of work. Money is in micros of `currency`.
    """

    workspace_id: int
    campaign_key: str
    occurrence: str
    campaign_revision_id: int | None
    template_revision_id: int | None
    bill_hash: str
    channel: str
    message_class: str
    ids: BitMap64
    topic: str = ""
    lane: LaneName = "promotional"
    route_key: str = ""
    policy_key: str = ""
    pins: Sequence[int] = ()
    left_out: Mapping[str, BitMap64] = field(default_factory=dict)
    surveyed: Surveyed | None = None
    ramp: Sequence[float] = ()
    soak_minutes: int = 15
    batch_size: int = 1_000
    due_at: datetime | None = None
    expires_at: datetime | None = None
    recheck_rule: Mapping[str, Any] | None = None
    experiment: Mapping[str, Any] | None = None
    reentry: bool = False
    relaunch: int = 0
    shadow: bool = False
    estimated_micros: int = 0
    budget_micros: int | None = None
    currency: str = ""
    mails: Sequence[PlannedMail] = ()


@dataclass(frozen=True, slots=True)
class DispatchFacts:
    """The frozen side of a dispatch, as work and adapters need it."""

    id: int
    workspace_id: int
    kind: DispatchKind
    key: str
    occurrence: str
    lane: int
    channel: str
    message_class: str
    topic: str
    campaign_revision_id: int | None
    template_revision_id: int | None
    bill_hash: str
    route_key: str
    policy_key: str
    pins: tuple[int, ...]
    experiment: Mapping[str, Any] | None
    recheck_rule: Mapping[str, Any] | None
    shadow: bool
    expires_at: datetime | None
    budget_micros: int | None
    currency: str
    vendor: str = ""
    account: str = ""


@dataclass(slots=True)
class Entry:
    """One message to be made: its number, whose it is, and for standing dispatches what its variables read, until when
    it is of use, and how many files go with it."""

    n: int
    profile_id: int
    payload: Mapping[str, Any] | None = None
    expires_at: datetime | None = None
    files: int = 0


@dataclass(frozen=True, slots=True)
class Work:
    """A leased piece of a dispatch. Until `send` has committed its last look, dropping it loses and doubles nothing.

    token fences every write. deadline: `time.monotonic()` at which the lease ends, for the worker's own restraint.
    epoch: the witness when it was leased. again: numbers whose earlier attempt surely failed, with that attempt's id;
    doubts: numbers whose vendor is to be asked first; waiting: numbers that it is too early to ask about.
    """

    dispatch: DispatchFacts
    source: Literal["batch", "decisions"]
    source_ids: tuple[int, ...]
    token: int
    worker: str
    leased_until: datetime
    deadline: float
    epoch: int
    entries: Sequence[Entry]
    again: Mapping[int, int] = field(default_factory=dict)
    doubts: Mapping[int, int] = field(default_factory=dict)
    waiting: frozenset[int] = frozenset()

    @property
    def workspace_id(self) -> int:
        """Of the dispatch."""
        return self.dispatch.workspace_id

    @property
    def ids(self) -> list[int]:
        """Profile ids, in the order of the entries."""
        return [entry.profile_id for entry in self.entries]


@dataclass(frozen=True, slots=True)
class Program:
    """What all messages of one template, variant and locale share. Make one per compiled content and share the object:
    messages are grouped into vendor requests by its identity. ttl: seconds after which a push message is of no use to a device."""

    variant: int
    locale: str
    sender: Sender
    reply_to: str = ""
    substituted: Substituted | None = None
    ttl: int | None = None


@dataclass(slots=True)  # not frozen: one is made per message, and freezing doubles what that costs
class Outgoing:
    """One rendered message on its way. filled is None where rendering failed; failure says why, without personal data.
    Its token is the message's id (`message_ids`).

    parts: SMS parts, for the price; 1 for e-mail.
    """

    n: int
    person: Person
    filled: Filled | None
    program: Program
    failure: str = ""
    variant: int = 0
    parts: int = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one `send` did. counts: messages by word ("sent", "in_doubt", "no_consent", "postponed", …); halted: why the rest of
    the work was given back, "" where all of it was walked through."""

    counts: Mapping[str, int]
    requests: int = 0
    halted: str = ""
