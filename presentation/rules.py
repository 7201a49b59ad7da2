"""What must hold in a template beyond the type of each field; each fault with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import unescape

from presentation.blocks import (
    At,
    ButtonBlock,
    CardBlock,
    ColumnsBlock,
    FooterBlock,
    HeadingBlock,
    HeroBlock,
    HtmlBlock,
    ImageBlock,
    Repeat,
    SocialBlock,
    TextBlock,
    walk,
    walk_repeated,
)
from presentation.expressions import problems
from presentation.faults import Fault
from presentation.grammar import BUILT_IN
from presentation.links import fault_in_link
from presentation.locales import canonical
from presentation.markdown import link_targets
from presentation.parts import LocaleBody
from presentation.placing import WORDS_OF_THE_LANGUAGE, named_in, placing_faults
from presentation.push import fault_in_app_link, not_push_faults, push_faults
from presentation.segments import written_length

MAX_SUBJECT, MAX_EXPRESSIONS = 200, 500
_VARIABLE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_ADDRESS = re.compile(r"""\b(href|src)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)


def variable_faults(declared: Mapping[str, str]) -> Iterator[Fault]:
    """Names that can't be variables."""
    for name in declared:
        if not _VARIABLE.fullmatch(name):
            yield Fault(
                ("variables", name), name, "a name of lower-case letters, digits and _, starting with a letter, at most 40 characters"
            )
        elif name in WORDS_OF_THE_LANGUAGE or name in BUILT_IN:
            yield Fault(("variables", name), name, "a name that isn't taken by the expression language or built in")


def locale_faults(locales: Mapping[str, object], default: str, fallbacks: Mapping[str, Sequence[str]]) -> Iterator[Fault]:
    """Unknown locales, second spellings, and a default or a fallback that this template doesn't have."""
    known = ", ".join(sorted(locales))
    for tag in locales:
        yield from _spelling(tag, ("locales", tag))
    if default not in locales:
        yield Fault(("default_locale",), default, f"one of this template's locales: {known}")
    for tag, others in fallbacks.items():
        yield from _spelling(tag, ("fallbacks", tag))
        for place, other in enumerate(others):
            if other not in locales:
                yield Fault(("fallbacks", tag, place), other, f"one of this template's locales: {known}")


def _spelling(tag: str, at: At) -> Iterator[Fault]:
    try:
        if canonical(tag) != tag:
            yield Fault(at, tag, f"the spelling {canonical(tag)}")
    except ValueError as error:
        yield Fault(at, tag, str(error))


def content_faults(locale: LocaleBody, channel: str, declared: Mapping[str, str], at: At) -> Iterator[Fault]:
    """Whatever is wrong with one translation."""
    yield from _FAULTS[channel](locale, at)
    yield from not_push_faults(locale, at) if channel != "push" else ()
    yield from text_faults(locale, channel, declared, at)


def text_faults(locale: LocaleBody, channel: str, declared: Mapping[str, str], at: At) -> Iterator[Fault]:
    """What is wrong with its expressions, conditions, repetitions and links."""
    expressions = 0
    placing = list(placing_faults(locale, declared, at))
    yield from placing
    broken = bool(placing)
    for path, text, within in texts_repeated(locale):
        expressions += text.count("{{")
        for problem in problems(text, named_in(within, declared)):
            broken = True
            yield Fault((*at, *path), str(problem), problem.expected)
    if expressions > MAX_EXPRESSIONS:
        yield Fault(at, f"{expressions:,} expressions", f"at most {MAX_EXPRESSIONS} expressions in one locale")
    for path, target in () if broken else link_targets_in(locale):
        if expected := (fault_in_app_link if channel == "push" else fault_in_link)(target):
            yield Fault((*at, *path), target[:80], expected)


def footer_faults(locale: LocaleBody, at: At) -> Iterator[Fault]:
    """Footers without an address, where no sender is named whose address could stand there."""
    for path, block in walk(locale.blocks, ("blocks",)):
        if isinstance(block, FooterBlock) and not block.address.strip():
            yield Fault((*at, *path, "address"), "nothing", "the postal address, or a named sender that has one")


def push_terms_faults(channel: str, collapse_key: str, ttl: int | None, declared: Mapping[str, str]) -> Iterator[Fault]:
    """What is wrong with the terms of a push message that hold in every language."""
    if channel != "push":
        given = (("collapse_key", collapse_key != ""), ("ttl", ttl is not None))
        yield from (Fault((name,), "a term of push messages", "nothing: only push has it") for name, said in given if said)
    for problem in problems(collapse_key, declared):
        yield Fault(("collapse_key",), str(problem), problem.expected)


