"""The mapping document: a YAML file that says once what a source's columns become, instead of options with each import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from audience.consent import MAX_SOURCE
from audience.ingest.conversions import Conversion
from governance.door import DocumentModel, Finding, Invalid, Text, parse, pointer, read_yaml, shorten

LARGEST = 1_000_000  # bytes


class MappingBody(DocumentModel):
    """How the files of one source are read."""

    title: Annotated[str, Text(120)]
    description: Annotated[str, Text(2_000, min=0, lines=True)] = ""
    format: Literal["csv", "ndjson", "parquet"] | None = Field(default=None, description="Default: told by content and name.")
    delimiter: Literal["comma", "semicolon", "tab", "bar"] | None = Field(default=None, description="Of CSV; default: comma.")
    columns: dict[str, Conversion] = Field(description="Column → what it becomes: a target, or an object with `to` and how to read it.")
    id_from_row: Annotated[str, Text(180)] | None = None
    email_template: Annotated[str, Text(250)] | None = None
    consent_source: Annotated[str, Text(MAX_SOURCE, min=0)] = Field(default="", description="What collected the consents.")
    clear_empty: bool = Field(default=False, description="Whether an empty cell removes what was there.")
    watermark: list[Annotated[str, Text(200)]] = Field(
        default=[], max_length=5, description="Partition columns whose greatest value was the last: older ones are left. Or: modified."
    )

    @field_validator("columns", mode="before")
    @classmethod
    def _short(cls, value: object, info: ValidationInfo) -> object:
        """A column's target by itself is an object with nothing but `to`."""
        return {name: {"to": one} if isinstance(one, str) else one for name, one in value.items()} if isinstance(value, dict) else value


def read_mapping(path: Path) -> MappingBody:
    """A mapping document. Raises Invalid with everything that is wrong with it."""
    try:
        with open(path, "rb") as source:
            raw = source.read(LARGEST + 1)
    except OSError as error:
        raise Invalid([Finding("error", "/mapping", (error.strerror or "an error").lower(), "a YAML file that can be read")]) from None
    try:
        return parse(MappingBody, read_yaml(raw))
    except Invalid as invalid:
        findings = [Finding(one.level, pointer(["mapping"]) + one.path, shorten(one.found), one.expected) for one in invalid.findings]
        raise Invalid(findings) from None
