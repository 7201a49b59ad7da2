"""Markdown tokens to the HTML of mails (styles inline, for clients that read no style sheet) and to plain text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markdown_it.token import Token
from markupsafe import escape

from presentation.door import parse_markdown
from rendering.holes import Holes


@dataclass(frozen=True, slots=True)
class Ink:
    """How running text looks: inline styles by element."""

    paragraph: str
    link: str
    quote: str
    rule: str
    heading: str
    side: str  # "left" or "right": where text begins


_SIMPLE = {
    "strong_open": "<strong>",
    "strong_close": "</strong>",
    "em_open": "<em>",
    "em_close": "</em>",
    "s_open": "<s>",
    "s_close": "</s>",
    "link_close": "</a>",
    "softbreak": "<br />",
    "hardbreak": "<br />",
    "paragraph_close": "</p>",
    "blockquote_close": "</blockquote>",
    "bullet_list_close": "</ul>",
    "ordered_list_close": "</ol>",
    "list_item_close": "</li>",
}


def to_html(source: str, holes: Holes, ink: Ink) -> str:
    """HTML of a Markdown text; expressions and links are stand-ins."""
    tokens = parse_markdown(holes.text(source))
    last = _last_ones(tokens)
    return "".join(_block(token, holes, ink, last=place in last) for place, token in enumerate(tokens))


def _last_ones(tokens: Sequence[Token]) -> set[int]:
    """Where an element opens that is the last of what it stands in: it needs no space below."""
    last: set[int] = set()
    open_flags: list[bool] = []
    followed: dict[int, bool] = {}
    for place in range(len(tokens) - 1, -1, -1):
        token = tokens[place]
        if token.nesting < 0:
            open_flags.append(not followed.get(token.level))
            followed[token.level], followed[token.level + 1] = True, False
        elif token.nesting > 0:
            if open_flags.pop():
                last.add(place)
        elif token.type != "inline":
            followed[token.level] = True
    return last


def _block(token: Token, holes: Holes, ink: Ink, *, last: bool) -> str:
    if token.type == "inline":
        return "".join(_inline(child, holes, ink) for child in token.children or ())
    if token.type in _SIMPLE:
        return "" if token.hidden else _SIMPLE[token.type]
    if token.type == "paragraph_open":
        return "" if token.hidden else f'<p style="margin:0{"" if last else " 0 16px"};{ink.paragraph}">'
    if token.type in {"heading_open", "heading_close"}:
        level = min(6, max(2, int(token.tag[1:]) + 1))
        return f'<h{level} style="margin:0 0 12px;{ink.heading}">' if token.nesting > 0 else f"</h{level}>"
    if token.type in {"bullet_list_open", "ordered_list_open"}:
        start = f' start="{int(token.attrs["start"])}"' if "start" in token.attrs else ""
        below, other = "" if last else " 0 16px", "left" if ink.side == "right" else "right"
        return f'<{token.tag}{start} style="margin:0{below};padding-{ink.side}:24px;padding-{other}:0;">'
    if token.type == "list_item_open":
        return '<li style="margin:0 0 6px;">'
    if token.type == "blockquote_open":
        return f'<blockquote style="margin:0{"" if last else " 0 16px"};padding:2px 16px;border-{ink.side}:3px solid;{ink.quote}">'
    if token.type == "hr":
        return f'<hr style="border:0;border-top:1px solid;margin:20px 0;{ink.rule}" />'
    return str(escape(token.content))


def _inline(token: Token, holes: Holes, ink: Ink) -> str:
    if token.type in _SIMPLE:
        return _SIMPLE[token.type]
    if token.type == "link_open":
        return f'<a href="{holes.link(str(token.attrs["href"]))}" style="{ink.link}" target="_blank">'
    if token.type == "code_inline":
        return f'<code style="font-family:ui-monospace,Menlo,Consolas,monospace;font-size:0.92em;">{escape(token.content)}</code>'
    return str(escape(token.content))


def to_text(source: str, holes: Holes) -> str:
    """The same text without markup: lists with dashes, links with their address behind."""
    lines: list[str] = []
    prefix: list[str] = []
    counters: list[int | None] = []
    for token in parse_markdown(holes.text(source)):
        if token.type in {"bullet_list_open", "ordered_list_open"}:
            counters.append(int(token.attrs.get("start", 1)) if token.type[0] == "o" else None)
        elif token.type in {"bullet_list_close", "ordered_list_close"}:
            counters.pop()
            if not counters:
                lines.append("")
        elif token.type == "list_item_open":
            number = counters[-1]
            prefix.append("- " if number is None else f"{number}. ")
            counters[-1] = None if number is None else number + 1
        elif token.type == "blockquote_open":
            prefix.append("> ")
        elif token.type in {"list_item_close", "blockquote_close"}:
            prefix.pop()
        elif token.type == "hr":
            lines += ["---", ""]
        elif token.type == "inline":
            lines += _lines(_words(token.children or (), holes), prefix, listed=bool(counters))
    return "\n".join(lines).strip("\n")


def _lines(text: str, prefix: list[str], *, listed: bool) -> list[str]:
    lead = "".join(" " * len(part) if part != "> " and place < len(prefix) - 1 else part for place, part in enumerate(prefix))
    rest = "".join(part if part == "> " else " " * len(part) for part in prefix)
    out = [(rest if number else lead) + line for number, line in enumerate(text.split("\n"))]
    return out if listed else [*out, ""]


def _words(children: Sequence[Token], holes: Holes) -> str:
    out, target, label = "", "", ""
    for child in children:
        if child.type == "link_open":
            target, label = str(child.attrs["href"]), ""
        elif child.type == "link_close":
            out += label if label.strip() == target else f"{label} ({holes.link(target)})"
            if label.strip() == target:
                out = out[: len(out) - len(label)] + holes.link(target)
            target = ""
        else:
            words = "\n" if child.type in {"softbreak", "hardbreak"} else child.content
            if target:
                label += words
            else:
                out += words
    return out
