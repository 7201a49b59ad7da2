"""What a content source is asked for each person: its address filled in, and whom a batch, a table or a likeness is about."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from presentation.door import Ask, ContentSourceBody, Plain, Unaskable, UnfitValue, Variable, url_parts
from rendering.escapes import Unrenderable, show, url
from rendering.quick import plan
from rendering.sandbox import TROUBLES, evaluator, words
from rendering.values import MISSING, Recipient, read_all, value_of

LONGEST = 4_000  # characters of an address that is filled in
LOCALE = "en"  # addresses are read by machines
FAILING = (*TROUBLES, UnfitValue)


def asks(body: ContentSourceBody, recipients: Sequence[Recipient]) -> list[Ask | Unaskable]:
    """One question per recipient, in their order; equal people ask equal questions."""
    names = sorted(body.inputs)
    columns = [_column(name, body.inputs[name], recipients) for name in names]
    known: dict[Hashable, Ask | Unaskable] = {}
    found = []
    for row in zip(*columns, strict=True) if columns else [()] * len(recipients):
        key = tuple((type(value), repr(value)) for value in row)
        if key not in known:
            known[key] = _ask(body, dict(zip(names, row, strict=True)))
        found.append(known[key])
    return found


def _column(name: str, variable: Variable, recipients: Sequence[Recipient]) -> list[Any]:
    """An input of each recipient: its value, MISSING, or what is wrong with it."""
    found: list[Any] = []
    for raw in read_all(variable.source, recipients):
        try:
            found.append(value_of(variable, raw))
        except UnfitValue as error:
            found.append(Unaskable(f"{name} should be {error}"))
    return found


def _ask(body: ContentSourceBody, row: Mapping[str, Any]) -> Ask | Unaskable:
    values: dict[str, Plain] = {}
    for name, value in row.items():
        if isinstance(value, Unaskable):
            return value
        if value is not MISSING:
            values[name] = value
    try:
        return Ask(_address(body.url, values), _whom(body.about, values))
    except FAILING as error:
        return Unaskable(words(error) if not isinstance(error, UnfitValue) else str(error))


def _address(written: str, values: Mapping[str, Plain]) -> str:
    """The address with its values percent-encoded. Raises one of FAILING."""
    made = ""
    for text, expression in url_parts(written) if written else ():
        made += url(_shown(text, values)) if expression else text
    if len(made) > LONGEST:
        raise Unrenderable(f"an address of more than {LONGEST:,} characters")
    if any(unquote(step) in {".", ".."} for step in urlsplit(made).path.split("/")):
        raise Unrenderable("a value that would lead to another address")
    return made


def _shown(expression: str, values: Mapping[str, Plain]) -> str:
    names, quick = plan(expression, LOCALE)
    if quick is not None and len(names) == 1:
        return quick(values.get(names[0], MISSING))
    return show(evaluator(expression, LOCALE)(values))


def _whom(name: str, values: Mapping[str, Plain]) -> Hashable:
    """Whom or what it is about: a text, a whole number as one, a list in its order. Raises Unrenderable where there is nothing."""
    if not name:
        return None
    if name not in values:
        raise Unrenderable(f"{name} has no value and no fallback")
    value = values[name]
    if isinstance(value, list):
        return tuple(show(item) for item in value if isinstance(item, (str, int, float)))
    return value if isinstance(value, int) and not isinstance(value, bool) else show(value)
