"""What a rule may ask of a type of records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from audience.rules.bound import Type


@dataclass(frozen=True, slots=True)
class RecordShape:
    """fields: their types by name; roles: as what people may have to do with such a record."""

    fields: Mapping[str, Type]
    roles: tuple[str, ...] = ()
