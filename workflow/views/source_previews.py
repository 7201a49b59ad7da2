"""A content source tried: what it says for somebody, or for the samples of its inputs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from governance import door as governance
from governance.door import ConsoleRequest, Invalid, console_page, document_context
from presentation.door import ContentSourceBody, Source, Told
from workflow import services
from workflow.views.previews import person_of

KIND = "content_source"
LONGEST = 4_000  # characters of one value that are shown


@dataclass(frozen=True, slots=True)
class Shown:
    """A field as the page shows it. words: "" where there is nothing."""

    name: str
    type: str
    words: str
    stood_in: bool


@console_page()
def source_preview(request: ConsoleRequest, key: str) -> HttpResponse:
    """Ask it, as drafted or as an earlier revision; for somebody only to those who are told what is personal."""
    workspace_id, asked = request.actor.workspace_id, request.GET
    view = governance.document(workspace_id, KIND, key)
    number = asked.get("revision", "")
    shown = (
        governance.revision(workspace_id, KIND, key, int(number))
        if number.isascii() and number.isdigit() and len(number) < 9
        else view.latest
    )
    context: dict[str, Any] = {**document_context(request, view, "preview"), "revision": shown, "asked": asked}
    person = person_of(request, asked.get("person", ""))
    context |= {"person": person, "stranger": bool(asked.get("person")) and person is None, "hidden": services.hidden(person)}
    try:
        body: ContentSourceBody = shown.model
        if not services.hidden(person):
            told = services.try_one(Source(workspace_id, key, shown.id, body), person)
            context |= {"told": told, "fields": list(_fields(body, told))}
    except Invalid as error:
        context["unfinished"] = error.findings
    return render(request, "workflow/source_preview.html", context)


def _fields(body: ContentSourceBody, told: Told) -> Iterator[Shown]:
    for name, field in body.response.items():
        value = told.values.get(name)
        plain = (
            value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2, default=str) if value is not None else ""
        )
        yield Shown(name, field.type, plain[:LONGEST], name in told.stood_in)
