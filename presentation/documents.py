"""The template document: what a message says, in every locale."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, WrapValidator, field_validator, model_validator

from governance.door import DocumentModel, Slug
from presentation.blocks import fragment_keys
from presentation.characters import Line
from presentation.faults import raise_faults
from presentation.parts import LocaleBody, Sender, Variable, one_address
from presentation.push import LONGEST_TTL
from presentation.rules import content_faults, footer_faults, locale_faults, push_terms_faults, variable_faults
from presentation.theme import Dress, Theme, base_of
from presentation.translation.records import Translations

MessageClass = Literal["transactional", "service", "promotional"]
Tracking = Literal["off", "clicks", "opens_and_clicks"]


def _named_or_written(value: Any, handler: Any) -> Any:
    """A text is a key; anything else is validated as a sender, so that findings point at its fields and not at a member of a union."""
    return handler(value) if isinstance(value, (str, Sender)) else Sender.model_validate(value)


SenderOrKey = Annotated[Sender | Slug, WrapValidator(_named_or_written)]


class TemplateBody(DocumentModel):
    """A template: message class, sender, variables, and the content per locale."""

    title: Line = Field(min_length=1, max_length=120)
    channel: Literal["email", "sms", "push"]
    message_class: MessageClass
    topic: Slug | None = Field(default=None, description="The subscription category that consent is asked for.")
    sender: SenderOrKey = Field(description="Written out, or the key of a sender.")
    reply_to: Line | None = Field(default=None, max_length=320)
    default_locale: str
    fallbacks: dict[str, list[str]] = Field(default_factory=dict)
    tracking: Tracking | None = Field(
        default=None, description="By default clicks and opens, but nothing for transactional messages and push."
    )
    collapse_key: Line = Field(
        default="", max_length=200, description="Push: a newer message with the same key takes the older one's place on the device."
    )
    ttl: int | None = Field(
        default=None, ge=0, le=LONGEST_TTL, description="Push: seconds for which a device that can't be reached is waited for."
    )
    theme: Dress = Field(default_factory=Theme, description="Written out, the key of a theme, or its key as base with changes.")
    variables: dict[str, Variable] = Field(default_factory=dict, max_length=200)
    locales: dict[str, LocaleBody] = Field(min_length=1, max_length=100)
    translations: dict[str, Translations] = Field(
        default_factory=dict,
        max_length=100,
        description="By locale and text: what it was translated from and whether it was read. The translation desk and imports write it.",
    )

    @field_validator("reply_to")
    @classmethod
    def _one_reply_address(cls, value: str | None) -> str | None:
        return one_address(value) if value else None

    @property
    def sender_key(self) -> str:
        """The key of the sender that is named, "" where it is written out."""
        return self.sender if isinstance(self.sender, str) else ""

    @property
    def theme_key(self) -> str:
        """The key of the theme that is named, "" where it is written out."""
        return base_of(self.theme)

    @property
    def fragment_keys(self) -> list[str]:
        """The keys of the fragments that stand in any language."""
        return fragment_keys(block for locale in self.locales.values() for block in locale.blocks)

    @property
    def written_sender(self) -> Sender:
        """The sender as written out; an empty one where it is named."""
        return self.sender if isinstance(self.sender, Sender) else Sender()

    @model_validator(mode="after")
    def _sound(self) -> TemplateBody:
        declared = {name: variable.type for name, variable in self.variables.items()}
        faults = [*variable_faults(declared), *locale_faults(self.locales, self.default_locale, self.fallbacks)]
        for tag, locale in self.locales.items():
            faults += content_faults(locale, self.channel, declared, ("locales", tag))
            faults += footer_faults(locale, ("locales", tag)) if not self.sender_key else ()
        faults += push_terms_faults(self.channel, self.collapse_key, self.ttl, declared)
        raise_faults("TemplateBody", faults)
        return self
