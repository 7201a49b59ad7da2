"""Plain rendering: the compiled document's own Jinja form, rendered by the sandbox for one recipient.

Slow and simple on purpose: it is what fill is measured against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import nodes

from presentation.door import UnfitValue, names_of
from rendering.holes import BUILT_IN, CONFIRM_TOKEN, OWN_PAGES, TOKEN
from rendering.messages import NO_SUBJECT, Failed, by_name, largest, own_page, too_big
from rendering.program import Compiled, Program
from rendering.sandbox import TROUBLES, document, escaped, words
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
    values: dict[str, Any] = {TOKEN: recipient.token, CONFIRM_TOKEN: recipient.confirm_token}
    values |= {name: own_page(compiled, name, values[token]) for name, (_, token) in OWN_PAGES.items()}
    for name in _names(part):
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
    return document(body, locale)
