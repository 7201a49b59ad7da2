"""Every address of the product, read from the URLconf, and a workspace in which each of them leads somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.apps import apps
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from audience import door as audience
from audience.models import DeadLetter
from delivery import door as delivery
from delivery.models import OutboxMail
from delivery.states import AttemptState
from governance import door as governance
from governance.door import SCOPES, Actor, Role
from governance.models import SavedView
from tests import factories as make
from tests.delivery.sent import sent
from workflow import pipeline, worker

CANARY = "Zqxw Canary"  # stands in everything that belongs to the workspace, and in no address
CANARIES = (CANARY.casefold(), "zqxw-canary@example.com", "+4915112345678")
ROOMS = {"governance", "audience", "presentation", "optimization", "delivery", "workflow"}
PUBLIC = re.compile(  # needs nobody: probes, vendors, links in messages, the API's own description, and what is about one's own session
    r"^$|^(hooks|t|o|p|u|c)/|^\^|^(healthz|readyz|metrics)$|^api/v1/(schema|docs)/$|^console/(sign-in|sign-out|theme|workspace|welcome)/|^console/style-"
)
METHODS = {"console": ("GET", "POST"), "api": ("GET", "POST", "PUT", "DELETE")}


@dataclass(frozen=True)
class Door:
    """One address, as it is written in the URLconf: "console/runs/<int:run_id>/"."""

    route: str

    @property
    def area(self) -> str:
        return self.route.partition("/")[0]

    @property
    def names(self) -> list[str]:
        return re.findall(r"<(?:\w+:)?(\w+)>", self.route)

    def address(self, values: dict[str, Any]) -> str:
        """The address with these values; a name that nobody knows is a new kind of thing: say in `World.values` what it is."""
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(values[match[1]]), self.route)


def doors() -> list[Door]:
    """Every address that asks who is there."""
    return [Door(route) for route in _routes(get_resolver().url_patterns, "") if not PUBLIC.search(route)]


def _routes(patterns: list[Any], before: str) -> Iterator[str]:
    for each in patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _routes(each.url_patterns, route)
        elif isinstance(each, URLPattern):
            yield route


@dataclass
class World:
    """The default workspace, with one of everything; values: what stands in an address for it."""

    now: datetime
    values: dict[str, Any] = field(default_factory=dict)

    def values_of(self, door: Door) -> dict[str, Any]:
        """The key depends on what the address is about; the number of a run's person on nothing."""
        kinds = ("templates", "fragments", "themes", "segments", "senders", "content-sources", "attributes", "lists", "campaigns")
        kind = next((kind for kind in kinds if f"/{kind}/" in door.route), "campaigns")
        return {**self.values, "plural": "campaigns", "key": self.values[kind]}


