"""What the expressions of a text may say, checked when it is saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jinja2 import TemplateSyntaxError

from presentation.grammar import Check, Problem
from presentation.segments import BadText, Segment, segments
from presentation.syntax import syntax
from presentation.values import WORDS

MAX_CONDITION = 500


def problems(source: str, declared: Mapping[str, str]) -> list[Problem]:
    """Everything wrong with the expressions of a text. declared: variable names and their types."""
    try:
        cut = segments(source)
    except BadText as error:
        return [Problem(error.line, error.words, "only {{ expressions }}; conditions and repetition belong to blocks")]
    return [problem for segment in cut if segment.expression for problem in _in_expression(segment, declared)]


def condition_problems(condition: str, declared: Mapping[str, str]) -> list[Problem]:
    """Everything wrong with a condition: one expression, without braces, of whatever type; what is empty, 0 or false isn't met."""
    if "{{" in condition or "{%" in condition:
        return [Problem(1, "braces in a condition", 'an expression without braces, such as stays > 3 or city == "Rome"')]
    if len(condition) > MAX_CONDITION:
        return [Problem(1, f"{len(condition):,} characters", f"a condition of at most {MAX_CONDITION} characters")]
    return [*_in_expression(Segment(condition, True, 1), declared, shown=False)]


def _in_expression(segment: Segment, declared: Mapping[str, str], *, shown: bool = True) -> Iterator[Problem]:
    try:
        tree = syntax(segment.text)
    except TemplateSyntaxError as error:
        yield Problem(segment.line + error.lineno - 1, str(error.message or "can't be read")[:120])
    except (RecursionError, ValueError, OverflowError):
        yield Problem(segment.line, "an expression nested too deeply or a number too long")
    else:
        check = Check(declared, segment.line)
        check.visit(tree, 0)
        if shown and not check.found and check.type_of(tree) in {"list", "object"}:
            check.refuse(tree, f"{WORDS[check.type_of(tree)]} can't be shown as it is", "one of its parts, or a list with |join")
        yield from check.found
