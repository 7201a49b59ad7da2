"""What delivery's API answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from delivery.domains.kept import DomainView, Judged
from governance.door import DocumentModel, Text


class RecordBody(BaseModel):
    """A DNS record to add or to change."""

    type: str
    name: str
    value: str


class VerdictBody(BaseModel):
    """The answer to one question about a domain. level: good, caution, bad or unknown; required: bulk mail must have it; about: whose
    mail it is about, "" for everybody's."""

    check: str
    level: str
    required: bool
    found: str
    fix: str
    record: RecordBody | None
    about: str

    @classmethod
    def of(cls, judged: Judged) -> VerdictBody:
        """As it is known."""
        verdict = judged.verdict
        record = RecordBody(type=verdict.record.kind, name=verdict.record.name, value=verdict.record.value) if verdict.record else None
        return cls(
            check=verdict.check,
            level=verdict.level,
            required=verdict.required,
            found=verdict.found,
            fix=verdict.fix,
            record=record,
            about=judged.about,
        )


class UseBody(BaseModel):
    """A document that mail from the domain comes by."""

    kind: str
    key: str
    address: str
    in_force: bool


class DomainAnswer(BaseModel):
    """One domain that mail comes from. level: the worst of what bulk mail needs; checked_at: when DNS last answered."""

    domain: str
    level: str
    checked_at: datetime | None
    verdicts: list[VerdictBody]
    used_by: list[UseBody]
    href: str

    @classmethod
    def of(cls, view: DomainView) -> DomainAnswer:
        """As it is known."""
        return cls(
            domain=view.domain,
            level=view.level,
            checked_at=view.checked_at,
            verdicts=[VerdictBody.of(each) for each in view.judged],
            used_by=[UseBody(kind=use.kind, key=use.key, address=use.address, in_force=use.in_force) for use in view.uses],
            href=f"/api/v1/domains/{view.domain}",
        )


class BillLineBody(BaseModel):
    """Money in micros of `currency`. country: "" where it isn't known. expected: by the price book; priced: messages that the vendor has
    priced; expected_of_priced, reported: what the book says and the vendor charged for those."""

    channel: str
    account: str
    country: str
    currency: str
    messages: int
    expected: int
    priced: int
    expected_of_priced: int
    reported: int
    difference: int


class BillAnswer(BaseModel):
    """One month, in UTC."""

    month: str
    lines: list[BillLineBody]


class DomainsAnswer(BaseModel):
    """Every domain that the workspace writes from."""

    items: list[DomainAnswer]


class SwitchRequest(DocumentModel):
    """A kill switch. key: a vendor's or campaign's; nothing for the workspace."""

    scope: Literal["workspace", "vendor", "campaign"]
    key: str = Field("", max_length=80)
    on: bool
    reason: Annotated[str, Text(300)]


class SwitchBody(BaseModel):
    """A kill switch that is on."""

    scope: str
    key: str
    reason: str
    at: datetime


class SwitchesAnswer(BaseModel):
    """Every kill switch that is on."""

    items: list[SwitchBody]


class SuppressionLookUp(DocumentModel):
    """An e-mail address, or a telephone number with its country."""

    address: Annotated[str, Text(320)]


class SuppressionRequest(SuppressionLookUp):
    """channel: where nothing may go; left out: e-mail or SMS, as the address says."""

    channel: Literal["email", "sms", "whatsapp", "wechat", "push", "webhook", "*"] | None = None
    reason: Annotated[str, Text(300)]


class SuppressionBody(BaseModel):
    """That an address is suppressed on one channel. reason: bounced, stopped, manual, …; source: who said so."""

    channel: str
    reason: str
    source: str
    at: datetime


class SuppressedAnswer(BaseModel):
    """What is known of an address, on all its channels."""

    suppressed: bool
    items: list[SuppressionBody]
