"""How mails are dressed: colours by day and by night, type, and the name above the letter; written out, or as a document that many name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WrapValidator

from governance.door import CheckContext, DocumentModel, Finding, Kind, Slug, Text
from presentation.blocks import ImageAddress, Link
from presentation.characters import FixedLine, fixed

FONTS = {
    "system": "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Noto Sans', sans-serif",
    "serif": "Georgia, 'Times New Roman', 'Noto Serif', serif",
    "humanist": "'Gill Sans', 'Gill Sans MT', Calibri, 'Trebuchet MS', 'Noto Sans', sans-serif",
    "mono": "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace",
}
READABLE = 4.5  # contrast of text (WCAG 2 AA)
Font = Literal["system", "serif", "humanist", "mono"]


def _colour(value: str) -> str:
    if len(value) != 7 or value[0] != "#" or any(char not in "0123456789abcdefABCDEF" for char in value[1:]):
        raise ValueError("a colour of six hexadecimal digits such as #1a56db")
    return value.lower()


Colour = Annotated[str, AfterValidator(_colour)]


class Brand(DocumentModel):
    """What stands above the letter: a logo, or the name in type."""

    name: FixedLine = Field(min_length=1, max_length=80)
    logo: Annotated[ImageAddress, AfterValidator(fixed)] | None = None
    logo_dark: Annotated[ImageAddress, AfterValidator(fixed)] | None = Field(default=None, description="Shown instead in the dark.")
    logo_width: int = Field(default=120, ge=24, le=400)
    href: Annotated[Link, AfterValidator(fixed)] | None = None


class Dark(DocumentModel):
    """The colours of a theme in the dark, where mail clients offer it. What isn't said is chosen to be readable."""

    accent: Colour | None = Field(default=None, description="By default the accent, mixed with white until it reads.")
    background: Colour = "#0f1216"
    surface: Colour = "#191d24"
    text: Colour = "#e9ecf1"
    muted: Colour = "#a3adba"
    line: Colour = "#30363f"


class Theme(DocumentModel):
    """Colours and type. The defaults are a calm letter: dark text on a white sheet."""

    accent: Colour = "#1f4fd8"
    background: Colour = "#f3f4f6"
    surface: Colour = "#ffffff"
    text: Colour = "#1b2430"
    muted: Colour = "#5d6878"
    line: Colour = "#e3e6eb"
    dark: Dark = Field(default_factory=Dark)
    font: Font = "system"
    radius: int = Field(default=12, ge=0, le=24, description="Rounding of the sheet and, halved, of buttons and pictures, in pixels.")
    brand: Brand | None = None


class ThemeBody(Theme):
    """A theme that templates and campaigns name by its key."""

    title: Annotated[str, Text(120)]


class ThemeChange(DocumentModel):
    """A theme with some of it said otherwise."""

    base: Slug | None = Field(default=None, description="The key of the theme that is changed; a campaign may change its templates' own.")
    accent: Colour | None = None
    background: Colour | None = None
    surface: Colour | None = None
    text: Colour | None = None
    muted: Colour | None = None
    line: Colour | None = None
    dark: Dark | None = None
    font: Font | None = None
    radius: int | None = Field(default=None, ge=0, le=24)
    brand: Brand | None = None


def _by_shape(value: Any, handler: Any) -> Any:
    """A text is a key and an object with a base a change, so that findings point at fields and not at members of a union."""
    if isinstance(value, (str, Theme, ThemeChange)):
        return handler(value)
    return ThemeChange.model_validate(value) if isinstance(value, dict) and "base" in value else Theme.model_validate(value)


def _key_or_change(value: Any, handler: Any) -> Any:
    return handler(value) if isinstance(value, (str, ThemeChange)) else ThemeChange.model_validate(value)


Dress = Annotated[Theme | ThemeChange | Slug, WrapValidator(_by_shape)]
"""A theme written out, the key of one, or a key with changes."""
Override = Annotated[ThemeChange | Slug, WrapValidator(_key_or_change)]
"""What is worn instead of a template's own theme: the key of another, or changes of it or of another."""


def base_of(dress: Theme | ThemeChange | str | None) -> str:
    """The key of the theme that is named, "" where none is."""
    return dress if isinstance(dress, str) else (dress.base or "") if isinstance(dress, ThemeChange) else ""


def worn(dress: Theme | ThemeChange | str, base: Theme | None) -> Theme:
    """The theme as it is put on. base: what `base_of` names; the calm letter stands in for one that is missing."""
    if isinstance(dress, Theme):
        return dress
    whole = Theme(**{name: getattr(base, name) for name in Theme.model_fields}) if base is not None else Theme()
    if isinstance(dress, str):
        return whole
    said = {name: value for name in Theme.model_fields if (value := getattr(dress, name)) is not None}
    return whole.model_copy(update=said)


def theme_faults(theme: Theme) -> Iterator[Finding]:
    """Colours that can't be read on what they stand on, by day and by night."""
    for name, least in (("text", READABLE), ("muted", READABLE)):
        if contrast(getattr(theme, name), theme.surface) < least:
            yield Finding("warning", f"/{name}", getattr(theme, name), f"a colour with a contrast of at least {least}:1 on the surface")
        if contrast(getattr(theme.dark, name), theme.dark.surface) < least:
            found = getattr(theme.dark, name)
            yield Finding("warning", f"/dark/{name}", found, f"a colour with a contrast of at least {least}:1 on the dark surface")
    if theme.dark.accent and contrast(theme.dark.accent, theme.dark.surface) < READABLE:
        yield Finding("warning", "/dark/accent", theme.dark.accent, "a colour with a contrast of at least 4.5:1 on the dark surface")
    if contrast(theme.accent, theme.surface) < READABLE:
        yield Finding("warning", "/accent", theme.accent, "a colour with a contrast of at least 4.5:1 on the surface: links have it")


def _checks(context: CheckContext, body: ThemeBody) -> Sequence[Finding]:
    return list(theme_faults(body))


THEME = Kind("theme", "themes", "Theme", ThemeBody, checks=_checks)


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, 0 to 1 (WCAG 2)."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable_on(colour: str) -> str:
    """White or near-black, whichever is easier to read on `colour`."""
    return "#ffffff" if contrast("#ffffff", colour) >= contrast("#111827", colour) else "#111827"
