"""What a variable's source is known to hold: by the attribute catalogue, the type of a record, or a content source."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from jinja2 import nodes

from governance.door import CheckContext, Finding, Ref, pointer
from presentation.blocks import Repeat
from presentation.conditions import bound
from presentation.documents import TemplateBody
from presentation.markdown import stand_in
from presentation.parts import Variable
from presentation.rules import texts_repeated
from presentation.segments import segments
from presentation.syntax import syntax

_PARTS = {"score": {"value": "number", "at": "datetime"}, "place": {"lat": "number", "lon": "number"}}
_PRIVATE = ("sensitive", "personal", "internal", "public")  # the most private first
At = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """type: of the variable; sensitivity: how private it is; parts: the names below it, of an object or of each of several records."""

    type: str
    sensitivity: str
    parts: Mapping[str, str] = field(default_factory=dict)


_READ_FROM = {  # rooms of sources, and the kinds of document that say what is there
    "attribute": "attribute",
    "record": "record_type",
    "content": "content_source",
}


def sources_of(variables: Mapping[str, Variable], at: str = "variables") -> list[Ref]:
    """The attributes, types of records and content sources that variables are read from. at: the field that holds them."""
    found = []
    for name, variable in variables.items():
        room, key, *_ = variable.source.split(".")
        if room in _READ_FROM:
            found.append(Ref(_READ_FROM[room], key, pointer((at, name, "source"))))
    return found


def known(context: CheckContext, variable: Variable) -> Known | None:
    """What the source holds; None where it says nothing, or where there is no such thing (see `unknown_parts`)."""
    room, name, part = _steps(variable)
    body = _body(context, room, name)
    if body is None:
        return None
    parts = _parts(room, body)
    if room == "content":  # it is a service's, or a table's: what it says of somebody is about them
        return Known(parts[part], "personal") if part in parts else None
    if part:
        of_part = next((each for each in body.fields if each.name == part), None) if room == "record" else None
        return Known(parts[part], getattr(of_part, "sensitivity", getattr(body, "sensitivity", "internal"))) if part in parts else None
    if room == "record":
        return Known("list", min((each.sensitivity for each in body.fields), key=_PRIVATE.index), parts)
    return Known("object" if parts else body.type, body.sensitivity, parts)


def unknown_parts(context: CheckContext, body: TemplateBody) -> Iterator[Finding]:
    """Parts of attributes, fields of records and of sources that there are none of: in variables, and in what expressions reach for."""
    parts: dict[str, Known] = {}
    for name, variable in body.variables.items():
        room, key, part = _steps(variable)
        holder = _body(context, room, key)
        if holder is None:
            continue
        if part and part not in _parts(room, holder):
            yield Finding("error", pointer(("variables", name, "source")), variable.source, _one_of(part, _parts(room, holder)))
        found = known(context, variable)
        if found is not None and found.parts:
            parts[name] = found
    if parts:
        for path, text in _texts(body):
            for segment in segments(text):
                yield from _unknown_in(syntax(segment.text), parts, path) if segment.expression else ()


def _steps(variable: Variable) -> tuple[str, str, str]:
    room, _, rest = variable.source.partition(".")
    name, _, part = rest.partition(".")
    return room, name, part


def _body(context: CheckContext, room: str, name: str) -> Any:
    return context.draft(_READ_FROM[room], name) if room in _READ_FROM else None


def _parts(room: str, body: Any) -> Mapping[str, str]:
    if room == "content":
        return {name: field.type for name, field in body.response.items()}
    if room == "record":
        return {"external_id": "text", **{each.name: each.type for each in body.fields}}
    return {each.name: each.type for each in body.fields} if body.type == "object" else _PARTS.get(body.type, {})


def _texts(body: TemplateBody) -> Iterator[tuple[At, str]]:
    yield ("collapse_key",), body.collapse_key
    for tag, locale in body.locales.items():
        for path, text, within in texts_repeated(locale):
            yield ("locales", tag, *path), reduce(_of_first_items, within, text)


def _of_first_items(text: str, repeat: Repeat) -> str:
    """The text with the first item of a repeated block's list in the place of the name that stands for each."""
    return stand_in(text, lambda expression: "{{ " + bound(expression, repeat.name, repeat.over, 0) + " }}")


def _unknown_in(tree: nodes.Expr, parts: Mapping[str, Known], path: At) -> Iterator[Finding]:
    for node in (tree, *tree.find_all((nodes.Getattr, nodes.Getitem, nodes.Filter))):
        if isinstance(node, nodes.Filter) and node.name == "each" and isinstance(node.node, nodes.Name):
            steps: list[Any] = [0, *(each.value for each in node.args if isinstance(each, nodes.Const))]
            name = node.node.name
        else:
            name, steps = _reached(node)
        about = parts.get(name)
        if about is None or not steps:
            continue
        if about.type == "list" and len(steps) == 1 and isinstance(steps[0], str):
            yield Finding("error", pointer(path), f"{name}.{steps[0]}", f"which of them, such as {name}[0].{steps[0]}")
        elif len(steps) == 1 + (about.type == "list") and steps[-1] not in about.parts:
            yield Finding("error", pointer(path), f"{name}: {steps[-1]}", _one_of(str(steps[-1]), about.parts))


def _reached(node: nodes.Node) -> tuple[str, list[Any]]:
    """The variable that a chain of steps starts at, and the steps; "" for anything else."""
    steps: list[Any] = []
    while isinstance(node, (nodes.Getattr, nodes.Getitem)):
        steps.append(node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", None))
        node = node.node
    return (node.name, steps[::-1]) if isinstance(node, nodes.Name) else ("", [])


def _one_of(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=2, cutoff=0.5)
    return f"one of {', '.join(known)}" + (f", perhaps {' or '.join(near)}" if near else "")
