"""Locales that nobody speaks, to see what a translation will do to a message: its words are longer, accented and in brackets, or written
from right to left. Markup and expressions stay as they are."""

from __future__ import annotations

import re
from typing import Any

from governance.door import Invalid, parse
from presentation.documents import TemplateBody
from presentation.translatable import Look
from presentation.translation.pieces import pieces
from presentation.translation.units import units, with_texts

PSEUDO = {"en-XA": "Accented and longer", "ar-XB": "Right to left"}
_ACCENTED = str.maketrans("aceginorsuyzACEGINORSUYZ", "áçéĝíñöŕšûýžÁÇÉĜÍÑÖŔŠÛÝŽ")
_ARABIC = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ابثدعفغهيجكلمنوپقرستوڤوخيز")
_VOWELS = re.compile("[aeiouAEIOU]")
_AS_IS = re.compile(r"(\S*(?:://|@)\S*)")  # addresses that stand in a text


def as_pseudo(model: TemplateBody, tag: str) -> TemplateBody:
    """The template with a pseudo-locale, made from its default one; as it is for every other tag."""
    if tag not in PSEUDO or tag in model.locales:
        return model
    try:
        return _with_pseudo(model, tag, longer=True)
    except Invalid:  # a subject that is as long as it may be
        return _with_pseudo(model, tag, longer=False)


def pseudo(text: str, look: Look, tag: str, *, longer: bool = True) -> str:
    """The text in a pseudo-locale."""
    cut = pieces(text, look)
    spoken = [place for place, piece in enumerate(cut) if piece.kind == "words" and any(map(str.isalpha, piece.text))]
    made = [_said(piece.text, tag, longer) if place in spoken else piece.text for place, piece in enumerate(cut)]
    if spoken and longer and tag == "en-XA":
        made[spoken[0]] = _around(made[spoken[0]], "⟦", "")
        made[spoken[-1]] = _around(made[spoken[-1]], "", "⟧")
    return "".join(made)


def _with_pseudo(model: TemplateBody, tag: str, *, longer: bool) -> TemplateBody:
    texts = {}
    for unit in units(model, tag):
        said = pseudo(unit.source, unit.look, tag, longer=longer)
        texts[unit.id] = said if unit.longest is None or len(said) <= unit.longest else pseudo(unit.source, unit.look, tag, longer=False)
    body = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
    made: dict[str, Any] = with_texts(body, model, tag, texts)
    return parse(TemplateBody, made)


def _said(words: str, tag: str, longer: bool) -> str:
    return "".join(part if number % 2 else _spoken(part, tag, longer) for number, part in enumerate(_AS_IS.split(words)))


def _spoken(words: str, tag: str, longer: bool) -> str:
    if tag == "ar-XB":
        return words.lower().translate(_ARABIC)
    return (_VOWELS.sub(lambda found: found[0] * 2, words) if longer else words).translate(_ACCENTED)


def _around(words: str, before: str, after: str) -> str:
    """The words in brackets that stand inside of the blanks around them."""
    inner = words.strip()
    return words.replace(inner, f"{before}{inner}{after}", 1)
