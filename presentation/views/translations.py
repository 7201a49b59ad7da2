"""The translation desk: each text beside its translation, with what the message looks like; and the files that go to translators."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from governance.door import (
    Body,
    ConsoleRequest,
    DocumentView,
    Finding,
    Invalid,
    Role,
    Stale,
    allow,
    console_page,
    document,
    document_context,
    revision,
    save,
)
from presentation.documents import TemplateBody
from presentation.locales import chain, direction
from presentation.template_places import language
from presentation.translation.exchange import MAX_BYTES, Heard, Incoming, State
from presentation.translation.importing import BOTH, SUFFIXES, Format, Outcome, export, locale_to, merge, take_in
from presentation.translation.literals import expressions_in
from presentation.translation.pieces import Piece, pieces
from presentation.translation.records import STATUSES
from presentation.translation.units import Unit, units, with_texts

TEMPLATE = "template"
LOOKS = {
    "missing": ("danger", "circle-dashed"),
    "stale": ("caution", "history"),
    "draft": ("info", "circle-half"),
    "reviewed": ("good", "circle-check"),
}
_TYPES = {"po": "text/x-gettext-translation; charset=utf-8", "xliff": "application/xliff+xml"}


@dataclass(frozen=True, slots=True)
class Chip:
    """What a translation must hold: its words on the chip, and what a press puts into the text."""

    words: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One unit as the desk draws it. shown: what stands in its field; theirs: what somebody else wrote meanwhile."""

    unit: Unit
    label: str
    cut: Sequence[Piece]
    chips: Sequence[Chip]
    shown: str
    right: bool
    reviewed: bool
    faults: Sequence[Finding]
    theirs: str | None
    tone: str
    icon: str


@console_page()
def translations(request: ConsoleRequest, key: str) -> HttpResponse:
    """How far each language is; a POST takes a translators' file, and `?tag=` leads to the desk of a language that was typed."""
    view = document(request.actor.workspace_id, TEMPLATE, key)
    if tag := request.GET.get("tag", "").strip():
        return redirect("presentation:translation", key=key, tag=locale_to(view.latest.model, tag))
    told: dict[str, Any] = {}
    if request.method == "POST":
        allow(request.actor, Role.AUTHOR, "documents:write")
        told = _taken_in(request, key)
        view = document(request.actor.workspace_id, TEMPLATE, key)
    body: TemplateBody = view.latest.model
    rows = [_progress(body, tag) for tag in sorted(body.locales) if tag != body.default_locale]
    context: dict[str, Any] = {**document_context(request, view, "edit"), "body": body, "rows": rows}
    context |= {"formats": BOTH, "default": language(body.default_locale), **told}
    return render(request, "presentation/translations.html", context, status=422 if "refused" in told else 200)


def _taken_in(request: ConsoleRequest, key: str) -> dict[str, Any]:
    """What became of a file."""
    file = request.FILES.get("file")
    if file is None:
        return {"refused": [Finding("error", "", "no file", "a PO or XLIFF file as it was exported")]}
    try:
        outcome = take_in(request.actor, key, file.read(MAX_BYTES + 1), now=timezone.now())
    except Invalid as invalid:
        return {"refused": invalid.findings}
    return {"outcome": outcome, "tag": outcome.tag, "language": language(outcome.tag)}


def _progress(body: TemplateBody, tag: str) -> dict[str, Any]:
    counts = Counter(unit.status for unit in units(body, tag))
    steps = [step for step in chain(tag) if step in body.locales and step != tag]
    behind = [other for step in chain(tag) for other in body.fallbacks.get(step, ())]
    return {
        "tag": tag,
        "language": language(tag),
        "counts": [(name, *LOOKS[name], counts[name]) for name in STATUSES],
        "all": counts.total(),
        "done": counts["draft"] + counts["reviewed"],
        "behind": list(dict.fromkeys([*steps, *behind, body.default_locale])),
    }


@console_page()
def file(request: ConsoleRequest, key: str, tag: str) -> HttpResponse:
    """The file for translators, as `?format=` says."""
    latest = document(request.actor.workspace_id, TEMPLATE, key).latest
    asked = request.GET.get("format", "xliff")
    if asked not in BOTH:
        raise Invalid([Finding("error", "/format", asked[:20], "xliff or po")])
    format: Format = asked
    data = export(latest.model, key, latest.number, tag, format)
    response = HttpResponse(data, content_type=_TYPES[format])
    response["Content-Disposition"] = f'attachment; filename="{key}.{locale_to(latest.model, tag)}.{SUFFIXES[format]}"'
    return response


@console_page()
def translation(request: ConsoleRequest, key: str, tag: str) -> HttpResponse:
    """The desk of one language: every text beside its translation; a POST saves them as a draft."""
    view = document(request.actor.workspace_id, TEMPLATE, key)
    tag = locale_to(view.latest.model, tag)
    if request.method != "POST":
        return _desk(request, view, tag)
    allow(request.actor, Role.AUTHOR, "documents:write")
    try:
        outcome = _posted(request, view, tag)
        if outcome.conflicts:
            return _desk(request, view, tag, conflicts=outcome.conflicts, status=409)
        number = _saved(request, view, outcome, tag)
    except Invalid as invalid:
        return _desk(request, view, tag, faults=invalid.findings, status=422)
    except Stale:  # in this very moment
        latest = document(request.actor.workspace_id, TEMPLATE, key)
        return _desk(request, latest, tag, conflicts=[unit.id for unit in units(latest.latest.model, tag)], status=409)
    messages.success(request, f"Saved as revision {number}." if number else "Nothing to save: the draft is the same.", extra_tags="saved")
    return redirect("presentation:translation", key=key, tag=tag)


