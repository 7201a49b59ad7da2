"""What callers of the transactional and event doors send: strict, bounded, every fault named."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from audience.door import Instant
from governance.door import DocumentModel, Like, Slug, Text

MAX_MESSAGES = 500
MAX_FILES, MAX_FILE_BYTES = 10, 7_000_000  # of one message, together: mailbox providers refuse mails of more than 10 to 25 MB


def _base64(text: str) -> str:
    try:
        content = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the file in base64") from None
    if not content:
        raise ValueError("a file that isn't empty")
    return text


class AttachedFile(DocumentModel):
    """A file that goes with a mail. content: in base64; content_id: how the mail's HTML names it (`cid:`), for pictures inside."""

    name: Annotated[str, Like(r"[^\x00-\x1f\x7f/\\\u202a-\u202e\u2066-\u2069]{1,120}", "a file name without folders, such as invoice.pdf")]
    content_type: Annotated[str, Like(r"[a-z]{1,20}/[a-z0-9][a-z0-9.+-]{0,80}", "a media type such as application/pdf")]
    content: Annotated[str, AfterValidator(_base64)] = Field(max_length=MAX_FILE_BYTES * 4 // 3 + 4)
    content_id: Annotated[str, Like(r"[A-Za-z0-9._-]{0,80}", "letters, digits, dots, - and _")] = ""

    def decoded(self) -> bytes:
        """The file itself."""
        return b64decode(self.content)


class To(DocumentModel):
    """Who a transactional message is for: an external id; address, locale and zone are kept on the profile when given."""

    external_id: Annotated[str, Text(200)]
    email: Annotated[str, Text(320)] | None = None
    phone: Annotated[str, Text(40)] | None = None
    locale: Annotated[str, Text(40)] | None = None
    zone: Annotated[str, Text(60)] | None = None


class FallbackStep(DocumentModel):
    """What is sent where the message before it failed, or didn't arrive within so many seconds."""

    type: Slug
    after: int = Field(300, ge=10, le=86_400, description="Seconds after which a message of which nothing was heard has not arrived.")


class MessageRequest(DocumentModel):
    """One transactional message. type: the key of a released template of class transactional or service."""

    type: Slug
    to: To
    data: dict[str, Any] = Field(default_factory=dict, max_length=100, description="Values for the template's `data.*` variables.")
    send_at: Instant | None = None
    expires_in: int = Field(3600, ge=60, le=7 * 86_400, description="Seconds after which it is of no use and is not sent.")
    fallback: list[FallbackStep] = Field(
        default_factory=list, max_length=4, description="Other types, in order: each is sent only if the one before it didn't arrive."
    )

    attachments: list[AttachedFile] = Field(default_factory=list, max_length=MAX_FILES, description="Files that go with a mail.")

    @model_validator(mode="after")
    def _files_that_can_travel(self) -> MessageRequest:
        if self.attachments and self.fallback:
            raise ValueError("attachments or a fallback: other channels can't carry files")
        if sum(len(one.content) for one in self.attachments) * 3 // 4 > MAX_FILE_BYTES:
            raise ValueError(f"attachments of at most {MAX_FILE_BYTES:,} bytes together")
        return self


class BatchedMessage(MessageRequest):
    """One of several. idempotency_key: as the header is for a single one."""

    idempotency_key: Annotated[str, Text(255)] | None = None


class BatchRequest(DocumentModel):
    """Up to 500 messages, each decided by itself: one that can't be sent never holds up the others."""

    messages: list[dict[str, Any]] = Field(min_length=1, max_length=MAX_MESSAGES)


class LaunchRequest(DocumentModel):
    """Launch a released campaign. count: the number of people, repeated by the caller as a person would type it."""

    count: int | None = Field(None, ge=0)
    shadow: bool = False
    limit: int | None = Field(None, ge=1)


class LookRequest(DocumentModel):
    """Through whose eyes, in which language; nothing: samples, in the default one. revision: the latest unless it is said."""

    external_id: Annotated[str, Text(200, min=0)] = ""
    locale: str = Field("", max_length=35)
    revision: int | None = Field(None, ge=1, lt=2**31)


class TrialRequest(DocumentModel):
    """A test to oneself. phone: for text messages; in production one of the allow-listed."""

    external_id: Annotated[str, Text(200, min=0)] = ""
    locale: str = Field("", max_length=35)
    phone: str = Field("", max_length=40)


class SearchRequest(DocumentModel):
    """Whose messages, or which. At least one of the first three. cursor: `next` of the page before; runs: how many of the latest runs
    to tell about for a person."""

    address: Annotated[str, Text(320, min=0)] = ""
    external_id: Annotated[str, Text(200, min=0)] = ""
    run: int | None = Field(None, ge=1, lt=2**63)
    state: str = Field("", max_length=20)
    reason: str = Field("", max_length=40)
    cursor: str = Field("", max_length=60)
    limit: int = Field(50, ge=1, le=200)
    runs: int = Field(10, ge=0, le=50)


class DoubtRequest(DocumentModel):
    """What became of an unanswered request. count: how many messages this is about, as the list says it; message_id: only this one."""

    verdict: Literal["sent", "resend", "give_up"]
    count: int = Field(ge=0)
    message_id: str = Field("", max_length=40)


class BudgetRequest(DocumentModel):
    """What a run may spend in all, in millionths of its currency: more than before."""

    micros: int = Field(gt=0, lt=2**62)
    reason: str = Field("", max_length=300)
