"""Blocks that are there on a condition, and blocks that are there once for each item of a list."""

from __future__ import annotations

from typing import Any

import pytest

from rendering.door import Compiled, Failed, Filled, Recipient, compile, fill, link_target, preview, substitution
from tests.presentation.letters import VARIABLES, Person, block, content, email

STAYS = {"source": "record.stay", "type": "list"}
CARD = [
    block("heading", id="city", text="{{ stay.city }}", level=3),
    block("button", id="see", label="See {{ stay.city }}", href="https://shop.example.com/{{ stay.external_id }}"),
]


def letter(*blocks: dict[str, Any], **changes: Any) -> Compiled:
    body = email(*blocks, variables={**VARIABLES, "stays": STAYS}, **changes)
    return compile(content(body), base_url="https://mail.example.com")


def reader(n: int = 1, stays: tuple[str, ...] = (), **attributes: Any) -> Recipient:
    records = {"stay": [{"external_id": f"s-{place}", "city": city} for place, city in enumerate(stays)]}
    return Recipient(n, Person(attributes=attributes, records=records), {}, token=f"tok{n}")


def written(template: Compiled, recipient: Recipient) -> Filled:
    outcome = fill(template, [recipient])[0]
    assert isinstance(outcome, Filled), outcome
    return outcome


def both(filled: Filled) -> tuple[str, str]:
    assert filled.html is not None
    return filled.html.decode(), filled.text.decode()


def test_a_block_is_there_for_those_for_whom_its_condition_holds() -> None:
    template = letter(block("text"), block("text", id="thanks", text="Thank you for being a member.", when="vip and city == 'Oslo'"))
    for attributes, there in [
        ({"vip": True, "city": "Oslo"}, True),
        ({"vip": True, "city": "Bergen"}, False),
        ({"vip": False, "city": "Oslo"}, False),
    ]:
        assert [("being a member" in part) for part in both(written(template, reader(**attributes)))] == [there, there]


def test_a_condition_that_reads_something_missing_is_not_met_and_harms_nobody() -> None:
    template = letter(block("text"), block("text", id="more", text="More", when="order.city == 'Oslo' or total > 3"))
    assert "More" not in both(written(template, reader()))[1]


def test_what_may_be_missing_can_be_asked_for() -> None:
    template = letter(block("text"), block("text", id="ask", text="Where do you live?", when="city is undefined"))
    assert "Where do you live?" in both(written(template, reader()))[1]
    assert "Where do you live?" not in both(written(template, reader(city="Oslo")))[1]


def test_a_condition_on_a_value_of_the_wrong_kind_leaves_this_person_out_and_says_why() -> None:
    template = letter(block("text"), block("text", id="more", when="city > 3"))
    outcomes = fill(template, [reader(1, city="Oslo"), reader(2)])
    assert outcomes[0] == Failed(1, "an expression doesn't fit the values")
    assert isinstance(outcomes[1], Filled)


def test_a_block_is_there_for_each_item_with_that_items_words_and_links() -> None:
    template = letter(block("columns", columns=[CARD[:1], CARD[1:]], repeat={"over": "stays", "as": "stay"}))
    html, text = both(written(template, reader(stays=("Oslo", "Rome & more", "Bergen"))))
    assert [html.count(city) for city in ("See Oslo", "See Rome &amp; more", "See Bergen")] == [1, 1, 1]
    assert text.index("See Oslo") < text.index("See Rome & more") < text.index("See Bergen")
    assert len({part.split('"')[0] for part in html.split("https://mail.example.com/t/tok1/")[1:]}) == 3


def test_an_email_whose_rows_come_and_go_stays_whole_in_outlook() -> None:
    row = block("columns", columns=[CARD[:1], CARD[1:]], repeat={"over": "stays", "as": "stay"})
    template = letter(row, block("columns", id="c2", columns=[[], []], when="vip"), block("text"))
    for recipient in (reader(), reader(stays=("a",)), reader(stays=("a", "b"), vip=True)):
        html = both(written(template, recipient))[0].replace("<!--[if mso | IE]>", "").replace("<![endif]-->", "")
        for tag in ("table", "tr", "td", "div", "tbody"):
            assert html.count(f"<{tag}>") + html.count(f"<{tag} ") == html.count(f"</{tag}>"), tag


