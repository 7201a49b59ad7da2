"""What a mapping document says of a column's texts: how to read them where they aren't spelled as ours are."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from audience import addresses
from audience.values import Unfit, never_was
from governance.door import DocumentModel, Like, Text

_DIRECTIVES = frozenset("aAbBdfHIjmMpSyYz%")
_SPELLED = {**dict.fromkeys("dHImMSy", "[0-9]{1,2}"), "Y": "[0-9]{4}", "j": "[0-9]{1,3}", "f": "[0-9]{1,6}", "z": r"[Z+\-0-9:.]+", "%": "%"}
Word = Annotated[str, Text(200, min=0)]


def _country(code: str) -> str:
    try:
        return addresses.country_code(code)
    except addresses.BadAddress as bad:
        raise ValueError(str(bad)) from None


def _zone(name: str) -> str:
    try:
        return addresses.zone_name(name)
    except addresses.BadAddress as bad:
        raise ValueError(str(bad)) from None


def _pattern(pattern: str) -> str:
    signs = re.findall(r"%(.)", pattern)
    if not signs or set(signs) - _DIRECTIVES:
        raise ValueError("a pattern such as %d.%m.%Y or %d/%m/%Y %H:%M")
    return pattern


class Conversion(DocumentModel):
    """How a column becomes what. All but `to` are for texts; a column that holds numbers or days already needs none of them."""

    to: Annotated[str, Text(200)] = Field(
        title="Becomes",
        description="A field, an attribute, consent:CHANNEL:TOPIC, or - to leave the column out.",
        json_schema_extra={"help": ""},
    )
    empty: list[Word] = Field(
        default=[],
        max_length=20,
        description="Words that mean nothing, such as NULL or n/a.",
        title="Words for nothing",
        json_schema_extra={"told": "empty when {}"},
    )
    words: dict[str, Word] = Field(
        default={},
        max_length=500,
        description="Word → what it stands for, such as J → yes.",
        json_schema_extra={"item": "word", "row": ["Word", "Stands for"], "told": "{}"},
    )
    region: Annotated[str, AfterValidator(_country)] | None = Field(
        default=None,
        description="For phone: the country whose numbers are written without +, such as DE.",
        json_schema_extra={"told": "numbers of {}"},
    )
    pattern: Annotated[str, Text(60), AfterValidator(_pattern)] | None = Field(
        default=None,
        description="For days and instants: how they are spelled, such as %d.%m.%Y.",
        json_schema_extra={"told": "spelled {}"},
    )
    zone: Annotated[str, AfterValidator(_zone)] | None = Field(
        default=None,
        description="For instants: the time zone of those that name none, such as Europe/Berlin.",
        json_schema_extra={"told": "in {}"},
    )
    decimal: Annotated[str, Like("[.,]", ". or ,")] = Field(
        default=".",
        description="For numbers: what stands before the decimals.",
        json_schema_extra={"told": "decimal {}", "suggestions": [".", ","], "words": {".": "point", ",": "comma"}},
    )
    separator: Annotated[str, Text(3)] | None = Field(
        default=None, description="For lists: what separates their texts.", json_schema_extra={"told": "separated by {}"}
    )

    @model_validator(mode="after")
    def _fitting(self) -> Conversion:
        if self.region and self.to != "phone":
            raise ValueError("region with to: phone only")
        return self

    @property
    def plain(self) -> bool:
        """Whether texts stay as they are."""
        return self == Conversion(to=self.to)

    def reader(self, type_: str) -> Callable[[str], Any]:
        """What reads a text of the column. type_: of the attribute, or "text" for a field. The reader raises Unfit."""
        steps: list[Callable[[str], Any]] = []
        if self.region:
            steps.append(partial(_national, self.region))
        if type_ in ("date", "datetime") and (self.pattern or self.zone):
            steps.append(partial(_moment, self.pattern, ZoneInfo(self.zone) if self.zone else None, type_ == "date"))
        if type_ == "number" and self.decimal == ",":
            steps.append(_comma)
        if type_ == "list" and self.separator:
            separator = self.separator
            steps.append(lambda text: [part.strip() for part in text.split(separator) if part.strip()])
        nothing, words = frozenset(self.empty), self.words

        def read(text: str) -> Any:
            plain = text.strip()
            if plain in nothing:
                return ""
            value: Any = words.get(plain, text)
            for step in steps if plain else []:
                value = step(value)
            return value

        return read


def _national(region: str, text: str) -> str:
    if text.lstrip().startswith("+"):
        return text
    try:
        return addresses.phone_number(text, region=region)
    except addresses.BadAddress as bad:
        raise Unfit(str(bad), bad.found or "something else") from None


def _moment(pattern: str | None, zone: ZoneInfo | None, day: bool, text: str) -> str:
    try:
        plain = text.strip()
        moment = datetime.strptime(plain, pattern) if pattern else datetime.fromisoformat(plain)
        if day:
            return (moment if moment.tzinfo is None or zone is None else moment.astimezone(zone)).date().isoformat()
        if moment.tzinfo is None and zone is not None:
            moment = moment.replace(tzinfo=zone)
        return moment.astimezone(UTC).isoformat() if moment.tzinfo is not None else moment.isoformat()
    except (ValueError, OverflowError):
        example = (date(2026, 1, 31) if day else datetime(2026, 1, 31, 9, 30)).strftime(pattern) if pattern else "2026-01-31T09:30:00"
        found = (_never_was(pattern, text.strip()) if pattern else never_was(text.strip())) or "text"
        raise Unfit(f"{'a day' if day else 'an instant'} such as {example}", found) from None


def _never_was(pattern: str, text: str) -> str:
    """What is wrong with a text that is spelled as its pattern asks for, and no day or no time; "" of one that is spelled otherwise."""
    signs = re.split(r"%(.)", pattern)
    spelled = "".join(_SPELLED.get(sign, r"\w+") if place % 2 else re.escape(sign) for place, sign in enumerate(signs))
    if not re.fullmatch(spelled, text):
        return ""
    return "a day or a time that doesn't exist" if set(signs[1::2]) & set("HIM") else "a day that doesn't exist"


def _comma(text: str) -> str:
    return text.replace(".", "").replace(",", ".")
