"""A mail from blocks: a letter on a sheet, 600 pixels wide, with its name above and its footer below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import Any

from markupsafe import escape

from presentation.door import (
    AnyBlock,
    Brand,
    ButtonBlock,
    CardBlock,
    ColumnsBlock,
    DividerBlock,
    FooterBlock,
    HeadingBlock,
    HeroBlock,
    HtmlBlock,
    ImageBlock,
    LocalizedContent,
    SocialBlock,
    SpacerBlock,
    TextBlock,
    Theme,
)
from rendering import inline, mjml, raw_html
from rendering.channels import compound
from rendering.channels.words import unsubscribe_word
from rendering.holes import Holes
from rendering.look import GUTTER, HEADINGS, SIZES, Look
from rendering.mjml import element

WIDTH = 600
_FILLER = ("&#847;&zwnj;&nbsp;" * 15 + " ") * 4  # keeps inboxes from showing the first lines behind the preheader
_META = (
    '<meta name="color-scheme" content="light dark" /><meta name="supported-color-schemes" content="light dark" />'
    '<meta name="x-apple-disable-message-reformatting" />'
)


def html(content: LocalizedContent, theme: Theme, holes: Holes, *, leaving: bool, pixel: bool) -> str:
    """The whole mail as HTML with stand-ins. leaving: whether a footer offers to unsubscribe; pixel: whether opens are counted."""
    letter = Letter(content, Look(theme, content.direction), holes, leaving)
    source = element("mjml", letter.head() + letter.body(), lang=content.locale, dir=content.direction)
    output = holes.laid_open(mjml.to_html(source))
    if pixel:
        image = f'<img src="{holes.pixel()}" width="1" height="1" alt="" style="display:block;border:0;width:1px;height:1px;" />'
        output = output.replace("</body>", image + "</body>")
    return output


class Letter:
    """One locale's mail in the making."""

    def __init__(self, content: LocalizedContent, look: Look, holes: Holes, leaving: bool) -> None:
        self.content, self.look, self.holes, self.leaving = content, look, holes, leaving

    def words(self, text: str) -> str:
        """One authored line as HTML with stand-ins."""
        return str(escape(self.holes.text(text)))

    def head(self) -> str:
        """Title, preheader, style sheet and colour schemes."""
        title = element("mj-title", self.holes.verbatim(self.words(self.content.subject)))
        preheader = self.words(self.content.preheader)
        preview = element("mj-preview", self.holes.verbatim(preheader + _FILLER)) if preheader else ""
        style = element("mj-style", self.holes.verbatim(self.look.style_sheet()))
        return element("mj-head", title + preview + style + element("mj-raw", self.holes.verbatim(_META)))

    def body(self) -> str:
        """Brand, sheet and footer, from top to bottom."""
        footers = [block for block in self.content.blocks if isinstance(block, FooterBlock)]
        others = [block for block in self.content.blocks if not isinstance(block, FooterBlock)]
        parts = self._brand() + self._sheet(others) + "".join(map(self._footer, footers))
        ending = element("mj-section", self.column(element("mj-spacer", height="24px")), padding="0")
        return element("mj-body", parts + ending, width=f"{WIDTH}px", background_color=self.look.theme.background, css_class="page")

    def column(self, content: str, **attributes: str | None) -> str:
        return element("mj-column", content, direction=self.look.direction, **attributes)

    def _brand(self) -> str:
        brand = self.look.theme.brand
        if brand is None:
            return element("mj-section", self.column(element("mj-spacer", height="24px")), padding="0")
        if brand.logo and brand.logo_dark:
            inner = self._two_logos(brand, brand.logo, brand.logo_dark)
        elif brand.logo:
            href = self.holes.link(brand.href) if brand.href else None
            inner = element(
                "mj-image",
                src=self.holes.picture(brand.logo),
                alt=brand.name,
                href=href,
                width=f"{brand.logo_width}px",
                align=self.look.start,
                padding=f"0 {GUTTER}px",
                css_class="gut",
            )
        else:
            name = str(escape(brand.name))
            plain = f"color:{self.look.theme.text};text-decoration:none;"
            if brand.href:
                name = f'<a href="{self.holes.link(brand.href)}" style="{plain}" target="_blank">{name}</a>'
            inner = self.running(name, size="18px", line="1.3", css="ink brand", weight="700", padding=f"0 {GUTTER}px")
        return element("mj-section", self.column(inner), padding="28px 0 20px", direction=self.look.direction)

    def _two_logos(self, brand: Brand, light: str, dark: str) -> str:
        """Both pictures, of which a style sheet shows one; without one it is that for the light."""
        shown = f"border:0;display:block;height:auto;outline:none;text-decoration:none;width:100%;max-width:{brand.logo_width}px;"
        hidden = shown.replace("display:block", "display:none;mso-hide:all")
        image = ""
        for css, source, style in (("by-day", light, shown), ("by-night", dark, hidden)):
            address, alt = self.holes.picture(source), escape(brand.name)
            image += f'<img class="{css}" src="{address}" alt="{alt}" width="{brand.logo_width}" style="{style}" />'
        html = f'<a href="{self.holes.link(brand.href)}" style="text-decoration:none;" target="_blank">{image}</a>' if brand.href else image
        return self.running(html, size="16px", line="1.3", css="ink brand", padding=f"0 {GUTTER}px")

    def _sheet(self, blocks: Sequence[AnyBlock]) -> str:
        sections = ""
        for is_row, group in groupby(blocks, key=_is_row):
            if is_row:
                sections += "".join(self.holes.placed(block, partial(self._row, block), _mark) for block in group)
            else:
                content = "".join(self._block(block, GUTTER) for block in group)
                sections += element("mj-section", self.column(content), padding="0", direction=self.look.direction, css_class="body")
        if not sections:
            return ""
        theme, first = self.look.theme, blocks[0]
        edge = (isinstance(first, ImageBlock) and first.bleed) or (isinstance(first, HeroBlock) and (first.src or first.look == "accent"))
        top = "0" if edge else "36px"
        return element(
            "mj-wrapper",
            sections,
            background_color=theme.surface,
            border_radius=f"{theme.radius}px",
            padding=f"{top} 0 16px",
            direction=self.look.direction,
            css_class="sheet",
        )

    def _row(self, block: AnyBlock) -> str:
        if isinstance(block, HeroBlock):
            return compound.hero(self, block)
        if isinstance(block, CardBlock):
            return compound.card_in_a_row(self, block)
        assert isinstance(block, ColumnsBlock)
        widths = block.widths or [100 // len(block.columns)] * len(block.columns)
        inner = ""
        for width, leaves in zip(widths, block.columns, strict=True):
            content = "".join(self._block(leaf, 12) for leaf in leaves) or element("mj-spacer", height="1px")
            inner += self.column(content, width=f"{width}%" if block.widths else None, vertical_align="top")
        return element("mj-section", inner, padding=f"0 {GUTTER - 12}px", direction=self.look.direction, css_class="cols")

    def _block(self, block: AnyBlock, gutter: int) -> str:
        write: Callable[[Any, str], str] = _WRITERS[type(block)].__get__(self)
        return self.holes.placed(block, lambda: write(block, f"0 {gutter}px 20px"), _mark)

    def running(self, html: str, *, size: str, line: str, css: str, padding: str, align: str = "start", weight: str | None = None) -> str:
        return element(
            "mj-text",
            self.holes.verbatim(html),
            align=self.look.side(align),
            color=self.look.theme.text,
            font_family=self.look.font,
            font_size=size,
            font_weight=weight,
            line_height=line,
            padding=padding,
            css_class=f"{css} gut" if f" {GUTTER}px" in padding else css,
        )

    def heading(self, block: HeadingBlock, padding: str) -> str:
        size, line, spacing = HEADINGS[block.level]
        style = f"margin:0;font-size:{size};line-height:{line};letter-spacing:{spacing};font-weight:700;color:{self.look.theme.text};"
        html = f'<h{block.level} style="{style}">{self.words(block.text)}</h{block.level}>'
        return self.running(
            html, size=size, line=line, css=f"ink h{block.level}", padding=padding.replace("20px", "12px"), align=block.align, weight="700"
        )

    def text(self, block: TextBlock, padding: str) -> str:
        size, line = SIZES[block.size]
        html = inline.to_html(block.text, self.holes, self.look.ink())
        return self.running(html, size=size, line=line, css="ink", padding=padding, align=block.align)

    def image(self, block: ImageBlock, padding: str) -> str:
        return element(
            "mj-image",
            src=self.holes.picture(block.src),
            alt=self.holes.text(block.alt),
            href=self.holes.link(block.href) if block.href else None,
            width=f"{block.width}px" if block.width else None,
            align=self.look.side(block.align),
            border_radius=self.look.small_radius if block.rounded else None,
            padding="0 0 24px" if block.bleed else padding,
            css_class=None if block.bleed else "gut" if f" {GUTTER}px" in padding else None,
        )

    def button(self, block: ButtonBlock, padding: str) -> str:
        theme, filled = self.look.theme, block.look == "filled"
        return element(
            "mj-button",
            self.holes.verbatim(self.words(block.label)),
            href=self.holes.link(block.href),
            align=self.look.side(block.align),
            background_color=theme.accent if filled else "transparent",
            color=self.look.on_accent if filled else theme.accent,
            border=None if filled else f"2px solid {theme.accent}",
            border_radius=self.look.small_radius,
            font_family=self.look.font,
            font_size="16px",
            font_weight="600",
            line_height="1.25",
            inner_padding="14px 26px" if filled else "12px 24px",
            padding=padding.replace("20px", "24px"),
            css_class=("filled" if filled else "outlined") + (" gut" if f" {GUTTER}px" in padding else ""),
        )

    def divider(self, block: DividerBlock, padding: str) -> str:
        return element(
            "mj-divider",
            border_color=self.look.theme.line,
            border_width="1px",
            padding=padding.replace("0 ", "4px ", 1),
            css_class="rule gut",
        )

    def spacer(self, block: SpacerBlock, padding: str) -> str:
        return element("mj-spacer", height=f"{block.height}px")

    def raw(self, block: HtmlBlock, padding: str) -> str:
        return self.running(raw_html.cleaned(block.html, self.holes), size="16px", line="1.6", css="ink", padding=padding)

    def _footer(self, block: FooterBlock) -> str:
        ink = self.look.ink(quiet=True)
        html = inline.to_html(block.text, self.holes, ink) if block.text else ""
        address = "<br />".join(self.words(line) for line in block.address.strip().split("\n"))
        html += f'<p style="margin:{"10px" if html else "0"} 0 0;{ink.paragraph}">{address}</p>'
        links = [(self.words(block.preferences_label), "preferences_url")] if block.preferences_label else []
        if self.leaving:
            links.insert(0, (self.words(block.unsubscribe_label) or str(escape(unsubscribe_word(self.content.locale))), "unsubscribe_url"))
        shown = [
            f'<a href="{self.holes.link(f"{{{{ {name} }}}}")}" style="{ink.link}" target="_blank">{label}</a>' for label, name in links
        ]
        html += f'<p style="margin:10px 0 0;{ink.paragraph}">{" &nbsp;·&nbsp; ".join(shown)}</p>' if shown else ""
        text = self.running(html, size="13px", line="1.55", css="quiet", padding=f"0 {GUTTER}px")
        return element("mj-section", self.column(text), padding="24px 0 0", direction=self.look.direction)


def _mark(stand_in: str) -> str:
    """Where a part begins or ends that may not be there: between rows of a table, which mrml leaves as it stands."""
    return element("mj-raw", stand_in)


def _is_row(block: AnyBlock) -> bool:
    """Whether a block is a row of its own, as wide as the sheet."""
    return isinstance(block, (ColumnsBlock, HeroBlock)) or (isinstance(block, CardBlock) and block.layout == "beside")


_WRITERS: dict[type, Any] = {
    CardBlock: compound.card,
    SocialBlock: compound.social,
    HeadingBlock: Letter.heading,
    TextBlock: Letter.text,
    ImageBlock: Letter.image,
    ButtonBlock: Letter.button,
    DividerBlock: Letter.divider,
    SpacerBlock: Letter.spacer,
    HtmlBlock: Letter.raw,
}
