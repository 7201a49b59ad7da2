"""Which engines may answer now: the index only while it is fresh."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from audience.backends.base import Engine, EngineUnavailable
from audience.backends.database import Database
from audience.backends.elasticsearch import Cluster, Index, connected
from audience.rules.bound import Bound, leaves


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


def overlooked(choice: Choice, node: Bound) -> str:
    """Why the database is asked for attributes that an index could answer for; empty where there are none."""
    index = choice.engines[0]
    if not isinstance(index, Index):
        return ""
    unknown = sorted({name for leaf in leaves(node) for name in index.overlooks(leaf)})
    named = ", ".join(unknown[:3]) + (", …" if len(unknown) > 3 else "")
    return f"the database answered for {named}: the index was built for an older catalogue, run reindex_audience" if unknown else ""


def configured() -> Cluster | None:
    """The configured Elasticsearch, None where there is none. Raises EngineUnavailable without the client package."""
    url = settings.OMNI.elasticsearch_url
    return connected(url, settings.OMNI.elasticsearch_prefix) if url else None
