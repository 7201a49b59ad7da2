"""Partial evaluation: a template becomes constant bytes and holes, once per release.

Expressions and links travel through Markdown and MJML as stand-ins; where each comes out decides how its value will be
escaped. Compiling is pure: the same content and base address give the same result, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256

from governance.door import Finding, Invalid, pointer
from presentation.door import Content, LocalizedContent, Theme
from rendering.channels import email, email_text, push, sms
from rendering.contexts import Misplaced, Places
from rendering.escapes import html
from rendering.folding import folded
from rendering.holes import EDGES, TOKEN, Holes, Target
from rendering.messages import largest
from rendering.outline import Outline, names_in
from rendering.pieces import Counted, Edge, Flow, Nested, Piece, Value, flow, program
from rendering.program import Compiled, CompiledMessage, Program


def compile(content: Content, *, base_url: str) -> Compiled:
    """The template of `content`, ready to be filled. base_url: where the tracking pages are served, without a slash at its end.
    Raises Invalid where an expression stands in a place that can't be made safe, or where the constants alone are too big."""
    return _compiled(_Key(content, base_url.rstrip("/"), content.tracking))


def compile_untracked(content: Content, *, base_url: str) -> Compiled:
    """The same without counted links and pixel: for previews and checks."""
    return _compiled(_Key(content, base_url.rstrip("/"), "off"))


class _Key:
    """What a compiled template depends on; equal keys compile to equal results."""

    def __init__(self, content: Content, base_url: str, tracking: str) -> None:
        self.content, self.base_url, self.tracking = content, base_url, tracking
        self.identity = (content.key, content.sha256, base_url, tracking)

    def __hash__(self) -> int:
        return hash(self.identity)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.identity == other.identity


@lru_cache(maxsize=64)
def _compiled(key: _Key) -> Compiled:
    content = key.content
    seal = sha256(f"{key.identity}{sorted(content.locales)}".encode()).hexdigest()[:20]
    messages: dict[str, CompiledMessage] = {}
    links: dict[str, list[str]] = {}
    for tag, localized in content.locales.items():
        track = key.tracking != "off" and bool(key.base_url)
        holes = Holes(seal=seal, base_url=key.base_url, track=track, fleeting=content.fleeting)
        try:
            messages[tag] = _message(content, localized, holes, pixel=key.tracking == "opens_and_clicks" and track)
        except Misplaced as error:
            where = pointer(("locales", tag, "blocks"))
            raise Invalid([Finding("error", where, str(error), "expressions in text, alt, title, href or src only")]) from None
        links[tag] = [target.source for target in holes.tracked]
    return Compiled(
        key=content.key,
        sha256=content.sha256,
        channel=content.channel,
        message_class=content.message_class,
        topic=content.topic,
        sender=content.sender,
        reply_to=content.reply_to,
        base_url=key.base_url,
        default_locale=content.default_locale,
        fallbacks=dict(content.fallbacks),
        variables=dict(content.variables),
        locales=messages,
        links=links,
        needs_data=_needs_data(content, messages),
        record_types=_record_types(content, messages),
    )


def _message(content: Content, localized: LocalizedContent, holes: Holes, *, pixel: bool) -> CompiledMessage:
    options: dict[str, Flow] = {}
    if content.channel == "sms":
        parts = {"text": flow(_plain(sms.text(localized, holes), holes))}
    elif content.channel == "push":
        parts = {"subject": flow(_line(localized.subject, holes)), "text": flow(_plain(holes.text((localized.text or "").strip()), holes))}
        options = {name: flow(_plain(text, holes)) for name, text in push.options(localized, holes).items()}
    else:
        parts = _email(localized, content.theme, holes, leaving=content.message_class != "transactional", pixel=pixel)
    links = tuple((flow(_target(target, counted=False, base_url="")), target.scope) for target in holes.tracked)
    if holes.branches:
        outline = Outline(localized.locale, holes.seal, tuple(holes.branches), parts, links)
        message = replace(outline.message(outline.whole), outline=outline)
    else:
        message = _flat_message(localized.locale, holes.seal, parts, options, [link for link, _ in links])
    size, most = sum(part.constant_bytes for part in message.parts), largest(content.channel)
    if size > most:
        where = pointer(("locales", localized.locale))
        raise Invalid([Finding("error", where, f"a message of {size // 1024:,} KiB", f"at most {most // 1024} KiB")])
    return message


