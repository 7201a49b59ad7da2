"""Holes to bytes, a batch at a time.

The law: fill ≡ plain, byte for byte (tests/laws/test_fill_equals_plain.py). Work is done by column: each variable is read,
each distinct expression evaluated and each value escaped once per recipient, and once per distinct value where values repeat.
A recipient whose value is missing or unfit fails alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from jinja2 import nodes

from presentation.door import UnfitValue, Variable, names_in, syntax
from rendering.escapes import ESCAPES, Unrenderable, show
from rendering.holes import TOKEN
from rendering.partial import MAX_MESSAGE
from rendering.program import Compiled, CompiledMessage, Program
from rendering.sandbox import TROUBLES, evaluator, sandbox
from rendering.values import MISSING, Recipient, read_all, value_of

NO_SUBJECT = "a subject that is empty for this recipient"
BUILT_IN = ("unsubscribe_url", TOKEN)
_REPEATABLE = frozenset({str, int, float, bool, date})  # equal values of one of these types are shown alike
Column = list[Any]


@dataclass(frozen=True, slots=True)
class Failed:
    """This recipient can't be written to. reason: a skip reason; detail: words without personal data."""

    n: int
    detail: str
    reason: str = "invalid"


@dataclass(slots=True)
class Filled:
    """One recipient's message: the compiled message and this recipient's escaped values, in the order of its slots.

    Parts are joined when asked for: a vendor that substitutes on its side needs the values only."""

    n: int
    locale: str
    message: CompiledMessage
    values: tuple[str, ...]
    token: str
    _compiled: Compiled = field(repr=False)
    _encoded: list[bytes] | None = field(default=None, repr=False, compare=False)

    def _part(self, part: Program) -> bytes:
        if self._encoded is None:
            self._encoded = [value.encode() for value in self.values]
        return part.join(self._encoded)

    @property
    def subject(self) -> str:
        """The subject, one line; "" for channels without one."""
        return self._part(self.message.subject).decode()

    @property
    def preheader(self) -> str:
        """What inboxes show beside the subject."""
        return self._part(self.message.preheader).decode()

    @property
    def html(self) -> bytes | None:
        """The HTML part in UTF-8; None for channels without one."""
        return self._part(self.message.html) if self.message.html is not None else None

    @property
    def text(self) -> bytes:
        """The text part, or the whole message of a text channel, in UTF-8."""
        return self._part(self.message.text)

    @property
    def headers(self) -> dict[str, str]:
        """Mail headers of this message: one-click unsubscribing (RFC 8058) where leaving is offered."""
        if self._compiled.message_class == "transactional" or self.message.html is None:
            return {}
        address = leaving_url(self._compiled, self.token)
        return {"List-Unsubscribe": f"<{address}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


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


def leaving_url(compiled: Compiled, token: str) -> str:
    """Where this message's reader can unsubscribe."""
    return f"{compiled.base_url}/u/{token}"


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
        suspicious = {place for column in columns for place, text in enumerate(column) if len(text) * 4 * holes > room}
        for place in suspicious:
            if message_bytes(self.message, rows[place]) > MAX_MESSAGE:
                self.faults.setdefault(place, "a message of more than 256 KiB")


def message_bytes(message: CompiledMessage, values: Sequence[str]) -> int:
    """The size of all parts of a filled message."""
    return sum(_size(part, values) for part in message.parts)


def _size(part: Program, values: Sequence[str]) -> int:
    return part.constant_bytes + sum(len(values[hole.slot].encode()) for hole in part.holes)


def words(error: Exception) -> str:
    """What is wrong with a value, without the value."""
    if isinstance(error, Unrenderable):
        return str(error)
    if isinstance(error, ZeroDivisionError):
        return "a division by zero"
    if type(error).__name__ == "UndefinedError":
        return str(error).replace("'", "").replace(" is undefined", " has no value and no fallback")
    return "an expression doesn't fit the values"


@lru_cache(maxsize=8192)
def plan(expression: str, locale: str) -> tuple[tuple[str, ...], Callable[[Any], str] | None]:
    """The variables of an expression, and a function from its only variable to text where that needs no Jinja:
    a name, or a name behind filters whose arguments are fixed. Filters are the same functions as in the sandbox."""
    tree = syntax(expression)
    names = tuple(sorted(names_in("{{ " + expression + " }}")))
    steps: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
    while isinstance(tree, nodes.Filter) and tree.node is not None and all(isinstance(argument, nodes.Const) for argument in tree.args):
        steps.append((sandbox(locale).filters[tree.name], tuple(argument.value for argument in tree.args)))  # type: ignore[attr-defined]
        tree = tree.node
    if not isinstance(tree, nodes.Name):
        return names, None
    return names, _quick(tree.name, tuple(reversed(steps)), sandbox(locale))


def _quick(name: str, steps: tuple[tuple[Callable[..., Any], tuple[Any, ...]], ...], environment: Any) -> Callable[[Any], str]:
    undefined = environment.undefined(name=name)

    def run(value: Any) -> str:
        if value is MISSING:
            value = undefined
        for function, arguments in steps:
            value = function(value, *arguments)
        return value if type(value) is str and len(value) < 1024 else show(value)

    return run


def _repeats(value: Any) -> bool:
    return type(value) in _REPEATABLE or value is MISSING
