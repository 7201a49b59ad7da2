"""Somebody who writes to streams, and this installation's settings for them: a real Valkey, streams of the test's own name."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from django.conf import settings
from django.test import override_settings

from audience.models import Event, Profile
from audience.streams.consumer import Consumer
from audience.streams.consuming import sources
from tests import factories


class Writer:
    """Writes entries as a program outside would."""

    def __init__(self, url: str) -> None:
        self.url, self.prefix = url, f"t{uuid.uuid4().hex[:10]}"
        self.client: Any = redis.Redis.from_url(url)

    def name(self, holds: str) -> str:
        return f"{self.prefix}:default:{holds}"

    def person(self, external_id: str, *, recorder: str = "", **body: Any) -> str:
        more = {"source": recorder} if recorder else {}
        return self.raw("profiles", json.dumps({"external_id": external_id, **body}), **more)

    def event(self, event_id: str, external_id: str, **body: Any) -> str:
        return self.raw("events", json.dumps({"id": event_id, "name": "visit", "external_id": external_id, **body}))

    def raw(self, holds: str, body: str | bytes | None, **more: str) -> str:
        """The number of the new entry."""
        fields = {**({} if body is None else {"body": body}), **(more or {"x": "y"})}
        return str(self.client.xadd(self.name(holds), fields).decode())

    @contextmanager
    def read(self, **more: Any) -> Iterator[None]:
        """This installation reads those streams."""
        named = {"stream_url": self.url, **{f"stream_{holds}": f"{self.prefix}:{{workspace}}:{holds}" for holds in ("profiles", "events")}}
        with override_settings(OMNI=settings.OMNI.model_copy(update={**named, **more})):
            yield

    def forget(self) -> None:
        self.client.delete(self.name("profiles"), self.name("events"))
        self.client.close()


def consumer(name: str = "one", **more: Any) -> Consumer:
    """A consumer of the default workspace's streams; claim_after=0: whoever else read something counts as dead at once."""
    return Consumer(factories.workspace().pk, name, sources("default", reader=name), **{"claim_after": 0.0, **more})


def people() -> dict[str, dict[str, Any]]:
    """What is known of everybody."""
    return dict(Profile.objects.values_list("external_id", "attributes"))


def events() -> list[str]:
    """The ids of what is recorded."""
    return sorted(Event.objects.values_list("event_id", flat=True))
