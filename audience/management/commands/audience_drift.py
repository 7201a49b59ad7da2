"""Compare the audience index with the database, and queue who differs."""

from __future__ import annotations

import secrets
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from audience.backends import mapping
from audience.backends.base import EngineUnavailable
from audience.backends.choice import configured
from audience.backends.elasticsearch import Cluster
from audience.catalogue import catalogue, types_of
from audience.drift import Drift, drift, out_of_reach, repair
from audience.index_state import REBUILD
from governance.door import DoorCommand, Finding, Invalid, Refused, Report

SAMPLE = 1_000
DRIFTED = 1


class Command(DoorCommand):
    help = "Compare the audience index with the database: everybody's being there, and a sample field by field. Exit status 1 on drift."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sample", type=int, default=SAMPLE, help="how many people to compare field by field (default: %(default)s)")
        parser.add_argument("--everyone", action="store_true", help="compare all of them, not a sample")
        parser.add_argument("--seed", type=int, default=None, help="which sample to draw (default: another one each time)")
        parser.add_argument("--repair", action="store_true", help="let the feed tell the index of everybody who was found to differ")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def act(self, *, sample: int, everyone: bool, seed: int | None, repair: bool, **_: Any) -> Report:
        """Compare, say what differs, and queue it where asked to."""
        if sample < 0:
            raise Invalid([Finding("error", "--sample", str(sample), "a number of people, from 0")])
        drawn = secrets.randbelow(1_000_000) if seed is None else seed
        try:
            cluster = configured()
            if cluster is None:
                raise Refused("no index is configured: set OMNI_ELASTICSEARCH_URL")
            version = str(cluster.in_use(self.workspace.pk)[1].get("version", ""))
            found = drift(cluster, self.workspace.pk, sample=None if everyone else sample, seed=drawn, now=timezone.now())
            queued = self.queue(cluster, found) if repair and found.everyone else ()
        except EngineUnavailable as unavailable:
            raise Refused(f"the index can't be compared: {unavailable}") from unavailable
        older = version != mapping.version(types_of(catalogue(self.workspace.pk)))
        lines = (*_lines(found, None if everyone else drawn), *queued, *((REBUILD,) if older else ()))
        return Report(lines, _data(found, drawn, version, older, bool(queued)), DRIFTED if found.everyone else 0)

    def queue(self, cluster: Cluster, found: Drift) -> tuple[str, ...]:
        """Queue everybody who differs; says how many, and of whom the index knows later news than this database has."""
        number = repair(self.workspace.pk, found.everyone, now=timezone.now())
        lines = [f"{len(found.everyone):,} people were queued: the index is told of them with the other changes."]
        if stuck := out_of_reach(cluster, self.workspace.pk, found.different | found.extra, number):
            lines.append(f"The index holds later versions of {stuck:,} of them than this database ever fed: only reindex_audience helps.")
        return tuple(lines)


def _lines(found: Drift, seed: int | None) -> tuple[str, ...]:
    drawn = "" if seed is None else f" (seed {seed})"
    people = f"{found.people:,} people in the database, {found.indexed:,} in the index"
    lines = [f"{people}, {found.compared:,} compared field by field{drawn}"]
    if found.waiting:
        lines.append(f"{found.waiting:,} changes wait in the feed; whom they are about was not judged.")
    if not found.everyone:
        return (*lines, "No drift.")
    counts = f"{len(found.missing):,} missing, {len(found.extra):,} that the database hasn't got, {len(found.different):,} different"
    by_field = sorted(found.fields.items(), key=lambda each: (-each[1], each[0]))
    return (*lines, f"Drift: {counts}", *(f"  {name}: {many:,}" for name, many in by_field))


def _data(found: Drift, seed: int, version: str, older: bool, queued: bool) -> dict[str, Any]:
    return {
        "people": found.people,
        "indexed": found.indexed,
        "compared": found.compared,
        "missing": len(found.missing),
        "extra": len(found.extra),
        "different": len(found.different),
        "fields": dict(sorted(found.fields.items())),
        "waiting": found.waiting,
        "queued": len(found.everyone) if queued else 0,
        "seed": seed,
        "version": version,
        "older_catalogue": older,
    }
