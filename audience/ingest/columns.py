"""Which column of a file becomes what: decided once, before the first row, and told in full when it can't be."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from audience import consent
from audience.addresses import BadAddress, email_address
from audience.catalogue import Catalogue
from audience.external_ids import external_id_fault
from audience.ingest.conversions import Conversion
from audience.ingest.rows import FIELDS, ProfileRow, Rejected
from audience.ingest.tables import Record
from audience.values import AttributeType, Unfit, from_text
from governance.door import Finding, Invalid, pointer, shorten

LEFT_OUT = "-"
ID = "external_id"
ROW = "{row}"
SAID = {
    **dict.fromkeys(("subscribed", "yes", "y", "true", "t", "1", "opted in", "opt-in"), "subscribed"),
    **dict.fromkeys(("confirmed", "double opt-in"), consent.CONFIRMED),
    **dict.fromkeys(("unsubscribed", "no", "n", "false", "f", "0", "opted out", "opt-out"), "unsubscribed"),
}


@dataclass(frozen=True, slots=True)
class ImportWishes:
    """What whoever imports says about the file.

    mapping: column → target; a target is a field, an attribute, `consent:CHANNEL:TOPIC` or "-" for "leave it out".
    conversions: column → how its texts are read, where they aren't spelled as ours are.
    id_from_row: a prefix, where the file has no ids of its own; email_template: `user{row}@example.com`, likewise.
    consent_source: what recorded the consents; a file with consents needs it. clear_empty: an empty cell removes what was there.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    conversions: Mapping[str, Conversion] = field(default_factory=dict)
    id_from_row: str | None = None
    email_template: str | None = None
    consent_source: str = ""
    clear_empty: bool = False

    def made(self, row: int) -> dict[str, str]:
        """The fields that are made from a row's number."""
        made = {}
        if self.id_from_row is not None:
            made[ID] = f"{self.id_from_row}{row}"
        if self.email_template is not None:
            made["email"] = self.email_template.replace(ROW, str(row))
        return made

    def faults(self, taken: Collection[str]) -> list[Finding]:
        """What can't be met. taken: the fields that columns are for."""
        faults = []
        if self.id_from_row is not None and ID in taken:
            faults.append(_fault("ids both in a column and from the row's number", "one of the two"))
        if self.id_from_row is not None and external_id_fault(f"{self.id_from_row}{10**12}"):
            faults.append(_fault(shorten(self.id_from_row), "a prefix of at most 180 printable characters", "--id-from-row"))
        if self.email_template is not None:
            faults += self._template_faults(taken)
        if self.consent_source:
            wrong = consent.faults("email", "*", "subscribed", self.consent_source)
            faults += [_fault(one.found, one.expected, "--consent-source") for one in wrong]
        return faults

    def _template_faults(self, taken: Collection[str]) -> list[Finding]:
        template = self.email_template or ""
        if "email" in taken:
            return [_fault("addresses both in a column and from a template", "one of the two")]
        if ROW not in template:
            return [_fault(shorten(template), f"a template with {ROW} in it, such as user{ROW}@example.com", "--email-template")]
        try:
            email_address(template.replace(ROW, str(10**12)))
        except BadAddress as bad:
            return [_fault(shorten(template), str(bad), "--email-template")]
        return []


