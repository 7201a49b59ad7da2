"""What a message says, resolved from a released template: the input of rendering."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256

from governance import door as governance
from presentation.blocks import AnyBlock, FooterBlock, walk_repeated
from presentation.documents import MessageClass, TemplateBody, Tracking
from presentation.fragments import all_variables, written_out
from presentation.locales import direction
from presentation.named import NOTHING, Named, frozen, in_force
from presentation.parts import Sender, Variable
from presentation.senders import SenderBody
from presentation.services.pinned import source_keys_in
from presentation.theme import Theme


@dataclass(frozen=True, slots=True)
class LocalizedContent:
    """One translation. text: the author's own text part (SMS, push: the message), None where it is made from the blocks. link, image,
    data, collapse_key: of push."""

    locale: str
    direction: str
    subject: str
    preheader: str
    blocks: tuple[AnyBlock, ...]
    text: str | None
    link: str = ""
    image: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    collapse_key: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """A template as rendering takes it. revision_id is None for a draft; sha256 covers the body and what it names. ttl: seconds
    for which push waits for a device, None for as long as the platform likes.

    sender, reply_to: as they go out, whether written out or named; named: the sender document, None where it is written out.
    """

    key: str
    revision_id: int | None
    sha256: str
    channel: str
    message_class: MessageClass
    topic: str | None
    sender: Sender
    reply_to: str | None
    default_locale: str
    tracking: Tracking
    theme: Theme
    fallbacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    variables: Mapping[str, Variable] = field(default_factory=dict)
    locales: Mapping[str, LocalizedContent] = field(default_factory=dict)
    named: SenderBody | None = None
    ttl: int | None = None

    @property
    def types(self) -> dict[str, str]:
        """The declared variables and their types."""
        return {name: variable.type for name, variable in self.variables.items()}

    @property
    def record_types(self) -> frozenset[str]:
        """The types of records that its variables are read from."""
        steps = [variable.source.split(".") for variable in self.variables.values()]
        return frozenset(key for room, key, *_ in steps if room == "record")

    @property
    def source_keys(self) -> frozenset[str]:
        """The content sources that its variables are read from."""
        return source_keys_in(self.variables)

    @property
    def fleeting(self) -> frozenset[str]:
        """The variables, and items of lists, whose values aren't kept once a message is made: links with them aren't counted."""
        names = {name for name, variable in self.variables.items() if variable.source.startswith("content.")}
        repeated = (each for locale in self.locales.values() for _, _, within in walk_repeated(locale.blocks) for each in within)
        return frozenset(names | {repeat.name for repeat in repeated if repeat.over in names}) if names else frozenset()

    @property
    def addressless(self) -> list[str]:
        """The locales of a mail that show no postal address."""
        shown = {
            tag for tag, each in self.locales.items() for block in each.blocks if isinstance(block, FooterBlock) and block.address.strip()
        }
        return sorted(set(self.locales) - shown) if self.channel == "email" else []


def compose(workspace_id: int, key: str, *, revision_id: int | None = None, needed: Sequence[int] | None = None) -> Content:
    """The released template of that key, or the revision that is given.

    needed: the revisions of what it names and of what dresses it (see `among`); None: as in force. Raises Missing.
    """
    if revision_id is None:
        view = governance.released(workspace_id, "template", key)
    else:
        view = governance.revision_by_id(workspace_id, revision_id)
        if (view.kind, view.key) != ("template", key):
            raise governance.Missing(f"revision {revision_id} is not one of template {key}")
    found = in_force(workspace_id, view.model) if needed is None else frozen(workspace_id, needed)
    digest = sha256(f"{view.sha256}{found.digest}".encode()).hexdigest() if found.digest else view.sha256
    return _content(view.key, view.model, view.id, digest, found)


def compose_body(key: str, body: TemplateBody, named: Named = NOTHING) -> Content:
    """A body that may not be saved yet, for previews and checks. named: what it names."""
    whole = body.model_dump_json(by_alias=True) + repr(named)
    return _content(key, body, None, sha256(whole.encode()).hexdigest(), named)


@lru_cache(maxsize=4_096)
def sender_among(workspace_id: int, template_revision_id: int, pins: tuple[int, ...]) -> int | None:
    """Which of these revisions is the sender that a template's revision names; None where it is written out.

    Revisions never change, so a process may remember it. Raises Missing where none of them is.
    """
    key = sender_key_of(workspace_id, template_revision_id)
    if not key:
        return None
    for pin in pins:
        view = governance.revision_by_id(workspace_id, pin)
        if (view.kind, view.key) == ("sender", key):
            return pin
    raise governance.Missing(f"the revision of sender {key} that this was frozen with")


@lru_cache(maxsize=4_096)
def sender_key_of(workspace_id: int, template_revision_id: int) -> str:
    """The key of the sender that a template's revision names, "" where it is written out. Raises Missing."""
    sender = governance.revision_by_id(workspace_id, template_revision_id).body.get("sender")
    return sender if isinstance(sender, str) else ""


def _content(key: str, body: TemplateBody, revision_id: int | None, digest: str, named: Named) -> Content:
    # A push link goes to the app, which knows its own addresses and not ours.
    default: Tracking = "off" if body.message_class == "transactional" or body.channel == "push" else "opens_and_clicks"
    sender = named.sender
    return Content(
        key=key,
        revision_id=revision_id,
        sha256=digest,
        channel=body.channel,
        message_class=body.message_class,
        topic=body.topic,
        sender=sender.written_out() if sender else body.written_sender,
        reply_to=body.reply_to or (sender.reply_to if sender else "") or None,
        default_locale=body.default_locale,
        tracking=body.tracking or default,
        theme=named.theme_of(body),
        fallbacks={tag: tuple(others) for tag, others in body.fallbacks.items()},
        variables=all_variables(body.variables, named.fragments),
        locales={
            tag: LocalizedContent(
                tag,
                direction(tag),
                locale.subject.strip(),
                locale.preheader.strip(),
                _signed(written_out(locale.blocks, tag, named.fragments), sender),
                locale.text,
                locale.link.strip(),
                locale.image.strip(),
                dict(locale.data),
                body.collapse_key.strip(),
            )
            for tag, locale in body.locales.items()
        },
        named=sender,
        ttl=body.ttl,
    )


def _signed(blocks: Iterable[AnyBlock], sender: SenderBody | None) -> tuple[AnyBlock, ...]:
    """The blocks, with the sender's address in footers that give none."""
    if sender is None or not sender.postal_address:
        return tuple(blocks)
    return tuple(
        block.model_copy(update={"address": sender.postal_address})
        if isinstance(block, FooterBlock) and not block.address.strip()
        else block
        for block in blocks
    )
