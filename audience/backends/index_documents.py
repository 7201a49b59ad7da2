"""Reading people back from the index, field by field: it keeps no documents, but every field's values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from audience.backends.client import reachable
from audience.backends.elasticsearch import Index, whole
from audience.backends.mapping import field_names
from audience.rules.bound import Plain

PEOPLE, FIELDS = 1_000, 90  # in one request; the server takes 10,000 and 100 by default


@dataclass(frozen=True, slots=True)
class Indexed:
    """One person in the index. version: the feed row's number + 1, or 1 from a rebuild; values: as mapping.flat has them."""

    version: int
    values: dict[str, set[Plain]]


def indexed(index: Index, ids: Iterable[int]) -> dict[int, Indexed]:
    """These people as the index has them now; who isn't in it is left out. Raises EngineUnavailable for anything but a whole answer.

    Values of one field come as a set: the index keeps neither their order nor how often they were named.
    """
    found: dict[int, Indexed] = {}
    wanted, fields = list(ids), field_names(index.types)
    for start in range(0, len(wanted), PEOPLE):
        for first in range(0, len(fields), FIELDS):
            for number, one in _read(index, wanted[start : start + PEOPLE], fields[first : first + FIELDS]):
                if number in found:
                    found[number].values.update(one.values)
                else:
                    found[number] = one
    return found


def _read(index: Index, ids: Sequence[int], fields: Sequence[str]) -> list[tuple[int, Indexed]]:
    with reachable():
        answer = index.client.search(
            index=index.index,
            query={"terms": {"id": ids}},
            docvalue_fields=fields,
            version=True,
            size=len(ids),
            track_total_hits=False,
            allow_partial_search_results=False,
        ).body
    whole(answer)
    return [_person(hit) for hit in answer["hits"]["hits"]]


def _person(hit: dict[str, Any]) -> tuple[int, Indexed]:
    return int(hit["_id"]), Indexed(hit["_version"], {name: set(values) for name, values in hit.get("fields", {}).items()})