@dataclass(slots=True)
class Columns:
    """The decided columns of one file. by_target is told apart by what a target is; notes: what is not taken, and why."""

    wishes: ImportWishes
    fields: dict[str, str] = field(default_factory=dict)  # column → field
    attributes: dict[str, tuple[str, AttributeType]] = field(default_factory=dict)  # column → name, type
    consents: dict[str, tuple[str, str]] = field(default_factory=dict)  # column → channel, topic
    readers: dict[str, Callable[[str], Any]] = field(default_factory=dict)  # column → what reads its texts, where a conversion says how
    notes: list[str] = field(default_factory=list)

    def column_of(self, path: str) -> str:
        """The name of the column that a finding is about, or the finding's own path."""
        for column, target in self.fields.items():
            if path == f"/{target}":
                return column
        for column, (name, _) in self.attributes.items():
            if path == pointer(["attributes", name]):
                return column
        return path

    def row(self, record: Record) -> ProfileRow | Rejected:
        """A CSV record as a row about a person, or what is wrong with it."""
        if record.faults:
            return Rejected(record.line, record.faults)
        faults: list[Finding] = []
        given = {target: self._field(record, column, target, faults) for column, target in self.fields.items()}
        attributes = {name: value for name, value in self._attributes(record, faults) if value is not None or self.wishes.clear_empty}
        consents = tuple(self._consents(record, faults))
        made = self.wishes.made(record.row)
        fields = {name: made.get(name, given.get(name)) for name in FIELDS}
        if not self.wishes.clear_empty:
            fields = {name: value or None for name, value in fields.items()}
        return ProfileRow(
            made.get(ID, given.get(ID, "")), **fields, attributes=attributes, consents=consents, line=record.line, faults=tuple(faults)
        )

    def cell(self, column: str, value: Any) -> Any:
        """A cell as it is to be understood. Raises Unfit for a text that its conversion can't read."""
        reader = self.readers.get(column)
        return reader(value) if reader and isinstance(value, str) else value

    def attribute(self, column: str, type_: AttributeType, value: Any) -> Any:
        """A cell as a value of its attribute's type, still to be checked; None for an empty one. Raises Unfit."""
        value = self.cell(column, value)
        return from_text(type_, value) if isinstance(value, str) else value

    def field(self, column: str, value: Any) -> Any:
        """A cell as the text of a field. Raises Unfit."""
        value = self.cell(column, value)
        if isinstance(value, str):
            return value.strip()
        return str(int(value)) if is_whole(value) else value

    def _field(self, record: Record, column: str, target: str, faults: list[Finding]) -> Any:
        try:
            return self.field(column, record.values[column])
        except Unfit as unfit:
            faults.append(Finding("error", f"/{target}", unfit.found, str(unfit)))
            return ""

    def _attributes(self, record: Record, faults: list[Finding]) -> list[tuple[str, Any]]:
        found = []
        for column, (name, type_) in self.attributes.items():
            try:
                found.append((name, self.attribute(column, type_, record.values[column])))
            except Unfit as unfit:
                faults.append(Finding("error", pointer(["attributes", name]), unfit.found, str(unfit)))
        return found

    def _consents(self, record: Record, faults: list[Finding]) -> list[tuple[str, str, str]]:
        said = []
        for column, (channel, topic) in self.consents.items():
            word = self.word(column, record.values[column])
            if word in SAID:
                said.append((channel, topic, SAID[word]))
            elif word:
                expected = "subscribed, confirmed or unsubscribed, yes or no; or nothing"
                faults.append(Finding("error", pointer([column]), shorten(word), expected))
        return said

    def word(self, column: str, value: Any) -> str:
        """What a cell says about a consent."""
        return str(self.cell(column, value)).strip().casefold()


def is_whole(value: Any) -> bool:
    """Whether this is a number that a file wrote where an id or a phone number was meant."""
    return not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))


