"""Numbers, money, time and differences as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.stations import Stop
from delivery.views.words import tell
from omni.console.world import COLUMNS, ROWS, tiles
from omni.templatetags.console import by_country, channel, country, country_map, source, topic, vendor, why_suppressed
from omni.templatetags.diffs import as_words, path_words, side_by_side, word_marks
from omni.templatetags.figures import ago, columns_chart, count, duration, ended, engine, money, number, plural, share_words, unit_price
from omni.templatetags.states import look

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_people_are_counted_in_full() -> None:
    assert (count(12408), count(0), count(None)) == ("12,408", "0", "–")
    assert (plural(1, "person,people"), plural(12408, "person,people")) == ("1 person", "12,408 people")


def test_what_answered_is_called_by_its_name() -> None:
    assert engine("database") == "the database" and engine("elasticsearch") == "Elasticsearch"
    assert engine("elasticsearch + database") == "Elasticsearch and the database"


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [(369, 11902, "3.1 %"), (0, 5, "0 %"), (5, 5, "100 %"), (1, 100_000, "<0.1 %"), (99_999, 100_000, ">99.9 %"), (1, 0, "")],
)
def test_shares_never_round_to_all_or_nothing(part: int, whole: int, words: str) -> None:
    assert share_words(part, whole) == words


def test_money_keeps_its_currency_and_never_shows_parts_of_a_cent() -> None:
    assert money(18_612_000, "USD") == "$18.61"
    assert (money(5_200, "USD"), money(400_000, "JPY"), money(9_999, "CHF")) == ("under $0.01", "under ¥1", "under 0.01 CHF")
    assert (unit_price(790, "USD"), unit_price(400, "EUR"), unit_price(75_000, "USD")) == ("$0.00079", "€0.0004", "$0.0750")
    assert money(-1_240_000_000, "CHF") == "−1,240.00 CHF"
    assert money(0, "EUR") == "€0.00"


def test_numbers_that_count_nothing_keep_the_digits_that_say_something() -> None:
    assert [number(each) for each in (5.0, 1372.857, -0.5, 0.00421, 0, 2**53, None)] == [
        "5",
        "1,372.86",
        "−0.5",
        "0.0042",
        "0",
        "9,007,199,254,740,992",
        "–",
    ]


def test_times_are_said_from_now() -> None:
    assert ago(NOW - timedelta(minutes=4), NOW) == "4 min ago"
    assert ago(NOW + timedelta(hours=5), NOW) == "in 5 h"
    assert ago(NOW - timedelta(days=2), NOW) == "2 days ago"
    assert duration(200) == "3 min 20 s"


def test_channels_countries_and_vendors_go_by_their_names() -> None:
    assert [channel(each) for each in ("email", "sms", "push", "*")] == ["e-mail", "SMS", "push", "every channel"]
    assert (country("DE"), country("XX"), vendor("sendgrid"), vendor("gone"), vendor("")) == ("Germany", "XX", "SendGrid v3", "gone", "")
    assert look("in doubt") == look("in_doubt"), "what the ledger calls it and what addresses call it"


def test_every_country_has_a_tile_of_its_own_and_lies_about_where_it_is() -> None:
    places = tiles()
    assert len(set(places.values())) == len(places) >= 195
    assert all(0 <= column < COLUMNS and 0 <= row < ROWS for column, row in places.values())
    assert all(country(code) != code for code in places), "each is a country's code"
    west_to_east = ["US", "BR", "PT", "DE", "TR", "IN", "CN", "JP", "NZ"]
    assert sorted(west_to_east, key=lambda code: places[code][0]) == west_to_east
    north_to_south = ["NO", "DE", "IT", "EG", "NG", "AO", "ZA"]
    assert sorted(north_to_south, key=lambda code: places[code][1]) == north_to_south


def test_a_map_of_countries_says_whom_it_leaves_out_and_colours_by_size() -> None:
    drawn = country_map([("US", 1_000), ("DE", 320), ("FR", 1), ("XX", 3), ("", 4)], "People")
    levels = {tile["code"]: tile["level"] for tile in drawn["tiles"]}
    assert (levels["US"], levels["DE"], levels["FR"], levels["JP"]) == (4, 3, 1, 0)
    assert (drawn["shown"], drawn["off"]) == (3, 7)
    assert by_country([("DE", 320), ("", 4)]) == [("Germany", 320), ("not known", 4)]


def test_topics_and_what_somebody_said_something_through_go_by_their_names() -> None:
    assert [topic(each) for each in ("product-news", "offers", "")] == ["Product news", "Offers", ""]
    assert [why_suppressed(each) for each in ("stopped", "complained", "new")] == ["answered STOP", "marked as spam", "new"]
    said = {
        "event:sendgrid": "SendGrid v3",
        "event:soft bounces": "repeated soft bounces",
        "twilio:keyword": "a reply through Twilio Messages",
        "sendgrid:complained": "a complaint through SendGrid v3",
        "omni:preferences": "the preference page",
        "omni:unsubscribed": "the link in a message",
        "import:old.csv": "the import of old.csv",
        "app": "app",
        "shop:checkout": "shop:checkout",
    }
    assert {each: source(each) for each in said} == said


def test_a_typed_reason_ends_as_a_sentence_does() -> None:
    assert [ended(each) for each in ("Wrong price", "Wrong price.", " Why? ", "")] == ["Wrong price.", "Wrong price.", "Why?", ""]


def test_a_difference_marks_the_words_that_changed() -> None:
    before, after = word_marks("spring is 20% off", "spring is 25% off today")
    assert before == "spring is <del>20</del>% off"
    assert after == "spring is <ins>25</ins>% off<ins> today</ins>"


def test_what_is_compared_is_escaped() -> None:
    assert "<script>" not in "".join(word_marks("<script>a", "<script>b"))


@given(st.text(max_size=200), st.text(max_size=200))
def test_both_sides_of_a_difference_are_there_in_full(before: str, after: str) -> None:
    lines = side_by_side(before, after)
    assert bool(lines) == (before != after) or before.splitlines() == after.splitlines()


def test_places_in_a_document_are_said_in_words() -> None:
    assert path_words("/locales/en/blocks/0/text") == "Locales › en › blocks › 1 › text"
    assert as_words([0.01, 0.1, 1]) == "0.01, 0.1, 1"


def test_a_chart_of_nothing_has_no_highest_bar() -> None:
    empty, one = columns_chart([("Mon", 0), ("Tue", 0)], "Bounces"), columns_chart([("Mon", 1), ("Tue", 0)], "Bounces")
    assert empty["top"] == 0 and {bar["height"] for bar in empty["bars"]} == {"0.0"}
    assert one["top"] == 1 and one["bars"][0]["height"] == "120.0"


def test_a_click_is_told_with_where_it_leads_as_far_as_that_is_known() -> None:
    clicks = [Stop("delivery", NOW, {"event": "clicked", "link": k}) for k in (0, 1)]
    told = tell(clicks, {0: "https://wayfare.example/sale"}.get)
    assert [dict(each.facts)["link"] for each in told] == ["https://wayfare.example/sale", "number 2"]
