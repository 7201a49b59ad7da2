"""What the audience API takes and gives: shapes only."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from audience.consent import CONFIRMED, Basis, Consent
from audience.device_forms import Platform
from audience.devices import DeviceView
from audience.ingest.rows import ProfileRow
from audience.models import Event, Profile
from audience.other_ids import OtherId
from governance.door import DocumentModel

MAX_PROFILES = 1_000


class ConsentBody(DocumentModel):
    """What a person said. topic: the key of a topic, or "*" for the whole channel."""

    channel: str = Field(examples=["email"])
    topic: str = Field(examples=["offers"])
    state: Literal["subscribed", "unsubscribed"]
    confirmed: bool = Field(
        False,
        description="They confirmed it already, as the source says. Else an agreement to a topic with double opt-in is pending, and they"
        " are asked to confirm it.",
    )

    @property
    def word(self) -> str:
        """What a row says of it."""
        return CONFIRMED if self.confirmed and self.state == "subscribed" else str(self.state)


class ProfileBody(DocumentModel):
    """What is said about one person. What isn't given stays as it was; null removes it."""

    external_id: str = Field(description="Your own id of the person: 1 to 200 characters, unique in the workspace.", examples=["u-1001"])
    email: str | None = Field(None, examples=["ann@example.com"])
    phone: str | None = Field(None, description="With its country code.", examples=["+442079460123"])
    locale: str | None = Field(None, examples=["en-GB"])
    country: str | None = Field(None, examples=["GB"])
    zone: str | None = Field(None, examples=["Europe/London"])
    attributes: dict[str, Any] = Field({}, description="By names of the attribute catalogue; null removes a value.")
    consents: list[ConsentBody] = Field([], max_length=100)

    def row(self, line: int) -> ProfileRow:
        """As the door takes it: a field that was given as null is cleared."""
        fields: dict[str, Any] = {
            name: getattr(self, name) or "" for name in ("email", "phone", "locale", "country", "zone") if name in self.model_fields_set
        }
        consents = tuple((each.channel, each.topic, each.word) for each in self.consents)
        return ProfileRow(self.external_id, **fields, attributes=self.attributes, consents=consents, line=line)


class ProfilesRequest(DocumentModel):
    """Up to 1,000 people, created or changed. source: what recorded their consents; needed where any are given."""

    profiles: list[ProfileBody] = Field(min_length=1, max_length=MAX_PROFILES)
    source: str = Field("", examples=["sign-up form"])


class ProfilesEnvelope(DocumentModel):
    """The same before each person is looked at by themselves, so that one who is wrong doesn't harm the others."""

    profiles: list[Any] = Field(min_length=1, max_length=MAX_PROFILES)
    source: str = ""


class ConsentRequest(ConsentBody):
    """What a person said, and the proof of it. wording: what they agreed to."""

    source: str = Field(examples=["preference page"])
    wording: str = Field("", description="What they agreed to, with its version.")
    basis: Basis = Field("consent", description="Why an agreement may be used, in law.")
    expires_at: AwareDatetime | None = Field(None, description="When an agreement is none any more, unless it is renewed.")


class DeviceRequest(DocumentModel):
    """A device: the token that its platform gave the app, or a browser's subscription."""

    platform: Platform
    token: str | None = Field(None, description="fcm: the registration token; apns: the device token in hexadecimal digits.", repr=False)
    subscription: dict[str, Any] | None = Field(
        None, description="webpush: what `PushSubscription.toJSON()` writes, endpoint and keys.", repr=False
    )


class FindingAnswer(BaseModel):
    """One remark. path: JSON Pointer into the request."""

    level: str
    path: str
    found: str
    expected: str


class RejectedAnswer(BaseModel):
    """A person who was not taken: the place in `profiles`, from 0, and everything that is wrong."""

    place: int
    findings: list[FindingAnswer]


class ProfilesAnswer(BaseModel):
    """What became of the people that were given. consents: statements that were news."""

    created: int
    updated: int
    unchanged: int
    consents: int
    rejected: list[RejectedAnswer]


class ProfileAnswer(BaseModel):
    """A person. id: never reused; the number that runs and messages know."""

    id: int
    external_id: str
    email: str | None
    phone: str | None
    locale: str | None
    country: str | None
    zone: str | None
    attributes: dict[str, Any]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Profile) -> ProfileAnswer:
        """From a row."""
        return cls(id=row.pk, **{name: getattr(row, name) for name in cls.model_fields if name != "id"})


