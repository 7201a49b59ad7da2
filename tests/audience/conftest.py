from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from audience.backends.elasticsearch import Cluster, connected
from governance import door as governance
from governance.door import Actor, Role

CATALOGUE = {
    "first_name": {"type": "text", "sensitivity": "personal"},
    "city": {"type": "text"},
    "stays": {"type": "number"},
    "vip": {"type": "boolean"},
    "birthday": {"type": "date"},
    "seen": {"type": "datetime"},
    "interests": {"type": "list"},
}


def fill_catalogue(workspace: governance.Workspace, now: datetime) -> Actor:
    """One attribute of each type, written by Ada the administrator, who is returned."""
    user = governance.User.objects.create_user(f"ada-{workspace.key}")
    governance.Membership.objects.create(workspace=workspace, user=user, role=Role.ADMIN)
    actor = governance.actor_for(user, workspace.pk, "console")
    for name, body in CATALOGUE.items():
        governance.save(actor, "attribute", name, {"title": name.replace("_", " ").capitalize(), **body}, base=None, now=now)
    return actor


@pytest.fixture
def ada(db: None, now: datetime) -> Actor:
    """An administrator of a workspace whose catalogue has one attribute of each type."""
    return fill_catalogue(governance.default_workspace(), now)


@pytest.fixture
def workspace_id(ada: Actor) -> int:
    return ada.workspace_id


@dataclass
class Api:
    """A program with a key for profiles."""

    client: Client

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        data = json.dumps(body).encode() if body is not None else b""
        answer = self.client.generic(method, f"/api/v1/{path}", data, content_type="application/json")
        return answer.status_code, json.loads(answer.content) if answer.content else None


def api_of(actor: Actor, scopes: list[str], now: datetime) -> Api:
    _key, text = governance.create_api_key(actor, "tests", Role.AUTHOR, scopes, None, now)
    return Api(Client(headers={"Authorization": f"Bearer {text}"}))


@pytest.fixture
def api(ada: Actor, now: datetime) -> Api:
    return api_of(ada, ["profiles:read", "profiles:write"], now)


@pytest.fixture
def open_workspace_id(transactional_db: None, now: datetime) -> int:
    """The same workspace, for tests whose threads must see each other's commits."""
    return fill_catalogue(governance.default_workspace(), now).workspace_id


@pytest.fixture
def cluster(elasticsearch_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """OMNI with an Elasticsearch of its own (by name), that has no index yet."""
    prefix = f"feed{uuid.uuid4().hex[:8]}"
    changed = django_settings.OMNI.model_copy(update={"elasticsearch_url": elasticsearch_url, "elasticsearch_prefix": prefix})
    monkeypatch.setattr(django_settings, "OMNI", changed)
    found = connected(elasticsearch_url, prefix)
    yield found
    for name in found.client.indices.get(index=f"{prefix}-*").body:
        found.client.indices.delete(index=name)
    found.client.options(ignore_status=404).indices.delete_index_template(name=f"{prefix}-audience")
