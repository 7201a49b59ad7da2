"""One incoming record: checked against its type, every fault with its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from audience import addresses
from audience.external_ids import MAX_EXTERNAL_ID, external_id_fault, external_id_of
from audience.ingest.rows import Rejected
from audience.record_types import RecordTypeBody
from audience.values import Unfit, comparable, never_was
from governance.door import Finding, pointer, shorten

MAX_PEOPLE = 1_000  # that one row names
Related = tuple[str, str | None]  # external id of a person, and the role; None: the type's only one


@dataclass(frozen=True, slots=True)
class RecordRow:
    """What is said about one record. An attribute that isn't given stays as it was, None removes it. people: who has to do with it; None:
    as before. line: where it stood in its file or request."""

    external_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    people: Sequence[Related] | None = None
    line: int = 0
    faults: tuple[Finding, ...] = ()


@dataclass(slots=True)
class CleanRecord:
    """A row in the form that is stored. people: each person's external id and role, with the place where it stood; None: as before."""

    external_id: str
    line: int
    attributes: dict[str, Any] = field(default_factory=dict)
    folded: dict[str, Any] = field(default_factory=dict)
    people: dict[tuple[str, str], int] | None = None

    def overlay(self, later: CleanRecord, *, merging: bool) -> None:
        """What a later row about the same record says on top of this one. merging: its people come to those of this row."""
        self.line = later.line
        self.attributes |= later.attributes
        self.folded |= later.folded
        if later.people is not None:
            self.people = {**(self.people or {}), **later.people} if merging else later.people


def clean_record(row: RecordRow, type_: RecordTypeBody) -> CleanRecord | Rejected:
    """The row as it is stored, or everything that is wrong with it."""
    faults = [*row.faults, *_id_faults(row.external_id)]
    made = CleanRecord(external_id_of(row.external_id) if isinstance(row.external_id, str) else "", row.line)
    for name, value in row.attributes.items():
        body = type_.field(name)
        if body is None:
            known = ", ".join(type_.types)
            faults.append(Finding("error", pointer(["attributes", name]), shorten(name), f"one of the type’s fields: {known}"))
            continue
        try:
            made.attributes[name], made.folded[name] = (None, None) if value is None else comparable(body.type, value)
        except Unfit as unfit:
            secret = body.type in ("text", "list") or body.sensitivity in ("personal", "sensitive") or isinstance(value, dict | list)
            found = unfit.found if secret or never_was(value) else addresses.without_addresses(shorten(value))
            faults.append(Finding("error", pointer(["attributes", name]), found, str(unfit)))
    if row.people is not None:
        made.people = _people(row.people, type_, faults)
    return Rejected(row.line, tuple(faults[:50])) if faults else made


def _id_faults(value: object) -> list[Finding]:
    """As for people, but none of a record's ids are kept for others."""
    if isinstance(value, str):
        text = external_id_of(value)
        return [] if 0 < len(text) <= MAX_EXTERNAL_ID and text.isprintable() else [fault for fault in [external_id_fault(value)] if fault]
    return [Finding("error", "/external_id", type(value).__name__, f"1 to {MAX_EXTERNAL_ID} printable characters")]


def _people(given: Sequence[Related], type_: RecordTypeBody, faults: list[Finding]) -> dict[tuple[str, str], int]:
    if len(given) > MAX_PEOPLE:
        expected = f"at most {MAX_PEOPLE:,} in one row; more come with further rows that merge"
        faults.append(Finding("error", "/people", f"{len(given):,} people", expected))
        return {}
    found: dict[tuple[str, str], int] = {}
    for place, (external_id, role) in enumerate(given):
        if fault := external_id_fault(external_id):
            faults.append(Finding("error", pointer(["people", place]) + fault.path, fault.found, fault.expected))
        elif (known := _role(role, type_)) is None:
            expected = f"one of {', '.join(type_.roles)}" if type_.roles else "none: this type has no roles"
            faults.append(Finding("error", pointer(["people", place, "role"]), shorten(role or "nothing"), expected))
        else:
            found[external_id_of(external_id), known] = place
    return found


def _role(given: str | None, type_: RecordTypeBody) -> str | None:
    """The role that is meant; None where there is no such one."""
    if given:
        return given if given in type_.roles else None
    return "" if not type_.roles else type_.roles[0] if len(type_.roles) == 1 else None
