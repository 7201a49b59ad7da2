"""Which topics want an agreement confirmed before it counts. Document kind `opt_in`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from audience.topics import TOPIC, WHOLE_CHANNEL
from governance import door as governance
from governance.door import CheckContext, DocumentModel, Finding, Kind, Like, Ref, Slug, Text, pointer

LINK_DAYS = 30


def _distinct(topics: list[str]) -> list[str]:
    if len(set(topics)) < len(topics):
        raise ValueError("each topic once")
    return topics


Topic = Annotated[str, Like(TOPIC, "the key of a topic, such as offers, or * for every topic of the channel")]


class OptInBody(DocumentModel):
    """Who agrees to one of these topics is asked to confirm it by a link in a message, and has agreed only once they did."""

    title: Annotated[str, Text(120)]
    channel: Literal["email", "sms"] = Field(json_schema_extra={"words": {"email": "E-mail", "sms": "SMS"}})
    topics: Annotated[list[Topic], AfterValidator(_distinct)] = Field(
        min_length=1,
        max_length=100,
        description="Keys of topics, or `*`: every topic of the channel.",
        json_schema_extra={"item": "topic", "help": "Those that templates and agreements speak of; another one by its key."},
    )
    confirm_with: Slug = Field(
        title="The message that asks",
        description="A transactional template of the channel with a link to `{{ confirm_url }}`.",
        json_schema_extra={"help": "A transactional template of the channel with a link to {{ confirm_url }}.", "choose": True},
    )
    link_days: int = Field(
        default=LINK_DAYS,
        ge=1,
        le=90,
        title="The link works for",
        description="Days in which it can be confirmed.",
        json_schema_extra={"unit": "days"},
    )


def _checks(context: CheckContext, body: OptInBody) -> Sequence[Finding]:
    """Whether the template asks what it should, and whether another document speaks about the same topics."""
    template = context.draft("template", body.confirm_with)
    found = []
    if template is not None:
        if template.message_class != "transactional":
            found.append(Finding("error", "/confirm_with", f"a {template.message_class} template", "a transactional one"))
        if template.channel != body.channel:
            found.append(Finding("error", "/confirm_with", f"a template of {template.channel}", f"one of {body.channel}"))
        lacking = [tag for tag, locale in template.locales.items() if "confirm_url" not in locale.model_dump_json()]
        if lacking:
            found.append(
                Finding("error", "/confirm_with", f"no {{{{ confirm_url }}}} in {', '.join(lacking)}", "a link to it in each language")
            )
    used = {view.model.topic for view in governance.all_released(context.workspace_id, "template")}
    for place, topic in enumerate(body.topics):
        if topic != WHOLE_CHANNEL and topic not in used:
            expected = "a topic of a released template: perhaps it is spelled otherwise there"
            found.append(Finding("warning", pointer(("topics", place)), topic, expected))
    for view in governance.documents(context.workspace_id, OPT_IN.name):
        other: OptInBody = view.latest.model
        if view.key != context.key and other.channel == body.channel:
            found += [
                Finding(
                    "error", pointer(("topics", place)), f"{topic}, which {view.key} is about, too", "a topic that no other one is about"
                )
                for place, topic in enumerate(body.topics)
                if topic in other.topics
            ]
    return found


OPT_IN = Kind(
    "opt_in",
    "opt-ins",
    "Double opt-in",
    OptInBody,
    references=lambda body: [Ref("template", body.confirm_with, "/confirm_with")],
    checks=_checks,
)


@dataclass(frozen=True, slots=True)
class OptIn:
    """A declaration in force, by its key."""

    key: str
    confirm_with: str
    link_days: int


def opt_in(workspace_id: int, channel: str, topic: str) -> OptIn | None:
    """What an agreement to this topic of this channel must be confirmed by; None where it counts as it is.

    Remembered by the epoch: one small query where nothing was released since.
    """
    declared = _declared(workspace_id, governance.epoch(workspace_id))
    return declared.get((channel, topic)) or declared.get((channel, WHOLE_CHANNEL))


@lru_cache(maxsize=64)
def _declared(workspace_id: int, epoch: int) -> Mapping[tuple[str, str], OptIn]:
    found: dict[tuple[str, str], OptIn] = {}
    for view in governance.all_released(workspace_id, OPT_IN.name):
        body: OptInBody = view.model
        declared = OptIn(view.key, body.confirm_with, body.link_days)
        found.update({(body.channel, topic): declared for topic in body.topics})
    return found