class EverythingAnswer(BaseModel):
    """Everything that is kept of a person; other rooms add sections of their own."""

    model_config = ConfigDict(extra="allow")

    profile: dict[str, Any]
    other_ids: list[dict[str, Any]]
    attributes: dict[str, Any]
    consents: list[dict[str, Any]]
    consent_history: list[dict[str, Any]]
    devices: list[dict[str, Any]]
    lists: list[str]
    segments: list[dict[str, Any]]
    not_recorded: list[dict[str, Any]]
    events: list[dict[str, Any]]


class ConsentAnswer(BaseModel):
    """What a person said last about a topic of a channel. state: subscribed, unsubscribed, or pending: they are asked to confirm it, until
    confirm_until, and have agreed only once they did."""

    channel: str
    topic: str
    state: str
    source: str
    wording: str
    basis: str
    expires_at: datetime | None
    confirm_until: datetime | None
    at: datetime

    @classmethod
    def of(cls, said: Consent) -> Self:
        """From the door's form."""
        return cls(**{name: getattr(said, name) for name in cls.model_fields})


class ConsentEntryAnswer(ConsentAnswer):
    """One entry of the ledger. number: its own; confirms: of an agreement that was confirmed, the number of the pending entry."""

    number: int
    confirms: int | None


class DeviceAnswer(BaseModel):
    """A device. ending: the last characters of its token; invalid_at: since when its vendor says that it doesn't exist any more."""

    platform: Platform
    ending: str
    seen_at: datetime
    created_at: datetime
    invalid_at: datetime | None
    invalid_why: str

    @classmethod
    def of(cls, device: DeviceView) -> DeviceAnswer:
        """From the door's form."""
        return cls(**{name: getattr(device, name) for name in cls.model_fields})


class OtherIdRequest(DocumentModel):
    """Another id by which a person is known, or the id of somebody who is the same person."""

    external_id: str = Field(examples=["anonymous-7f3a"])


class OtherIdAnswer(BaseModel):
    """Another id of a person. id: the number it had of its own, if it was somebody's; since: when it became theirs."""

    external_id: str
    id: int | None
    since: datetime | None

    @classmethod
    def of(cls, other: OtherId) -> OtherIdAnswer:
        """From the door's form."""
        return cls(external_id=other.external_id, id=other.number if other.person else None, since=other.since)


class OtherIdsAnswer(BaseModel):
    """A person's own external id and their others."""

    external_id: str
    items: list[OtherIdAnswer]


class MergeAnswer(OtherIdsAnswer):
    """The person as they are known now. merged: whether two people became one; fields: what came from the one who went; left: what both
    had and only the one who stays keeps; records: how many came to what they have to do with."""

    merged: bool
    fields: list[str]
    left: list[str]
    events: int
    devices: int
    records: int


class SharingAnswer(BaseModel):
    """People with one address, the one known first first; of more than 20 the others are counted only."""

    count: int
    external_ids: list[str]


class DuplicatesPage(BaseModel):
    """Groups of people who share an address."""

    items: list[SharingAnswer]
    next: str | None


class SegmentCountAnswer(BaseModel):
    """How many people a segment finds."""

    segment: str
    count: int
    as_of: datetime


class SegmentPeopleAnswer(SegmentCountAnswer):
    """Some of a segment's people, by external id. engine: what answered; note: why not the index, if it didn't."""

    engine: str
    note: str
    items: list[str]
    next: str | None


class ExplanationAnswer(BaseModel):
    """A node of a rule and its answer for one person. decided: the whole answer hangs on this node's."""

    node: str
    path: str
    matched: bool
    sentence: str
    decided: bool
    facts: dict[str, Any]
    children: list[ExplanationAnswer]


class OverlapAnswer(BaseModel):
    """How many people every two segments share."""

    segments: list[str]
    counts: list[list[int]]
    as_of: datetime


class DevicesAnswer(BaseModel):
    """A person's devices, the one seen last first."""

    items: list[DeviceAnswer]


class EventAnswer(BaseModel):
    """Something a person did."""

    id: str
    name: str
    at: datetime
    received_at: datetime
    properties: dict[str, Any]

    @classmethod
    def of(cls, row: Event) -> EventAnswer:
        """From a row."""
        return cls(id=row.event_id, name=row.name, at=row.at, received_at=row.received_at, properties=row.properties)


class ProfilesPage(BaseModel):
    """People, in the order in which they came."""

    items: list[ProfileAnswer]
    next: str | None


class ConsentsAnswer(BaseModel):
    """Everything one person said, as it stands."""

    items: list[ConsentAnswer]


class ConsentsPage(BaseModel):
    """The proof: every statement, newest first."""

    items: list[ConsentEntryAnswer]
    next: str | None


class EventsPage(BaseModel):
    """Events, newest first."""

    items: list[EventAnswer]
    next: str | None
