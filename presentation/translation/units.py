"""A template's translatable texts, each with an id that stays when blocks move, and the way back into a body.

Which fields are texts is said at the fields themselves (`Translatable`), so a new type of block is found without being named here.
Law: applying the texts of a translation to the body that they were taken from gives exactly that body.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from annotated_types import MaxLen

from governance.door import Body, DocumentModel, Finding, Invalid, parse, pointer
from presentation.documents import TemplateBody
from presentation.parts import LocaleBody
from presentation.translatable import Look, Translatable
from presentation.translation.pieces import wordless
from presentation.translation.records import Status, status

At = tuple[str | int, ...]
_SEEN = 120  # characters of a neighbour


@dataclass(frozen=True, slots=True)
class Text:
    """One translatable text of one locale. at: its path in the locale; block: the block's type, "" outside of blocks;
    longest: characters that its field takes, None where there is no limit."""

    id: str
    text: str
    at: At
    look: Look
    note: str
    block: str
    field: str
    longest: int | None


@dataclass(frozen=True, slots=True)
class Unit:
    """One text to translate. source: in the default locale; text: in the other, "" where there is none;
    before and after: the beginnings of what stands around it in the message."""

    id: str
    source: str
    text: str
    status: Status
    look: Look
    note: str
    block: str
    field: str
    longest: int | None
    before: str = ""
    after: str = ""


def texts_of(locale: LocaleBody) -> list[Text]:
    """The translatable texts of a locale that say anything, in the order of the message."""
    return [text for text in _texts(locale, "", (), "") if text.text.strip()]


def units(body: TemplateBody, tag: str) -> list[Unit]:
    """What the default locale says, with what the locale `tag` (which needn't exist yet) says in its place."""
    sources = texts_of(body.locales[body.default_locale])
    locale = body.locales.get(tag)
    mine = {text.id: text.text for text in texts_of(locale)} if locale else {}
    records = body.translations.get(tag, {})
    kin = tag.split("-")[0] == body.default_locale.split("-")[0]
    made = []
    for place, each in enumerate(sources):
        text = mine.get(each.id, "")
        made.append(
            Unit(
                each.id,
                each.text,
                text,
                status(each.text, text, records.get(each.id), wordless=kin or (text == each.text and wordless(each.text, each.look))),
                each.look,
                each.note,
                each.block,
                each.field,
                each.longest,
                before=_start(sources[place - 1].text) if place else "",
                after=_start(sources[place + 1].text) if place + 1 < len(sources) else "",
            )
        )
    return made


def with_texts(body: Body, model: TemplateBody, tag: str, texts: Mapping[str, str]) -> Body:
    """The body with these texts, by unit id, in the locale `tag`. model: the same body, parsed.

    A locale that isn't there begins as a copy of the default one, and a block that it lacks is copied to its place.
    Raises Invalid for a text that has no place: a block of the same id is of another type in this locale.
    """
    locales: dict[str, Any] = dict(body["locales"])
    source = locales[model.default_locale]
    began = copy.deepcopy(locales.get(tag, source))
    locales[tag] = _with_blocks(source, began, _owners(source, model.locales[model.default_locale], texts))
    made: Body = {**body, "locales": locales}
    places = {text.id: text.at for text in _texts(_read(locales[tag]), "", (), "")}
    for unit, text in texts.items():
        if unit not in places:
            expected = f"a block of the same id and type as in {model.default_locale}"
            raise Invalid([Finding("error", pointer(("locales", tag)), f"no place for {unit}", expected)])
        *way, last = places[unit]
        holder = locales[tag]
        for step in way:
            holder = holder[step]
        holder[last] = text
    return made


def _read(locale: Body) -> LocaleBody:
    return parse(LocaleBody, locale)


def _texts(model: DocumentModel, id: str, at: At, block: str) -> Iterator[Text]:
    for field in _fields(type(model)):
        value = getattr(model, field.name)
        if field.mark is not None:
            unit = f"{id}/{field.name}" if id else field.name
            yield Text(unit, value or "", (*at, field.key), field.mark.look, field.mark.note, block, field.name, field.longest)
        elif isinstance(value, (list, DocumentModel)):
            yield from _below(value, f"{id}/{field.name}" if id else field.name, (*at, field.key), block)


def _below(value: Any, id: str, at: At, block: str) -> Iterator[Text]:
    """The texts of what a field holds: a block is named by its own id, whatever holds it; other parts by where they stand."""
    if isinstance(value, DocumentModel):
        own, kind = getattr(value, "id", None), getattr(value, "type", None)
        if own is not None and kind is not None:
            yield from _texts(value, f"{id.split('/', 1)[0]}/{own}", at, str(kind))
        else:
            yield from _texts(value, f"{id.rpartition('/')[0]}/{own}" if own is not None else id, at, block)
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from _below(each, f"{id}/{place}", (*at, place), block)


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    key: str
    mark: Translatable | None
    longest: int | None


@lru_cache(maxsize=256)
def _fields(model: type[DocumentModel]) -> tuple[_Field, ...]:
    """The fields of a type in the order of its definition, with their marks. key: the field's name in a body."""
    return tuple(
        _Field(
            name,
            info.alias or name,
            next((each for each in info.metadata if isinstance(each, Translatable)), None),
            next((each.max_length for each in info.metadata if isinstance(each, MaxLen)), None),
        )
        for name, info in model.model_fields.items()
    )


def _owners(source: Body, locale: LocaleBody, texts: Mapping[str, str]) -> set[str]:
    """The ids of the blocks, and of those around them, in which these units stand."""
    found: set[str] = set()
    for each in texts_of(locale):
        if each.id in texts:
            holder: Any = source
            for step in each.at[:-1]:
                holder = holder[step]
                if isinstance(holder, dict) and "id" in holder:
                    found.add(holder["id"])
    return found


def _with_blocks(source: Any, mine: Any, wanted: set[str]) -> Any:
    """`mine` with those of the wanted blocks of `source` that it lacks, each behind the block that it follows in `source`."""
    if isinstance(source, dict) and isinstance(mine, dict):
        both = {name: _with_blocks(source[name], value, wanted) for name, value in mine.items() if name in source}
        lists = {name: _with_blocks(value, [], wanted) for name, value in source.items() if name not in mine and isinstance(value, list)}
        return {**mine, **both, **{name: value for name, value in lists.items() if value}}
    if not (isinstance(source, list) and isinstance(mine, list)):
        return mine
    if not all(isinstance(each, dict) and "id" in each for each in [*source, *mine]):
        return [_with_blocks(*each, wanted) for each in zip(source, mine, strict=False)] + mine[len(source) :]
    return _merged(source, mine, wanted)


def _merged(source: Sequence[Any], mine: Sequence[Any], wanted: set[str]) -> list[Any]:
    theirs, own = {each["id"]: each for each in source}, {each["id"] for each in mine}
    behind: dict[str, list[Any]] = {}
    last = ""
    for each in source:
        if each["id"] in own:
            last = each["id"]
        elif each["id"] in wanted:
            behind.setdefault(last, []).append(copy.deepcopy(each))
    made = list(behind.get("", ()))
    for each in mine:
        made += [_with_blocks(theirs[each["id"]], each, wanted) if each["id"] in theirs else each, *behind.get(each["id"], ())]
    return made


def _start(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SEEN else line[: _SEEN - 1] + "…"
