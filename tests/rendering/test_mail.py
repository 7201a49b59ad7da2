"""A mail that any client can show, in any script, with a way out."""

from __future__ import annotations

import pickle
import re
from html import unescape
from typing import Any

import pytest

from governance.door import Invalid
from rendering import mjml
from rendering.door import Filled, Recipient, compile, fill, substitution
from tests.presentation.letters import FOOTER, Person, block, content, email

SCRIPTS = {
    "Hindi": "क्ष्म नमस्ते श्री",
    "Thai": "น้ำใจ ที่นี่",
    "Tamil": "கொள்ளை",
    "Persian": "می\u200cخواهم",
    "Arabic with vowels": "مُحَمَّدٌ",
    "Hebrew with points": "שָׁלוֹם",
    "Vietnamese": "Tiếng Việt",
    "joined emoji": "👩\u200d👩\u200d👧\u200d👦 👨🏽\u200d🚒",
    "no-break space": "10\u00a0000\u202f€",
    "marks": "a\u200fb \\ \"quoted\" 'single' <b> & &amp;",
    "Chinese": "夏季特賣",
}


def mail(
    *blocks: dict[str, Any], person: Person | None = None, data: dict[str, Any] | None = None, locale: str = "", **changes: Any
) -> Filled:
    template = compile(content(email(*blocks, **changes)), base_url="https://mail.example.com")
    outcome = fill(template, [Recipient(7, person or Person(), data or {}, token="t0k3n", locale=locale)])[0]
    assert isinstance(outcome, Filled), outcome
    return outcome


def html_of(*blocks: dict[str, Any], **changes: Any) -> str:
    """A mail's HTML as one line: it is folded where a space stands (test_folding.py)."""
    return (mail(*blocks, **changes).html or b"").decode().replace("\n", " ")


