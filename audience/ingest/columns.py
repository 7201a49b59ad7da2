"""Which column of a file becomes what: decided once, before the first row, and told in full when it can't be."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from audience import consent
from audience.addresses import BadAddress, email_address
from audience.catalogue import Catalogue
from audience.ingest.records import Record
from audience.ingest.rows import FIELDS, ProfileRow, Rejected, external_id_fault
from audience.values import AttributeType, Unfit, from_text
from governance.door import Finding, Invalid, pointer, shorten

LEFT_OUT = "-"
ID = "external_id"
ROW = "{row}"
_SAID = {
    **dict.fromkeys(("subscribed", "yes", "y", "true", "t", "1", "opted in", "opt-in"), "subscribed"),
    **dict.fromkeys(("unsubscribed", "no", "n", "false", "f", "0", "opted out", "opt-out"), "unsubscribed"),
}


@dataclass(frozen=True, slots=True)
class ImportWishes:
    """What whoever imports says about the file.

    mapping: column → target; a target is a field, an attribute, `consent:CHANNEL:TOPIC` or "-" for "leave it out".
    id_from_row: a prefix, where the file has no ids of its own; email_template: `user{row}@example.com`, likewise.
    consent_source: what recorded the consents; a file with consents needs it. clear_empty: an empty cell removes what was there.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
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
        given = {target: record.values[column].strip() for column, target in self.fields.items()}
        attributes = {
            name: value for column, name, value in self._attributes(record, faults) if value is not None or self.wishes.clear_empty
        }
        consents = tuple(self._consents(record, faults))
        made = self.wishes.made(record.row)
        fields = {name: made.get(name, given.get(name)) for name in FIELDS}
        if not self.wishes.clear_empty:
            fields = {name: value or None for name, value in fields.items()}
        return ProfileRow(
            made.get(ID, given.get(ID, "")), **fields, attributes=attributes, consents=consents, line=record.line, faults=tuple(faults)
        )

    def _attributes(self, record: Record, faults: list[Finding]) -> list[tuple[str, str, Any]]:
        found = []
        for column, (name, type_) in self.attributes.items():
            try:
                found.append((column, name, from_text(type_, record.values[column])))
            except Unfit as unfit:
                faults.append(Finding("error", pointer(["attributes", name]), unfit.found, str(unfit)))
        return found

    def _consents(self, record: Record, faults: list[Finding]) -> list[tuple[str, str, str]]:
        said = []
        for column, (channel, topic) in self.consents.items():
            word = record.values[column].strip().casefold()
            if word in _SAID:
                said.append((channel, topic, _SAID[word]))
            elif word:
                faults.append(Finding("error", pointer([column]), shorten(word), "subscribed or unsubscribed, yes or no; or nothing"))
        return said


def decide(columns: Sequence[str], catalogue: Catalogue, wishes: ImportWishes) -> Columns:
    """What each column becomes. Raises Invalid with every column that nobody decided about, and every wish that can't be met."""
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
            faults.append(_undecided(column))
        elif target in targets and target != LEFT_OUT:
            faults.append(_fault(f"two columns for {target}: {shorten(targets[target])} and {shorten(column)}", "one column for each"))
        else:
            targets[target] = column
            faults += _take(made, column, target, catalogue)
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
    return made


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


def _undecided(column: str) -> Finding:
    expected = f"a field, an attribute of the catalogue or a decision: --map {shorten(column)}=NAME, or {shorten(column)}=- to leave it out"
    return _fault("a column that nothing is called like", expected, column)


def _fault(found: str, expected: str, column: str = "") -> Finding:
    return Finding("error", pointer(["columns", column]) if column else "/columns", found, expected)
