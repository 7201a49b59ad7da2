"""The kinds that presentation registers."""

from __future__ import annotations

from governance.door import Kind, Ref, pointer, register
from presentation.checks import template_checks
from presentation.documents import TemplateBody
from presentation.senders import SENDER


def _references(body: TemplateBody) -> list[Ref]:
    """The attributes that variables are read from, and the sender where one is named."""
    found = [Ref("sender", body.sender_key, "/sender")] if body.sender_key else []
    for name, variable in body.variables.items():
        room, _, attribute = variable.source.partition(".")
        if room == "attribute":
            found.append(Ref("attribute", attribute, pointer(("variables", name, "source"))))
    return found


TEMPLATE = Kind(
    name="template",
    plural="templates",
    title="Template",
    schema=TemplateBody,
    references=_references,
    checks=template_checks,
)


def register_kinds() -> None:
    """Called once, when the room starts."""
    register(SENDER)
    register(TEMPLATE)
