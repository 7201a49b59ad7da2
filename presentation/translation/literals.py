"""The words inside expressions: what {{ first_name|default("there") }} says where it has no name, and the forms of a plural.

An expression is markup to a translator, but for the texts in quotes that readers may see. Two expressions are of the same `shape`
if they differ in those texts only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from jinja2 import Environment, TemplateSyntaxError, nodes

from presentation.plurals import form
from presentation.segments import BadText, spans
from presentation.syntax import syntax

PLURAL = "plural"
_LEXER = Environment(autoescape=False)
_SHOWN_ARGUMENTS = frozenset({"default", PLURAL})
_SHOWN_THROUGH = frozenset({"default", "upper", "lower", "title", "capitalize", "trim", "truncate", "replace"})


class Literal(NamedTuple):
    """One text in quotes. start, end: where it stands in the expression as written, quotes included; value: what it says;
    plural: the number, from 0, of the plural filter whose form it is, else None."""

    start: int
    end: int
    value: str
    plural: int | None


@lru_cache(maxsize=4_096)
def literals(written: str) -> tuple[Literal, ...]:
    """The texts of an expression, braces included, that readers may see; none where it can't be read."""
    try:
        tokens = list(_strings(written))
        found = list(_constants(syntax(written[2:-2].strip()), True, None, [0]))
    except (TemplateSyntaxError, BadText, ValueError, RecursionError):
        return ()
    if len(tokens) != len(found):
        return ()  # texts side by side are one to the parser: such an expression stays whole
    return tuple(Literal(*place, text, plural) for place, (text, shown, plural) in zip(tokens, found, strict=True) if shown)


@lru_cache(maxsize=4_096)
def shape(written: str) -> str:
    """The expression without its visible texts and without needless blanks: what a translation must keep."""
    kept, end = [], 0
    for group in groups(literals(written)):
        kept += [written[end : group[0].start], "_"]
        end = group[-1].end
    return " ".join(_tokens("".join([*kept, written[end:]])))


Forms = tuple[tuple[str, str], ...]
"""The forms of a plural: category and words."""


def rewritten(written: str, said: Mapping[int, str | Forms]) -> str:
    """The expression with the n-th of its groups of literals (from 0) saying something else: a text, or the forms of a plural."""
    made, end = [], 0
    for number, group in enumerate(groups(literals(written))):
        new = said.get(number)
        if new is None or new == says(group):
            continue
        quote = written[group[0].start]
        text = quoted(new, quote) if isinstance(new, str) else ", ".join(quoted(f"{name}: {words}", quote) for name, words in new)
        made += [written[end : group[0].start], text]
        end = group[-1].end
    return "".join([*made, written[end:]])


def says(group: Sequence[Literal]) -> str | Forms:
    """What a group of literals says: a text, or the forms of a plural."""
    return group[0].value if group[0].plural is None else tuple(form(each.value) for each in group)


def quoted(text: str, quote: str) -> str:
    """A text as an expression writes it."""
    inner = text.replace("\\", "\\\\").replace(quote, "\\" + quote).replace("\n", "\\n").replace("\r", "\\r")
    return f"{quote}{inner}{quote}"


def groups(found: Sequence[Literal]) -> list[list[Literal]]:
    """The literals one by one, but the forms of one plural together."""
    made: list[list[Literal]] = []
    for each in found:
        if made and each.plural is not None and made[-1][0].plural == each.plural:
            made[-1].append(each)
        else:
            made.append([each])
    return made


def expressions_in(text: str) -> list[str]:
    """The expressions of a (sound) text as written, with their braces."""
    try:
        return [text[start:end] for start, end, expression in spans(text) if expression]
    except BadText:
        return []


def _strings(written: str) -> Iterator[tuple[int, int]]:
    place = 0
    for _, kind, text in _LEXER.lex(written):
        if kind == "string":
            yield place, place + len(text)
        place += len(text)
    if place != len(written):
        raise ValueError("not cut as written")


def _tokens(written: str) -> list[str]:
    try:
        return [text for _, kind, text in _LEXER.lex(written) if kind != "whitespace"]
    except TemplateSyntaxError:
        return written.split()


def _constants(node: nodes.Node, shown: bool, plural: int | None, count: list[int]) -> Iterator[tuple[str, bool, int | None]]:
    """The texts of a tree in the order in which they are written, each with whether readers may see it."""
    if isinstance(node, nodes.Const):
        if isinstance(node.value, str):
            yield node.value, shown, plural
    elif isinstance(node, nodes.Filter) and node.node is not None:
        yield from _constants(node.node, shown and node.name in _SHOWN_THROUGH, plural, count)
        forms = None
        if node.name == PLURAL:
            forms, count[0] = count[0], count[0] + 1
        for argument in node.args:
            yield from _constants(argument, shown and node.name in _SHOWN_ARGUMENTS, forms, count)
    elif isinstance(node, nodes.CondExpr):
        yield from _constants(node.expr1, shown, plural, count)
        yield from _constants(node.test, False, plural, count)
        if node.expr2 is not None:
            yield from _constants(node.expr2, shown, plural, count)
    elif isinstance(node, (nodes.Concat, nodes.And, nodes.Or)):
        for child in node.iter_child_nodes():
            yield from _constants(child, shown, plural, count)
    elif isinstance(node, nodes.Getattr):
        yield from _constants(node.node, False, plural, count)
    else:
        for child in node.iter_child_nodes():
            yield from _constants(child, False, plural, count)
