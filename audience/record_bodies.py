"""What the API of records takes and gives: shapes only."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from audience.api_bodies import FindingAnswer
from audience.record_rows import RecordRow
from audience.records import RecordView
from governance.door import DocumentModel

MAX_RECORDS = 1_000


class RelatedPerson(DocumentModel):
    """Somebody who has to do with a record. role: one of the type's; needed where it has several."""

    external_id: str = Field(examples=["u-1001"])
    role: str | None = Field(None, examples=["guest"])


class RecordBody(DocumentModel):
    """What is said about one record. An attribute that isn't given stays as it was; null removes it. Without people, who has to do with it
    stays as it was."""

    external_id: str = Field(description="Your own id of the record: 1 to 200 characters, unique in its type.", examples=["b-2001"])
    attributes: dict[str, Any] = Field({}, description="By the fields of the record type; null removes a value.")
    people: list[RelatedPerson] | None = Field(None, description="By their own external ids; at most 1,000.")

    def row(self, line: int) -> RecordRow:
        """As the door takes it."""
        people = None if self.people is None else [(each.external_id, each.role) for each in self.people]
        return RecordRow(self.external_id, self.attributes, people, line)


People = Literal["replace", "merge"]


class RecordsRequest(DocumentModel):
    """Up to 1,000 records of one type, created or changed. people: whether those that a record names replace whom it had, or come to
    them."""

    records: list[RecordBody] = Field(min_length=1, max_length=MAX_RECORDS)
    people: People = "replace"


class RecordsEnvelope(DocumentModel):
    """The same before each record is looked at by itself, so that one that is wrong doesn't harm the others."""

    records: list[Any] = Field(min_length=1, max_length=MAX_RECORDS)
    people: People = "replace"


class RejectedRecord(BaseModel):
    """A record that was not taken: the place in `records`, from 0, and everything that is wrong."""

    place: int
    findings: list[FindingAnswer]


class RecordsAnswer(BaseModel):
    """What became of the records that were given. related, unrelated: how many people came to records and left them."""

    created: int
    updated: int
    unchanged: int
    related: int
    unrelated: int
    rejected: list[RejectedRecord]


class RecordAnswer(BaseModel):
    """A record."""

    type: str
    external_id: str
    attributes: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class PersonOfRecord(BaseModel):
    """Somebody who has to do with a record; role is empty where its type has none."""

    external_id: str
    role: str


class OneRecordAnswer(RecordAnswer):
    """A record and who has to do with it. people: at most 1,000 of them; people_count: how many there are."""

    people: list[PersonOfRecord]
    people_count: int


class RecordOfPerson(RecordAnswer):
    """One of a person's records. roles: as what they have to do with it."""

    roles: list[str]

    @classmethod
    def of(cls, view: RecordView) -> RecordOfPerson:
        """From the door's form."""
        return cls(**{name: getattr(view, name) for name in cls.model_fields if name != "roles"}, roles=list(view.roles))


class RecordsOfPersonPage(BaseModel):
    """A page of a person's records."""

    items: list[RecordOfPerson]
    next: str | None
