"""Blocks that are made of others: heroes, cards, and links to where one is to be found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from presentation.door import NETWORKS, ButtonBlock, CardBlock, HeadingBlock, HeroBlock, ImageBlock, SocialBlock, TextBlock
from rendering import inline
from rendering.inline import Ink
from rendering.look import GUTTER, HEADINGS
from rendering.mjml import element

if TYPE_CHECKING:
    from rendering.channels.email import Letter

BESIDE = (40, 60)  # per cent: the picture of a card, and its words


def hero(letter: Letter, block: HeroBlock) -> str:
    """A row from edge to edge."""
    padding = f"0 {GUTTER}px 20px"
    inner = ""
    if block.src:
        picture = ImageBlock(type="image", id=block.id, src=block.src, alt=block.alt, href=block.href, bleed=True)
        inner += letter.image(picture, padding)
    if block.look == "accent":
        band = element(
            "mj-section",
            letter.column(inner + _on_accent(letter, block)),
            padding="0 0 16px" if block.src else "36px 0 16px",
            background_color=letter.look.theme.accent,
            direction=letter.look.direction,
            css_class="hero",
        )
        return band + element("mj-section", letter.column(element("mj-spacer", height="28px")), padding="0")
    inner += letter.heading(HeadingBlock(type="heading", id=block.id, text=block.title, level=1, align=block.align), padding)
    if block.text:
        inner += letter.text(TextBlock(type="text", id=block.id, text=block.text, align=block.align, size="large"), padding)
    if block.label and block.href:
        inner += letter.button(ButtonBlock(type="button", id=block.id, label=block.label, href=block.href, align=block.align), padding)
    return element("mj-section", letter.column(inner), padding="0", direction=letter.look.direction, css_class="body")


def _on_accent(letter: Letter, block: HeroBlock) -> str:
    """Words and button of a hero in the accent's colour: they keep their colours in the dark, as their ground does."""
    look, padding = letter.look, f"{'28px' if block.src else '0'} {GUTTER}px 20px"
    size, line, spacing = HEADINGS[1]
    style = f"margin:0;font-size:{size};line-height:{line};letter-spacing:{spacing};font-weight:700;color:{look.on_accent};"
    title = f'<h1 style="{style}">{letter.words(block.title)}</h1>'
    written = letter.running(title, size=size, line=line, css="h1", padding=padding, align=block.align, weight="700")
    if block.text:
        ink = Ink(
            paragraph=f"color:{look.on_accent};",
            link=f"color:{look.on_accent};text-decoration:underline;",
            quote=f"color:{look.on_accent};border-color:{look.on_accent};",
            rule=f"border-top-color:{look.on_accent};",
            heading=f"color:{look.on_accent};font-weight:700;line-height:1.3;",
            side=look.start,
        )
        words = inline.to_html(block.text, letter.holes, ink)
        written += letter.running(words, size="18px", line="1.6", css="on-accent", padding=f"0 {GUTTER}px 20px", align=block.align)
    if block.label and block.href:
        written += element(
            "mj-button",
            letter.holes.verbatim(letter.words(block.label)),
            href=letter.holes.link(block.href),
            align=look.side(block.align),
            background_color=look.on_accent,
            color=look.theme.accent,
            border_radius=look.small_radius,
            font_family=look.font,
            font_size="16px",
            font_weight="600",
            line_height="1.25",
            inner_padding="14px 26px",
            padding=f"0 {GUTTER}px 24px",
            css_class="filled gut",
        )
    return written


def card(letter: Letter, block: CardBlock, padding: str) -> str:
    """A card among other blocks: its picture above its words."""
    return _picture(letter, block, padding) + _words(letter, block, padding)


def card_in_a_row(letter: Letter, block: CardBlock) -> str:
    """A card across the sheet: its picture beside its words."""
    padding = "0 12px 20px"
    columns = _words(letter, block, padding)
    if block.src:
        picture, words = BESIDE
        inner = letter.column(_picture(letter, block, padding), width=f"{picture}%", vertical_align="top")
        inner += letter.column(columns, width=f"{words}%", vertical_align="top")
    else:
        inner = letter.column(columns)
    return element("mj-section", inner, padding=f"0 {GUTTER - 12}px", direction=letter.look.direction, css_class="cols")


def _picture(letter: Letter, block: CardBlock, padding: str) -> str:
    if not block.src:
        return ""
    return element(
        "mj-image",
        src=letter.holes.picture(block.src),
        alt=letter.holes.text(block.alt),
        href=letter.holes.link(block.href) if block.href else None,
        align=letter.look.start,
        border_radius=letter.look.small_radius,
        fluid_on_mobile="true",
        padding=padding,
    )


def _words(letter: Letter, block: CardBlock, padding: str) -> str:
    written = letter.heading(HeadingBlock(type="heading", id=block.id, text=block.title, level=3), padding)
    if block.price:
        price = f'<p style="margin:0;{letter.look.ink().paragraph}">{letter.words(block.price)}</p>'
        written += letter.running(price, size="16px", line="1.5", css="ink", padding=padding.replace("20px", "8px"), weight="600")
    if block.text:
        written += letter.text(TextBlock(type="text", id=block.id, text=block.text, size="small"), padding)
    if block.label and block.href:
        written += letter.button(ButtonBlock(type="button", id=block.id, label=block.label, href=block.href, look="outlined"), padding)
    return written


def social(letter: Letter, block: SocialBlock, padding: str) -> str:
    """Names of networks as links."""
    ink = letter.look.ink(quiet=True)
    links = [
        f'<a href="{letter.holes.link(link.href)}" style="{ink.link}" target="_blank">{NETWORKS[link.network]}</a>' for link in block.links
    ]
    html = f'<p style="margin:0;{ink.paragraph}">{" &nbsp;·&nbsp; ".join(links)}</p>'
    return letter.running(html, size="14px", line="1.6", css="quiet", padding=padding, align=block.align)
