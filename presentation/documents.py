"""The template document: what a message says, in every locale."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from governance.door import DocumentModel, Slug
from presentation.characters import Line
from presentation.faults import raise_faults
from presentation.parts import LocaleBody, Sender, Variable, one_address
from presentation.rules import content_faults, locale_faults, variable_faults
from presentation.theme import Theme

MessageClass = Literal["transactional", "service", "promotional"]
Tracking = Literal["off", "clicks", "opens_and_clicks"]


class TemplateBody(DocumentModel):
    """A template: message class, sender, variables, and the content per locale."""

    title: Line = Field(min_length=1, max_length=120)
    channel: Literal["email", "sms"]
    message_class: MessageClass
    topic: Slug | None = Field(default=None, description="The subscription category that consent is asked for.")
    sender: Sender
    reply_to: Line | None = Field(default=None, max_length=320)
    default_locale: str
    fallbacks: dict[str, list[str]] = Field(default_factory=dict)
    tracking: Tracking | None = Field(default=None, description="By default clicks and opens, but nothing for transactional messages.")
    theme: Theme = Field(default_factory=Theme)
    variables: dict[str, Variable] = Field(default_factory=dict, max_length=200)
    locales: dict[str, LocaleBody] = Field(min_length=1, max_length=100)

    @field_validator("reply_to")
    @classmethod
    def _one_reply_address(cls, value: str | None) -> str | None:
        return one_address(value) if value else None

    @model_validator(mode="after")
    def _sound(self) -> TemplateBody:
        declared = {name: variable.type for name, variable in self.variables.items()}
        faults = [*variable_faults(declared), *locale_faults(self.locales, self.default_locale, self.fallbacks)]
        for tag, locale in self.locales.items():
            faults += content_faults(locale, self.channel, declared, ("locales", tag))
        raise_faults("TemplateBody", faults)
        return self
