"""The blocks, languages and variables of an editor as its page draws them: of templates and of fragments."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from governance.door import ConsoleRequest, Edit, Editor, Finding, Role, documents, escape_part, listed, look_up, mapped
from presentation import template_forms, template_places
from presentation.filters import FILTERS
from presentation.parts import PROFILE_FIELDS
from presentation.template_forms import BLOCKS, IN_COLUMNS, PLACING, BlockField
from presentation.values import VariableType


def blocks_editor(kind: str, shown: str = "") -> Editor:
    """How documents made of blocks are edited. shown: the locale whose blocks are fields."""
    return Editor(
        kind,
        to_form=lambda body: template_forms.to_form(body, shown),
        to_body=template_forms.to_body,
        make=template_forms.make,
        steps=template_forms.steps,
        place=template_places.place,
        label=template_places.label,
    )


def blocks_context(request: ConsoleRequest, current: Edit, *, fragments: bool = True) -> dict[str, Any]:
    """What both editors' pages are drawn with. fragments: whether blocks may be those of fragments."""
    form, faults = current.form, current.fault_at
    locales = mapped(form.get("locales"))
    shown = str(form.get("shown") or "")
    here, path = mapped(locales.get(shown)), f"/locales/{shown}"
    there = [(view.key, view.title) for view in documents(request.actor.workspace_id, "fragment")] if fragments else []
    unfit = ({"html"} if not request.actor.role.covers(Role.ADMIN) else set()) | ({"fragment"} if not there else set())
    offered = [name for name in BLOCKS if name not in unfit]
    return {
        "tags": sorted(locales),
        "emptied": _emptied(current),
        "locales": [(tag, tag == shown, tag == form.get("default_locale")) for tag in sorted(locales)],
        "shown": shown,
        "here": here,
        "path": path,
        "others": [(f"/locales/{tag}", each) for tag, each in locales.items() if tag != shown],
        "blocks": _blocks(here.get("blocks"), f"{path}/blocks", _Around(faults, _lists(form), there), offered),
        "offered": [(name, BLOCKS[name]) for name in offered],
        "offered_in_columns": [(name, BLOCKS[name]) for name in IN_COLUMNS],
        "at": faults,
        "types": get_args(VariableType),
        "variables": list(enumerate(listed(form.get("variables")))),
        "sources": [f"profile.{name}" for name in PROFILE_FIELDS],
        "filters": FILTERS,
        "unsaid": listed(form.get("unsaid")),
    }


def _emptied(current: Edit) -> list[tuple[str, str]]:
    """Where a template that was saved or written as text says that something is nothing, with that as JSON: it stays so while its field
    is empty."""
    form = current.form
    here = f"/locales/{form.get('shown') or ''}"
    begun = current.view is None and current.whole is None  # then what is empty has yet to be filled in
    said = {} if begun else {"": form, here: look_up(form, here)}
    return [
        (f"{path}/{escape_part(name)}", json.dumps(value))
        for path, fields in said.items()
        for name, value in mapped(fields).items()
        if value in (None, "")
    ]


def _lists(form: Mapping[str, Any]) -> list[str]:
    """The variables that are lists."""
    return [str(each.get("name")) for each in map(mapped, listed(form.get("variables"))) if each.get("type") == "list" and each.get("name")]


@dataclass(frozen=True, slots=True)
class ShownField:
    """One field of a block with what the block says."""

    field: BlockField
    name: str
    id: str
    value: Any
    given: bool
    fault: Finding | None
    kept: str = ""  # what the block says where the field is empty, as JSON


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
    """What all blocks of a form are drawn with: its faults, its variables that are lists, and the fragments that there are."""

    faults: Mapping[str, Finding]
    lists: Sequence[str]
    fragments: Sequence[tuple[str, str]]


def _blocks(blocks: Any, path: str, around: _Around, offered: Sequence[str], number: str = "") -> list[ShownBlock]:
    listed = blocks if isinstance(blocks, list) else []
    return [_block(block, f"{path}/{at}", at, len(listed), around, offered, f"{number}{at + 1}") for at, block in enumerate(listed)]


def _block(block: Any, path: str, at: int, many: int, around: _Around, offered: Sequence[str], number: str) -> ShownBlock:
    said = block if isinstance(block, Mapping) else {}
    look = BLOCKS.get(str(said.get("type", "")))
    columns = said.get("columns") if isinstance(said.get("columns"), list) else []
    shown = [_offered(each, said, path, around) for each in (look.fields if look else ())]
    placed = {"footer": (), "fragment": PLACING[:1]}.get(str(said.get("type")), PLACING)
    placing = [_offered(each, said, path, around) for each in placed]
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


def _offered(each: BlockField, said: Mapping[str, Any], path: str, around: _Around) -> ShownField:
    """A field; where it names something of this workspace or this template, with what there is."""
    known = {"repeat/over": [(name, name) for name in around.lists], "fragment": around.fragments}.get(each.name)
    if known is None:
        return _field(each, said, path, around.faults)
    chosen = str((mapped(said.get("repeat")).get("over") if each.name == "repeat/over" else said.get(each.name)) or "")
    options = [*known, *([(chosen, chosen)] if chosen and chosen not in dict(known) else [])]
    return _field(replace(each, options=options), said, path, around.faults)


def _field(each: BlockField, said: Mapping[str, Any], path: str, faults: Mapping[str, Finding]) -> ShownField:
    *groups, name = each.name.split("/")
    for group in groups:
        said = mapped(said.get(group))
    given = name in said
    value = said.get(name, "")
    shown = bool(value) if each.look == "bool" else "" if value is None else str(value)
    where = f"{path}/{each.name}"
    kept = json.dumps(value) if given and value in (None, "") and each.look != "bool" else ""
    return ShownField(each, f"{path}/{each.typed}", where, shown, given, faults.get(where), kept)
