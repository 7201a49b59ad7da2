"""What a person reads before approving an audience."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from audience.names import Names, named_in
from audience.rules.nodes import read_node
from audience.sentences import sentence
from tests.laws.rules_drawn import rules


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"everyone": True}, "Everyone."),
        ({"profile": "country", "op": "in", "value": ["DE", "AT"]}, "People whose country is one of “DE” or “AT”."),
        ({"attribute": "tier", "op": "is", "value": "gold"}, "People whose Loyalty tier is “gold”."),
        ({"attribute": "vip", "op": "is", "value": True}, "People whose vip is yes."),
        ({"attribute": "spent", "op": "gte", "value": 12500}, "People whose spent is at least 12,500."),
        ({"attribute": "spent", "op": "missing"}, "People whose spent is not known."),
        (
            {"attribute": "seen", "op": "in_last", "value": {"amount": 1, "unit": "weeks"}},
            "People whose seen is in the last 1 week.",
        ),
        (
            {
                "event": "purchase",
                "count": 3,
                "within": {"last": 30, "unit": "days"},
                "where": [{"property": "total", "op": "gt", "value": 50}],
            },
            "People who did “purchase” at least 3 times with total more than 50 in the last 30 days.",
        ),
        (
            {"measure": "purchase", "how": "sum", "of": "price", "op": "gte", "value": 500, "within": {"last": 1, "unit": "years"}},
            "People whose total price of all “purchase” in the last year is at least 500.",
        ),
        (
            {"measure": "purchase", "how": "first", "op": "in_last", "value": {"amount": 7, "unit": "days"}},
            "People whose first “purchase” was in the last 7 days.",
        ),
        ({"share": {"percent": 12.5, "salt": "spring"}}, "People in a share of 12.5 %, drawn for “spring”."),
        ({"attribute": "tags", "op": "has_all", "value": ["a", "b"]}, "People whose tags has all of “a” and “b”."),
        ({"attribute": "hobbies", "op": "in", "value": ["chess", "go"]}, "People whose hobbies contains one of “chess” or “go”."),
        ({"attribute": "hobbies", "op": "not_in", "value": ["chess"]}, "People whose hobbies contains none of “chess”."),
        (
            {"attribute": "seen", "op": "more_than_ago", "value": {"amount": 6, "unit": "months"}},
            "People whose seen is longer ago than 6 months.",
        ),
        ({"profile": "locale", "op": "starts_with", "value": "pt"}, "People whose language starts with “pt”."),
        ({"attribute": "born", "op": "anniversary"}, "People whose born comes round today."),
        ({"event": "visit", "op": "at_most", "count": 0}, "People who never did “visit”."),
        ({"none": [{"segment": "vip"}]}, "Everyone, except those in the segment “vip”."),
        (
            {"consent": {"channel": "sms", "topic": "flash-sales", "state": "pending"}},
            "People who have yet to confirm that they agree to “Flash sales” by SMS.",
        ),
        (
            {
                "all": [
                    {"reachable": "email"},
                    {"any": [{"attribute": "tier", "op": "is", "value": "gold"}, {"event": "visit"}]},
                    {"none": [{"consent": {"channel": "email", "topic": "*"}}, {"segment": "staff"}]},
                ]
            },
            "People who can be reached by e-mail and (whose Loyalty tier is “gold” or who did “visit” at least once), "
            "except those who agreed to e-mail or in the segment “staff”.",
        ),
        (
            {"attribute": "code", "op": "in", "value": [str(number) for number in range(3000)]},
            "People whose code is one of “0”, “1”, “2”, “3”, “4” or 2,995 more.",
        ),
    ],
)
def test_a_rule_reads_as_a_sentence(rule: Any, words: str) -> None:
    assert sentence(read_node(rule), Names({"tier": "Loyalty tier"}, {"hobbies"})) == words


NAMES = Names(
    others={
        ("segment", "vip"): "VIP guests",
        ("list", "fair"): "The fair",
        ("campaign", "spring"): "Spring sale",
        ("event", "order.paid"): "Paid an order",
        ("record_type", "booking"): "Booking",
    }
)


def test_what_a_rule_names_by_keys_is_told_by_titles() -> None:
    rule = read_node(
        {
            "all": [
                {"segment": "vip"},
                {"list": "fair"},
                {"event": "order.paid"},
                {"message": "opened", "campaign": "spring"},
                {"record": "booking"},
                {"measure": "order.paid", "how": "last", "op": "more_than_ago", "value": {"amount": 2, "unit": "days"}},
                {"sequence": [{"event": "cart_left"}, {"event": "order.paid"}], "apart": {"amount": 3, "unit": "days"}},
                {"event": "visit"},
            ]
        }
    )
    assert sentence(rule, NAMES) == (
        "People in the segment “VIP guests”, on the list “The fair”, who did “Paid an order” at least once, who opened a message of"
        " “Spring sale” at least once, with at least 1 “Booking”, whose last “Paid an order” was longer ago than 2 days,"
        " who did “cart left” and then “Paid an order”, within 3 days and who did “visit” at least once."
    )
    assert [(each.words, each.title, each.key) for each in named_in(rule, NAMES)] == [
        ("segment", "VIP guests", "vip"),
        ("list", "The fair", "fair"),
        ("event", "Paid an order", "order.paid"),
        ("campaign", "Spring sale", "spring"),
        ("record type", "Booking", "booking"),
        ("event", "cart left", "cart_left"),
    ]


@given(rules)
def test_every_rule_has_a_sentence(rule: dict[str, Any]) -> None:
    words = sentence(read_node(rule))
    assert words[0].isupper() and words.endswith(".") and "{" not in words and words.count("(") == words.count(")")
