"""The law of rendering: for every template and every recipient, fill gives what plain Jinja gives, byte for byte;
a vendor that replaces the tags by the values gets the same; and no value ever changes the structure of a mail."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from governance.door import Invalid
from presentation.door import problems
from rendering.door import Compiled, Failed, Filled, Recipient, Rendered, compile, fill, plain, substitution
from tests.presentation import letters
from tests.presentation.letters import Person, content, email, push, sms

EXAMPLES = int(os.environ.get("OMNI_LAW_EXAMPLES", "120"))
VARIABLES = letters.VARIABLES | {
    "street": {"source": "attribute.address.street"},
    "stays": {"source": "record.stay", "type": "list"},
    "stay_city": {"source": "record.stay.city", "fallback": "somewhere"},
    "stay_day": {"source": "record.stay.arrival", "type": "date"},
}
NASTY = [
    *["<script>alert(1)</script>", "</a></td></table>", "\"'><img src=x onerror=alert(1)>", "{{ 7*7 }}", "{% for x in y %}", "{# #}"],
    *["&amp;", "&#60;", "%3Cb%3E", "a&b=c#d?e", "\r\nBcc: x@example.com", "\u2028\u2029\x85", "\x00\x07\x1b", "\u202egnp.exe", "\ud800"],
    *["نص عربي", "हिन्दी क्\u200dष", "ไทย", "Tie\u0302\u0301ng Vie\u0323\u0302t", "👩\u200d👩\u200d👧", "ﬃ", "ẞß", "İıǅ"],
    *["   ", "", "\\", "-0.0", "$1", "*_`[]()#+!|~", "q0e1z", "]]>", "<!--", "-->"],
]
WORDS = [
    *[
        "Hello",
        "*emphasis*",
        "**strong**",
        "`code`",
        "[link](https://a.example/x?y=1&z=2)",
        "<b>",
        "&copy;",
        "{",
        "}",
        "%}",
        "# no",
        "- item",
    ],
    *["> quote", "1. one", "\n\n", "\n", "  ", "नमस्ते", "שלום", "ﷺ", "👩\u200d🚒", "e\u0301", "~~gone~~", "<https://b.example>", "\\*"],
    *["a_b_c", "100%", "---", "q1234"],
]
EXPRESSIONS = [
    *["first_name", "city", "city|default('')", "city|default(first_name)", "first_name|upper", "first_name|lower", "first_name|length"],
    *["first_name|title|truncate(12)", "first_name|capitalize|trim", "first_name|truncate(5, '')", "city|default('x')|replace('a', 'bb')"],
    *["first_name ~ ' & ' ~ city", "total", "total|money('EUR')", "total|number", "total|number(2)", "total|round", "total|round(1) + 1"],
    *[
        "total * 2 - 1",
        "total / 3",
        "total / 0.5",
        "-total",
        "total|percent(1)",
        "total|abs",
        "total|default(0)|money('JPY')",
        "total == 0",
    ],
    *["due", "due|date", "due|date('full')", "at", "at|datetime('short', zone)", "at|time('short', 'Asia/Tokyo')", "vip", "not vip"],
    *["'yes' if vip else 'no'", "'gold' if total > 100 and vip else city", "city if city is defined else '<none>'", "city < 'm'"],
    *["'in' if city in ['Berlin', 'Oslo'] else 'out'", "tags|join", "tags|join(' / ')", "tags|first", "tags|last|default('none')"],
    *["tags|length", "order.city", "order['items'].count", "order.lines[0].name|upper", "order.missing|default('n/a')"],
    *["street|default('')", "stays|length", "stays[0].city|default('no')", "stays[1].nights|default(0) * 2", "stay_city", "stay_day|date"],
    *["stays|each('city')|join", "stays|each('nights')|first|default(1)", "stays[0].arrival|date('long')", "stays|each('nothing')|length"],
    *["tags|list", "tags|list('or')", "stays|each('city')|list", "total|plural('one: # night', 'other: # nights')"],
    *["tags|length|plural('one: one <b>', 'two: two', 'few: a few', 'many: many', 'other: # & more')|upper"],
    *["order.city ~ total", "1 + 2", "'literal'", "'}}'", "unsubscribe_url", "0 * -1.5", "city if vip"],
]

written = st.characters(exclude_categories=("Cc", "Cs"))  # what an author may write; data may hold anything
text_values = st.one_of(st.sampled_from(NASTY), st.text(max_size=30), st.sampled_from(["Ada", "Berlin", "Oslo"]))
scalars = st.one_of(st.none(), st.booleans(), st.integers(-(2**55), 2**55), st.floats(), text_values)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["city", "items", "x"]), inner, max_size=3)
)
numbers = st.one_of(
    st.integers(-1000, 1000), st.floats(-1e6, 1e6), st.sampled_from([0, 0.0, -0.0, 1, 1.0, 2**53, 1e-7, 99.995, 1234567.891])
)
orders = st.fixed_dictionaries(
    {
        "city": text_values,
        "items": st.just({"count": 3}),
        "lines": st.lists(st.fixed_dictionaries({"name": text_values}), min_size=1, max_size=2),
    }
)
stays = st.lists(
    st.fixed_dictionaries(
        {"external_id": st.sampled_from(["b-1", "b-2"])},
        optional={"city": text_values, "nights": numbers, "arrival": st.dates(), "extras": st.lists(text_values, max_size=2)},
    ),
    max_size=3,
)
dates = st.sampled_from(["2026-11-30", "2024-02-29", "2026-11-30T10:00:00"])
times = st.sampled_from(["2026-11-30T09:00:00Z", "2026-11-30T11:00:00+02:00", "2026-03-29T00:59:59"])


@st.composite
def mostly(draw: st.DrawFn, fit: st.SearchStrategy[Any]) -> Any:
    """What the variable expects, now and then something else."""
    return draw(anything if draw(st.integers(0, 19)) == 19 else fit)


@st.composite
def recipients(draw: st.DrawFn) -> Recipient:
    attributes = {
        "first_name": draw(mostly(text_values)),
        "city": draw(mostly(text_values)),
        "vip": draw(mostly(st.booleans())),
        "tags": draw(mostly(st.lists(st.one_of(text_values, numbers), min_size=1, max_size=3))),
    }
    data = {"total": draw(mostly(numbers)), "due": draw(mostly(dates)), "at": draw(mostly(times)), "order": draw(mostly(orders))}
    attributes["address"] = draw(mostly(st.fixed_dictionaries({"street": text_values})))
    of_type = {} if draw(st.integers(0, 9)) == 0 else {"stay": draw(stays)}
    zone = draw(st.sampled_from(["Europe/London", "Asia/Kolkata", "Nowhere/Land", None]))
    profile = Person(zone=zone, attributes=attributes, records=of_type) if draw(st.integers(0, 19)) < 19 else None
    kept = {name: value for name, value in data.items() if draw(st.integers(0, 29)) < 29}
    locale = draw(st.sampled_from(["en", "ar", "de-CH", ""]))
    return Recipient(draw(st.integers(0, 9)), profile, kept, token="tok_" + draw(st.sampled_from(["a1", "b2"])), locale=locale)


holes = st.sampled_from(EXPRESSIONS).map(lambda expression: "{{ " + expression + " }}")
unquoted = st.sampled_from([each for each in EXPRESSIONS if not set(each) & set("\"'<>")]).map(lambda each: "{{ " + each + " }}")
flat = st.sampled_from([word for word in WORDS if "\n" not in word])
bits = st.text("abc <>&\"'{}%*[]()é\u200d", max_size=8)


def is_sound(text: str) -> bool:
    return bool(text.strip()) and not problems(text, {name: variable.get("type", "text") for name, variable in VARIABLES.items()})


one_line = st.lists(st.one_of(holes, flat, bits), min_size=1, max_size=5).map("".join).filter(is_sound)
bodies = (
    st.lists(st.one_of(holes, st.sampled_from(WORDS), st.text(written, max_size=8)), min_size=1, max_size=9).map(" ".join).filter(is_sound)
)
inside = st.lists(st.one_of(unquoted, st.sampled_from(["Hello ", "é", " &amp; ", "x"])), min_size=1, max_size=4).map("".join)
links = st.lists(
    st.sampled_from(["{{ city }}", "{{ total }}", "a/b", "?q=", "&r=", "{{ first_name|upper }}", "#f", "%20", "é"]), max_size=4
).map(lambda parts: "https://shop.example.com/" + "".join(parts))
targets = st.one_of(
    links,
    st.sampled_from(
        [
            "mailto:a@example.com?subject={{ city }}",
            "{{ unsubscribe_url }}",
            "{{ preferences_url }}",
            "{{ confirm_url }}",
            "tel:+15005550006",
        ]
    ),
)


LEAVES = ["heading", "text", "button", "image", "card", "social", "divider", "spacer"]
themes = st.sampled_from([{}, {"brand": {"name": "A & Co", "href": "https://a.example/?x=1&y=2"}}])


CONDITIONS = [
    *["vip", "not vip", "total > 5", "total / 0 > 1", "city == 'Oslo' or city == 'Berlin'", "tags|length > 1", "stays", "order.city"],
    *["order['items'].count == 3", "first_name|default('') != ''", "stays[0].city == 'x'", "stays[1] is defined", "due"],
    *["city is defined and city|length > 4", "at|date == due|date", "city in ['Oslo', first_name]", "order.lines[0].name and vip"],
]
OF_ITEMS = [
    *[
        "one.city|default('?')",
        "one.nights|default(0) + 1",
        "one.arrival|default(due)|date",
        "one.extras|default(tags)|join",
        "one['city']",
    ],
    *["one.external_id ~ city|default('one')", "'one'", "one.nights|number(1)", "one.city|upper|truncate(3)", "one|length"],
]
of_items = st.sampled_from(OF_ITEMS).map(lambda expression: "{{ " + expression + " }}")


@st.composite
def blocks(draw: st.DrawFn, number: int, deep: bool = False, itemised: bool = False) -> dict[str, Any]:
    """A block, now and then on a condition, or for each item of a list. itemised: inside a repeated one."""
    placed = draw(st.integers(0, 3)) == 0
    repeated = placed and not itemised and draw(st.booleans())
    block = draw(bare_blocks(number, deep, itemised or repeated))
    if block["type"] == "footer":
        return block
    if repeated:
        over, least = draw(st.sampled_from([("stays", 0), ("stays", 0), ("tags", 0), ("stays", 2)]))
        block["repeat"] = {"over": over, "as": "one", "most": draw(st.integers(2, 3)), "least": least}
    for field in ("text", "title", "label", "alt", "html") if repeated or itemised else ():
        if block.get(field):
            block[field] += draw(of_items)
    if (repeated or itemised) and (block.get("href") or "").startswith("https://"):
        block["href"] += draw(st.sampled_from(["", "/{{ one.external_id|default('none') }}", "?n={{ one.nights|default(1) }}"]))
    if placed and (not repeated or draw(st.booleans())):
        extra = ["one.nights|default(0) > 2", "one.city", "one.city == city"] if repeated or itemised else []
        block["when"] = draw(st.sampled_from(CONDITIONS + extra * 3))
    return block


@st.composite
def bare_blocks(draw: st.DrawFn, number: int, deep: bool, itemised: bool) -> dict[str, Any]:
    kind = draw(st.sampled_from(LEAVES if deep else [*LEAVES, "html", "hero", "columns", "footer"]))
    block: dict[str, Any] = {"type": kind, "id": f"b{number}{'d' if deep else ''}"}
    if kind in ("divider", "spacer"):
        return block
    if kind == "footer":
        labels = {name: draw(st.just("") | one_line) for name in ("unsubscribe_label", "preferences_label")}
        return {**block, "address": draw(one_line), "text": draw(st.just("") | bodies), **labels}
    if kind == "heading":
        return {**block, "text": draw(one_line)}
    if kind == "text":
        return {**block, "text": draw(bodies)}
    if kind == "button":
        return {**block, "label": draw(one_line), "href": draw(targets)}
    if kind in ("hero", "card"):
        title, picture = draw(one_line), {"src": draw(links), "alt": draw(one_line)} if draw(st.booleans()) else {}
        button = {"label": draw(one_line), "href": draw(targets)} if draw(st.booleans()) else {}
        own = {"look": draw(st.sampled_from(["plain", "accent"]))} if kind == "hero" else {"price": draw(st.just("") | one_line)}
        return {**block, "title": title, "text": draw(st.just("") | bodies), **picture, **button, **own}
    if kind == "social":
        return {**block, "links": [{"network": "x", "href": draw(links)} for _ in range(draw(st.integers(1, 2)))]}
    if kind == "image":
        return {**block, "src": draw(links), "alt": draw(one_line), "href": draw(st.none() | targets)}
    if kind == "html":
        raw = [
            '<p title="{t}">{t}</p>',
            '<a href="{l}">{t}</a>',
            '<b onclick="{t}">{t}',
            '<table><tr><td align="left">{t}</td></tr></table>',
            "<script>{t}</script>{t}",
        ]
        return {**block, "html": draw(st.sampled_from(raw)).replace("{t}", draw(inside)).replace("{l}", draw(links))}
    return {**block, "columns": [[draw(blocks(number * 10 + column, deep=True, itemised=itemised))] for column in range(2)]}


@st.composite
def templates(draw: st.DrawFn) -> dict[str, Any]:
    variables = {**VARIABLES, "first_name": {"source": "attribute.first_name", "fallback": draw(st.sampled_from(["there", "<b>", None]))}}
    other = draw(st.integers(0, 11))
    if other == 1:
        beside = {"link": draw(targets | st.just("shop://orders/{{ total }}")), "data": {"a": draw(one_line), "b": draw(one_line)}}
        tracking = draw(st.sampled_from([None, "clicks"]))
        return push(draw(one_line), draw(bodies), **beside, collapse_key=draw(one_line), variables=variables, tracking=tracking)
    if other == 0:
        return sms(draw(bodies), variables=variables)
    locales = {}
    for tag in ["en", *draw(st.sampled_from([[], ["ar"], ["de", "ar"]]))]:
        locale: dict[str, Any] = {"subject": draw(one_line), "preheader": draw(st.just("") | one_line)}
        locale["blocks"] = [draw(blocks(number)) for number in range(draw(st.integers(1, 4)))] + [
            {"type": "footer", "id": "f", "address": draw(one_line)}
        ]
        if draw(st.integers(0, 3)) == 0:
            locale["text"] = draw(bodies)
        locales[tag] = locale
    message_class = draw(st.sampled_from(["promotional", "service", "transactional"]))
    tracking = draw(st.sampled_from([None, "off", "clicks", "opens_and_clicks"]))
    return email(variables=variables, locales=locales, message_class=message_class, tracking=tracking, theme=draw(themes))


def compiled(body: dict[str, Any]) -> Compiled:
    try:
        return compile(content(body), base_url="https://mail.example.com")
    except Invalid:
        assume(False)
        raise


law: Callable[..., Any] = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
thorough: Callable[..., Any] = settings(law, max_examples=max(5, EXAMPLES // 12))  # each example is every expression


def test_every_block_and_every_place_of_a_value_is_drawn() -> None:
    kinds, contexts, placed = set(), set(), set()

    @settings(law, max_examples=60, database=None, derandomize=True)
    @given(templates())
    def look(body: dict[str, Any]) -> None:
        template = compiled(body)
        contexts.update(hole.context for message in template.locales.values() for part in message.parts for hole in part.holes)
        for locale in body["locales"].values():
            for each in locale.get("blocks", ()):
                placed.update({"both" if {"when", "repeat"} <= set(each) else name for name in ("when", "repeat") if name in each})
        kinds.update(block["type"] for locale in body["locales"].values() for block in locale.get("blocks", ()))

    look()
    assert placed == {"when", "repeat", "both"}
    assert kinds == {"columns", "hero", "html", "footer", *LEAVES}
    assert contexts == {"html", "attribute", "url", "header", "plain"}


def agree(template: Compiled, people: list[Recipient]) -> None:
    """Both ways fail for the same people and write the same for the others."""
    for filled, recipient in zip(fill(template, people), people, strict=True):
        expected = plain(template, recipient)
        assert type(filled) is {Failed: Failed, Rendered: Filled}[type(expected)], (filled, expected)
        if isinstance(filled, Filled) and isinstance(expected, Rendered):
            assert (filled.n, filled.locale, filled.subject, filled.preheader) == (
                expected.n,
                expected.locale,
                expected.subject,
                expected.preheader,
            )
            assert filled.html == expected.html
            assert filled.text == expected.text
            assert filled.options == expected.options


@law
@given(templates(), st.lists(recipients(), min_size=1, max_size=6))
def test_filling_a_batch_equals_rendering_each_message_plainly(body: dict[str, Any], people: list[Recipient]) -> None:
    agree(compiled(body), people)


@cache
def everywhere(expression: str) -> Compiled:
    """One expression in every place that can have it."""
    hole = "{{ " + expression + " }}"
    places = [
        {"type": "heading", "id": "h", "text": hole},
        {"type": "text", "id": "t", "text": hole},
        {"type": "image", "id": "i", "src": "https://img.example.com/" + hole, "alt": hole, "href": "https://shop.example.com/?q=" + hole},
        {"type": "footer", "id": "f", "address": hole},
    ]
    locales = {tag: {"subject": "Hello " + hole, "preheader": hole, "blocks": places} for tag in ("en", "ar")}
    return compiled(email(variables=VARIABLES, locales=locales, tracking="off"))


@thorough
@given(st.lists(recipients(), min_size=4, max_size=8))
def test_every_expression_in_every_place_comes_out_as_plainly_rendered(people: list[Recipient]) -> None:
    for expression in EXPRESSIONS:
        agree(everywhere(expression), people)


@law
@given(templates(), st.lists(recipients(), min_size=1, max_size=4))
def test_replacing_tags_by_values_equals_filling(body: dict[str, Any], people: list[Recipient]) -> None:
    template = compiled(body)
    for filled in fill(template, people):
        if isinstance(filled, Filled):
            shared = substitution(filled.message)
            subject, html, text = (_replaced(part, shared.tags, filled.values) for part in (shared.subject, shared.html, shared.text))
            assert (subject, text) == (filled.subject, filled.text.decode())
            assert html == (filled.html.decode() if filled.html is not None else None)
            assert shared.bytes_of(filled.values) == sum(
                len(tag + value.encode().decode("latin-1")) for tag, value in zip(shared.tags, filled.values, strict=True)
            )


@law
@given(templates(), recipients())
def test_no_value_changes_the_structure_of_a_mail_or_breaks_a_line_of_its_headers(body: dict[str, Any], person: Recipient) -> None:
    template = compiled(body)
    outcome = fill(template, [person])[0]
    if isinstance(outcome, Filled):
        assert not set(outcome.subject) & set("\r\n\x00\x85\u2028\u2029\u202e")
        harmless = outcome.message.html.join([b"x"] * len(outcome.values)) if outcome.message.html is not None else None
        if harmless is not None and outcome.html is not None:
            assert _structure(outcome.html) == _structure(harmless)


def _replaced(part: str | None, tags: tuple[str, ...], values: tuple[str, ...]) -> str | None:
    """What a vendor does: each tag replaced by its value, one after the other."""
    if part is not None:
        for tag, value in zip(tags, values, strict=True):
            part = part.replace(tag, value)
    return part


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, ...]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, *(name for name, _ in attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.seen.append(("/" + tag,))

    def handle_comment(self, data: str) -> None:
        self.seen.append(("comment",))


def _structure(html: bytes) -> list[tuple[str, ...]]:
    reader = _Tags()
    reader.feed(html.decode())
    reader.close()
    return reader.seen
