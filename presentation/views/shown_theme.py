"""The fields of a theme as an editor draws them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from governance.door import ConsoleRequest, Finding, documents, mapped
from presentation.theme import FONTS, Dark, Theme


def theme_context(request: ConsoleRequest, said: Mapping[str, Any], faults: Mapping[str, Finding]) -> dict[str, Any]:
    """The fields of a theme that is written out, or changes one that is named."""
    base = str(said.get("base") or "")
    themes = {view.key: view for view in documents(request.actor.workspace_id, "theme")}
    known = themes[base].latest.body if base in themes else {}
    options = [(view.key, view.title) for view in themes.values()]
    return {
        "themes": options + ([(base, base)] if base and base not in themes else []),
        "theme_base": base,
        "theme_changed": bool(set(said) - {"base", "as_object"}),
        "theme_as_object": bool(said.get("as_object")),
        "theme_at_fault": any(path.startswith("/theme") for path in faults),
        **fields_of(said, known),
    }


def fields_of(theme: Any, base: Mapping[str, Any]) -> dict[str, Any]:
    """A field for each colour and measure. base: what counts where the theme says nothing."""
    said, dark = mapped(theme), mapped(mapped(theme).get("dark"))
    return {
        "theme_fields": [_theme_field(Theme, name, said, base, "/theme") for name in Theme.model_fields if name not in {"brand", "dark"}],
        "dark_fields": [_theme_field(Dark, name, dark, mapped(base.get("dark")), "/theme/dark") for name in Dark.model_fields],
        "brand": mapped(said.get("brand")),
        "theme_none": [
            f"{path}/{name}"
            for path, part in (("/theme", said), ("/theme/brand", mapped(said.get("brand"))), ("/theme/dark", dark))
            for name, value in part.items()
            if value is None
        ],
        "theme_title": said.get("title", ""),
    }


def _theme_field(of: type[Theme | Dark], name: str, said: Mapping[str, Any], base: Mapping[str, Any], path: str) -> dict[str, Any]:
    usual = base.get(name, of.model_fields[name].default)
    look = "choice" if name == "font" else "int" if name == "radius" else "colour"
    return {
        "name": name,
        "path": f"{path}/{name}",
        "id": f"f{path.replace('/', '-')}-{name}",
        "value": said.get(name, ""),
        "usual": usual if usual is not None else "lightened accent",
        "shown": usual or "#ffffff",
        "look": look,
        "options": list(FONTS) if name == "font" else [],
    }
