"""Editing a document on a console page: decode the form, take a step or save, keep everything when something is wrong."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone

from governance import kinds
from governance.access import ConsoleRequest
from governance.canonical import canonical
from governance.difference import difference
from governance.findings import Finding, Invalid, Stale, shorten
from governance.form_bodies import read_body, take_step
from governance.models import Document
from governance.pages import document_address, document_context, list_address, pages_of, title_of_many
from governance.reading import DocumentView, document, revision
from governance.revisions import save
from governance.roles import allow
from governance.yaml_files import read as read_yaml
from governance.yaml_files import write as write_yaml

Make = Callable[[str, str, Any], Any]
Adjust = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass
class Edit:
    """One request to an editor. response: what to answer at once; otherwise the caller draws `body` in its own form.

    base: the revision number this edit started from; faults: what the schema said to the last save; dirty: not saved as shown.
    """

    kind: str
    key: str
    body: dict[str, Any]
    base: int | None
    view: DocumentView | None = None
    faults: Sequence[Finding] = ()
    dirty: bool = False
    source: str | None = None
    response: HttpResponse | None = None
    status: int = 200
    context: dict[str, Any] = field(default_factory=dict)

    @property
    def fault_at(self) -> dict[str, Finding]:
        """The first fault of each place."""
        return {fault.path: fault for fault in reversed(self.faults)}


def edit(request: ConsoleRequest, kind_name: str, key: str | None, *, make: Make | None = None, adjust: Adjust = lambda body: body) -> Edit:
    """Answer a GET or POST of an editor's page. key: None for a new document.

    make(path, what, body): the item that an `add` step puts in; adjust: repairs a decoded body after a step.
    A POST carries `do` (a step) or saves. Raises Missing and Refused.
    """
    sort = kinds.kind(kind_name)
    view = document(request.actor.workspace_id, kind_name, key) if key else None
    if request.method != "POST":
        current = _opened(request, kind_name, key, view)
        current.context = _context(request, current)
        return current
    allow(request.actor, sort.save_role, "documents:write")
    current = _posted(request, kind_name, key, view)
    if current.response is None:
        _act(request, current, make, adjust)
    current.context = _context(request, current)
    return current


def _opened(request: ConsoleRequest, kind_name: str, key: str | None, view: DocumentView | None) -> Edit:
    if view is None:
        allow(request.actor, kinds.kind(kind_name).save_role, "documents:write")
        return Edit(kind_name, "", dict(pages_of(kind_name).starter), None)
    source = write_yaml(view.latest.body).decode() if request.GET.get("as") == "yaml" else None
    return Edit(kind_name, view.key, view.latest.body, view.latest.number, view, source=source)


def _posted(request: ConsoleRequest, kind_name: str, key: str | None, view: DocumentView | None) -> Edit:
    """What the form says, before anything is done with it."""
    asked = request.POST
    number = asked.get("base", "")
    base = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None
    edit = Edit(kind_name, key or asked.get("key", "").strip(), {}, base, view, dirty=True)
    kept, source = asked.get("kept"), asked.get("source")
    try:
        if kept is not None:
            pairs = [(str(name), str(value)) for name, value in json.loads(kept)]
            edit.source = dict(pairs).get("source")
            edit.body = _read_source(edit.source) if edit.source is not None else read_body(pairs)
            edit.key = edit.key or dict(pairs).get("key", "")
        elif source is not None:
            edit.source = source
            edit.body = _read_source(source)
        else:
            edit.body = read_body((name, value) for name, values in asked.lists() for value in values[-1:])
    except (Invalid, ValueError, TypeError) as error:
        found = error.findings if isinstance(error, Invalid) else [Finding("error", "", "unreadable fields", "what this page sent")]
        edit.faults, edit.status = tuple(found), 422
    return edit


def _read_source(source: str) -> dict[str, Any]:
    body = read_yaml(source.encode("utf-8", "replace"))
    if not isinstance(body, dict):
        raise Invalid([Finding("error", "", shorten(body), "the fields of the document, one `name: value` a line")])
    return body


def _act(request: ConsoleRequest, edit: Edit, make: Make | None, adjust: Adjust) -> None:
    step = request.POST.get("do", "save")
    if edit.faults or step in {"keep", "resume"} or request.POST.get("kept") is not None:
        edit.body = adjust(edit.body) if not edit.faults else edit.body
        return
    try:
        if step == "as-yaml":
            edit.source = write_yaml(edit.body).decode()
        elif step == "as-form":
            edit.source = None
        elif step == "save":
            _save(request, edit)
        elif step == "look":
            edit.body = adjust(edit.body)
        else:
            edit.body = adjust(take_step(edit.body, step, make))
    except Invalid as error:
        edit.faults, edit.status = error.findings, 422


def _save(request: ConsoleRequest, edit: Edit) -> None:
    """Save and go to the saved document; a stale edit gets the page that shows both sides and loses nothing."""
    key = edit.key or slug(str(edit.body.get("title", "")))
    edit.key = key
    try:
        if edit.base is None and edit.view is None:
            _refuse_taken(request, edit.kind, key)
        saved = save(request.actor, edit.kind, key, edit.body, base=edit.base, note=request.POST.get("note", ""), now=timezone.now())
    except Stale as stale:
        edit.response = _stale(request, edit, stale)
        return
    before = edit.view.latest.number if edit.view else None
    words = "Nothing to save: the draft is the same." if saved.number == before else f"Saved as revision {saved.number}."
    messages.success(request, words)
    edit.response = saved_redirect(request, document_address(edit.kind, key) + ("?as=yaml" if edit.source is not None else ""))


def _refuse_taken(request: ConsoleRequest, kind_name: str, key: str) -> None:
    if key and Document.objects.filter(workspace_id=request.actor.workspace_id, kind=kind_name, key=key).exists():
        title = kinds.kind(kind_name).title.lower()
        raise Invalid([Finding("error", "/key", key, f"a key that no other {title} has")])


def saved_redirect(request: ConsoleRequest, address: str) -> HttpResponse:
    """A redirect that htmx follows as a page, too."""
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def _stale(request: ConsoleRequest, edit: Edit, stale: Stale) -> HttpResponse:
    """Both sides of an edit that somebody overtook: what they changed, what you changed, and your whole text."""
    view = document(request.actor.workspace_id, edit.kind, edit.key)
    base = revision(request.actor.workspace_id, edit.kind, edit.key, edit.base).body if edit.base else {}
    mine = difference(base, edit.body)
    theirs = {str(change["path"]) for change in stale.difference}
    context = {
        **document_context(request, view, "edit"),
        "base": edit.base,
        "theirs": stale.difference,
        "mine": mine,
        "both": sorted(change.path for change in mine if change.path in theirs),
        "latest": view.latest,
        "body": canonical(edit.body),
        "latest_text": write_yaml(view.latest.body).decode(),
        "my_text": write_yaml(edit.body).decode(),
        "note": request.POST.get("note", ""),
        "address": document_address(edit.kind, edit.key),
    }
    return render(request, "governance/stale.html", context, status=409)


def _context(request: ConsoleRequest, edit: Edit) -> dict[str, Any]:
    sort = kinds.kind(edit.kind)
    common = {"edit": edit, "body": edit.body, "base": edit.base, "faults": edit.faults, "kind": sort, "pages": pages_of(edit.kind)}
    if edit.view is not None:
        return {**document_context(request, edit.view, "edit"), **common}
    return {
        **common,
        "title": f"New {sort.title.lower()}",
        "trail": [{"title": title_of_many(edit.kind), "href": list_address(edit.kind)}],
        "may_edit": request.actor.role.covers(sort.save_role),
        "new": True,
    }


def draw(request: ConsoleRequest, edit: Edit, template: str, partial: str, extra: dict[str, Any] | None = None) -> HttpResponse:
    """The editor's page, or for an htmx step only its form."""
    if edit.response is not None:
        return edit.response
    name = partial if request.headers.get("HX-Request") == "true" else template
    return render(request, name, {**edit.context, **(extra or {})}, status=edit.status)


def slug(title: str) -> str:
    """A key made from a title: "Spring Sale 2026!" → "spring-sale-2026"."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:80]
