"""Holes to bytes, a batch at a time.

The law: fill ≡ plain, byte for byte (tests/laws/test_fill_equals_plain.py). Work is done by column: each variable is read,
each distinct expression evaluated and each value escaped once per recipient, and once per distinct value where values repeat.
A recipient whose value is missing or unfit fails alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from presentation.door import UnfitValue, Variable
from rendering.escapes import ESCAPES, Unrenderable, show
from rendering.holes import BUILT_IN, TOKEN
from rendering.messages import NO_SUBJECT, TOO_BIG, Failed, Filled, leaving_url, message_bytes
from rendering.partial import MAX_MESSAGE
from rendering.program import Compiled, CompiledMessage
from rendering.quick import plan
from rendering.sandbox import TROUBLES, evaluator, words
from rendering.values import MISSING, Recipient, read_all, value_of

_REPEATABLE = frozenset({str, int, float, bool, date})  # equal values of one of these types are shown alike
Column = list[Any]


def fill(compiled: Compiled, recipients: Sequence[Recipient]) -> list[Filled | Failed]:
    """A message or a failure per recipient, in their order. A bad recipient never harms the others."""
    out: list[Filled | Failed | None] = [None] * len(recipients)
    groups: dict[str, list[int]] = {}
    for place, recipient in enumerate(recipients):
        groups.setdefault(compiled.locale_for(recipient.wanted), []).append(place)
    for tag, places in groups.items():
        batch = _Batch(compiled, compiled.locales[tag], [recipients[place] for place in places])
        for place, outcome in zip(places, batch.outcomes(), strict=True):
            out[place] = outcome
    return [outcome for outcome in out if outcome is not None]


class _Batch:
    """The columns of one locale's recipients."""

    def __init__(self, compiled: Compiled, message: CompiledMessage, recipients: list[Recipient]) -> None:
        self.compiled, self.message, self.recipients = compiled, message, recipients
        self.faults: dict[int, str] = {}
        self.columns: dict[str, Column] = {}
        self.shown: dict[str, Column] = {}

    def outcomes(self) -> list[Filled | Failed]:
        """One per recipient."""
        rows, message, compiled = self._rows(), self.message, self.compiled
        out: list[Filled | Failed] = [
            Filled(recipient.n, message.locale, message, values, recipient.token, compiled)
            for recipient, values in zip(self.recipients, rows, strict=True)
        ]
        for place, detail in self.faults.items():
            out[place] = Failed(self.recipients[place].n, detail)
        return out

    def _rows(self) -> list[tuple[str, ...]]:
        columns = [self._escaped(expression, escaping) for expression, escaping in self.message.slots]
        rows: list[tuple[str, ...]] = list(zip(*columns, strict=True)) if columns else [()] * len(self.recipients)
        self._refuse_long(columns, rows)
        if self.message.html is not None and not b"".join(self.message.subject.constants).strip():
            for place, row in enumerate(rows):
                if not any(row[slot].strip() for slot in self.message.subject.order):
                    self.faults.setdefault(place, NO_SUBJECT)
        return rows

    def _escaped(self, expression: str, escaping: str) -> Column:
        """One slot: every recipient's shown value, escaped; "" where it failed."""
        if expression not in self.shown:
            self.shown[expression] = self._shown(expression)
        if escaping == "plain":
            return self.shown[expression]
        escape, known, out = ESCAPES[escaping], {"": ""}, []
        for place, text in enumerate(self.shown[expression]):
            safe = known.get(text)
            if safe is None:
                try:
                    safe = known[text] = escape(text)
                except Unrenderable as error:
                    self.faults.setdefault(place, str(error))
                    safe = ""
            out.append(safe)
        return out

    def _shown(self, expression: str) -> Column:
        if expression in self.compiled.variables or expression in BUILT_IN:
            return self._as_it_is(expression)
        names, quick = plan(expression, self.message.locale)
        if quick is not None and len(names) == 1:
            return self._each(self._column(names[0]), quick)
        columns = [self._column(name) for name in names]
        evaluate, out = evaluator(expression, self.message.locale), []
        known: dict[tuple[Any, ...], str] = {}
        for place, row in enumerate(zip(*columns, strict=True) if columns else [()] * len(self.recipients)):
            key = tuple((type(value), value) for value in row) if all(_repeats(value) for value in row) else None
            text = known.get(key) if key is not None else None
            if text is None:
                try:
                    text = show(evaluate({name: value for name, value in zip(names, row, strict=True) if value is not MISSING}))
                except TROUBLES as error:
                    self.faults.setdefault(place, words(error))
                    text = ""
                else:
                    if key is not None:
                        known[key] = text
            out.append(text)
        return out

    def _as_it_is(self, name: str) -> Column:
        out = []
        for place, value in enumerate(self._column(name)):
            if type(value) is str:
                out.append(value)  # its length was bounded when it was read
            elif value is MISSING:
                self.faults.setdefault(place, f"{name} has no value and no fallback")
                out.append("")
            else:
                out.append(self._shown_alone(place, value))
        return out

    def _shown_alone(self, place: int, value: Any) -> str:
        try:
            return show(value)
        except Unrenderable as error:
            self.faults.setdefault(place, str(error))
            return ""

    def _each(self, column: Column, quick: Callable[[Any], str]) -> Column:
        known: dict[Any, str] = {}
        out = []
        for place, value in enumerate(column):
            key = value if type(value) is str else (type(value), value) if _repeats(value) else None
            text = known.get(key) if key is not None else None
            if text is None:
                try:
                    text = quick(value)
                except TROUBLES as error:
                    self.faults.setdefault(place, words(error))
                    text = ""
                else:
                    if key is not None:
                        known[key] = text
            out.append(text)
        return out

    def _column(self, name: str) -> Column:
        if name not in self.columns:
            self.columns[name] = self._built_in(name) if name in BUILT_IN else self._read(name, self.compiled.variables[name])
        return self.columns[name]

    def _built_in(self, name: str) -> Column:
        if name == TOKEN:
            return [recipient.token for recipient in self.recipients]
        return [leaving_url(self.compiled, recipient.token) for recipient in self.recipients]

    def _read(self, name: str, variable: Variable) -> Column:
        known: dict[Any, Any] = {}
        out = []
        for place, raw in enumerate(read_all(variable.source, self.recipients)):
            key = raw if type(raw) is str else (type(raw), raw) if _repeats(raw) else None
            value = known.get(key) if key is not None else None
            if value is None:
                try:
                    value = value_of(variable, raw)
                except UnfitValue as error:
                    self.faults.setdefault(place, f"{name} should be {error}")
                    value = MISSING
                else:
                    if key is not None:
                        known[key] = value
            out.append(value)
        return out

    def _refuse_long(self, columns: list[Column], rows: list[tuple[str, ...]]) -> None:
        """Messages over the limit fail; measured exactly only where a value is long enough to matter."""
        holes = sum(len(part.holes) for part in self.message.parts) or 1
        room = MAX_MESSAGE - sum(part.constant_bytes for part in self.message.parts)
        long = [column for column in columns if max(map(len, column)) * 4 * holes > room]
        for place in {place for column in long for place, text in enumerate(column) if len(text) * 4 * holes > room}:
            if message_bytes(self.message, rows[place]) > MAX_MESSAGE:
                self.faults.setdefault(place, TOO_BIG)


def _repeats(value: Any) -> bool:
    return type(value) in _REPEATABLE or value is MISSING
