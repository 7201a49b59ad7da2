"""Keeps the index: what the feed says changed, and rebuilding it whole beside the one in use.

Nothing is lost and nothing goes back, whatever the order in which writers finish:
- a change's feed row is leased and deleted in one transaction with the write to the index; if that fails, the row waits again;
- what is written is the person's *present* state, under the feed row's number as external version, so an older write that
  arrives late is refused by the server; a deleted person's version is remembered for an hour;
- a rebuild makes its index known before it reads the first person, and the feed looks up which indexes there are after it took
  its rows: a change is either read by the rebuild or written to the new index by the feed. The rebuild writes version 1, which
  everything from the feed beats;
- an index has one of two aliases, "in use" or "being built", from its creation on. It moves from one to the other in one step that
  fails where somebody else moved either meanwhile; an index that has neither never gets one again and is swept away by whoever
  rebuilds. So a rebuild may be killed anywhere, and two at once leave one index: the later takes over, or the earlier was done.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from audience import sql
from audience.backends import mapping
from audience.backends.base import EngineUnavailable
from audience.backends.choice import configured
from audience.backends.client import reachable
from audience.backends.elasticsearch import Cluster, whole
from audience.backends.mapping import document
from audience.catalogue import catalogue, types_of
from audience.models import Profile, ProfileFeed
from audience.rules.bound import Type

AT_ONCE = 1_000  # people per bulk request
FIRST = 1  # the version under which a rebuild writes; feed rows' are their number + 1
LOOKS = 3  # times that the feed looks up the indexes again when one of them was swept away meanwhile


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did: the index now in use, how many people it read, and the version of its mapping."""

    index: str
    people: int
    version: str


class IndexGone(EngineUnavailable):
    """An index was deleted while it was written to: it isn't in use any more."""


def feed_index(cluster: Cluster, *, limit: int = AT_ONCE) -> int:
    """Tell the index the oldest waiting changes; answers how many. Raises EngineUnavailable, and then they wait again."""
    if not sql.on_postgres():
        return _feed_then_delete(cluster, limit)
    with transaction.atomic():
        rows = sql.take_oldest("audience_profilefeed", "workspace_id, profile_id, id", limit)
        _tell(cluster, rows)
    return len(rows)


def _feed_then_delete(cluster: Cluster, limit: int) -> int:
    """As above without a transaction around the network, which on SQLite would keep every other writer waiting.

    Rows are deleted by number once they are told; told twice is told once.
    """
    rows = list(ProfileFeed.objects.order_by("id").values_list("workspace_id", "profile_id", "id")[:limit])
    _tell(cluster, rows)
    ProfileFeed.objects.filter(pk__in=[number for _, _, number in rows]).delete()
    return len(rows)


def feed_configured(*, limit: int = AT_ONCE) -> int:
    """As feed_index for the configured Elasticsearch. Without one the feed has no reader and is emptied: a rebuild reads people."""
    found = configured()
    if found is not None:
        return feed_index(found, limit=limit)
    oldest = list(ProfileFeed.objects.order_by("id").values_list("id", flat=True)[: limit * 20])
    return ProfileFeed.objects.filter(pk__in=oldest).delete()[0] if oldest else 0


def _tell(cluster: Cluster, rows: Iterable[tuple[int, int, int]]) -> None:
    """Write the present state of each row's person to every index of their workspace."""
    newest: dict[int, dict[int, int]] = {}
    for workspace_id, profile_id, number in rows:
        versions = newest.setdefault(workspace_id, {})
        versions[profile_id] = max(number + FIRST, versions.get(profile_id, 0))
    for workspace_id, versions in newest.items():
        people = Profile.objects.filter(workspace_id=workspace_id, pk__in=list(versions), gone_at__isnull=True).in_bulk()
        _tell_all(cluster, workspace_id, versions, people)


def _tell_all(cluster: Cluster, workspace_id: int, versions: Mapping[int, int], people: Mapping[int, Profile]) -> None:
    for look in range(1, LOOKS + 1):
        targets = _indexes(cluster, workspace_id)  # after the rows were taken: see the head of this module
        try:
            for index, types in targets.items():
                _bulk(cluster, (_write(index, pk, version, people.get(pk), types) for pk, version in versions.items()))
            return
        except IndexGone:
            if look == LOOKS:
                raise


def _indexes(cluster: Cluster, workspace_id: int) -> dict[str, dict[str, Type]]:
    """The indexes that must hear of changes: the one in use and the one being built, each with the attributes it knows."""
    names = [mapping.alias(cluster.prefix, workspace_id), mapping.building(cluster.prefix, workspace_id)]
    with reachable():
        found = cluster.client.indices.get_mapping(index=names, ignore_unavailable=True, allow_no_indices=True).body
    return {name: body["mappings"].get("_meta", {}).get("types", {}) for name, body in found.items()}