def _flat_message(locale: str, seal: str, parts: dict[str, Flow], options: dict[str, Flow], links: list[Flow]) -> CompiledMessage:
    """A message that is built alike for everybody."""
    slots: dict[tuple[str, str], int] = {}
    programs, empty = {name: _all_of(each, slots) for name, each in parts.items()}, Program((b"",), ())
    return CompiledMessage(
        locale=locale,
        subject=programs.get("subject", empty),
        preheader=programs.get("preheader", empty),
        html=programs.get("html"),
        text=programs["text"],
        options=tuple((name, _all_of(each, slots)) for name, each in options.items()),
        slots=tuple(slots),
        links=tuple(_all_of(link, {}) for link in links),
        seal=seal,
    )


def _all_of(whole: Flow, slots: dict[tuple[str, str], int]) -> Program:
    return program((piece for piece in whole if not isinstance(piece, Nested)), slots)


def _email(localized: LocalizedContent, theme: Theme, holes: Holes, *, leaving: bool, pixel: bool) -> dict[str, Flow]:
    body = email.html(localized, theme, holes, leaving=leaving, pixel=pixel)
    if localized.text is not None:
        text = sms.linked(localized.text, holes)
    else:
        text = email_text.text(localized, holes, leaving=leaving)
    return {
        "subject": flow(_line(localized.subject, holes)),
        "preheader": flow(_line(localized.preheader, holes)),
        "html": flow(_html(body, holes, isolate=localized.direction == "rtl")),
        "text": flow(_plain(text, holes)),
    }


def _line(source: str, holes: Holes) -> Iterator[Piece]:
    for _, piece in holes.cut(holes.text(source)):
        yield piece if isinstance(piece, str) else Value(holes.expressions[piece.number], "header")


def _plain(output: str, holes: Holes) -> Iterator[Piece]:
    for _, piece in holes.cut(output):
        if isinstance(piece, str):
            yield piece
        elif piece.kind in EDGES:
            yield Edge(piece.number, piece.kind == "opening")
        elif piece.kind == "link":
            yield from _target(holes.targets[piece.number], counted=True, base_url=holes.base_url)
        else:
            yield Value(holes.expressions[piece.number], "plain")


def _html(output: str, holes: Holes, *, isolate: bool) -> Iterator[Piece]:
    """isolate: wrap values in running text in <bdi>, so that a name in another script doesn't turn the line around."""
    output = folded(output.replace("\r\n", "\n"))
    places = Places(output)
    for position, piece in holes.cut(output):
        if isinstance(piece, str):
            yield piece
            continue
        if piece.kind in EDGES:
            yield Edge(piece.number, piece.kind == "opening")
            continue
        context, running = places.context(position)
        if piece.kind == "link":
            if context != "url":
                raise Misplaced("a link can't stand here")
            for part in _target(holes.targets[piece.number], counted=True, base_url=holes.base_url):
                yield html(part) if isinstance(part, str) else part
        elif context == "url":
            raise Misplaced("an expression can't be a whole address")
        elif running and isolate:
            yield from ("<bdi>", Value(holes.expressions[piece.number], context), "</bdi>")
        else:
            yield Value(holes.expressions[piece.number], context)


def _target(target: Target, *, counted: bool, base_url: str) -> Iterator[Piece]:
    """An address: through the counting page where it is counted, else as it is."""
    if counted and target.tracked is not None:
        yield from (f"{base_url}/t/", Value(TOKEN, "url"), "/", Counted(target.tracked))
        return
    yield target.constants[0]
    for expression, constant in zip(target.expressions, target.constants[1:], strict=True):
        yield Value(expression, "url")
        yield constant


def _needs_data(content: Content, messages: dict[str, CompiledMessage]) -> bool:
    used = {name for message in messages.values() for name in _read(message)}
    return any(content.variables[name].source.split(".")[0] in {"data", "event"} for name in used if name in content.variables)


def _record_types(content: Content, messages: dict[str, CompiledMessage]) -> frozenset[str]:
    """Of what is read, in texts and in links that lead through the counting page."""
    used = {name for message in messages.values() for name in _read(message) | names_in(message.links)}
    steps = [content.variables[name].source.split(".") for name in used if name in content.variables]
    return frozenset(key for room, key, *_ in steps if room == "record")


def _read(message: CompiledMessage) -> set[str] | frozenset[str]:
    """The variables that a message reads, whatever its shape."""
    return message.outline.names if message.outline is not None else names_in(message.parts)
