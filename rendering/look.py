"""From a theme to the colours and sizes of a mail, in light and in dark."""

from __future__ import annotations

from dataclasses import dataclass

from presentation.door import FONTS, Theme, contrast, readable_on
from rendering.inline import Ink

GUTTER = 36  # pixels beside running text
HEADINGS = {1: ("28px", "1.25", "-0.01em"), 2: ("22px", "1.3", "-0.005em"), 3: ("18px", "1.35", "0")}
SIZES = {"small": ("14px", "1.5"), "normal": ("16px", "1.6"), "large": ("18px", "1.6")}


@dataclass(frozen=True, slots=True)
class Look:
    """A theme and a writing direction, as the e-mail channel uses them."""

    theme: Theme
    direction: str

    @property
    def font(self) -> str:
        """The font stack."""
        return FONTS[self.theme.font]

    @property
    def start(self) -> str:
        """The side where lines begin."""
        return "right" if self.direction == "rtl" else "left"

    def side(self, align: str) -> str:
        """left, right or center for start, end or center."""
        if align == "center":
            return "center"
        return self.start if align == "start" else ("left" if self.direction == "rtl" else "right")

    @property
    def small_radius(self) -> str:
        """Rounding of buttons and pictures."""
        return f"{self.theme.radius // 2}px"

    @property
    def on_accent(self) -> str:
        """The colour of words on the accent."""
        return readable_on(self.theme.accent)

    def ink(self, *, quiet: bool = False) -> Ink:
        """Inline styles of running text."""
        colour = self.theme.muted if quiet else self.theme.text
        link = self.theme.muted if quiet else self.theme.accent
        return Ink(
            paragraph=f"color:{colour};",
            link=f"color:{link};text-decoration:underline;text-underline-offset:2px;",
            quote=f"color:{self.theme.muted};border-color:{self.theme.line};",
            rule=f"border-top-color:{self.theme.line};",
            heading=f"color:{self.theme.text};font-weight:700;line-height:1.3;",
            side=self.start,
        )

    def _logos(self) -> str:
        if self.theme.brand is None or not self.theme.brand.logo_dark:
            return ""
        return "  .by-day { display: none !important; }\n  .by-night { display: block !important; }\n"

    def style_sheet(self) -> str:
        """What inline styles can't say: dark mode and phones. Clients without style sheets lose nothing but that."""
        dark = self.theme.dark
        accent = dark.accent or bright(self.theme.accent, dark.surface)
        return f"""
:root {{ color-scheme: light dark; supported-color-schemes: light dark; }}
a {{ color: {self.theme.accent}; }}
img {{ max-width: 100%; }}
@media only screen and (max-width:479px) {{
  .gut {{ padding-left: 22px !important; padding-right: 22px !important; }}
  .cols > table > tbody > tr > td {{ padding-left: 10px !important; padding-right: 10px !important; }}
  .h1 div, .h1 h1 {{ font-size: 25px !important; }}
}}
@media (prefers-color-scheme: dark) {{
  body, .page {{ background-color: {dark.background} !important; }}
  .sheet, .sheet > table {{ background: {dark.surface} !important; background-color: {dark.surface} !important; }}
  .ink div, .ink p, .ink li, .ink h1, .ink h2, .ink h3, .ink h4 {{ color: {dark.text} !important; }}
  .quiet div, .quiet p, .quiet li, .quiet a, .ink blockquote p {{ color: {dark.muted} !important; }}
  .ink a {{ color: {accent} !important; }}
  .brand a {{ color: {dark.text} !important; }}
{self._logos()}  .rule p, .ink hr, .ink blockquote {{ border-color: {dark.line} !important; border-top-color: {dark.line} !important; }}
  .outlined td, .outlined a {{ border-color: {accent} !important; color: {accent} !important; background: transparent !important; }}
}}
"""


def bright(colour: str, background: str) -> str:
    """The colour, mixed with white until it reads on the background (4.5:1)."""
    channels = [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
    for step in range(21):
        mixed = "#" + "".join(f"{round(channel + (255 - channel) * step / 20):02x}" for channel in channels)
        if contrast(mixed, background) >= 4.5:
            return mixed
    return "#ffffff"