def _saved(request: ConsoleRequest, view: DocumentView, outcome: Outcome, tag: str) -> int | None:
    if not outcome.changed and not outcome.confirmed:
        return None
    note = request.POST.get("note", "") or f"Translation to {tag}"
    return save(request.actor, TEMPLATE, view.key, outcome.body, base=view.latest.number, note=note, now=timezone.now()).number


def _posted(request: ConsoleRequest, view: DocumentView, tag: str) -> Outcome:
    """What the desk's fields make of the latest draft, compared with the revision that they were filled from. Raises Invalid."""
    number = request.POST.get("base", "")
    base = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else view.latest.number
    before = view.latest if base == view.latest.number else revision(request.actor.workspace_id, TEMPLATE, view.key, base)
    known = {unit.id: unit for unit in units(before.model, tag)}
    heard = {id: _heard(request.POST, unit) for id, unit in known.items() if f"text:{id}" in request.POST}
    incoming = Incoming(view.key, base, before.model.default_locale, tag, heard)
    return merge(view.latest.body, view.latest.model, incoming, {id: unit.text for id, unit in known.items()}, whole=True)


def _heard(given: Mapping[str, str], unit: Unit) -> Heard:
    text = given[f"text:{unit.id}"].replace("\r\n", "\n")
    state: State = ""
    if f"reviewed:{unit.id}" in given:
        state = "reviewed"
    elif text != unit.text or unit.status == "missing" or f"right:{unit.id}" in given:
        state = "draft"
    return Heard(unit.source, text, state)


def posted_at_desk(request: ConsoleRequest) -> Body:
    """The template that the desk's fields describe, for looks over somebody's shoulder. Raises Invalid, Missing."""
    latest = document(request.actor.workspace_id, TEMPLATE, request.POST.get("look_key", "")).latest
    tag = locale_to(latest.model, request.POST.get("desk", ""))
    given = {unit.id: request.POST.get(f"text:{unit.id}", "").replace("\r\n", "\n") for unit in units(latest.model, tag)}
    return with_texts(latest.body, latest.model, tag, {id: text for id, text in given.items() if text.strip()})


def _desk(
    request: ConsoleRequest,
    view: DocumentView,
    tag: str,
    *,
    faults: Sequence[Finding] = (),
    conflicts: Sequence[str] = (),
    status: int = 200,
) -> HttpResponse:
    body: TemplateBody = view.latest.model
    rows = [_row(unit, request.POST, faults, unit.id in conflicts) for unit in units(body, tag)]
    counts = Counter(row.unit.status for row in rows)
    placed = {f"/units/{row.unit.id}" for row in rows}
    context = {
        **document_context(request, view, "edit"),
        "tag": tag,
        "language": language(tag),
        "source": body.default_locale,
        "source_language": language(body.default_locale),
        "source_direction": direction(body.default_locale),
        "direction": direction(tag),
        "rows": rows,
        "conflicts": conflicts,
        "faults": faults,
        "elsewhere": [fault for fault in faults if fault.path not in placed],
        "counts": [(name, *LOOKS[name], counts[name]) for name in STATUSES],
        "all": len(rows),
        "base": view.latest.number,
        "formats": BOTH,
        "others": [(each, language(each)) for each in sorted(body.locales) if each not in (tag, body.default_locale)],
        "address": reverse("presentation:translation", args=[view.key, tag]),
    }
    return render(request, "presentation/translation_desk.html", context, status=status)


def _row(unit: Unit, given: Mapping[str, str], faults: Sequence[Finding], conflict: bool) -> Row:
    kept = given.get(f"text:{unit.id}")
    usual = "" if unit.status == "missing" else unit.text
    shown = usual if kept is None else kept
    cut = pieces(unit.source, unit.look)
    field = "" if unit.block and unit.field in {"text", "label"} else unit.field.replace("_", " ")
    label = ", ".join(filter(None, [unit.block, field])).capitalize()
    return Row(
        unit,
        label,
        cut,
        _chips(unit.source, cut),
        shown,
        f"right:{unit.id}" in given,
        f"reviewed:{unit.id}" in given,
        [fault for fault in faults if fault.path == f"/units/{unit.id}"],
        unit.text if conflict and shown.replace("\r\n", "\n") != unit.text else None,
        *LOOKS[unit.status],
    )


def _chips(source: str, cut: Sequence[Piece]) -> list[Chip]:
    expressions = [Chip(each[2:-2].strip(), each) for each in dict.fromkeys(expressions_in(_without_links(cut)))]
    links = [Chip(piece.text[2:-1], f"[…{piece.text}") for piece in cut if piece.kind == "close" and piece.needed]
    marks = [Chip(piece.text, piece.text) for piece in cut if piece.kind == "mark" and piece.needed]
    return [*expressions, *links, *marks]


def _without_links(cut: Sequence[Piece]) -> str:
    """The text but for what belongs to a link's address, whose chip holds it."""
    return "".join(piece.text for piece in cut if piece.kind in {"words", "expression"})
