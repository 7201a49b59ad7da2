"""A unit as files carry it: its text, and the words inside its expressions as messages of their own.

`messages` and `text_of` are each other's inverse: what goes out comes back as it was written, whatever was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from presentation.plurals import categories
from presentation.segments import BadText, spans
from presentation.translatable import Look
from presentation.translation.literals import Forms, expressions_in, groups, literals, rewritten, says, shape
from presentation.translation.records import Status
from presentation.translation.units import Unit


@dataclass(frozen=True, slots=True)
class Message:
    """One text of a file. target: "" where there is none; category: of the plural form that it is; inner: by expression as the
    source writes it, the ids of the messages that hold its words."""

    id: str
    source: str
    target: str
    status: Status
    look: Look = "line"
    notes: tuple[str, ...] = ()
    longest: int | None = None
    category: str = ""
    inner: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Part:
    """The words of one group of literals. id: of its message, or of its messages but for their category."""

    id: str
    expression: str
    group: int
    source: str | Forms


def messages(unit: Unit, tag: str) -> list[Message]:
    """The unit's own message first, then those of the words inside its expressions."""
    parts = _parts(unit.id, unit.source)
    target, said = _taken_apart(unit, parts, tag) if unit.status != "missing" else ("", dict[str, str]())
    within, inner = [], dict[str, tuple[str, ...]]()
    for part in parts:
        made = list(_of_part(part, said, unit, tag))
        inner[part.expression] = inner.get(part.expression, ()) + tuple(each.id for each in made)
        within += made
    return [Message(unit.id, unit.source, target, unit.status, unit.look, _notes(unit), unit.longest, inner=inner), *within]


def text_of(id: str, source: str, targets: Mapping[str, str], tag: str) -> str:
    """What the messages of one unit, by id, say together. source: the unit's source as its file gives it."""
    said = _said(_parts(id, source), targets, tag)
    return _replaced(targets.get(id, ""), {expression: rewritten(expression, new) for expression, new in said.items()})


def _parts(id: str, source: str) -> list[_Part]:
    """The groups of literals in the source's expressions that have something to translate, numbered from 1."""
    found: list[_Part] = []
    if "{{" not in source:
        return found
    for expression in dict.fromkeys(expressions_in(source)):
        for number, group in enumerate(groups(literals(expression))):
            words = says(group)
            if any(char.isalpha() for text in _texts(words) for char in text):
                found.append(_Part(f"{id}#{len(found) + 1}", expression, number, words))
    return found


def _taken_apart(unit: Unit, parts: Sequence[_Part], tag: str) -> tuple[str, dict[str, str]]:
    """The target with the source's expressions where only their words differ, and those words by the id of their message.
    An expression that wouldn't come back exactly stays in the target as it is."""
    target, said = unit.text, dict[str, str]()
    there, here = dict.fromkeys(expressions_in(unit.source)), dict.fromkeys(expressions_in(target))
    for expression in dict.fromkeys(part.expression for part in parts):
        alike = [each for each in here if shape(each) == shape(expression)]
        if len(alike) != 1 or sum(shape(each) == shape(expression) for each in there) != 1:
            continue
        own = [part for part in parts if part.expression == expression]
        spoken = [says(group) for group in groups(literals(alike[0]))]
        words = {id: text for part in own for id, text in _by_id(part, spoken[part.group]).items()}
        if rewritten(expression, _said(own, words, tag).get(expression, {})) == alike[0]:
            said |= words
            target = _replaced(target, {alike[0]: expression})
    return target, said


def _said(parts: Sequence[_Part], targets: Mapping[str, str], tag: str) -> dict[str, dict[int, str | Forms]]:
    """What the groups of each expression say in the targets; a plural only if it says something for `other`."""
    found: dict[str, dict[int, str | Forms]] = {}
    for part in parts:
        new: str | Forms = targets.get(part.id, "")
        if not isinstance(part.source, str):
            forms = tuple((name, targets[_form_id(part, name)]) for name in categories(tag) if targets.get(_form_id(part, name)))
            new = forms if forms and forms[-1][0] == "other" else ""
        if new:
            found.setdefault(part.expression, {})[part.group] = new
    return found


def _of_part(part: _Part, said: Mapping[str, str], unit: Unit, tag: str) -> Iterator[Message]:
    note = f"Words within {part.expression}"
    if isinstance(part.source, str):
        yield Message(part.id, part.source, said.get(part.id, ""), unit.status, notes=(note,))
        return
    forms = dict(part.source)
    for name in categories(tag):
        id = _form_id(part, name)
        notes = (note, f"Form of a number: {name}. # stands for the number.")
        source = forms.get(name) or forms.get("other") or next(iter(forms.values()))
        yield Message(id, source, said.get(id, ""), unit.status, notes=notes, category=name)


def _by_id(part: _Part, words: str | Forms) -> dict[str, str]:
    return {part.id: words} if isinstance(words, str) else {_form_id(part, name): text for name, text in words}


def _form_id(part: _Part, category: str) -> str:
    return f"{part.id}.{category}"


def _texts(words: str | Forms) -> list[str]:
    return [words] if isinstance(words, str) else [text for _, text in words]


def _replaced(text: str, new: Mapping[str, str]) -> str:
    """The text with these expressions replaced, all at once."""
    if not new:
        return text
    try:
        return "".join(
            new.get(text[start:end], text[start:end]) if expression else text[start:end] for start, end, expression in spans(text)
        )
    except BadText:
        return text


def _notes(unit: Unit) -> tuple[str, ...]:
    """What translators should know: what it is, what stands around it, how long it may be."""
    kind = f"{unit.block.capitalize()} block, {unit.field}" if unit.block else unit.field.capitalize()
    around = [f"{word}: {text}" for word, text in (("Before", unit.before), ("After", unit.after)) if text]
    most = [f"At most {unit.longest:,} characters."] if unit.longest and unit.longest <= 300 else []
    return tuple(note for note in [f"{kind}.", unit.note, *most, *around] if note)
