"""Compiled HTML in lines that mail carries: only spaces that mean no more than a space become line ends."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rendering.folding import folded
from tests.presentation.letters import block
from tests.rendering.test_mail import mail

LONGEST_LINE = 998  # octets, RFC 5321
WORDS = "a garden that opens onto a kitchen to cook in, " * 60
CELLS = "".join(f'<td align="left" style="padding:{n}px;" width="{n}">{n}</td>' for n in range(60))


class Page(HTMLParser):
    """What a reader makes of a page: tags with their attributes, and texts with their white space as it counts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[object] = []
        self._shown = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, [(name, re.sub(r"\s+", " ", value or "")) for name, value in attrs]))
        self._shown += tag in ("pre", "textarea")

    def handle_endtag(self, tag: str) -> None:
        self.seen.append(f"/{tag}")
        self._shown -= tag in ("pre", "textarea")

    def handle_data(self, data: str) -> None:
        self.seen.append(data if self._shown else re.sub(r"\s+", " ", data))


@pytest.mark.parametrize(
    "html",
    [
        f"<p>{WORDS}</p>",
        f"<table><tr>{CELLS}</tr></table>",
        f"<!--[if mso | IE]><table><tr>{CELLS}</tr></table><![endif]--><p>{WORDS}</p>",
        f'<p title="1 > 0">{WORDS}</p><br>{WORDS}',
    ],
    ids=["words", "tags", "for one program", "a sign in an attribute"],
)
def test_a_long_line_is_folded_and_reads_the_same(html: str) -> None:
    made = folded(html)
    assert max(map(len, made.split("\n"))) < 720 and "\n" in made
    assert Page(made).seen == Page(html).seen
    assert made.replace("\n", " ") == html


@pytest.mark.parametrize(
    "html",
    [
        f"<pre>{WORDS}</pre>",
        f"<textarea>{WORDS}</textarea>",
        f'<p style="white-space: pre-wrap">{WORDS}</p>',
        f"<style>.a {{ white-space:pre }}</style><p class='a'>{WORDS}</p>",
    ],
)
def test_white_space_that_is_shown_stays_as_it_is(html: str) -> None:
    assert folded(html) == html


def test_after_an_element_that_shows_its_white_space_lines_end_again() -> None:
    made = folded(f"<pre>{WORDS}</pre><p>{WORDS}</p>")
    kept, _, rest = made.partition("</pre>")
    assert "\n" not in kept and "\n" in rest


@given(
    st.lists(
        st.sampled_from(
            ["<p>", "</p>", '<a href="x" title="y">', "</a>", "<pre>", "</pre>", "<", ">", " ", "\n", "ü", "w" * 90, "<!--", "-->"]
        )
    )
)
def test_whatever_it_is_given_only_spaces_change(pieces: list[str]) -> None:
    html = "".join(pieces)
    made = folded(html)
    assert made.replace("\n", " ") == html.replace("\n", " ") and folded(made) == made


def test_an_ordinary_mail_travels_as_readable_text() -> None:
    made = mail(block("heading", text="Spring"), block("text", text=WORDS), block("button", label="Look"), preheader="Ten percent & more")
    assert made.html is not None
    assert max(map(len, made.html.split(b"\n"))) < LONGEST_LINE
