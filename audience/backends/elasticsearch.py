"""The index's answers: attributes and profile fields, exactly as the database would answer them, or none at all.

Only what every Elasticsearch 9 has is used: no scripts, no update or delete by query, no reindex. The client is an optional
extra and is imported when first needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np
from django.db.models import Max, Min
from pyroaring import BitMap64

from audience.backends import mapping
from audience.backends.base import EngineUnavailable
from audience.backends.capabilities import ELASTICSEARCH, answers
from audience.backends.client import client_for, reachable
from audience.models import ProfileFeed
from audience.rules.bound import (
    AllOf,
    Bound,
    Check,
    Constant,
    Fresh,
    Group,
    Leaf,
    Member,
    OneOf,
    Prefix,
    Present,
    Range,
    Tested,
    Type,
    Zoned,
    joined_alternatives,
)

PAGE = 10_000  # ids per request: the server's default for one window
KEEP_ALIVE = "1m"
OTHER_FORMAT = "the index is of another format: run reindex_audience"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A connection to the server; `fresh` gives the engine of one workspace."""

    client: Any
    prefix: str

    def fresh(self, workspace_id: int, *, as_of: datetime, max_lag: float) -> Index:
        """The workspace's index, with everything in it that it was told. Raises EngineUnavailable if it is behind or not there."""
        behind = lag(workspace_id, as_of=as_of)
        if behind > max_lag:
            raise EngineUnavailable(f"the index is {behind:,.0f} s behind, more than {max_lag:,.0f} s")
        name, meta = self.in_use(workspace_id)
        if meta.get("format") != mapping.FORMAT:
            raise EngineUnavailable(OTHER_FORMAT)
        with reachable():
            whole(self.client.indices.refresh(index=name).body)
        return Index(self.client, name, meta["types"])

    def in_use(self, workspace_id: int) -> tuple[str, dict[str, Any]]:
        """The index behind the workspace's alias, and what its mapping says of itself. Raises EngineUnavailable where there is none."""
        with reachable():
            found = self.client.options(ignore_status=404).indices.get_mapping(index=mapping.alias(self.prefix, workspace_id))
        if found.meta.status == 404 or not found.body:
            raise EngineUnavailable("there is no index yet: run reindex_audience")
        name, body = next(iter(found.body.items()))
        return name, body["mappings"].get("_meta", {})


@lru_cache(maxsize=4)
def connected(url: str, prefix: str) -> Cluster:
    """The connection of this process to a server. Nothing is sent yet. Raises EngineUnavailable without the client package."""
    return Cluster(client_for(url), prefix)


def lag(workspace_id: int, *, as_of: datetime) -> float:
    """Seconds between the oldest change that the index has not been told and `as_of` (or the newest such change, if later)."""
    waiting = ProfileFeed.objects.filter(workspace_id=workspace_id).aggregate(oldest=Min("at"), newest=Max("at"))
    oldest, newest = waiting["oldest"], waiting["newest"]
    return 0.0 if oldest is None else float(max(0.0, (max(as_of, newest) - oldest).total_seconds()))


@dataclass(frozen=True, slots=True)
class Index:
    """One workspace's index as an engine. types: the attributes that it knows; of others it says nothing."""

    client: Any
    index: str
    types: Mapping[str, Type]
    name: str = ELASTICSEARCH
    max_conditions: int = 500
    max_depth: int = 20

    def answers(self, leaf: Leaf) -> bool:
        """Whether the index answers this condition exactly: the capability table, and it must know the attribute, of this type."""
        return _could_answer(leaf) and not self.overlooks(leaf)

    def overlooks(self, leaf: Leaf) -> set[str]:
        """Attributes that keep it from answering this condition: it doesn't know them, or of another type, so its catalogue was another."""
        asked = _attributes(leaf) if _could_answer(leaf) else ()
        return {each.name for each in asked if self.types.get(each.name) != each.type}

    def ids(self, workspace_id: int, node: Bound, *, within: BitMap64 | None = None) -> BitMap64:
        """The profiles that match: one frozen view, read to its end. Raises EngineUnavailable for anything but a whole answer."""
        with reachable():
            view = self.client.open_point_in_time(index=self.index, keep_alive=KEEP_ALIVE).body["id"]
            try:
                found = self._scan(view, query(node))
            finally:
                self.client.options(ignore_status=404).close_point_in_time(id=view)
        return found if within is None else found & within

    def _scan(self, view: str, wanted: dict[str, Any]) -> BitMap64:
        found, after = BitMap64(), None
        while True:
            answer = self.client.search(
                pit={"id": view, "keep_alive": KEEP_ALIVE},
                query=wanted,
                sort=[{"id": "asc"}],
                size=PAGE,
                search_after=after,
                stored_fields="_none_",
                track_total_hits=False,
                allow_partial_search_results=False,
                filter_path=["timed_out", "_shards", "pit_id", "hits.hits.sort"],
            ).body
            whole(answer)
            view = answer.get("pit_id", view)
            page = [hit["sort"][0] for hit in answer.get("hits", {}).get("hits", [])]
            found |= BitMap64(np.array(page, np.uint64))
            if len(page) < PAGE:
                return found
            after = [page[-1]]

    def count(self, workspace_id: int, node: Bound) -> int:
        """How many match, exactly. Raises EngineUnavailable for anything but a whole answer."""
        with reachable():
            answer = self.client.search(
                index=self.index, query=query(node), size=0, track_total_hits=True, allow_partial_search_results=False
            ).body
        whole(answer)
        return int(answer["hits"]["total"]["value"])