def test_a_click_leads_where_that_items_link_leads() -> None:
    links = block("text", id="first", text="[us](https://shop.example.com/)")
    template = letter(links, block("columns", columns=[CARD, []], repeat={"over": "stays", "as": "stay"}))
    person = reader(stays=("Oslo", "Rome"))
    html = both(written(template, person))[0]
    numbers = sorted({int(part.split('"')[0]) for part in html.split("https://mail.example.com/t/tok1/")[1:]})
    assert [link_target(template, "en", number, person) for number in numbers] == [
        "https://shop.example.com/",
        "https://shop.example.com/s-0",
        "https://shop.example.com/s-1",
    ]
    assert link_target(template, "en", 2, person) is None  # there is one of the first link only
    assert link_target(template, "en", 5, person) is None  # there is no third stay


@pytest.mark.parametrize(("stays", "shown"), [((), 0), (("a",), 1), (("a", "b", "c"), 2)])
def test_at_most_so_many_items_are_shown_and_no_item_is_no_row(stays: tuple[str, ...], shown: int) -> None:
    template = letter(
        block("text"), block("text", id="row", text="Stay in {{ stay.city }}", repeat={"over": "stays", "as": "stay", "most": 2})
    )
    assert both(written(template, reader(stays=stays)))[0].count("Stay in") == shown


def test_nobody_gets_a_message_about_nothing() -> None:
    template = letter(block("text", id="row", text="{{ stay.city }}", repeat={"over": "stays", "as": "stay", "least": 2}))
    outcomes = fill(template, [reader(1, ("Oslo",)), reader(2, ("Oslo", "Rome"))])
    assert outcomes[0] == Failed(1, "stays has 1 items, and the message needs 2")
    assert isinstance(outcomes[1], Filled)


def test_with_both_the_condition_is_asked_for_each_item() -> None:
    row = block("text", id="row", text="On to {{ stay.city }}!", when="stay.city != city", repeat={"over": "stays", "as": "stay"})
    text = both(written(letter(block("text"), row), reader(stays=("Oslo", "Rome", "Bergen"), city="Rome")))[1]
    assert [city in text for city in ("Oslo", "Rome", "Bergen")] == [True, False, True]


def test_empty_lines_of_the_text_part_go_with_their_block() -> None:
    row = block("text", id="row", text="{{ stay.city }}", repeat={"over": "stays", "as": "stay"})
    template = letter(
        block("text", id="a", text="Above"), row, block("text", id="b", text="Below"), text=None, message_class="transactional"
    )
    text = {stays: both(written(template, reader(stays=stays)))[1].split("\n\n--")[0] for stays in ((), ("Oslo", "Rome"))}
    assert text == {(): "Above\n\nBelow", ("Oslo", "Rome"): "Above\n\nOslo\n\nRome\n\nBelow"}


def test_people_whose_messages_are_built_alike_share_one_constant_text() -> None:
    template = letter(block("text"), block("text", id="more", text="Hi {{ first_name }}", when="vip"))
    people = [reader(n, vip=n % 2 == 0, first_name=f"A{n}") for n in range(10)]
    made = [outcome for outcome in fill(template, people) if isinstance(outcome, Filled)]
    assert [outcome.n for outcome in made] == list(range(10))
    assert len({id(outcome.message) for outcome in made}) == 2
    for outcome in made:
        shared, (html, _) = substitution(outcome.message), both(outcome)
        for tag, value in zip(shared.tags, outcome.values, strict=True):
            assert shared.html is not None
            shared = type(shared)(shared.subject, shared.html.replace(tag, value), shared.text, shared.tags)
        assert shared.html == html


def test_the_preview_shows_samples_of_a_list() -> None:
    variables = {**VARIABLES, "stays": {**STAYS, "sample": [{"city": "Oslo"}, {"city": "Rome"}]}}
    row = block("text", id="row", text="Stay in {{ stay.city }}", repeat={"over": "stays", "as": "stay"})
    shown = preview(content(email(row, variables=variables)), None, {})
    assert shown.html.count("Stay in") == 2 and not shown.findings
