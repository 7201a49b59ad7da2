"""Partial evaluation: a template becomes constant bytes and holes, once per release.

Expressions and links travel through Markdown and MJML as stand-ins; where each comes out decides how its value will be
escaped. Compiling is pure: the same content and base address give the same result, byte for byte."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import sha256

from governance.door import Finding, Invalid, pointer
from presentation.door import Content, LocalizedContent, Theme, names_of
from rendering.channels import email, email_text, push, sms
from rendering.contexts import Misplaced, Places
from rendering.escapes import Context, html
from rendering.folding import folded
from rendering.holes import TOKEN, Holes, Target
from rendering.messages import largest
from rendering.program import Compiled, CompiledMessage, Hole, Program

_ESCAPING = {"attribute": "html"}  # contexts that escape alike share a slot
Piece = str | tuple[str, Context]


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
        holes = Holes(seal=seal, base_url=key.base_url, track=track)
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
    slots: dict[tuple[str, str], int] = {}
    options: dict[str, Iterable[Piece]] = {}
    if content.channel == "sms":
        parts: dict[str, Iterable[Piece]] = {"text": _plain(sms.text(localized, holes), holes)}
    elif content.channel == "push":
        parts = {"subject": _line(localized.subject, holes), "text": _plain(holes.text((localized.text or "").strip()), holes)}
        options = {name: _plain(text, holes) for name, text in push.options(localized, holes).items()}
    else:
        parts = _email(localized, content.theme, holes, leaving=content.message_class != "transactional", pixel=pixel)
    programs = {name: _program(pieces, slots) for name, pieces in parts.items()}
    empty = Program((b"",), ())
    message = CompiledMessage(
        locale=localized.locale,
        subject=programs.get("subject", empty),
        preheader=programs.get("preheader", empty),
        html=programs.get("html"),
        text=programs["text"],
        options=tuple((name, _program(pieces, slots)) for name, pieces in options.items()),
        slots=tuple(slots),
        links=tuple(_program(_target(target, counted=False, base_url=""), {}) for target in holes.tracked),
        seal=holes.seal,
    )
    size, most = sum(part.constant_bytes for part in message.parts), largest(content.channel)
    if size > most:
        where = pointer(("locales", localized.locale))
        raise Invalid([Finding("error", where, f"a message of {size // 1024:,} KiB", f"at most {most // 1024} KiB")])
    return message


def _email(localized: LocalizedContent, theme: Theme, holes: Holes, *, leaving: bool, pixel: bool) -> dict[str, Iterable[Piece]]:
    body = email.html(localized, theme, holes, leaving=leaving, pixel=pixel)
    if localized.text is not None:
        text = sms.linked(localized.text, holes)
    else:
        text = email_text.text(localized, holes, leaving=leaving)
    return {
        "subject": _line(localized.subject, holes),
        "preheader": _line(localized.preheader, holes),
        "html": list(_html(body, holes, isolate=localized.direction == "rtl")),
        "text": _plain(text, holes),
    }


def _line(source: str, holes: Holes) -> Iterator[Piece]:
    for _, piece in holes.cut(holes.text(source)):
        yield piece if isinstance(piece, str) else (holes.expressions[piece.number], "header")


def _plain(output: str, holes: Holes) -> Iterator[Piece]:
    for _, piece in holes.cut(output):
        if isinstance(piece, str):
            yield piece
        elif piece.kind == "link":
            yield from _target(holes.targets[piece.number], counted=True, base_url=holes.base_url)
        else:
            yield (holes.expressions[piece.number], "plain")


def _html(output: str, holes: Holes, *, isolate: bool) -> Iterator[Piece]:
    """isolate: wrap values in running text in <bdi>, so that a name in another script doesn't turn the line around."""
    output = folded(output.replace("\r\n", "\n"))
    places = Places(output)
    for position, piece in holes.cut(output):
        if isinstance(piece, str):
            yield piece
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
            yield from ("<bdi>", (holes.expressions[piece.number], context), "</bdi>")
        else:
            yield (holes.expressions[piece.number], context)


def _target(target: Target, *, counted: bool, base_url: str) -> Iterator[Piece]:
    """An address: through the counting page where it is counted, else as it is."""
    if counted and target.tracked is not None:
        yield from (f"{base_url}/t/", (TOKEN, "url"), f"/{target.tracked}")
        return
    yield target.constants[0]
    for expression, constant in zip(target.expressions, target.constants[1:], strict=True):
        yield (expression, "url")
        yield constant


def _program(pieces: Iterable[Piece], slots: dict[tuple[str, str], int]) -> Program:
    """Constants joined, holes numbered by slot; new slots are added to `slots`."""
    constants, holes = [""], []
    for piece in pieces:
        if isinstance(piece, str):
            constants[-1] += piece
        else:
            expression, context = piece
            slot = slots.setdefault((expression, _ESCAPING.get(context, context)), len(slots))
            holes.append(Hole(expression, context, slot))
            constants.append("")
    return Program(tuple(constant.encode() for constant in constants), tuple(holes))


def _needs_data(content: Content, messages: dict[str, CompiledMessage]) -> bool:
    used = {name for message in messages.values() for expression, _ in message.slots for name in names_of(expression)}
    return any(content.variables[name].source.split(".")[0] in {"data", "event"} for name in used if name in content.variables)


def _record_types(content: Content, messages: dict[str, CompiledMessage]) -> frozenset[str]:
    """Of what is read, in texts and in links that lead through the counting page."""
    expressions = {expression for message in messages.values() for expression, _ in message.slots}
    expressions |= {hole.expression for message in messages.values() for link in message.links for hole in link.holes}
    used = {name for expression in expressions for name in names_of(expression)}
    steps = [content.variables[name].source.split(".") for name in used if name in content.variables]
    return frozenset(key for room, key, *_ in steps if room == "record")
