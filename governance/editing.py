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
from governance.canonical import canonical, normal
from governance.difference import difference
from governance.findings import Finding, Invalid, Stale, parse, shorten
from governance.form_bodies import focus_after, read_body, take_step
from governance.merging import merged
from governance.models import Document
from governance.pages import document_address, document_context, list_address, pages_of, title_of_many
from governance.reading import DocumentView, document, revision
from governance.revisions import save
from governance.roles import allow
from governance.submitted import submitted
from governance.yaml_files import read as read_yaml
from governance.yaml_files import write as write_yaml

Body = dict[str, Any]
NOTATIONS = ("yaml", "json")


def _same(body: Body) -> Body:
    return body


@dataclass(frozen=True, slots=True)
class Editor:
    """How one kind is edited. to_form and to_body: between a body and what its form holds; make(path, what, form): a new item.

    steps(step, form): the form after a step of this kind's own, None for the usual ones;
    focus(step, before, after): the id of what has the focus after a step that turned the one form into the other;
    place(path, form): a fault's pointer in the body → the pointer of its field in the form;
    label(path, form): what the editor calls that field, "" where it has no better words than the pointer's;
    begin: what a new document begins with here, in the place of what its kind says.
    """

    kind: str
    to_form: Callable[[Body], Body] = _same
    to_body: Callable[[Body], Body] = _same
    make: Callable[[str, str, Body], Any] | None = None
    steps: Callable[[str, Body], Body | None] = lambda step, form: None
    focus: Callable[[str, Body, Body], str] = lambda step, before, after: focus_after(step, after)
    place: Callable[[str, Body], str] = lambda path, form: path
    label: Callable[[str, Body], str] = lambda path, form: ""
    begin: Body | None = None


@dataclass
class Edit:
    """One request to an editor. response: what to answer at once; otherwise the caller draws `form`.

    base: the revision number this edit started from; faults: what the schema said to the last save; dirty: not saved as shown;
    written: what `source` says, word for word; whole: what the form, as it is drawn first, must come back as.
    """

    editor: Editor
    key: str
    form: Body
    base: int | None
    view: DocumentView | None = None
    faults: Sequence[Finding] = ()
    dirty: bool = False
    source: str | None = None
    written: Body = field(default_factory=dict)
    whole: Body | None = None
    response: HttpResponse | None = None
    status: int = 200
    focus: str = ""
    context: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The kind's name."""
        return self.editor.kind

    @property
    def body(self) -> Body:
        """The document that the form describes; a text is its own description."""
        return self.editor.to_body(self.form) if self.source is None else self.written

    @property
    def notation(self) -> str:
        """How the document stands in `source`: "yaml" or "json"; "" while it is shown as a form."""
        return "" if self.source is None else "json" if self.source.lstrip().startswith("{") else "yaml"

    @property
    def fault_at(self) -> dict[str, Finding]:
        """The first fault of each field of the form."""
        return {fault.path: fault for fault in reversed(self.faults)}

    @property
    def labels(self) -> dict[str, str]:
        """What the editor calls each field that is at fault."""
        return {fault.path: self.editor.label(fault.path, self.form) for fault in self.faults}


def edit(request: ConsoleRequest, editor: Editor, key: str | None) -> Edit:
    """Answer a GET or POST of an editor's page; key: None for a new document. A POST carries `do` (a step) or saves.

    Raises Missing and Refused.
    """
    view = document(request.actor.workspace_id, editor.kind, key) if key else None
    if request.method != "POST":
        current = _opened(request, editor, view)
    else:
        allow(request.actor, kinds.kind(editor.kind).save_role, "documents:write")
        current = _posted(request, editor, key, view)
        if not current.faults:
            _act(request, current)
        current.dirty = bool(current.faults) or _differs(current)
    current.context = _context(request, current)
    return current


def posted_body(request: ConsoleRequest, editor: Editor) -> Body:
    """The body that a posted form describes, for counts and previews that look over the editor's shoulder. Raises Invalid."""
    source = request.POST.get("source")
    if source is not None:
        return _read_source(source)
    return editor.to_body(_read_form(request))


def in_words(request: ConsoleRequest, editor: Editor, faults: Sequence[Finding]) -> list[Finding]:
    """The faults of a posted form, each with what the editor calls its field in the place of its pointer, for looks beside the form."""
    try:
        form = {} if "source" in request.POST else _read_form(request)
    except Invalid:
        form = {}
    words = {each.path: editor.label(editor.place(each.path, form), form) for each in faults} if form else {}
    return [Finding(each.level, words.get(each.path) or each.path, each.found, each.expected) for each in faults]