@pytest.mark.parametrize("words", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_every_script_survives_in_attributes_and_in_text(words: str) -> None:
    html = html_of(block("image", alt=words), block("heading", text=words), block("button", label=words), subject=words)
    assert unescape(re.search(r'<img alt="([^"]*)"', html)[1]) == words  # type: ignore[index]
    assert unescape(re.search(r'aria-label="([^"]*)"', html)[1]) == words  # type: ignore[index]
    assert unescape(re.search(r"<h1[^>]*>(.*?)</h1>", html)[1]) == words  # type: ignore[index]
    assert unescape(re.search(r"<title>(.*?)</title>", html)[1]) == words  # type: ignore[index]
    assert (
        f">{words}</a>" in html.replace("&amp;amp;", "&amp;amp;").replace("&#34;", '"').replace("&#39;", "'")
        or unescape(
            re.search(r'<a href="[^"]*/t/t0k3n/0"[^>]*>(.*?)</a>', html)[1]  # type: ignore[index]
        )
        == words
    )


def test_a_fixed_text_in_the_guard_is_written_in_references() -> None:
    assert mjml.guarded('a"b\n<क्‍>') == "a&#34;b&#10;&#60;&#2325;&#2381;&#8205;&#62;"


def test_an_element_that_mrml_would_drop_silently_is_refused() -> None:
    with pytest.raises(mjml.NotAllowed):
        mjml.element("mj-include", path="/etc/passwd")
    with pytest.raises(mjml.NotAllowed):
        mjml.element("mj-text", onclick="x")


def test_a_mail_says_its_language_direction_and_colour_schemes() -> None:
    html = html_of(block("text"), subject="Hello & welcome")
    assert html.startswith('<!doctype html><html lang="en" dir="ltr"')
    assert '<meta name="color-scheme" content="light dark" />' in html and "prefers-color-scheme: dark" in html
    assert 'role="article"' in html and 'aria-label="Hello &amp; welcome"' in html
    assert html.count('role="presentation"') == html.count("<table")


def test_arabic_reads_from_right_to_left_and_isolates_names() -> None:
    arabic = {"subject": "مرحبا {{ first_name }}", "blocks": [block("text", text="مرحبا {{ first_name }}!"), FOOTER]}
    template = email(block("text"))
    person = Person(attributes={"first_name": "Ada"})
    html = html_of(locales={**template["locales"], "ar": arabic}, person=person, locale="ar-EG")
    assert '<html lang="ar" dir="rtl"' in html and "مرحبا <bdi>Ada</bdi>!" in html
    assert "text-align:right" in html and "direction:rtl" in html
    assert "<title>مرحبا Ada</title>" in html


def test_the_preheader_is_hidden_and_padded() -> None:
    html = html_of(block("text"), preheader="Ten percent & more")
    hidden = re.search(r'<div style="display:none[^>]*>(.*?)</div>', html)
    assert hidden and hidden[1].startswith("Ten percent &amp; more&#847;")


def test_markdown_is_a_safe_subset() -> None:
    text = "# Big\n**b** *i* ~~s~~ `c` <b>no</b>\n\n- one\n- two\n\n![img](https://x.example/a.png)\n\n> quote\n\n3. three"
    html = html_of(block("text", text=text))
    for expected in (
        "<strong>b</strong>",
        "<em>i</em>",
        "<s>s</s>",
        "&lt;b&gt;no&lt;/b&gt;",
        "<li ",
        "<blockquote",
        '<ol start="3"',
        "<h2 ",
    ):
        assert expected in html
    assert "<img" not in html.replace('<img src="https://mail.example.com/o/', "")


def test_raw_html_is_cleaned_but_keeps_its_links_and_expressions() -> None:
    raw = (
        '<div onclick="x()" style="color:#333;position:fixed;background:url(https://x.example)"><script>alert(1)</script><!-- c -->'
        '<a href="https://shop.example.com/?a={{ first_name }}" title="a>b {{ first_name }}">Hi {{ first_name }}</a>'
        '<form action="https://x.example"><input></form><iframe src="https://x.example"></iframe>'
        '<img src="https://img.example.com/x.png" alt=""></div>'
    )
    html = html_of(block("html", html=raw), person=Person(attributes={"first_name": 'A"<b>'}))
    for gone in ("onclick", "<script", "alert(1)", "position", "url(", "<form", "<input", "<iframe", "<!-- c"):
        assert gone not in html
    assert '<a href="https://mail.example.com/t/t0k3n/0"' in html and "Hi A&#34;&lt;b&gt;" in html
    assert 'src="https://img.example.com/x.png"' in html and "color:#333" in html.replace(": ", ":")


def test_an_expression_in_a_style_cannot_be_made_safe_and_is_refused() -> None:
    with pytest.raises(Invalid, match="attribute style"):
        html_of(block("html", html='<p style="color:{{ first_name }}">x</p>'))


def test_links_are_counted_by_number_and_shared_between_the_parts() -> None:
    message = mail(
        block("button", href="https://shop.example.com/a"), block("text", text="[b](https://shop.example.com/b) [call](tel:+15005550006)")
    )
    html, text = (message.html or b"").decode(), message.text.decode()
    for part in (html, text):
        assert "https://mail.example.com/t/t0k3n/0" in part and "https://mail.example.com/t/t0k3n/1" in part
        assert "shop.example.com" not in part and "tel:+15005550006" in part
    assert '<img src="https://mail.example.com/o/t0k3n.gif"' in html and ".gif" not in text


@pytest.mark.parametrize(
    ("changes", "counted", "pixel"),
    [
        ({}, True, True),
        ({"tracking": "clicks"}, True, False),
        ({"tracking": "off"}, False, False),
        ({"message_class": "transactional"}, False, False),
    ],
)
def test_transactional_mail_is_not_counted_unless_asked_for(changes: dict[str, Any], counted: bool, pixel: bool) -> None:
    html = html_of(block("button", href="https://shop.example.com/a"), **changes)
    assert ("/t/t0k3n/0" in html, "/o/t0k3n.gif" in html) == (counted, pixel)


def test_leaving_is_one_click_in_header_html_and_text() -> None:
    message = mail(block("text"))
    address = "https://mail.example.com/u/t0k3n"
    assert message.headers == {"List-Unsubscribe": f"<{address}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    assert f'<a href="{address}"'.encode() in (message.html or b"") and f"Unsubscribe: {address}".encode() in message.text


def test_a_transactional_footer_offers_no_leaving() -> None:
    message = mail(block("text"), message_class="transactional")
    assert message.headers == {} and b"/u/" not in (message.html or b"") and b"Unsubscribe" not in message.text


def test_the_text_part_is_made_from_the_blocks() -> None:
    blocks = [
        block("heading", text="Hello {{ first_name }}"),
        block("text", text="One **bold** word.\n\n- a\n- b\n  - c\n\n1. x\n2. y\n\n> quoted"),
        block("image"),
        block("button", label="Shop", href="https://shop.example.com/"),
        block("divider"),
        block("columns", columns=[[block("text", id="c1", text="Left")], [block("text", id="c2", text="Right")]]),
    ]
    assert mail(*blocks).text.decode() == (
        "Hello there\n========================\n\nOne bold word.\n\n- a\n- b\n  - c\n\n1. x\n2. y\n\n> quoted\n\n[A harbour]\n\n"
        "Shop:\nhttps://mail.example.com/t/t0k3n/0\n\n------------------------\n\nLeft\n\nRight\n\n"
        "--\nHarbour & Pine Ltd\nQuay Street 1, Bristol\nUnsubscribe: https://mail.example.com/u/t0k3n\n"
    )


def test_an_own_text_part_is_kept_and_its_links_are_counted() -> None:
    message = mail(block("text"), text="Hi {{ first_name }}!\nhttps://shop.example.com/x.\nLeave: {{ unsubscribe_url }}")
    assert message.text.decode() == "Hi there!\nhttps://mail.example.com/t/t0k3n/0.\nLeave: https://mail.example.com/u/t0k3n"


def test_a_footer_offers_the_preference_page_where_it_has_words_for_it() -> None:
    locale = email(block("text"))["locales"]["en"]
    locale["blocks"][-1] = {**FOOTER, "preferences_label": "Choose topics"}
    message = mail(locales={"en": locale})
    assert message.text.decode().endswith(
        "Unsubscribe: https://mail.example.com/u/t0k3n\nChoose topics: https://mail.example.com/p/t0k3n\n"
    )
    assert message.html is not None and re.search(rb'href="https://mail.example.com/p/t0k3n"[^>]*>Choose topics</a>', message.html)
    linked = mail(block("text", text="[choose]({{ preferences_url }}) or {{ preferences_url }}"))
    assert linked.html is not None and linked.html.count(b"https://mail.example.com/p/t0k3n") == 2, "never counted as a click"


def test_compiling_is_pure_and_its_result_travels() -> None:
    source = content(email(block("text", text="Hi {{ first_name }}")))
    one = compile(source, base_url="https://mail.example.com/")
    again = pickle.loads(pickle.dumps(one))
    assert again == one and again.locales["en"] == one.locales["en"]
    recipient = Recipient(1, Person(), token="x")
    assert fill(again, [recipient])[0].html == fill(one, [recipient])[0].html  # type: ignore[union-attr]
    assert one.needs_data is False


def test_tags_for_a_vendor_are_unguessable_and_weighed() -> None:
    message = mail(block("text", text="Hi {{ first_name }} {{ unsubscribe_url }}"), person=Person(attributes={"first_name": "é" * 100}))
    shared = substitution(message.message)
    assert len(set(shared.tags)) == len(shared.tags) == len(message.values)
    assert not any(tag in other for tag in shared.tags for other in shared.tags if tag != other)
    assert shared.bytes_of(message.values) == sum(
        len(tag) + len(value.encode()) for tag, value in zip(shared.tags, message.values, strict=True)
    )
    assert substitution(message.message) == shared


def test_the_cells_of_a_table_do_not_run_together_in_the_text_part() -> None:
    html = "<table><tr><th>Night</th><th>Price</th></tr><tr><td>Fri</td><td>90</td></tr></table>"
    assert "Night Price\n\nFri 90" in mail(block("html", html=html)).text.decode()
