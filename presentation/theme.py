"""How a template's mails are dressed: colours, type and the name above the letter."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from governance.door import DocumentModel
from presentation.blocks import ImageAddress, Link
from presentation.characters import FixedLine, fixed

FONTS = {
    "system": "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Noto Sans', sans-serif",
    "serif": "Georgia, 'Times New Roman', 'Noto Serif', serif",
    "humanist": "'Gill Sans', 'Gill Sans MT', Calibri, 'Trebuchet MS', 'Noto Sans', sans-serif",
    "mono": "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace",
}


def _colour(value: str) -> str:
    if len(value) != 7 or value[0] != "#" or any(char not in "0123456789abcdefABCDEF" for char in value[1:]):
        raise ValueError("a colour of six hexadecimal digits such as #1a56db")
    return value.lower()


Colour = Annotated[str, AfterValidator(_colour)]


class Brand(DocumentModel):
    """What stands above the letter: a logo, or the name in type."""

    name: FixedLine = Field(min_length=1, max_length=80)
    logo: Annotated[ImageAddress, AfterValidator(fixed)] | None = None
    logo_width: int = Field(default=120, ge=24, le=400)
    href: Annotated[Link, AfterValidator(fixed)] | None = None


class Theme(DocumentModel):
    """Colours and type of one template. The defaults are a calm letter: dark text on a white sheet."""

    accent: Colour = "#1f4fd8"
    background: Colour = "#f3f4f6"
    surface: Colour = "#ffffff"
    text: Colour = "#1b2430"
    muted: Colour = "#5d6878"
    line: Colour = "#e3e6eb"
    font: Literal["system", "serif", "humanist", "mono"] = "system"
    radius: int = Field(default=12, ge=0, le=24, description="Rounding of the sheet and, halved, of buttons and pictures, in pixels.")
    brand: Brand | None = None


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
