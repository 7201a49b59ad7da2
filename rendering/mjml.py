"""MJML, built element by element from an allow-list, and turned into HTML by mrml.

mrml writes attribute values with escapes of its own for everything but printable ASCII and plain letters, which breaks
Hindi, Thai, Persian, combining marks and joined emoji. The guard: every attribute value is written as numeric character
references for all but letters, digits and a few safe signs, which mrml passes on untouched."""

from __future__ import annotations

import re

import mrml

_BOX = frozenset({"padding", "padding-top", "padding-bottom", "css-class"})
_TYPE = frozenset({"align", "color", "font-family", "font-size", "font-weight", "line-height", "letter-spacing"})
ALLOWED: dict[str, frozenset[str]] = {
    "mjml": frozenset({"lang", "dir"}),
    "mj-head": frozenset(),
    "mj-title": frozenset(),
    "mj-preview": frozenset(),
    "mj-style": frozenset(),
    "mj-raw": frozenset(),
    "mj-body": frozenset({"width", "background-color", "css-class"}),
    "mj-wrapper": _BOX | {"background-color", "border", "border-radius", "direction"},
    "mj-section": _BOX | {"background-color", "direction"},
    "mj-column": _BOX | {"width", "direction", "vertical-align"},
    "mj-text": _BOX | _TYPE,
    "mj-button": _BOX | _TYPE | {"background-color", "border", "border-radius", "href", "inner-padding"},
    "mj-image": _BOX | {"align", "alt", "border-radius", "href", "src", "width", "fluid-on-mobile"},
    "mj-divider": _BOX | {"border-color", "border-width"},
    "mj-spacer": frozenset({"height", "css-class"}),
}
_PLAIN = re.compile(r"[A-Za-z0-9 ,.;:#%/()_-]")


class NotAllowed(ValueError):
    """An element or attribute outside the allow-list: mrml would drop it without a word."""


def element(tag: str, content: str = "", /, **attributes: str | None) -> str:
    """One MJML element. Underscores in attribute names become hyphens; None leaves one out. content is MJML or a stand-in."""
    known = ALLOWED.get(tag)
    if known is None:
        raise NotAllowed(f"element {tag}")
    written = ""
    for name, value in attributes.items():
        name = name.replace("_", "-")
        if name not in known:
            raise NotAllowed(f"attribute {name} of {tag}")
        if value is not None:
            written += f' {name}="{guarded(value)}"'
    return f"<{tag}{written}>{content}</{tag}>"


def guarded(value: str) -> str:
    """An attribute value that survives mrml in every script."""
    return "".join(char if _PLAIN.match(char) else f"&#{ord(char)};" for char in value)


def to_html(source: str) -> str:
    """HTML of a whole MJML document. No fonts are imported and nothing is included."""
    options = mrml.RenderOptions(disable_comments=False, fonts={}, social_icon_origin="")
    parser = mrml.ParserOptions(include_loader=mrml.noop_loader())
    output = mrml.to_html(source, parser_options=parser, render_options=options)
    return str(output.content)
