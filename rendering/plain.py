"""Plain rendering: the compiled document's own Jinja form, rendered by the sandbox for one recipient.

Slow and simple on purpose: it is what fill is measured against."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import nodes

from presentation.door import UnfitValue, names_of
from rendering.holes import BUILT_IN, CONFIRM_TOKEN, OWN_PAGES, TOKEN
from rendering.messages import NO_SUBJECT, Failed, by_name, largest, own_page, too_big
from rendering.outline import Outline, Repeated
from rendering.pieces import Counted, Flow, Nested, Value
from rendering.program import Compiled, Program
from rendering.sandbox import TROUBLES, document, escaped, shown, tree, words
from rendering.shapes import shown_items
from rendering.values import MISSING, Recipient, getter, value_of

Renderer = Callable[[dict[str, Any]], str]


@dataclass(frozen=True, slots=True)
class Rendered:
    """One recipient's message, every part written out."""

    n: int
    locale: str
    subject: str
    preheader: str
    html: bytes | None
    text: bytes
    options: dict[str, Any]


def plain(compiled: Compiled, recipient: Recipient) -> Rendered | Failed:
    """The message for one recipient by Jinja alone."""
    message = compiled.message_for(recipient.wanted)
    try:
        if message.outline is not None:
            written = _shaped(compiled, message.outline, recipient)
        else:
            written = [render_part(part, values_for(compiled, part, recipient), message.locale) for part in message.parts]
    except (*TROUBLES, UnfitValue) as error:
        return Failed(recipient.n, words(error))
    if sum(map(len, written)) > largest(compiled.channel):
        return Failed(recipient.n, too_big(compiled.channel))
    if message.html is not None and not written[0].strip():
        return Failed(recipient.n, NO_SUBJECT)
    html = written.pop(2) if message.html is not None else None
    options = by_name(dict(zip((name for name, _ in message.options), written[3:], strict=True)))
    return Rendered(recipient.n, message.locale, written[0].decode(), written[1].decode(), html, written[2], options)


def values_for(compiled: Compiled, part: Program, recipient: Recipient) -> dict[str, Any]:
    """What the expressions of a part may see of a recipient. Raises UnfitValue."""
    return _values(compiled, _names(part), recipient)


def _values(compiled: Compiled, names: Iterable[str], recipient: Recipient) -> dict[str, Any]:
    values: dict[str, Any] = {TOKEN: recipient.token, CONFIRM_TOKEN: recipient.confirm_token}
    values |= {name: own_page(compiled, name, values[token]) for name, (_, token) in OWN_PAGES.items()}
    for name in names:
        variable = compiled.variables[name]
        values[name] = value_of(variable, getter(variable.source)(recipient))
    return {name: value for name, value in values.items() if value is not MISSING}


@lru_cache(maxsize=1024)
def _names(part: Program) -> tuple[str, ...]:
    used = {name for hole in part.holes for name in names_of(hole.expression)}
    return tuple(sorted(used.difference(BUILT_IN)))


def render_part(part: Program, values: dict[str, Any], locale: str) -> bytes:
    """One part in full. Raises one of TROUBLES."""
    return _renderer(part, locale)(values).encode()


@lru_cache(maxsize=256)
def _renderer(part: Program, locale: str) -> Renderer:
    """The part as one Jinja template: its constants as data, its holes as escaped expressions."""
    body: list[nodes.Expr] = [nodes.TemplateData(part.constants[0].decode(), lineno=1)]
    for hole, constant in zip(part.holes, part.constants[1:], strict=True):
        body += [escaped(hole.expression, hole.context), nodes.TemplateData(constant.decode(), lineno=1)]
    return document([nodes.Output(body, lineno=1)], locale)


class _Items(list[tuple[Any, int]]):
    """The items of a repeated block with their numbers; asked for only where the block is there."""

    def __init__(self, values: dict[str, Any], branch: Repeated) -> None:
        super().__init__()
        self.values, self.branch = values, branch

    def __iter__(self) -> Iterator[tuple[Any, int]]:
        items = self.values.get(self.branch.over, [])
        return ((item, number) for number, item in enumerate(shown_items(items, self.branch)))


def _shaped(compiled: Compiled, outline: Outline, recipient: Recipient) -> list[bytes]:
    """The parts of a message with branches, by Jinja's own if and for."""
    values = _values(compiled, outline.names.difference(BUILT_IN), recipient)
    for number, branch in enumerate(outline.branches):
        if isinstance(branch, Repeated):
            values[f"_items{number}"] = _Items(values, branch)
    renderers = [document(_body(flow, outline, repeated=False), outline.locale) for flow in outline.flows.values()]
    return [render(values).encode() for render in renderers]


def _body(flow: Flow, outline: Outline, *, repeated: bool) -> list[nodes.Node]:
    body: list[nodes.Node] = []
    for piece in flow:
        if isinstance(piece, Nested):
            branch = outline.branches[piece.branch]
            if isinstance(branch, Repeated):
                target = nodes.Tuple([nodes.Name(branch.name, "store"), nodes.Name("_number", "store")], "store")
                items = nodes.Name(f"_items{piece.branch}", "load")
                body.append(nodes.For(target, items, _body(piece.inside, outline, repeated=True), [], None, False, lineno=1))
            else:
                body.append(nodes.If(tree(branch.test), _body(piece.inside, outline, repeated=repeated), [], [], lineno=1))
        else:
            body.append(nodes.Output([_written(piece, outline, repeated=repeated)], lineno=1))
    return body


def _written(piece: str | Value | Counted, outline: Outline, *, repeated: bool) -> nodes.Expr:
    if isinstance(piece, str):
        return nodes.TemplateData(piece, lineno=1)
    if isinstance(piece, Value):
        return escaped(piece.expression, piece.context)
    if not repeated:
        return nodes.TemplateData(str(piece.number), lineno=1)
    later = nodes.Mul(nodes.Const(len(outline.links)), nodes.Name("_number", "load"), lineno=1)
    return shown(nodes.Add(nodes.Const(piece.number), later, lineno=1))
