"""The parts of a template: who sends it, which variables it knows, and one translation."""

from __future__ import annotations

import re
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, JsonValue, field_validator, model_validator

from governance.door import DocumentModel
from presentation.blocks import Block
from presentation.characters import Body, FixedLine, Line
from presentation.faults import Fault, raise_faults
from presentation.translatable import Translatable
from presentation.values import UnfitValue, VariableType, plain

PROFILE_FIELDS = ("external_id", "email", "phone", "locale", "country", "zone")
_SOURCE = re.compile(r"(profile|attribute|record|data|event|content)\.([A-Za-z0-9_-]{1,80}(?:\.[A-Za-z0-9_-]{1,80}){0,3})")
SMS_SENDER = re.compile(r"\+[1-9][0-9]{5,14}|[0-9]{3,8}|MG[0-9a-f]{32}|(?=.*[A-Za-z])[A-Za-z0-9 ]{3,11}")


def one_address(value: str) -> str:
    try:
        return validate_email(value, check_deliverability=False, allow_smtputf8=False).normalized
    except EmailNotValidError as error:
        raise ValueError(f"one e-mail address such as hello@example.com ({str(error).rstrip('.')[:120]})") from None


def _address_or_nothing(value: str) -> str:
    return one_address(value) if value else value


def _sms_sender_or_nothing(value: str) -> str:
    if value and not SMS_SENDER.fullmatch(value):
        raise ValueError("a number such as +15005550006, a short code, or a word of 3 to 11 letters and digits")
    return value


MailAddress = Annotated[Line, AfterValidator(_address_or_nothing)]
SmsSender = Annotated[Line, AfterValidator(_sms_sender_or_nothing)]


class Sender(DocumentModel):
    """Who the message comes from: name and address for e-mail, `from` (a number, short code or word) for SMS."""

    name: FixedLine = Field(default="", max_length=100)
    address: MailAddress = Field(default="", max_length=320)
    number: SmsSender = Field(default="", max_length=40, alias="from")


class Variable(DocumentModel):
    """One name that expressions may use, and where its value comes from."""

    source: str
    type: VariableType = "text"
    fallback: JsonValue = None
    sample: JsonValue = None

    @field_validator("source")
    @classmethod
    def _known_source(cls, value: str) -> str:
        match = _SOURCE.fullmatch(value)
        if not match:
            raise ValueError("profile.FIELD, attribute.NAME, record.TYPE, data.NAME, event.NAME or content.SOURCE.FIELD")
        if match.group(1) == "profile" and match.group(2) not in PROFILE_FIELDS:
            raise ValueError("one of " + ", ".join(f"profile.{name}" for name in PROFILE_FIELDS))
        if match.group(1) == "attribute" and match.group(2).count(".") > 1:
            raise ValueError("attribute.NAME, the name of one attribute, or attribute.NAME.PART, one of its parts")
        if match.group(1) == "record" and match.group(2).count(".") > 1:
            raise ValueError("record.TYPE, all records of a type, or record.TYPE.FIELD, a field of the first of them")
        if match.group(1) == "content" and match.group(2).count(".") != 1:
            raise ValueError("content.SOURCE.FIELD, a field of a content source")
        return value

    @model_validator(mode="after")
    def _values_of_type(self) -> Variable:
        faults = []
        for name in ("fallback", "sample"):
            try:
                plain(getattr(self, name), self.type)
            except UnfitValue as error:
                faults.append(Fault((name,), getattr(self, name), str(error)))
        if self.type != "list" and self.source.startswith("record.") and self.source.count(".") == 1:
            faults.append(Fault(("type",), self.type, "list: record.TYPE are several records; record.TYPE.FIELD is a field of the first"))
        raise_faults("Variable", faults)
        return self


class LocaleBody(DocumentModel):
    """One translation. E-mail: subject, preheader, blocks and, if the generated one won't do, text. SMS: text. Push: subject (the title),
    text (the body), and if wanted link, image and data."""

    subject: Annotated[Line, Translatable()] = Field(default="", max_length=1000)
    preheader: Annotated[Line, Translatable(note="What an inbox shows after the subject.")] = Field(default="", max_length=1000)
    blocks: list[Block] = Field(default_factory=list, max_length=200)
    text: Annotated[Body | None, Translatable("lines")] = None
    link: Line = Field(default="", max_length=2000, description="Push: what a tap opens, a web address or an app's own.")
    image: Line = Field(default="", max_length=2000, description="Push: the https address of a picture beside the text.")
    data: dict[str, Line] = Field(default_factory=dict, max_length=30, description="Push: texts for the app, by name.")
