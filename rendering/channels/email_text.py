"""The text part of a mail, made from its blocks: what a reader without pictures or styles sees."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from presentation.door import (
    NETWORKS,
    AnyBlock,
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
    is_placed,
)
from rendering import inline
from rendering.channels.words import unsubscribe_word
from rendering.holes import Holes
from rendering.html_text import text_of


def text(content: LocalizedContent, holes: Holes, *, leaving: bool) -> str:
    """The text with stand-ins; paragraphs with an empty line between them, addresses in full."""
    return _together(content.blocks, content.locale, holes, leaving=leaving) + "\n"


def _together(blocks: Sequence[AnyBlock], locale: str, holes: Holes, *, leaving: bool) -> str:
    """The texts of blocks with an empty line between them. One that may not be there brings its empty line along: above it, or,
    where nothing surely stands above, below."""
    written, first = "", True
    for block in blocks:
        above, below = ("", "\n\n" if is_placed(block) else "") if first else ("\n\n", "")
        part = holes.placed(block, partial(_spaced, block, locale, holes, leaving, above, below))
        first = first and (is_placed(block) or not part)
        written += part
    return written


def _spaced(block: AnyBlock, locale: str, holes: Holes, leaving: bool, above: str, below: str) -> str:
    text = _block(block, locale, holes, leaving=leaving)
    return above + text + below if text else ""


def _block(block: AnyBlock, locale: str, holes: Holes, *, leaving: bool) -> str:
    if isinstance(block, HeadingBlock):
        words = holes.text(block.text)
        return f"{words}\n{'=' * 24}" if block.level == 1 else words
    if isinstance(block, TextBlock):
        return inline.to_text(block.text, holes)
    if isinstance(block, ButtonBlock):
        return f"{holes.text(block.label)}:\n{holes.link(block.href)}"
    if isinstance(block, ImageBlock):
        return _image(block, holes)
    if isinstance(block, (HeroBlock, CardBlock)):
        return _compound(block, holes)
    if isinstance(block, SocialBlock):
        return "\n".join(f"{NETWORKS[link.network]}: {holes.link(link.href)}" for link in block.links)
    if isinstance(block, DividerBlock):
        return "-" * 24
    if isinstance(block, ColumnsBlock):
        return _together([leaf for column in block.columns for leaf in column], locale, holes, leaving=leaving)
    if isinstance(block, FooterBlock):
        return _footer(block, locale, holes, leaving=leaving)
    if isinstance(block, HtmlBlock):
        return text_of(block.html, holes)
    assert isinstance(block, SpacerBlock)
    return ""


def _compound(block: HeroBlock | CardBlock, holes: Holes) -> str:
    title = holes.text(block.title)
    parts = [f"{title}\n{'=' * 24}" if isinstance(block, HeroBlock) else title]
    if isinstance(block, CardBlock) and block.price:
        parts.append(holes.text(block.price))
    if block.text:
        parts.append(inline.to_text(block.text, holes))
    if block.href:
        parts.append(f"{holes.text(block.label)}:\n{holes.link(block.href)}" if block.label else holes.link(block.href))
    return ("\n" if isinstance(block, CardBlock) else "\n\n").join(parts)


def _image(block: ImageBlock, holes: Holes) -> str:
    words = "" if block.decorative else holes.text(block.alt)
    if not block.href:
        return f"[{words}]" if words else ""
    return f"[{words}]\n{holes.link(block.href)}" if words else holes.link(block.href)


def _footer(block: FooterBlock, locale: str, holes: Holes, *, leaving: bool) -> str:
    parts = ["--"]
    if block.text:
        parts.append(inline.to_text(block.text, holes))
    parts.append(holes.text(block.address.strip()))
    if leaving:
        label = holes.text(block.unsubscribe_label) or unsubscribe_word(locale)
        parts.append(f"{label}: {holes.link('{{ unsubscribe_url }}')}")
    if block.preferences_label:
        parts.append(f"{holes.text(block.preferences_label)}: {holes.link('{{ preferences_url }}')}")
    return "\n".join(parts)