def _opened(request: ConsoleRequest, editor: Editor, view: DocumentView | None) -> Edit:
    if view is None:
        allow(request.actor, kinds.kind(editor.kind).save_role, "documents:write")
        return Edit(editor, "", editor.to_form(dict(editor.begin or pages_of(editor.kind).starter)), None)
    asked = request.GET.get("as", "")
    body = view.latest.body
    source = _as_text(body, asked) if asked in NOTATIONS else None
    return Edit(editor, view.key, editor.to_form(body), view.latest.number, view, source=source, written=body, whole=body)


def _posted(request: ConsoleRequest, editor: Editor, key: str | None, view: DocumentView | None) -> Edit:
    """What the form says, before anything is done with it."""
    asked = request.POST
    number = asked.get("base", "")
    base = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None
    current = Edit(editor, key or asked.get("key", "").strip(), {}, base, view, dirty=True)
    kept, source = asked.get("kept"), asked.get("source")
    try:
        if kept is not None:
            pairs = [(str(name), str(value)) for name, value in json.loads(kept)]
            source = dict(pairs).get("source")
            current.key = current.key or dict(pairs).get("key", "")
            current.form = read_body(pairs)
        else:
            current.form = _read_form(request)
        if source is not None:
            current.source = source
            current.written = _read_source(source)
            current.form = editor.to_form(current.written)
    except (Invalid, ValueError, TypeError) as error:
        found = error.findings if isinstance(error, Invalid) else [Finding("error", "", "unreadable fields", "what this page sent")]
        current.faults, current.status = tuple(found), 422
    return current


def _as_text(body: Body, notation: str) -> str:
    return json.dumps(body, ensure_ascii=False, indent=2) + "\n" if notation == "json" else write_yaml(body).decode()


def _read_form(request: ConsoleRequest) -> Body:
    return read_body((name, value) for name, values in request.POST.lists() for value in values[-1:])


def _read_source(source: str) -> Body:
    body = read_yaml(source.encode("utf-8", "replace"))
    if not isinstance(body, dict):
        raise Invalid([Finding("error", "", shorten(body), "the fields of the document, one `name: value` a line")])
    return body


def _act(request: ConsoleRequest, current: Edit) -> None:
    step = request.POST.get("do", "save") if request.POST.get("kept") is None else "look"
    try:
        if step in ("as-yaml", "as-json"):
            current.written = current.body
            current.source = _as_text(current.written, step.removeprefix("as-"))
        elif step == "as-form" and current.source is not None:
            current.source, current.whole = None, current.written
        elif step == "save":
            _save(request, current)
        elif step != "look":
            before, own = current.form, current.editor.steps(step, current.form)
            current.form = take_step(before, step, current.editor.make) if own is None else own
            current.focus = current.editor.focus(step, before, current.form)
    except Invalid as error:
        current.faults = tuple(_placed(current, fault) for fault in error.findings)
        current.status = 422


def _differs(current: Edit) -> bool:
    """Whether the form says something else than what it started from: a look at another language or at the source changes nothing."""
    if current.response is not None:
        return False
    latest = current.view.latest if current.view else None
    if (latest.number if latest else None) != current.base:
        return True
    editor = current.editor
    before = latest.body if latest else editor.to_body(editor.to_form(dict(editor.begin or pages_of(current.kind).starter)))
    try:
        return canonical(current.body) != canonical(before)
    except (Invalid, TypeError, ValueError):
        return True


def _placed(current: Edit, fault: Finding) -> Finding:
    """The fault at its field in the form; in the text, where it is."""
    path = current.editor.place(fault.path, current.form) if current.source is None else fault.path
    return Finding(fault.level, path, fault.found, fault.expected)


def _save(request: ConsoleRequest, current: Edit) -> None:
    """Save and go to the saved document; a stale edit gets the page that shows both sides and loses nothing."""
    body = current.body
    key = current.key = current.key or slug(str(body.get("title", "")))
    if not key:
        raise Invalid(_keyless(current.kind, body))
    try:
        if current.base is None and current.view is None:
            _refuse_taken(request, current.kind, key)
        saved = save(request.actor, current.kind, key, body, base=current.base, note=request.POST.get("note", ""), now=timezone.now())
    except Stale as stale:
        current.response = _stale(request, current, stale)
        return
    before = current.view.latest.number if current.view else None
    words = "Nothing to save: the draft is the same." if saved.number == before else f"Saved as revision {saved.number}."
    messages.success(request, words, extra_tags="saved")
    address = document_address(current.kind, key) + (f"?as={current.notation}" if current.notation else "")
    current.response = saved_redirect(request, address)


