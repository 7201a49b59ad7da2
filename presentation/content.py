"""What a message says, resolved from a released template: the input of rendering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from governance import door as governance
from presentation.blocks import AnyBlock
from presentation.documents import MessageClass, TemplateBody, Tracking
from presentation.locales import direction
from presentation.parts import Sender, Variable
from presentation.theme import Theme


@dataclass(frozen=True, slots=True)
class LocalizedContent:
    """One translation. text: the author's own text part (SMS: the message), None where it is made from the blocks."""

    locale: str
    direction: str
    subject: str
    preheader: str
    blocks: tuple[AnyBlock, ...]
    text: str | None


@dataclass(frozen=True, slots=True)
class Content:
    """A template as rendering takes it. revision_id is None for a draft; sha256 is the body's."""

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

    @property
    def types(self) -> dict[str, str]:
        """The declared variables and their types."""
        return {name: variable.type for name, variable in self.variables.items()}


def compose(workspace_id: int, key: str, *, revision_id: int | None = None) -> Content:
    """The released template of that key, or the revision that is named. Raises Missing."""
    if revision_id is None:
        view = governance.released(workspace_id, "template", key)
    else:
        view = governance.revision_by_id(workspace_id, revision_id)
        if (view.kind, view.key) != ("template", key):
            raise governance.Missing(f"revision {revision_id} is not one of template {key}")
    return _content(view.key, view.model, view.id, view.sha256)


def compose_body(key: str, body: TemplateBody) -> Content:
    """A body that may not be saved yet, for previews and checks."""
    return _content(key, body, None, sha256(body.model_dump_json(by_alias=True).encode()).hexdigest())


def _content(key: str, body: TemplateBody, revision_id: int | None, digest: str) -> Content:
    default: Tracking = "off" if body.message_class == "transactional" else "opens_and_clicks"
    return Content(
        key=key,
        revision_id=revision_id,
        sha256=digest,
        channel=body.channel,
        message_class=body.message_class,
        topic=body.topic,
        sender=body.sender,
        reply_to=body.reply_to,
        default_locale=body.default_locale,
        tracking=body.tracking or default,
        theme=body.theme,
        fallbacks={tag: tuple(others) for tag, others in body.fallbacks.items()},
        variables=dict(body.variables),
        locales={
            tag: LocalizedContent(tag, direction(tag), locale.subject.strip(), locale.preheader.strip(), tuple(locale.blocks), locale.text)
            for tag, locale in body.locales.items()
        },
    )
