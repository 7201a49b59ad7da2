"""What there is to know of a workspace's index: which one answers, for which catalogue it was built, and how far it is behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Min

from audience.backends import mapping
from audience.backends.base import EngineUnavailable
from audience.backends.choice import configured
from audience.backends.client import reachable
from audience.backends.elasticsearch import OTHER_FORMAT, Cluster, lag
from audience.catalogue import catalogue, types_of
from audience.models import ProfileFeed

PATIENCE = 2  # seconds that a page waits for a server
REBUILD = "the index was built for an older catalogue: rebuild it with reindex_audience"


@dataclass(frozen=True, slots=True)
class IndexState:
    """index: the one that answers, "" where none does; people: those in it; version: of its mapping; wanted: what the catalogue calls for.

    lag: seconds since the oldest change that it wasn't told; waiting: how many such changes; trouble: what speaks against asking
    it; note: what is out of order although it is asked.
    """

    index: str
    people: int
    version: str
    wanted: str
    lag: float
    waiting: int
    trouble: str
    note: str


def index_state(workspace_id: int, *, now: datetime) -> IndexState | None:
    """As it is now, None where no index is configured. Waits two seconds for a server at most."""
    index, people, version, trouble = "", 0, "", ""
    try:
        found = configured()
        if found is None:
            return None
        patient = Cluster(found.client.options(request_timeout=PATIENCE, max_retries=0), found.prefix)
        index, meta = patient.in_use(workspace_id)
        version, trouble = str(meta.get("version", "")), "" if meta.get("format") == mapping.FORMAT else OTHER_FORMAT
        with reachable():
            people = int(patient.client.count(index=index).body["count"])
    except EngineUnavailable as unavailable:
        trouble = str(unavailable)
    behind, wanted = lag(workspace_id, as_of=now), mapping.version(types_of(catalogue(workspace_id)))
    most = settings.OMNI.elasticsearch_max_lag
    if not trouble and behind > most:
        trouble = f"the index is {behind:,.0f} s behind, more than {most:,.0f} s"
    note = REBUILD if index and version != wanted else ""
    waiting = ProfileFeed.objects.filter(workspace_id=workspace_id).count()
    return IndexState(index, people, version, wanted, behind, waiting, trouble, note)


def longest_lag(*, now: datetime) -> float:
    """Seconds that the index of the workspace that is furthest behind hasn't been told for; 0 where nothing waits."""
    oldest = ProfileFeed.objects.aggregate(oldest=Min("at"))["oldest"]
    return 0.0 if oldest is None else max(0.0, float((now - oldest).total_seconds()))