def build(now: datetime) -> World:
    """One of everything that an address can name, made at the doors."""
    person = make.profile(now=now, attributes={}, external_id="person-one", email="zqxw-canary@example.com", phone="+4915112345678")
    make.put("attribute", "first_name", make.attribute(title=f"{CANARY} attribute", sensitivity="personal"), now=now)
    make.put("record_type", "booking", make.record_type(title=f"{CANARY} booking"), now=now)
    audience.upsert_records(
        make.workspace().pk, "booking", [audience.RecordRow("person-one", {"city": CANARY}, [("person-one", "guest")])], now=now
    )
    make.put("segment", "everyone", make.segment(title=f"{CANARY} segment"), now=now)
    make.put("template", "offer", make.template(title=f"{CANARY} template", locales={"en": make.letter(f"{CANARY} subject")}), now=now)
    make.put("fragment", "legal", make.fragment(title=f"{CANARY} fragment"), now=now)
    make.put("theme", "house", {"title": f"{CANARY} theme", "accent": "#0b5563"}, now=now)
    make.put("sending_policy", "default", make.policy(title=f"{CANARY} policy"), now=now)
    make.put("sender", "offers", make.mail_sender(title=f"{CANARY} sender"), now=now, author="cleo")
    looked_up = {"table": "things", "input": "city"}
    source = {"type": "table", "table": looked_up, "inputs": {"city": {"source": "profile.email"}}, "response": {"name": {"path": "name"}}}
    make.put("content_source", "things", {"title": f"{CANARY} source", **source}, now=now, author="cleo")
    make.in_force("campaign", "spring-sale", make.campaign(title=f"{CANARY} campaign"), now=now)
    audience.change_list(make.person("ada", now=now), "fair", ["person-one"], by="external_id", title=f"{CANARY} list", now=now)
    run = pipeline.launch(make.person("ben", now=now), "spring-sale", now=now)
    worker.drain(now=lambda: now)
    doubtful = sent(1, now=now, state=AttemptState.IN_DOUBT)
    make.put("campaign", "spring-sale", make.campaign(title=f"{CANARY} campaign", holdout=0.1), now=now)
    submission = governance.submit(make.person("ada", now=now), "campaign", "spring-sale", number=2, note=CANARY, now=now)
    key, _ = governance.create_api_key(make.person("cleo", now=now), CANARY, Role.VIEWER, ["documents:read"], None, now)
    mail = OutboxMail.objects.get()
    vera = make.person("vera", now=now)
    view = SavedView.objects.create(workspace_id=vera.workspace_id, user_id=vera.user_id, page="campaign", name=CANARY, query="q=x")
    letter = DeadLetter.objects.create(
        workspace_id=vera.workspace_id,
        stream=f"{CANARY} stream",
        entry_id="1-1",
        entry_at=now,
        holds="events",
        external_id="zqxw-canary@example.com",
        body=f"{CANARY} zqxw-canary@example.com",
        whole=True,
        reason="invalid",
        findings=[{"level": "error", "path": "/at", "found": "Qyzzy", "expected": f"{CANARY} instant"}],
        first_at=now,
        last_at=now,
    )
    values = {
        "campaigns": "spring-sale",
        "segments": "everyone",
        "templates": "offer",
        "fragments": "legal",
        "themes": "house",
        "senders": "offers",
        "content-sources": "things",
        "attributes": "first_name",
        "lists": "fair",
        "tag": "de",
        "name": "mail.wayfare.example",
        "domain": "mail.wayfare.example",
        "number": 1,
        "run_id": run.pk,
        "dispatch_id": run.dispatch_id,
        "submission_id": submission.pk,
        "key_id": key.pk,
        "user_id": vera.user_id,
        "view_id": view.pk,
        "profile_id": person,
        "other_id": make.profile(now=now, external_id="person-two", attributes={"first_name": CANARY}),
        "external_id": "person-one",
        "type": "booking",
        "attempt_id": doubtful.attempt().pk,
        "mail_id": mail.pk,
        "letter_id": letter.pk,
        "message_id": delivery.message_id(run.dispatch_id, 0),
        "token": delivery.message_id(run.dispatch_id, 0),
    }
    return World(now, values)


def strangers(now: datetime) -> dict[Role, Actor]:
    """Four people of another workspace, one in each role."""
    other = governance.create_workspace("elsewhere", "Elsewhere").pk
    return {role: _hire(other, f"stranger-{role}", role, now) for role in Role}


def locals_(now: datetime) -> dict[Role, Actor]:
    """Four people of the default workspace, one in each role, who wrote nothing in it."""
    return {role: _hire(make.workspace().pk, f"local-{role}", role, now) for role in Role}


def _hire(workspace_id: int, name: str, role: Role, now: datetime) -> Actor:
    user = governance.User.objects.create_user(name, f"{name}@example.org")
    shell = Actor(workspace_id, None, Role.ADMIN, "command")
    governance.set_member(shell, user, role=role, legal=True, now=now)
    return governance.actor_for(user, workspace_id, "console")


def key_for(actor: Actor, now: datetime, scopes: set[str] | None = None) -> str:
    """The text of a key with the actor's role: with every scope, unless told otherwise."""
    maker = Actor(actor.workspace_id, actor.user_id, Role.ADMIN, "console")
    return governance.create_api_key(maker, "sweep", actor.role, scopes or set(SCOPES), None, now)[1]


def ask(door: Door, method: str, address: str, actor: Actor, key: str) -> Any:
    """The answer to this person's browser, or to their key. A body says nothing: `{}`, or an empty form."""
    client = Client(raise_request_exception=False)
    if door.area == "api":
        return client.generic(method, address, b"{}", content_type="application/json", headers={"Authorization": f"Bearer {key}"})
    client.force_login(governance.User.objects.get(pk=actor.user_id))
    return client.generic(method, address, b"", content_type="application/x-www-form-urlencoded")


def everything_of(workspace_id: int) -> dict[str, list[Any]]:
    """Every row of a workspace."""
    rows: dict[str, list[Any]] = {}
    for model in apps.get_models():
        if model._meta.app_label in ROOMS and any(field.attname == "workspace_id" for field in model._meta.local_fields):
            rows[model._meta.label] = list(model._default_manager.filter(workspace_id=workspace_id).order_by("pk").values())
    return rows
