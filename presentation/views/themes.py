"""Themes: colours by day and by night, type, and the name above the letter."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from governance.door import ConsoleRequest, Edit, Editor, Role, console_page, draw, edit
from presentation.views.shown_theme import fields_of

THEME = "theme"
STARTER: dict[str, Any] = {"title": ""}


def theme_editor() -> Editor:
    """How themes are edited: a field for each colour."""
    return Editor(THEME, to_form=lambda body: {"theme": body}, to_body=lambda form: dict(form.get("theme") or {}), place=_place)


def _place(path: str, form: dict[str, Any]) -> str:
    return path if path.startswith("/theme") or path == "/key" else f"/theme{path}"


@console_page(Role.AUTHOR)
def new_theme(request: ConsoleRequest) -> HttpResponse:
    """The editor with the calm letter's colours."""
    return _draw(request, edit(request, theme_editor(), None))


@console_page()
def theme(request: ConsoleRequest, key: str) -> HttpResponse:
    """The colours on the left, a letter in them on the right."""
    return _draw(request, edit(request, theme_editor(), key))


def _draw(request: ConsoleRequest, current: Edit) -> HttpResponse:
    if current.response is not None:
        return current.response
    context = {**fields_of(current.form.get("theme"), {}), "at": current.fault_at}
    return draw(request, current, "presentation/theme.html", "presentation/_theme_form.html", context)
