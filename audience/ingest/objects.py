"""Objects of an NDJSON file as rows about people: fields and attributes by name, or attributes and consents in parts of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from audience.catalogue import Catalogue
from audience.ingest.columns import ID, LEFT_OUT, ImportWishes
from audience.ingest.rows import FIELDS, ProfileRow, Rejected, Said
from audience.ingest.tables import Record
from audience.values import Unfit, from_text
from governance.door import Finding, pointer, shorten


@dataclass(slots=True)
class Objects:
    """How the objects of one file are read. Consents are taken only with a source; their first loss is noted."""

    wishes: ImportWishes
    catalogue: Catalogue
    partitions: Mapping[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def column_of(self, path: str) -> str:
        """A finding's own path says where it is."""
        return path

    def row(self, record: Record) -> ProfileRow | Rejected:
        """A record as a row about a person, or what is wrong with it."""
        if record.faults:
            return Rejected(record.line, record.faults)
        found = _Found(self, record.row)
        for key, value in record.values.items():
            if key in self.partitions:
                found.fault(pointer([key]), "a key that is a column of the folders' names, too", "one of the two")
            else:
                found.take(key, self.wishes.mapping.get(key, key), value)
        for key, text in self.partitions.items():
            found.take_text(key, self.wishes.mapping.get(key, key), text)
        external_id = found.fields.pop(ID, "")
        return ProfileRow(
            external_id,
            **found.fields,
            attributes=found.attributes,
            consents=tuple(found.consents),
            line=record.line,
            faults=tuple(found.faults),
        )


class _Found:
    def __init__(self, objects: Objects, row: int) -> None:
        self.objects = objects
        self.fields: dict[str, Any] = objects.wishes.made(row)
        self.attributes: dict[str, Any] = {}
        self.consents: list[Said] = []
        self.faults: list[Finding] = []

    def take(self, key: str, target: str, value: Any) -> None:
        """One key of the object."""
        if target == LEFT_OUT:
            return
        conversion = self.objects.wishes.conversions.get(key)
        if conversion is not None and not conversion.plain and isinstance(value, str):
            self.take_text(key, target, value)
        elif target in (ID, *FIELDS):
            plain = str(value) if target == ID and isinstance(value, int) and not isinstance(value, bool) else value
            self.fields.setdefault(target, "" if plain is None else plain)
        elif target == "attributes" and isinstance(value, dict):
            self.attributes |= value
        elif target == "consents":
            self.say(key, value)
        elif target in self.objects.catalogue:
            self.attributes[target] = value
        else:
            expected = "a field, an attribute of the catalogue, attributes or consents; --map NAME=- leaves a key out"
            self.fault(pointer([key]), shorten(key), expected)

    def take_text(self, key: str, target: str, text: str) -> None:
        """One text that is read as a cell of CSV would be: a folder's name says it, or a conversion says how."""
        type_ = self.objects.catalogue[target].type if target in self.objects.catalogue else "text"
        conversion = self.objects.wishes.conversions.get(key)
        try:
            value = conversion.reader(type_)(text) if conversion else text
            if target in self.objects.catalogue:
                value = from_text(type_, value) if isinstance(value, str) else value
                if value is not None or self.objects.wishes.clear_empty:
                    self.attributes[target] = value
            elif target in (ID, *FIELDS):
                if value or self.objects.wishes.clear_empty:
                    self.fields.setdefault(target, value)
            elif target != LEFT_OUT:
                self.fault(pointer([key]), shorten(key), "a field or an attribute of the catalogue; --map NAME=- leaves a column out")
        except Unfit as unfit:
            self.fault(pointer([key]), unfit.found, str(unfit))

    def say(self, key: str, value: Any) -> None:
        """The consents of the object: [{"channel": …, "topic": …, "state": …}, …]."""
        if not isinstance(value, list) or not all(isinstance(one, dict) and set(one) == {"channel", "topic", "state"} for one in value):
            self.fault(pointer([key]), "something else", "a list of objects with channel, topic and state")
        elif self.objects.wishes.consent_source:
            self.consents += [(one["channel"], one["topic"], one["state"]) for one in value]
        elif value and not self.objects.notes:
            self.objects.notes.append("no consent was recorded: say what collected it with --consent-source")

    def fault(self, where: str, found: str, expected: str) -> None:
        self.faults.append(Finding("error", where, found, expected))
