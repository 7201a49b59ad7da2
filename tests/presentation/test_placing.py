"""Conditions and repetitions of blocks: what is refused, where and why."""

from __future__ import annotations

from typing import Any

import pytest

from governance.door import parse
from presentation.door import TemplateBody, bound, guarded
from tests.presentation.letters import VARIABLES, block, email
from tests.presentation.test_template_body import faults

EACH = {"over": "tags", "as": "tag"}


@pytest.mark.parametrize(
    ("fields", "where", "found", "expected"),
    [
        ({"when": "{{ vip }}"}, "when", "line 1: braces in a condition", "without braces"),
        ({"when": "vipp"}, "when", "line 1: vipp isn't declared", "did you mean vip"),
        ({"when": "vip and"}, "when", "line 1: ", "an expression"),
        ({"when": ""}, "when", "line 1: ", "an expression"),
        ({"when": "city.__class__"}, "when", "attribute __class__ is not allowed", "an expression"),
        ({"when": "range(9)"}, "when", "range() is not allowed", "an expression"),
        ({"when": "tag.city"}, "when", "tag isn't declared", "did you mean"),
        ({"repeat": {"over": "city", "as": "tag"}}, "repeat/over", "city", "a declared variable of type list: tags"),
        ({"repeat": {"over": "tags", "as": "city"}}, "repeat/as", "city", "a name that no variable has"),
        ({"repeat": {"over": "tags", "as": "loop"}}, "repeat/as", "loop", "a word of the expression language"),
        ({"repeat": {"over": "tags", "as": "unsubscribe_url"}}, "repeat/as", "unsubscribe_url", "a name that no variable has"),
        ({"repeat": {"over": "tags", "as": "Tag"}}, "repeat/as", "Tag", "pattern"),
        ({"repeat": {**EACH, "most": 21}}, "repeat/most", "21", "20"),
        ({"repeat": {**EACH, "most": 2, "least": 3}}, "repeat/least", "3", "at most 2"),
    ],
)
def test_what_cannot_be_asked_or_repeated_is_named(fields: dict[str, Any], where: str, found: str, expected: str) -> None:
    said = faults(email(block("text", **fields)))[f"/locales/en/blocks/0/{where}"]
    assert found in said[0] and expected in said[1]


def test_an_items_name_is_known_inside_its_block_only() -> None:
    inner = block("text", id="inner", text="{{ tag }}")
    row = block("columns", columns=[[inner], []], repeat=EACH)
    assert set(faults(email(row, block("text", id="after", text="{{ tag }}")))) == {"/locales/en/blocks/1/text"}


def test_a_repetition_in_another_is_refused() -> None:
    row = block("columns", columns=[[block("text", id="inner", repeat={"over": "tags", "as": "other"})], []], repeat=EACH)
    assert faults(email(row)) == {
        "/locales/en/blocks/0/columns/0/0/repeat": ("a repetition inside another", "one repetition: of the columns, or of a block in them")
    }


@pytest.mark.parametrize("field", ["when", "repeat"])
def test_a_footer_is_there_for_everybody(field: str) -> None:
    body = email(block("text"))
    body["locales"]["en"]["blocks"][-1] = {**body["locales"]["en"]["blocks"][-1], field: "vip" if field == "when" else EACH}
    assert f"/locales/en/blocks/1/{field}" in faults(body)


def test_conditions_and_repetitions_are_kept_as_they_were_written() -> None:
    row = block("text", text="{{ tag }}", when="tag != city", repeat=EACH)
    body = parse(TemplateBody, email(row, variables=VARIABLES))
    assert body.model_dump(by_alias=True, exclude_unset=True)["locales"]["en"]["blocks"][0] == row


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("stay.city", "stays[2].city"),
        ("stay", "stays[2]"),
        ("other.stay|default(stay)|replace('stay', \"stay\")", "other.stay|default(stays[2])|replace('stay', \"stay\")"),
        ("stays|length > 1 and stay is defined", "stays|length > 1 and stays[2] is defined"),
        ("other[ 'stay' ] ~ '}}' ~stay", "other[ 'stay' ] ~ '}}' ~stays[2]"),
    ],
)
def test_an_items_name_stands_for_its_place_in_the_list(written: str, meant: str) -> None:
    assert bound(written, "stay", "stays", 2) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("vip", "vip is defined and (vip)"),
        ("order.city == 'x'", "order is defined and order['city'] is defined and (order.city == 'x')"),
        ("city is defined or vip|default(false)", "(city is defined or vip|default(false))"),
        (
            "a['it\\'s'].b > b",
            "a is defined and a[\"it's\"] is defined and a[\"it's\"]['b'] is defined and b is defined and (a['it\\'s'].b > b)",
        ),
    ],
)
def test_a_condition_asks_first_whether_what_it_reads_is_there(written: str, meant: str) -> None:
    assert guarded(written) == meant
