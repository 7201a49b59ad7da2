"""Templates: what do we say?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, get_args

from django.http import HttpResponse
from django.shortcuts import render

from governance.door import (
    ConsoleRequest,
    Edit,
    Editor,
    Finding,
    Invalid,
    Role,
    console_page,
    documents,
    draw,
    edit,
    list_context,
    listed,
    mapped,
    titles,
    used_by,
)
from presentation import template_forms, template_places
from presentation.documents import MessageClass, TemplateBody, Tracking
from presentation.filters import FILTERS
from presentation.parts import PROFILE_FIELDS
from presentation.template_forms import BLOCKS, IN_COLUMNS, PLACING, BlockField
from presentation.theme import FONTS, Theme
from presentation.values import VariableType

TEMPLATE = "template"
CLASS_WORDS = {
    "promotional": "Promotional: only to people who subscribed to the topic",
    "service": "Service: unless they unsubscribed",
    "transactional": "Transactional: because somebody did something",
}


def template_editor(shown: str = "") -> Editor:
    """How templates are edited. shown: the locale whose blocks are fields."""
    return Editor(
        TEMPLATE,
        to_form=lambda body: template_forms.to_form(body, shown),
        to_body=template_forms.to_body,
        make=template_forms.make,
        steps=template_forms.steps,
        place=template_places.place,
        label=template_places.label,
    )


@console_page()
def templates(request: ConsoleRequest) -> HttpResponse:
    """The gallery: thumbnails, locales, who uses them."""
    context = list_context(request, TEMPLATE)
    users = used_by(request.actor.workspace_id, TEMPLATE)
    called = titles(request.actor.workspace_id, chain.from_iterable(users.values())) if users else {}
    context["cards"] = [_card(view, [called[user] for user in users.get(view.key, ())]) for view in context["documents"]]
    return render(request, "presentation/template_list.html", context)


def _card(view: Any, users: Sequence[str]) -> dict[str, Any]:
    try:
        body: TemplateBody | None = view.latest.model
    except Invalid:
        body = None
    words = body.locales.get(body.default_locale) if body else None
    return {
        "document": view,
        "body": body,
        "text": getattr(words, "text", None) or "",
        "locales": _completeness(body) if body else [],
        "users": users,
    }


def _completeness(body: TemplateBody) -> list[tuple[str, bool]]:
    """Each locale, and whether it has every block of the default one."""
    wanted = {block.id for block in body.locales[body.default_locale].blocks} if body.default_locale in body.locales else set()
    return [(tag, wanted <= {block.id for block in locale.blocks}) for tag, locale in sorted(body.locales.items())]


@console_page(Role.AUTHOR)
def new_template(request: ConsoleRequest) -> HttpResponse:
    """The editor with a small letter to start from."""
    return _draw(request, edit(request, template_editor(), None))


@console_page()
def template(request: ConsoleRequest, key: str) -> HttpResponse:
    """The editor on the left, the live preview on the right."""
    return _draw(request, edit(request, template_editor(request.GET.get("locale", "")), key))


@dataclass(frozen=True, slots=True)
class ShownField:
    """One field of a block with what the block says."""

    field: BlockField
    name: str
    id: str
    value: Any
    given: bool
    fault: Finding | None


@dataclass(frozen=True, slots=True)
class ShownBlock:
    """One block as the template draws it."""

    path: str
    block: Mapping[str, Any]
    look: Any
    number: str
    first: bool
    last: bool
    fields: Sequence[ShownField] = ()
    aside: Sequence[ShownField] = ()
    placing: Sequence[ShownField] = ()
    columns: Sequence[tuple[str, Sequence[ShownBlock]]] = ()
    fault: Finding | None = None
    offered: Sequence[tuple[str, Any]] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class _Around:
    """What all blocks of a form are drawn with: its faults, and its variables that are lists."""

    faults: Mapping[str, Finding]
    lists: Sequence[str]


def _blocks(blocks: Any, path: str, around: _Around, offered: Sequence[str], number: str = "") -> list[ShownBlock]:
    listed = blocks if isinstance(blocks, list) else []
    return [_block(block, f"{path}/{at}", at, len(listed), around, offered, f"{number}{at + 1}") for at, block in enumerate(listed)]


def _block(block: Any, path: str, at: int, many: int, around: _Around, offered: Sequence[str], number: str) -> ShownBlock:
    said = block if isinstance(block, Mapping) else {}
    look = BLOCKS.get(str(said.get("type", "")))
    columns = said.get("columns") if isinstance(said.get("columns"), list) else []
    shown = [_field(each, said, path, around.faults) for each in (look.fields if look else ())]
    placing = [_placing(each, said, path, around) for each in PLACING] if said.get("type") != "footer" else []
    return ShownBlock(
        path=path,
        block=said,
        look=look,
        number=number,
        first=at == 0,
        last=at == many - 1,
        fields=[each for each in shown if not each.field.aside],
        aside=[each for each in shown if each.field.aside],
        placing=placing,
        columns=[
            (f"{path}/columns/{place}", _blocks(column, f"{path}/columns/{place}", around, IN_COLUMNS, f"{number}.{place + 1}."))
            for place, column in enumerate(columns or ())
        ],
        fault=around.faults.get(path),
        offered=[(name, BLOCKS[name]) for name in offered],
    )


def _placing(each: BlockField, said: Mapping[str, Any], path: str, around: _Around) -> ShownField:
    if each.name != "repeat/over":
        return _field(each, said, path, around.faults)
    named = str(mapped(said.get("repeat")).get("over") or "")
    lists = [*around.lists, *([named] if named and named not in around.lists else [])]
    return _field(replace(each, options=[(name, name) for name in lists]), said, path, around.faults)


def _field(each: BlockField, said: Mapping[str, Any], path: str, faults: Mapping[str, Finding]) -> ShownField:
    *groups, name = each.name.split("/")
    for group in groups:
        said = mapped(said.get(group))
    given = name in said
    value = said.get(name, "")
    shown = bool(value) if each.look == "bool" else "" if value is None else str(value)
    where = f"{path}/{each.name}"
    return ShownField(each, f"{path}/{each.typed}", where, shown, given, faults.get(where))


def _draw(request: ConsoleRequest, current: Edit) -> HttpResponse:
    if current.response is not None:
        return current.response
    current.form = template_places.at_fault(current.form, current.faults)
    return draw(request, current, "presentation/template.html", "presentation/_template_form.html", _editor_context(request, current))


def _editor_context(request: ConsoleRequest, current: Edit) -> dict[str, Any]:
    form, faults = current.form, current.fault_at
    locales = mapped(form.get("locales"))
    shown = str(form.get("shown") or "")
    offered = [name for name in BLOCKS if name != "html" or request.actor.role.covers(Role.ADMIN)]
    here = mapped(locales.get(shown))
    senders = _senders(request, str(form.get("channel", "")))
    path = f"/locales/{shown}"
    around = _Around(faults, _lists(form))
    return {
        "locales": [(tag, tag == shown, tag == form.get("default_locale")) for tag in sorted(locales)],
        "shown": shown,
        "here": here,
        "path": path,
        "others": [(f"/locales/{tag}", each) for tag, each in locales.items() if tag != shown],
        "blocks": _blocks(here.get("blocks") if isinstance(here, Mapping) else [], f"{path}/blocks", around, offered),
        "offered": [(name, BLOCKS[name]) for name in offered],
        "sms": form.get("channel") == "sms",
        "push": form.get("channel") == "push",
        "senders": senders,
        "at": faults,
        "sender_offered": mapped(form.get("sender")).get("key") in dict(senders),
        "sender_at_fault": not template_places.SENDER.isdisjoint(faults),
        "classes": [(name, CLASS_WORDS[name]) for name in get_args(MessageClass)],
        "trackings": get_args(Tracking),
        "types": get_args(VariableType),
        "variables": list(enumerate(listed(form.get("variables")))),
        "sources": [f"profile.{name}" for name in PROFILE_FIELDS],
        "theme_fields": [_theme_field(name, form.get("theme")) for name in Theme.model_fields if name != "brand"],
        "brand": mapped(mapped(form.get("theme")).get("brand")),
        "filters": FILTERS,
        "unsaid": listed(form.get("unsaid")),
    }


def _lists(form: Mapping[str, Any]) -> list[str]:
    """The variables that are lists."""
    return [str(each.get("name")) for each in map(mapped, listed(form.get("variables"))) if each.get("type") == "list" and each.get("name")]


def _senders(request: ConsoleRequest, channel: str) -> list[tuple[str, str]]:
    """Key and title of the senders that a template of this channel may name."""
    views = documents(request.actor.workspace_id, "sender")
    return [(view.key, view.title) for view in views if view.latest.body.get("channel") == channel]


def _theme_field(name: str, said: Any) -> dict[str, Any]:
    default = Theme.model_fields[name].default
    colour = isinstance(default, str) and default.startswith("#")
    value = said.get(name, "") if isinstance(said, Mapping) else ""
    look = "colour" if colour else "choice" if name == "font" else "int"
    return {"name": name, "value": value, "usual": default, "look": look, "options": list(FONTS) if name == "font" else []}
