"""The kinds that presentation registers."""

from __future__ import annotations

from governance.door import Kind, register
from presentation.checks import template_checks
from presentation.documents import TemplateBody

TEMPLATE = Kind(name="template", plural="templates", title="Template", schema=TemplateBody, checks=template_checks)


def register_kinds() -> None:
    """Called once, when the room starts."""
    register(TEMPLATE)
