"""The template document: what a message says, in every locale."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from governance.door import DocumentModel, Slug
from presentation.characters import Line
from presentation.faults import Fault, raise_faults
from presentation.locales import canonical
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

    @model_validator(mode="before")
    @classmethod
    def _one_spelling_per_locale(cls, data: Any) -> Any:
        return spelled(data) if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _sound(self) -> TemplateBody:
        declared = {name: variable.type for name, variable in self.variables.items()}
        faults = [*variable_faults(declared), *locale_faults(self.locales, self.default_locale, self.fallbacks)]
        for tag, locale in self.locales.items():
            faults += content_faults(locale, self.channel, declared, ("locales", tag))
        raise_faults("TemplateBody", faults)
        return self


def spelled(data: dict[str, Any]) -> dict[str, Any]:
    """The body with every locale in its canonical spelling. Raises a ValidationError that points at each unknown one."""
    faults: list[Fault] = []
    out = dict(data)
    if isinstance(data.get("default_locale"), str):
        out["default_locale"] = _spell(data["default_locale"], ("default_locale",), faults)
    for field in ("locales", "fallbacks"):
        given = data.get(field)
        if not isinstance(given, dict):
            continue
        renamed: dict[str, Any] = {}
        for tag, value in given.items():
            name = _spell(tag, (field, tag), faults)
            if name in renamed:
                faults.append(Fault((field, tag), tag, f"each locale once: {name} is there already"))
            if field == "fallbacks" and isinstance(value, list):
                value = [_spell(each, (field, tag, place), faults) for place, each in enumerate(value)]
            renamed[name] = value
        out[field] = renamed
    raise_faults("TemplateBody", faults)
    return out


def _spell(tag: Any, at: tuple[str | int, ...], faults: list[Fault]) -> Any:
    if not isinstance(tag, str):
        return tag
    try:
        return canonical(tag)
    except ValueError as error:
        faults.append(Fault(at, tag, str(error)))
        return tag