def decide(columns: Sequence[str], catalogue: Catalogue, wishes: ImportWishes, kinds: Kinds | None = None) -> Columns:
    """What each column becomes. kinds: what the cells of columns are, where a file says so itself; all others are texts.

    Raises Invalid with every column that nobody decided about, and every wish that can't be met.
    """
    made = Columns(wishes)
    faults = [
        _fault(f"a column {shorten(name)} in --map", f"one of the file's: {', '.join(columns)[:200]}")
        for name in wishes.mapping
        if name not in columns
    ]
    targets: dict[str, str] = {}
    for column in columns:
        target = wishes.mapping.get(column) or _obvious(column, catalogue)
        if target is None:
            faults.append(undecided(column))
        elif target in targets and target != LEFT_OUT:
            faults.append(_fault(f"two columns for {target}: {shorten(targets[target])} and {shorten(column)}", "one column for each"))
        else:
            targets[target] = column
            wrong = _take(made, column, target, catalogue)
            faults += wrong or _kind_faults(column, target, catalogue, kinds)
    taken = set(made.fields.values())
    if ID not in taken and wishes.id_from_row is None:
        faults.append(_fault(f"no column for {ID}", f"a column called {ID}, --map COLUMN={ID}, or --id-from-row PREFIX"))
    faults += wishes.faults(taken)
    if made.consents and not wishes.consent_source:
        topics = ", ".join(f"{channel}:{topic}" for channel, topic in made.consents.values())
        expected = "what collected them, which is the proof, such as: sign-up form"
        faults.append(_fault(f"consents ({topics}) and nothing that says where they come from", expected, "--consent-source"))
    if faults:
        raise Invalid(faults)
    for column, conversion in wishes.conversions.items():
        if not conversion.plain and conversion.to != LEFT_OUT:
            made.readers[column] = conversion.reader(made.attributes[column][1] if column in made.attributes else "text")
    return made


@dataclass(frozen=True, slots=True)
class Kinds:
    """What a file says of its columns. of: column → text, number, boolean, date, datetime or list; refused: column → why it is none."""

    of: Mapping[str, str]
    refused: Mapping[str, str]


_FIT: dict[str, tuple[str, ...]] = {
    ID: ("text", "number"),
    "phone": ("text", "number"),
    "consent": ("text", "boolean", "number"),
    "text": ("text", "date", "datetime"),
    "number": ("text", "number"),
    "boolean": ("text", "boolean"),
    "date": ("text", "date"),
    "datetime": ("text", "datetime"),
    "list": ("text", "list"),
}


def _kind_faults(column: str, target: str, catalogue: Catalogue, kinds: Kinds | None) -> list[Finding]:
    """A column that can't become what it is to become, told once instead of once a row."""
    if target == LEFT_OUT or kinds is None:
        return []
    wanted = "consent" if target.startswith("consent:") else target if target in (ID, "phone") else "text"
    fitting = _FIT.get(catalogue[target].type if target in catalogue else wanted, ("text",))
    if target in FIELDS and target != "phone":
        fitting = ("text",)
    if column in kinds.refused:
        return [
            _fault(f"a column of {kinds.refused[column]}", f"a column of {' or '.join(fitting)}, or {column}=- to leave it out", column)
        ]
    if kinds.of.get(column, "text") not in fitting:
        return [_fault(f"a column of kind {kinds.of[column]}", f"a column of {' or '.join(fitting)} for {target}", column)]
    return []


def _obvious(column: str, catalogue: Catalogue) -> str | None:
    """What a column that nobody mentioned is called already."""
    name = re.sub(r"[\s-]+", "_", column.strip().casefold())
    if name in (ID, *FIELDS) or name in catalogue:
        return name
    return column if column.startswith("consent:") else column if column in catalogue else None


def _take(made: Columns, column: str, target: str, catalogue: Catalogue) -> list[Finding]:
    if target == LEFT_OUT:
        return []
    if target in (ID, *FIELDS):
        made.fields[column] = target
    elif target.startswith("consent:"):
        parts = target.split(":")
        if len(parts) != 3 or consent.faults(parts[1], parts[2], "subscribed"):
            return [_fault(shorten(target), "consent:CHANNEL:TOPIC, such as consent:email:offers", column)]
        made.consents[column] = (parts[1], parts[2])
    elif target in catalogue:
        made.attributes[column] = (target, catalogue[target].type)
    else:
        return [_fault(shorten(target), "a field, an attribute of the catalogue, consent:CHANNEL:TOPIC or -", column)]
    return []


def undecided(column: str) -> Finding:
    """Nobody said what a column becomes."""
    expected = f"a field, an attribute of the catalogue or a decision: --map {shorten(column)}=NAME, or {shorten(column)}=- to leave it out"
    return _fault("a column that nothing is called like", expected, column)


def _fault(found: str, expected: str, column: str = "") -> Finding:
    return Finding("error", pointer(["columns", column]) if column else "/columns", found, expected)
