"""What a translation must keep of its source: expressions (but for their words), where links lead, and the tags of HTML."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from jinja2 import TemplateSyntaxError

from presentation.markdown import link_targets
from presentation.segments import BadText, spans
from presentation.translatable import Look
from presentation.translation.literals import expressions_in, shape
from presentation.translation.pieces import pieces

_LINK = re.compile(r"\]\(|<[A-Za-z]")


def unkept(source: str, text: str, look: Look, before: str = "") -> list[tuple[str, str]]:
    """What is wrong with a translation: pairs of found and expected, each naming its placeholder.

    before: the translation that `text` comes in place of; a link that it leads elsewhere, to a page in its language, may stay.
    """
    try:
        list(spans(text))
    except BadText as error:
        return [(str(error), "the placeholders of the source, as they stand there")]
    return [*_expressions(source, text), *_links(source, text, look, before), *(_tags(source, text) if look == "html" else ())]


def _expressions(source: str, text: str) -> list[tuple[str, str]]:
    """A language may need one twice, so how often it stands there doesn't matter."""
    there = {shape(each): each for each in expressions_in(source)}
    here = {shape(each): each for each in expressions_in(text)}
    lost = [(f"no {written}", f"the placeholder {written}") for name, written in there.items() if name not in here]
    known = ", ".join(there.values()) or "no placeholder: the source has none"
    return lost + [(written, f"one of the source’s placeholders: {known}"[:300]) for name, written in here.items() if name not in there]


def _links(source: str, text: str, look: Look, before: str) -> list[tuple[str, str]]:
    if look != "markdown":
        return []
    there, here, known = (_counted(link_targets, each) if _LINK.search(each) else Counter() for each in (source, text, before))
    lost, new = there - here, here - there
    own = new & known
    strange = [(f"a link to {target}", f"the source’s links: {', '.join(there) or 'none'}"[:300]) for target in new - own]
    missing = list(lost.elements())[own.total() :]
    return strange + [(f"no link to {target}", f"the placeholder ]({target})") for target in missing if not strange or target not in here]


def _tags(source: str, text: str) -> list[tuple[str, str]]:
    there, here = (Counter(piece.text for piece in pieces(each, "html") if piece.name == "tag") for each in (source, text))
    return [(f"no {tag}", f"the tag {tag}") for tag in there - here] + [(tag, "the source’s tags only") for tag in here - there]


def _counted(read: Callable[[str], list[str]], text: str) -> Counter[str]:
    try:
        return Counter(read(text))
    except (BadText, TemplateSyntaxError):
        return Counter()