def whole(answer: Mapping[str, Any]) -> None:
    """Raises EngineUnavailable where only a part of the shards answered, or not to the end: such a number may be far too small."""
    failed = answer.get("_shards", {}).get("failed", 0)
    if failed or answer.get("timed_out"):
        why = f"{failed} of its shards failed" if failed else "it ran out of time"
        raise EngineUnavailable(f"Elasticsearch answered only in part: {why}")


def query(node: Bound) -> dict[str, Any]:
    """The rule as a filter, without scores, scripts or wildcards."""
    if isinstance(node, Group):
        word = {"all": "filter", "any": "should", "none": "must_not"}[node.op]
        return {
            "bool": {
                word: [query(child) for child in joined_alternatives(node)],
                **({"minimum_should_match": 1} if node.op == "any" else {}),
            }
        }
    if isinstance(node, Member):
        return query(node.rule)
    if isinstance(node, Constant):
        return {"match_all": {}} if node.everyone else {"match_none": {}}
    if isinstance(node, Zoned):
        return _zoned(node)
    if isinstance(node, Fresh):
        both = {"bool": {"filter": [query(node.score), query(node.made)]}}
        return {"bool": {"must_not": [both]}} if node.negated else both
    if not isinstance(node, Tested):
        raise AssertionError(f"the index was asked for {type(node).__name__}")
    found = _CHECKS[type(node.check)](_field(node), node.type, node.check)
    return {"bool": {"must_not": [found]}} if node.negated else found


def _could_answer(leaf: Leaf) -> bool:
    """Whether an index that knows the attributes answers this: the capability table, and it holds no places."""
    if isinstance(leaf, Fresh):
        return _could_answer(leaf.score) and _could_answer(leaf.made)
    return answers(ELASTICSEARCH, leaf) and (not isinstance(leaf, Tested) or leaf.type in mapping.KINDS)


def _attributes(leaf: Leaf) -> tuple[Tested | Zoned, ...]:
    """The checks of attributes in a condition."""
    if isinstance(leaf, Fresh):
        return leaf.score, leaf.made
    return (leaf,) if isinstance(leaf, Tested | Zoned) and leaf.source == "attribute" else ()


def _zoned(leaf: Zoned) -> dict[str, Any]:
    """The check of each person's own zone; that of nowhere for whose zone is unknown or has no case."""

    def check(one: Check) -> dict[str, Any]:
        return _CHECKS[type(one)](_field(leaf), leaf.type, one)

    told = [name for zones, _ in leaf.cases for name in zones]
    elsewhere = {"bool": {"filter": [check(leaf.elsewhere)], "must_not": [{"terms": {"zone": told}}]}}
    own = [{"bool": {"filter": [{"terms": {"zone": list(zones)}}, check(one)]}} for zones, one in leaf.cases]
    return {"bool": {"should": [elsewhere, *own], "minimum_should_match": 1}}


def _field(leaf: Tested | Zoned) -> str:
    return mapping.FIELDS.get(leaf.name, leaf.name) if leaf.source == "profile" else f"{leaf.type}.{leaf.name}"


def _range(field: str, type_: Type, check: Range) -> dict[str, Any]:
    ends = {}
    if check.low is not None:
        ends["gt" if check.open_low else "gte"] = mapping.operand(type_, check.low)
    if check.high is not None:
        ends["lt" if check.open_high else "lte"] = mapping.operand(type_, check.high)
    return {"range": {field: ends}}


_CHECKS: dict[type, Callable[[str, Type, Any], dict[str, Any]]] = {
    Present: lambda field, type_, check: {"exists": {"field": field}},
    OneOf: lambda field, type_, check: {"terms": {field: [mapping.operand(type_, value) for value in check.values]}},
    AllOf: lambda field, type_, check: {"bool": {"filter": [{"term": {field: mapping.operand(type_, value)}} for value in check.values]}},
    Prefix: lambda field, type_, check: {"prefix": {field: {"value": check.text}}},
    Range: _range,
}
