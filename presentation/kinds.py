"""The kinds that presentation registers."""

from __future__ import annotations

from governance.door import Kind, Ref, pointer, register
from presentation.checks import template_checks
from presentation.documents import TemplateBody
from presentation.senders import SENDER

_READ_FROM = {"attribute": "attribute", "record": "record_type"}  # rooms of sources, and the kinds of document that say what is there


def _references(body: TemplateBody) -> list[Ref]:
    """The attributes and types of records that variables are read from, and the sender where one is named."""
    found = [Ref("sender", body.sender_key, "/sender")] if body.sender_key else []
    for name, variable in body.variables.items():
        room, key, *_ = variable.source.split(".")
        if room in _READ_FROM:
            found.append(Ref(_READ_FROM[room], key, pointer(("variables", name, "source"))))
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