def texts(locale: LocaleBody) -> Iterator[tuple[At, str]]:
    """Every text of a translation in which expressions may stand, with its path."""
    return ((path, text) for path, text, _ in texts_repeated(locale))


def texts_repeated(locale: LocaleBody) -> Iterator[tuple[At, str, tuple[Repeat, ...]]]:
    """The same, each with the repetitions whose items it may name."""
    yield ("subject",), locale.subject, ()
    yield ("preheader",), locale.preheader, ()
    if locale.text is not None:
        yield ("text",), locale.text, ()
    yield from ((name, text, ()) for name, text in ((("link",), locale.link), (("image",), locale.image)) if text)
    yield from ((("data", name), text, ()) for name, text in locale.data.items())
    for path, block, within in walk_repeated(locale.blocks, ("blocks",)):
        for field, text in _fields(block):
            yield (*path, field), text, within
        if isinstance(block, SocialBlock):
            yield from (((*path, "links", place, "href"), link.href, within) for place, link in enumerate(block.links))


def link_targets_in(locale: LocaleBody) -> Iterator[tuple[At, str]]:
    """Every link of a translation: the path of the field it stands in, and its target as written."""
    if locale.link:
        yield ("link",), locale.link
    for path, block in walk(locale.blocks, ("blocks",)):
        if isinstance(block, (ButtonBlock, ImageBlock, HeroBlock, CardBlock)) and block.href:
            yield (*path, "href"), block.href
        if isinstance(block, SocialBlock):
            yield from (((*path, "links", place, "href"), link.href) for place, link in enumerate(block.links))
        if isinstance(block, (TextBlock, FooterBlock, HeroBlock, CardBlock)) and block.text:
            for target in link_targets(block.text):
                yield (*path, "text"), target
        if isinstance(block, HtmlBlock):
            for match in _ADDRESS.finditer(block.html):
                yield (*path, "html"), unescape(match.group(2) or match.group(3) or match.group(4) or "")


def _fields(block: object) -> Iterator[tuple[str, str]]:
    names: dict[type, tuple[str, ...]] = {
        HeadingBlock: ("text",),
        TextBlock: ("text",),
        ImageBlock: ("src", "alt", "href"),
        ButtonBlock: ("label", "href"),
        HeroBlock: ("src", "alt", "title", "text", "label", "href"),
        CardBlock: ("src", "alt", "title", "price", "text", "label", "href"),
        FooterBlock: ("address", "text", "unsubscribe_label", "preferences_label"),
        HtmlBlock: ("html",),
    }
    for name in names.get(type(block), ()):
        text = getattr(block, name)
        if text:
            yield name, text


def _email_faults(locale: LocaleBody, at: At) -> Iterator[Fault]:
    if not locale.subject.strip():
        yield Fault((*at, "subject"), locale.subject, "a subject: it is required")
    elif written_length(locale.subject) > MAX_SUBJECT:
        yield Fault((*at, "subject"), f"{written_length(locale.subject):,} characters", f"a subject of at most {MAX_SUBJECT} characters")
    if written_length(locale.preheader) > MAX_SUBJECT:
        yield Fault(
            (*at, "preheader"), f"{written_length(locale.preheader):,} characters", f"a preheader of at most {MAX_SUBJECT} characters"
        )
    if not locale.blocks:
        yield Fault((*at, "blocks"), "nothing", "at least one block")
    yield from block_faults(locale, at)


def block_faults(locale: LocaleBody, at: At) -> Iterator[Fault]:
    """Blocks with one id, and columns that don't fit beside each other."""
    seen: set[str] = set()
    for path, block in walk(locale.blocks, ("blocks",)):
        if block.id in seen:
            yield Fault((*at, *path, "id"), block.id, "an id that no other block of this locale has")
        seen.add(block.id)
        if isinstance(block, ColumnsBlock) and block.widths is not None:
            if len(block.widths) != len(block.columns) or sum(block.widths) != 100 or min(block.widths) < 15:
                yield Fault((*at, *path, "widths"), str(block.widths), "one width per column, each at least 15, together 100")


def _sms_faults(locale: LocaleBody, at: At) -> Iterator[Fault]:
    if not (locale.text or "").strip():
        yield Fault((*at, "text"), "nothing", "the text of the message")
    elif written_length(locale.text or "") > 1600:
        yield Fault((*at, "text"), f"{written_length(locale.text or ''):,} characters", "at most 1,600 characters")
    for field in ("subject", "preheader", "blocks"):
        if getattr(locale, field):
            yield Fault((*at, field), "content of an e-mail", "nothing: an SMS has only a text")


_FAULTS = {"email": _email_faults, "sms": _sms_faults, "push": push_faults}
