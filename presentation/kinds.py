"""The kinds that presentation registers."""

from __future__ import annotations

from governance.door import Kind, Ref, Role, pointer, register
from presentation.blocks import FragmentBlock
from presentation.checks import template_checks
from presentation.documents import TemplateBody
from presentation.fragments import FRAGMENT
from presentation.senders import SENDER
from presentation.services.checks import source_checks
from presentation.services.documents import ContentSourceBody
from presentation.sources import sources_of
from presentation.theme import THEME


def _references(body: TemplateBody) -> list[Ref]:
    """What variables are read from, and the sender, the theme and the fragments that are named."""
    found = sources_of(body.variables)
    found += [Ref("sender", body.sender_key, "/sender")] if body.sender_key else []
    found += [Ref("theme", body.theme_key, "/theme")] if body.theme_key else []
    named: dict[str, Ref] = {}
    for tag, locale in body.locales.items():
        for place, block in enumerate(locale.blocks):
            if isinstance(block, FragmentBlock):
                at = pointer(("locales", tag, "blocks", place, "fragment"))
                named.setdefault(block.fragment, Ref("fragment", block.fragment, at))
    return [*found, *named.values()]


TEMPLATE = Kind(
    name="template",
    plural="templates",
    title="Template",
    schema=TemplateBody,
    references=_references,
    checks=template_checks,
)


CONTENT_SOURCE = Kind(
    name="content_source",
    plural="content-sources",
    title="Content source",
    schema=ContentSourceBody,
    references=lambda body: sources_of(body.inputs, "inputs"),
    checks=source_checks,
    save_role=Role.ADMIN,
)


def register_kinds() -> None:
    """Called once, when the room starts."""
    register(CONTENT_SOURCE)
    register(SENDER)
    register(THEME)
    register(FRAGMENT)
    register(TEMPLATE)
