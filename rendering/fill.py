"""Holes to bytes, a batch at a time.

The law: fill ≡ plain, byte for byte (tests/laws/test_fill_equals_plain.py). Work is done by column: each variable is read,
each distinct expression evaluated and each value escaped once per recipient, and once per distinct value where values repeat.
A recipient whose value is missing or unfit fails alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import NoneType
from typing import Any

from presentation.door import UnfitValue, Variable
from rendering.escapes import ESCAPES, Unrenderable, inert, show
from rendering.holes import BUILT_IN, OWN_PAGES, TOKEN
from rendering.messages import NO_SUBJECT, Failed, Filled, largest, message_bytes, own_page, too_big
from rendering.program import Compiled, CompiledMessage, Shape
from rendering.quick import plan
from rendering.sandbox import TROUBLES, evaluator, words
from rendering.shapes import Shaper
from rendering.values import MISSING, REPEATABLE, Recipient, read_all, value_of

FAILING = (*TROUBLES, UnfitValue)
Column = list[Any]
Explain = Callable[[Exception], str]


def fill(compiled: Compiled, recipients: Sequence[Recipient]) -> list[Filled | Failed]:
    """A message or a failure per recipient, in their order. A bad recipient never harms the others."""
    out: list[Filled | Failed | None] = [None] * len(recipients)
    groups: dict[str, list[int]] = {}
    for place, recipient in enumerate(recipients):
        groups.setdefault(compiled.locale_for(recipient.wanted), []).append(place)
    for tag, places in groups.items():
        batch = _Batch(compiled, compiled.locales[tag], [recipients[place] for place in places])
        for place, outcome in zip(places, batch.outcomes() if batch.message.outline is None else _shaped(batch), strict=True):
            out[place] = outcome
    return [outcome for outcome in out if outcome is not None]


def _shaped(whole: _Batch) -> list[Filled | Failed]:
    """The outcomes where messages aren't built alike: those of one shape are filled together."""
    outline = whole.message.outline
    assert outline is not None
    names, shaper = sorted(outline.names - set(BUILT_IN)), Shaper(outline)
    columns = {name: whole.column(name) for name in names}
    groups: dict[Shape, list[int]] = {}
    for place, row in enumerate(zip(*columns.values(), strict=True) if columns else [()] * len(whole.recipients)):
        if place not in whole.faults:
            try:
                shape = shaper.shape({name: value for name, value in zip(names, row, strict=True) if value is not MISSING})
            except TROUBLES as error:
                whole.faults[place] = words(error)
            else:
                groups.setdefault(shape, []).append(place)
    out: dict[int, Filled | Failed] = {place: Failed(whole.recipients[place].n, fault) for place, fault in whole.faults.items()}
    for shape, places in groups.items():
        batch = _Batch(whole.compiled, outline.message(shape), [whole.recipients[place] for place in places])
        batch.columns = {name: [column[place] for place in places] for name, column in columns.items()}
        out |= zip(places, batch.outcomes(), strict=True)
    return [out[place] for place in range(len(whole.recipients))]


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
        shown = self.shown[expression]
        if escaping == "plain" or inert(escaping, shown):
            return shown
        return self._each_once(shown, ESCAPES[escaping])

    def _shown(self, expression: str) -> Column:
        if expression in self.compiled.variables or expression in BUILT_IN:
            return self._as_it_is(expression)
        names, quick = plan(expression, self.message.locale)
        if quick is not None and len(names) == 1:
            return self._each_once(self.column(names[0]), quick)
        columns = [self.column(name) for name in names]
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
        column = self.column(name)
        if set(map(type, column)) == {str}:
            return column  # bounded when it was read

        def shown(value: Any) -> str:
            if value is MISSING:
                raise Unrenderable(f"{name} has no value and no fallback")
            return show(value)

        return self._each_once(column, shown)

    def _each_once(self, column: Column, convert: Callable[[Any], Any], otherwise: Any = "", explain: Explain = words) -> Column:
        """The column converted, each distinct value once where values can be told apart by equality. Whoever has a value that
        can't be converted fails, with `otherwise` in its place."""
        kinds = set(map(type, column)) - {NoneType, type(MISSING)}
        if kinds and (len(kinds) > 1 or not kinds <= REPEATABLE):
            return [self._converted(place, value, convert, otherwise, explain) for place, value in enumerate(column)]
        known: dict[Any, Any] = {}
        troubled: dict[Any, str] = {}
        for value in set(column):
            try:
                known[value] = convert(value)
            except FAILING as error:
                known[value], troubled[value] = otherwise, explain(error)
        if troubled:
            for place, value in enumerate(column):
                if value in troubled:
                    self.faults.setdefault(place, troubled[value])
        return [known[value] for value in column]

    def _converted(self, place: int, value: Any, convert: Callable[[Any], Any], otherwise: Any, explain: Explain) -> Any:
        try:
            return convert(value)
        except FAILING as error:
            self.faults.setdefault(place, explain(error))
            return otherwise

    def column(self, name: str) -> Column:
        """What a variable, or something built in, is for each recipient; MISSING where it isn't there."""
        if name not in self.columns:
            self.columns[name] = self._built_in(name) if name in BUILT_IN else self._read(name, self.compiled.variables[name])
        return self.columns[name]

    def _built_in(self, name: str) -> Column:
        if name in OWN_PAGES:
            return [own_page(self.compiled, name, str(token)) for token in self._built_in(OWN_PAGES[name][1])]
        return [recipient.token if name == TOKEN else recipient.confirm_token for recipient in self.recipients]

    def _read(self, name: str, variable: Variable) -> Column:
        return self._each_once(
            read_all(variable.source, self.recipients),
            lambda raw: value_of(variable, raw),
            MISSING,
            lambda error: f"{name} should be {error}",
        )

    def _refuse_long(self, columns: list[Column], rows: list[tuple[str, ...]]) -> None:
        """Messages over the limit fail; measured exactly only where a value is long enough to matter."""
        holes, most = sum(len(part.holes) for part in self.message.parts) or 1, largest(self.compiled.channel)
        room = most - sum(part.constant_bytes for part in self.message.parts)
        if room < 0:
            for place in range(len(rows)):
                self.faults.setdefault(place, too_big(self.compiled.channel))
            return
        long = [column for column in columns if max(map(len, column)) * 4 * holes > room]
        for place in {place for column in long for place, text in enumerate(column) if len(text) * 4 * holes > room}:
            if message_bytes(self.message, rows[place]) > most:
                self.faults.setdefault(place, too_big(self.compiled.channel))


def _repeats(value: Any) -> bool:
    return type(value) in REPEATABLE or value is MISSING
