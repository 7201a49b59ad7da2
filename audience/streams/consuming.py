"""Which streams this installation reads, by its settings."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Callable, Sequence

from django.conf import settings

from audience.streams.consumer import Consumer
from audience.streams.source import HOLDS, Holds, Source
from audience.streams.valkey import PATIENCE, ValkeyStream
from governance.door import Refused, Workspace


def sources(workspace_key: str, holds: Sequence[Holds] = HOLDS, *, reader: str, patience: float = PATIENCE) -> list[Source]:
    """The streams of a workspace; none where OMNI_STREAM_URL is empty. Another kind of broker is told apart here, by that address."""
    omni = settings.OMNI
    if not omni.stream_url:
        return []
    names = {"profiles": omni.stream_profiles, "events": omni.stream_events}
    return [
        ValkeyStream(
            omni.stream_url,
            names[each].replace("{workspace}", workspace_key),
            each,
            group=omni.stream_group,
            reader=reader,
            patience=patience,
        )
        for each in HOLDS
        if each in holds
    ]


def consuming(workspace: Workspace, holds: Sequence[Holds] = HOLDS, *, heard: Callable[[], None]) -> Consumer:
    """This process' consumer of a workspace's streams. heard: called after events were recorded. Raises Refused, SourceAway."""
    name = f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"  # containers may share a name and a number
    found = sources(workspace.key, holds, reader=name)
    if not found:
        raise Refused("there is no stream to read: set OMNI_STREAM_URL")
    if len({source.name for source in found}) < len(found):
        raise Refused("people and events need streams of their own: OMNI_STREAM_PROFILES and OMNI_STREAM_EVENTS are the same")
    omni = settings.OMNI
    return Consumer(workspace.pk, name, found, heard, batch=omni.stream_batch, claim_after=omni.stream_claim_after)
