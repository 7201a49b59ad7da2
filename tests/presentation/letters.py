"""Template bodies that are valid by default; one keyword changes one thing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from governance.door import parse
from presentation.door import Content, TemplateBody, compose_body

VARIABLES: dict[str, dict[str, Any]] = {
    "first_name": {"source": "attribute.first_name", "fallback": "there"},
    "city": {"source": "attribute.city"},
    "total": {"source": "data.total", "type": "number"},
    "due": {"source": "data.due", "type": "date"},
    "at": {"source": "data.at", "type": "datetime"},
    "vip": {"source": "attribute.vip", "type": "boolean"},
    "tags": {"source": "attribute.tags", "type": "list"},
    "order": {"source": "data.order", "type": "object"},
    "zone": {"source": "profile.zone"},
}
ATTRIBUTES = {"first_name": "text", "city": "text", "vip": "boolean", "tags": "list"}
FOOTER = {"type": "footer", "id": "footer", "address": "Harbour & Pine Ltd\nQuay Street 1, Bristol"}


@dataclass(frozen=True)
class Person:
    """A profile, as rendering reads one."""

    external_id: str | None = "p-1"
    email: str | None = "ada@example.com"
    phone: str | None = None
    locale: str | None = "en"
    country: str | None = "GB"
    zone: str | None = "Europe/London"
    attributes: dict[str, Any] = field(default_factory=dict)
    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def block(kind: str, **fields: Any) -> dict[str, Any]:
    """One block; its id is its kind unless given."""
    required = {
        "heading": {"text": "A heading"},
        "text": {"text": "Some words."},
        "image": {"src": "https://img.example.com/a.png", "alt": "A harbour"},
        "button": {"label": "Go", "href": "https://shop.example.com/"},
        "footer": {"address": "Quay Street 1"},
        "html": {"html": "<p>Hello</p>"},
        "columns": {"columns": [[], []]},
    }
    return {"type": kind, "id": kind, **required.get(kind, {}), **fields}


def email(*blocks: dict[str, Any], subject: str = "Hello", preheader: str = "", text: str | None = None, **changes: Any) -> dict[str, Any]:
    """A promotional e-mail in English with these blocks and a footer."""
    locale: dict[str, Any] = {"subject": subject, "preheader": preheader, "blocks": [*blocks, FOOTER]}
    if text is not None:
        locale["text"] = text
    body = {
        "title": "A letter",
        "channel": "email",
        "message_class": "promotional",
        "topic": "offers",
        "sender": {"name": "Harbour & Pine", "address": "hello@example.com"},
        "default_locale": "en",
        "variables": VARIABLES,
        "locales": {"en": locale},
    }
    return {**body, **changes}


def sms(text: str, **changes: Any) -> dict[str, Any]:
    """A promotional SMS in English."""
    return {**email(), "channel": "sms", "sender": {"from": "+15005550006"}, "locales": {"en": {"text": text}}, **changes}


def push(title: str = "Your order", text: str = "It is on its way.", **changes: Any) -> dict[str, Any]:
    """A promotional push message in English; link, image and data go into its locale."""
    locale = {"subject": title, "text": text, **{name: changes.pop(name) for name in ("link", "image", "data") if name in changes}}
    return {**email(), "channel": "push", "sender": {}, "locales": {"en": locale}, **changes}


def content(body: dict[str, Any]) -> Content:
    """The body as rendering takes it."""
    return compose_body("letter", parse(TemplateBody, body))


def source(**changes: Any) -> dict[str, Any]:
    """A content source: places near a city, asked of a service; on_missing: skip."""
    return {
        "title": "Places nearby",
        "type": "http",
        "inputs": {"city": {"source": "attribute.city", "sample": "Bristol"}},
        "http": {"url": "https://places.example.com/v1/near?city={{ city }}", "secret": "PLACES_TOKEN"},
        "response": {"best": {"path": "places[0].title"}, "places": {"path": "places", "type": "list"}},
        **changes,
    }
