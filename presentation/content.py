"""What a message says, resolved from a released template: the input of rendering."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import cast

from governance import door as governance
from presentation.blocks import AnyBlock, FooterBlock
from presentation.documents import MessageClass, TemplateBody, Tracking
from presentation.locales import direction
from presentation.parts import Sender, Variable
from presentation.senders import SenderBody
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
    """A template as rendering takes it. revision_id is None for a draft; sha256 covers the body and the named sender's. ttl: seconds
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
    def addressless(self) -> list[str]:
        """The locales of a mail that show no postal address."""
        shown = {
            tag for tag, each in self.locales.items() for block in each.blocks if isinstance(block, FooterBlock) and block.address.strip()
        }
        return sorted(set(self.locales) - shown) if self.channel == "email" else []


def compose(workspace_id: int, key: str, *, revision_id: int | None = None, sender_id: int | None = None) -> Content:
    """The released template of that key, or the revision that is named.

    sender_id: the revision of the sender that it names; None: the one in force. Raises Missing.
    """
    if revision_id is None:
        view = governance.released(workspace_id, "template", key)
    else:
        view = governance.revision_by_id(workspace_id, revision_id)
        if (view.kind, view.key) != ("template", key):
            raise governance.Missing(f"revision {revision_id} is not one of template {key}")
    named = None
    if view.model.sender_key:
        read = governance.released(workspace_id, "sender", view.model.sender_key) if sender_id is None else None
        named = read or governance.revision_by_id(workspace_id, cast("int", sender_id))
        if (named.kind, named.key) != ("sender", view.model.sender_key):
            raise governance.Missing(f"revision {sender_id} is not one of sender {view.model.sender_key}")
    digest = sha256(f"{view.sha256}{named.sha256}".encode()).hexdigest() if named else view.sha256
    return _content(view.key, view.model, view.id, digest, named.model if named else None)


def compose_body(key: str, body: TemplateBody, named: SenderBody | None = None) -> Content:
    """A body that may not be saved yet, for previews and checks. named: the sender that it names, where there is one."""
    whole = body.model_dump_json(by_alias=True) + (named.model_dump_json() if named else "")
    return _content(key, body, None, sha256(whole.encode()).hexdigest(), named)


def drafted_sender(workspace_id: int, body: TemplateBody) -> SenderBody | None:
    """The sender that a template names, as drafted; None where it is written out, or not there (which its checks say)."""
    if not body.sender_key:
        return None
    try:
        return cast("SenderBody", governance.document(workspace_id, "sender", body.sender_key).latest.model)
    except (governance.Missing, governance.Invalid):
        return None


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


def senders_named(templates: Iterable[governance.RevisionView]) -> Sequence[str]:
    """The keys of the senders that these templates name, each once."""
    return sorted({view.model.sender_key for view in templates} - {""})


def _content(key: str, body: TemplateBody, revision_id: int | None, digest: str, named: SenderBody | None) -> Content:
    # A push link goes to the app, which knows its own addresses and not ours.
    default: Tracking = "off" if body.message_class == "transactional" or body.channel == "push" else "opens_and_clicks"
    return Content(
        key=key,
        revision_id=revision_id,
        sha256=digest,
        channel=body.channel,
        message_class=body.message_class,
        topic=body.topic,
        sender=named.written_out() if named else body.written_sender,
        reply_to=body.reply_to or (named.reply_to if named else "") or None,
        default_locale=body.default_locale,
        tracking=body.tracking or default,
        theme=body.theme,
        fallbacks={tag: tuple(others) for tag, others in body.fallbacks.items()},
        variables=dict(body.variables),
        locales={
            tag: LocalizedContent(
                tag,
                direction(tag),
                locale.subject.strip(),
                locale.preheader.strip(),
                _signed(locale.blocks, named),
                locale.text,
                locale.link.strip(),
                locale.image.strip(),
                dict(locale.data),
                body.collapse_key.strip(),
            )
            for tag, locale in body.locales.items()
        },
        named=named,
        ttl=body.ttl,
    )


def _signed(blocks: Iterable[AnyBlock], named: SenderBody | None) -> tuple[AnyBlock, ...]:
    """The blocks, with the sender's address in footers that give none."""
    if named is None or not named.postal_address:
        return tuple(blocks)
    return tuple(
        block.model_copy(update={"address": named.postal_address})
        if isinstance(block, FooterBlock) and not block.address.strip()
        else block
        for block in blocks
    )
