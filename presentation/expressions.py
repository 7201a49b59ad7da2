"""What the expressions of a text may say, checked when it is saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jinja2 import TemplateSyntaxError

from presentation.grammar import Check, Problem
from presentation.segments import BadText, Segment, segments
from presentation.syntax import syntax
from presentation.values import WORDS


def problems(source: str, declared: Mapping[str, str]) -> list[Problem]:
    """Everything wrong with the expressions of a text. declared: variable names and their types."""
    try:
        cut = segments(source)
    except BadText as error:
        return [Problem(error.line, error.words, "only {{ expressions }}; conditions and repetition belong to blocks")]
    return [problem for segment in cut if segment.expression for problem in _in_expression(segment, declared)]


def _in_expression(segment: Segment, declared: Mapping[str, str]) -> Iterator[Problem]:
    try:
        tree = syntax(segment.text)
    except TemplateSyntaxError as error:
        yield Problem(segment.line + error.lineno - 1, str(error.message or "can't be read")[:120])
    except (RecursionError, ValueError, OverflowError):
        yield Problem(segment.line, "an expression nested too deeply or a number too long")
    else:
        check = Check(declared, segment.line)
        check.visit(tree, 0)
        if not check.found and check.type_of(tree) in {"list", "object"}:
            check.refuse(tree, f"{WORDS[check.type_of(tree)]} can't be shown as it is", "one of its parts, or a list with |join")
        yield from check.found
