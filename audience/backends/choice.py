"""Which engines may answer now: the index only while it is fresh."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from audience.backends.base import Engine, EngineUnavailable
from audience.backends.database import Database
from audience.backends.elasticsearch import Cluster, connected


@dataclass(frozen=True, slots=True)
class Choice:
    """The engines that may answer, the preferred one first and the database last. note: why the index is not among them."""

    engines: tuple[Engine, ...]
    note: str = ""


def engines_for(workspace_id: int, *, as_of: datetime, max_lag: float | None = None) -> Choice:
    """The engines to ask. max_lag: seconds the index may be behind; the setting where None."""
    most = settings.OMNI.elasticsearch_max_lag if max_lag is None else max_lag
    try:
        found = configured()
        if found is None:
            return Choice((Database(),))
        index = found.fresh(workspace_id, as_of=as_of, max_lag=most)
    except EngineUnavailable as unavailable:
        return Choice((Database(),), f"the database answered: {unavailable}")
    return Choice((index, Database()))


def configured() -> Cluster | None:
    """The configured Elasticsearch, None where there is none. Raises EngineUnavailable without the client package."""
    url = settings.OMNI.elasticsearch_url
    return connected(url, settings.OMNI.elasticsearch_prefix) if url else None