def _write(index: str, pk: int, version: int, person: Profile | None, types: Mapping[str, Type]) -> list[dict[str, Any]]:
    """The lines of a bulk request for one person: their document, or their removal."""
    place = {"_index": index, "_id": str(pk), "version": version, "version_type": "external"}
    return [{"delete": place}] if person is None else [{"index": place}, document(person, types)]


def _bulk(cluster: Cluster, writes: Iterable[list[dict[str, Any]]]) -> None:
    """Send the lines. A version conflict means that the index is already newer; any other refusal is raised."""
    lines = [line for write in writes for line in write]
    if not lines:
        return
    with reachable():
        answer = cluster.client.bulk(operations=lines, filter_path=["errors", "items.*.status", "items.*.error.type"]).body
    if not answer.get("errors"):
        return
    for item in answer["items"]:
        (outcome,) = item.values()
        if "error" in outcome and outcome["status"] != 409:
            kind = IndexGone if outcome["error"]["type"] == "index_not_found_exception" else EngineUnavailable
            raise kind(f"Elasticsearch refused a document: {outcome['error']['type']}")


def rebuild(cluster: Cluster, workspace_id: int, *, now: datetime, progress: Callable[[int], None] = lambda told: None) -> Rebuilt:
    """A new index from the catalogue and the people as they are, put in use in one step; the old one answers until then.

    A rebuild that was broken off is thrown away by the next, and so is one that still runs: that one ends. Raises EngineUnavailable.
    """
    alias, building = mapping.alias(cluster.prefix, workspace_id), mapping.building(cluster.prefix, workspace_id)
    types = types_of(catalogue(workspace_id))
    name = f"{alias}-{now:%Y%m%d%H%M%S%f}"
    with reachable():
        indices = cluster.client.indices
        indices.put_index_template(
            name=f"{cluster.prefix}-audience", index_patterns=[f"{cluster.prefix}-audience-*"], allow_auto_create=False
        )
        _take_over(cluster, building)
        _sweep(cluster, alias)
        _known(indices.create(index=name, aliases={building: {}}, **mapping.index_body(types)).body)
    told = 0
    for people in _everyone(workspace_id):
        _bulk(cluster, (_write(name, person.pk, FIRST, person, types) for person in people))
        told += len(people)
        progress(told)
    with reachable():
        whole(indices.refresh(index=name).body)
        moves = [_removal(index, alias) for index in _behind(cluster, alias)]
        indices.update_aliases(actions=[*moves, _removal(name, building), {"add": {"index": name, "alias": alias}}])
        _sweep(cluster, alias)
    return Rebuilt(name, told, mapping.version(types))


def _removal(index: str, alias: str) -> dict[str, Any]:
    """One step of a move of aliases, which fails as a whole where the index hasn't this one any more."""
    return {"remove": {"index": index, "alias": alias, "must_exist": True}}


def _known(answer: Mapping[str, Any]) -> None:
    """Raises EngineUnavailable unless every server knows of the new index: the feed may ask any of them which there are."""
    if not answer.get("acknowledged"):
        raise EngineUnavailable("not every server of Elasticsearch has heard of the new index in time")


def _behind(cluster: Cluster, name: str) -> list[str]:
    found = cluster.client.options(ignore_status=404).indices.get_alias(name=name)
    return [] if found.meta.status == 404 else list(found.body)


def _take_over(cluster: Cluster, building: str) -> None:
    """Give up the indexes that are being built, so that whoever builds them can't put them in use. One that just was stays."""
    for index in _behind(cluster, building):
        cluster.client.options(ignore_status=404).indices.update_aliases(actions=[_removal(index, building)])


def _sweep(cluster: Cluster, alias: str) -> None:
    """Delete the workspace's indexes that are neither in use nor being built."""
    found = cluster.client.indices.get_alias(index=f"{alias}-*", ignore_unavailable=True, allow_no_indices=True).body
    ours = re.compile(re.escape(alias) + "-[0-9]{20}")
    for index, body in found.items():
        if not body["aliases"] and ours.fullmatch(index):
            cluster.client.indices.delete(index=index, ignore_unavailable=True)


def _everyone(workspace_id: int) -> Iterator[list[Profile]]:
    """People in the order of their ids, a bounded number at a time; each read is newer than the call."""
    last = 0
    while True:
        rows = Profile.objects.filter(workspace_id=workspace_id, pk__gt=last, gone_at__isnull=True).order_by("pk")
        people = list(rows.only("pk", "created_at", "folded", *mapping.FIELDS.values())[:AT_ONCE])
        if not people:
            return
        yield people
        last = people[-1].pk