def _keyless(kind_name: str, body: Body) -> list[Finding]:
    """What is wrong with a new document of which no key can be made: everything that the schema says, and the title or the key."""
    try:
        parse(kinds.kind(kind_name).schema, body)
        found: list[Finding] = []
    except Invalid as error:
        found = list(error.findings)
    if str(body.get("title", "")).strip():
        return [Finding("error", "/key", "nothing", "a key: none can be made from this title"), *found]
    named = any(finding.path == "/title" for finding in found)
    return found if named else [Finding("error", "/title", "nothing", "a title"), *found]


def _refuse_taken(request: ConsoleRequest, kind_name: str, key: str) -> None:
    if key and Document.objects.filter(workspace_id=request.actor.workspace_id, kind=kind_name, key=key).exists():
        title = kinds.kind(kind_name).title.lower()
        raise Invalid([Finding("error", "/key", key, f"a key that no other {title} has")])


def saved_redirect(request: ConsoleRequest, address: str) -> HttpResponse:
    """A redirect that htmx follows as a page, too."""
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def _stale(request: ConsoleRequest, current: Edit, stale: Stale) -> HttpResponse:
    """Both sides of an edit that somebody overtook: what they changed, what you changed, and your whole text."""
    view = document(request.actor.workspace_id, current.kind, current.key)
    base = revision(request.actor.workspace_id, current.kind, current.key, current.base).body if current.base else {}
    mine = difference(base, current.body)
    theirs = {str(change["path"]) for change in stale.difference}
    context = {
        **document_context(request, view, "edit"),
        "base": current.base,
        "theirs": stale.difference,
        "mine": mine,
        "both": sorted(change.path for change in mine if change.path in theirs),
        "latest": view.latest,
        "body": canonical(current.body),
        "merged": canonical(merged(base, view.latest.body, current.body)),
        "latest_text": write_yaml(view.latest.body).decode(),
        "my_text": write_yaml(current.body).decode(),
        "note": request.POST.get("note", ""),
        "address": document_address(current.kind, current.key),
    }
    return render(request, "governance/stale.html", context, status=409)


def _context(request: ConsoleRequest, current: Edit) -> dict[str, Any]:
    sort = kinds.kind(current.kind)
    common = {
        "edit": current,
        "form": current.form,
        "base": current.base,
        "faults": current.faults,
        "kind": sort,
        "pages": pages_of(current.kind),
    }
    if current.view is not None:
        return {**document_context(request, current.view, "edit"), **common}
    return {
        **common,
        "title": f"New {sort.title.lower()}",
        "trail": [{"title": title_of_many(current.kind), "href": list_address(current.kind)}],
        "may_edit": request.actor.role.covers(sort.save_role),
        "new": True,
    }


def draw(request: ConsoleRequest, current: Edit, template: str, partial: str, extra: dict[str, Any] | None = None) -> HttpResponse:
    """The editor's page, or for an htmx step only its form, with the focus where the step ended."""
    if current.response is not None:
        return current.response
    stepping = request.headers.get("HX-Request") == "true"
    response = _drawn(request, current, partial if stepping else template, extra or {})
    if stepping:
        told: dict[str, Any] = {"document-changed": {}}
        if current.focus:
            told["focus-on"] = {"id": current.focus}
        response.headers["HX-Trigger-After-Settle"] = json.dumps(told)
    return response


def _drawn(request: ConsoleRequest, current: Edit, template: str, extra: dict[str, Any]) -> HttpResponse:
    """The page, with the form if that says all of the document and nothing else; a document of which that isn't so is shown as text."""
    response = render(request, template, {**current.context, **extra}, status=current.status)
    if current.source is not None or current.whole is None or not current.context.get("may_edit"):
        return response
    lost = _lost(current.editor, current.whole, response.content.decode())
    if lost is None:
        return response
    current.source, current.written = _as_text(current.whole, "yaml"), current.whole
    current.dirty = _differs(current)
    current.faults = (
        *current.faults,
        Finding("note", lost, "something that the form can’t show", "an edit of the text, in which it stays as it is"),
    )
    return render(request, template, {**current.context, **extra, "faults": current.faults}, status=current.status)


def _lost(editor: Editor, whole: Body, page: str) -> str | None:
    """Where the form on the page, sent as it is, would say something else than this body; None where it says the same."""
    try:
        back = normal(editor.to_body(read_body(submitted(page))))
    except Invalid as error:
        return error.findings[0].path
    said = normal(whole)
    return None if canonical(back) == canonical(said) else next((change.path for change in difference(said, back)), "")


def slug(title: str) -> str:
    """A key made from a title: "Spring Sale 2026!" → "spring-sale-2026"."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:80]
