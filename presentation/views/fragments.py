"""Fragments: blocks that many templates share."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from governance.door import ConsoleRequest, Edit, Editor, Role, console_page, draw, edit
from presentation import template_places
from presentation.views.shown_blocks import blocks_context, blocks_editor

FRAGMENT = "fragment"
STARTER: dict[str, Any] = {
    "title": "",
    "default_locale": "en",
    "variables": {},
    "locales": {"en": {"blocks": [{"type": "text", "id": "text", "text": "What many templates say alike."}]}},
}


def fragment_editor(shown: str = "") -> Editor:
    """How fragments are edited: as templates are, with less around the blocks. shown: the locale whose blocks are fields."""
    return blocks_editor(FRAGMENT, shown)


@console_page(Role.AUTHOR)
def new_fragment(request: ConsoleRequest) -> HttpResponse:
    """The editor with one paragraph to start from."""
    return _draw(request, edit(request, fragment_editor(), None))


@console_page()
def fragment(request: ConsoleRequest, key: str) -> HttpResponse:
    """The blocks on the left, as they look on the right."""
    return _draw(request, edit(request, fragment_editor(request.GET.get("locale", "")), key))


def _draw(request: ConsoleRequest, current: Edit) -> HttpResponse:
    if current.response is not None:
        return current.response
    current.form = template_places.at_fault(current.form, current.faults)
    context = blocks_context(request, current, fragments=False)
    return draw(request, current, "presentation/fragment.html", "presentation/_fragment_form.html", context)
