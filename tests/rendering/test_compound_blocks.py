"""Heroes, cards and links to networks, as mails show them."""

from __future__ import annotations

from typing import Any

import pytest

from rendering.door import Preview, preview
from tests.presentation.letters import VARIABLES, block, content, email
from tests.presentation.test_template_body import faults

HERO = block("hero", title="Spring is here", text="Come **along**.", src="https://img.example.com/h.jpg", alt="A harbour")
CARD = block("card", title="A loft in Porto", price="€ 84", text="By the river.", label="See it", href="https://shop.example.com/1")


def shown(*blocks: dict[str, Any], **changes: Any) -> Preview:
    return preview(content(email(*blocks, **changes)), None, {})


def test_a_hero_has_its_picture_from_edge_to_edge_a_title_and_a_button() -> None:
    made = shown({**HERO, "label": "Book", "href": "https://shop.example.com/"})
    assert made.html.count("<h1") == 1 and "Come <strong>along</strong>." in made.html
    assert 'alt="A harbour"' in made.html.replace("\n", " ")
    assert made.text.startswith("Spring is here\n========================\n\nCome along.\n\nBook:\nhttps://shop.example.com/\n\n")


def test_a_hero_on_the_accent_keeps_its_colours_in_the_dark() -> None:
    html = shown({**HERO, "look": "accent"}, theme={"accent": "#0b5563"}).html
    title = html.split("<h1")[1].split(">")[0]
    assert "color:#ffffff" in title
    assert 'class="ink' not in html.split("Come")[0].rsplit("<td", 1)[1]


@pytest.mark.parametrize(("layout", "columns"), [("beside", 2), ("stacked", 0)])
def test_a_cards_picture_stands_beside_its_words_or_above(layout: str, columns: int) -> None:
    html = shown({**CARD, "src": "https://img.example.com/1.jpg", "alt": "A loft", "layout": layout}).html
    assert html.count("group-fix mj-column-per-40") == html.count("group-fix mj-column-per-60") == columns // 2
    for words in ("A loft in Porto", "€ 84", "By the river.", "See it"):
        assert words in html


def test_cards_for_each_item_of_a_list() -> None:
    variables = {**VARIABLES, "homes": {"source": "data.homes", "type": "list", "sample": [{"name": "Loft"}, {"name": "Barn"}]}}
    card = block("card", title="{{ home.name }}", repeat={"over": "homes", "as": "home"})
    made = shown(card, variables=variables)
    assert [made.text.count(name) for name in ("Loft", "Barn")] == [1, 1]
    assert made.html.count("<h3") == 2


def test_networks_are_shown_by_name() -> None:
    links = [{"network": "x", "href": "https://x.com/us"}, {"network": "website", "href": "https://us.example.com/{{ city|default('') }}"}]
    made = shown(block("social", links=links))
    assert ">X</a>" in made.html and ">Website</a>" in made.html
    assert "X: https://x.com/us" in made.text


@pytest.mark.parametrize(
    ("change", "where", "expected"),
    [
        ({"label": "Go"}, "href", "where the button leads"),
        ({"href": "https://shop.example.com/"}, "label", "the button's words"),
        ({"title": ""}, "title", "1 character"),
        ({"href": "javascript:alert(1)", "label": "Go"}, "href", "https"),
        ({"src": "http://img.example.com/a.png"}, "src", "https"),
    ],
)
def test_a_hero_that_is_half_is_refused_where_it_lacks_something(change: dict[str, Any], where: str, expected: str) -> None:
    assert expected in faults(email(block("hero", **{"title": "Spring", **change})))[f"/locales/en/blocks/0/{where}"][1]


def test_networks_that_nobody_knows_and_links_that_lead_nowhere_are_refused() -> None:
    links = [{"network": "myspace", "href": "https://x.com/us"}, {"network": "x", "href": "x.com/us"}]
    assert set(faults(email(block("social", links=links)))) == {
        "/locales/en/blocks/0/links/0/network",
        "/locales/en/blocks/0/links/1/href",
    }
