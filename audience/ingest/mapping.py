"""The mapping document: says once what a source's columns become, instead of options with each import. Document kind `import_mapping`, or
a YAML file of the same form beside the data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from audience.catalogue import ATTRIBUTE, catalogue
from audience.consent import MAX_SOURCE
from audience.ingest.columns import ID, LEFT_OUT
from audience.ingest.conversions import Conversion
from audience.ingest.rows import FIELDS
from governance import door as governance
from governance.door import CheckContext, DocumentModel, Finding, Invalid, Kind, Ref, Text, parse, pointer, read_yaml, shorten

LARGEST = 1_000_000  # bytes


class MappingBody(DocumentModel):
    """How the files of one source are read."""

    title: Annotated[str, Text(120)]
    description: Annotated[str, Text(2_000, min=0, lines=True)] = ""
    format: Literal["csv", "ndjson", "parquet"] | None = Field(
        default=None, description="Default: told by content and name.", json_schema_extra={"help": "", "none": "Detect from the file"}
    )
    delimiter: Literal["comma", "semicolon", "tab", "bar"] | None = Field(
        default=None, description="Of CSV; default: comma.", json_schema_extra={"help": "Of CSV files.", "none": "Comma, as usual"}
    )
    columns: dict[str, Conversion] = Field(
        description="Column → what it becomes: a target, or an object with `to` and how to read it.",
        json_schema_extra={
            "help": "What each column of the file becomes. One that is called like a field or an attribute needs no row.",
            "item": "column",
            "row": ["Column"],
            "more": "How its texts are read",
            "short": "to",
        },
    )
    id_from_row: Annotated[str, Text(180)] | None = Field(
        default=None,
        title="Make ids from the row’s number",
        description="What stands before the number, where the file has no ids: row- makes row-1, row-2, …",
    )
    email_template: Annotated[str, Text(250)] | None = Field(
        default=None,
        title="Make addresses from the row’s number",
        description="For trials without real ones: user{row}@example.com makes user1@example.com, …",
    )
    consent_source: Annotated[str, Text(MAX_SOURCE, min=0)] = Field(default="", description="What collected the consents.")
    clear_empty: bool = Field(
        default=False,
        title="An empty cell clears what is known",
        description="Whether an empty cell removes what was there.",
        json_schema_extra={"help": "An empty phone cell removes the phone number. Otherwise what is known stays."},
    )
    watermark: list[Annotated[str, Text(200)]] = Field(
        default=[],
        max_length=5,
        title="Take only what is newer",
        description="Partition columns whose greatest value was the last: older ones are left. Or: modified.",
        json_schema_extra={
            "help": "The column of folders called day=2026-11-28: day takes the days from the last one taken on."
            " modified takes files written since."
        },
    )

    @field_validator("columns", mode="before")
    @classmethod
    def _short(cls, value: object, info: ValidationInfo) -> object:
        """A column's target by itself is an object with nothing but `to`."""
        return {name: {"to": one} if isinstance(one, str) else one for name, one in value.items()} if isinstance(value, dict) else value


def _names_attribute(target: str) -> bool:
    return target not in (ID, LEFT_OUT, *FIELDS) and not target.startswith("consent:")


def _references(body: MappingBody) -> list[Ref]:
    """The attributes that columns become."""
    places = ((one.to, pointer(["columns", name, "to"])) for name, one in body.columns.items())
    return [Ref(ATTRIBUTE.name, target, place) for target, place in places if _names_attribute(target)]


def _checks(context: CheckContext, body: MappingBody) -> Sequence[Finding]:
    known = catalogue(context.workspace_id)
    found = []
    for name, one in body.columns.items():
        attribute = known.get(one.to) if _names_attribute(one.to) else None
        if attribute is not None and attribute.computed is not None:
            found.append(Finding("error", pointer(["columns", name, "to"]), one.to, "an attribute that isn't computed from events"))
    return found


IMPORT_MAPPING = Kind(
    name="import_mapping", plural="import-mappings", title="Import mapping", schema=MappingBody, references=_references, checks=_checks
)


def mapping_of(workspace_id: int, named: str) -> MappingBody:
    """The mapping that `--mapping` names: the released document of that key, or the file at that path. Raises Invalid."""
    if named.endswith((".yaml", ".yml")) or "/" in named or Path(named).is_file():
        return read_mapping(Path(named))
    try:
        body: MappingBody = governance.released(workspace_id, IMPORT_MAPPING.name, named).model
    except governance.Missing:
        expected = "the key of a released import mapping, or a YAML file"
        raise Invalid([Finding("error", "/mapping", shorten(named), expected)]) from None
    return body


def read_mapping(path: Path) -> MappingBody:
    """A mapping document in a file. Raises Invalid with everything that is wrong with it."""
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
