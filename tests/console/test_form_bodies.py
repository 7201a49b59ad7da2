"""A document in a plain form: what the fields say is the body, whatever order and steps it went through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.door import Invalid, read_body, take_step
from governance.form_bodies import escape_part, focus_after

NAMES = st.text("abcdef/~:-", min_size=1, max_size=6)


def test_names_are_pointers_and_types_are_read() -> None:
    pairs = [
        ("/title", "Hello"),
        ("/caps/0/count:int", "12,408"),
        ("/caps/1/count:int", "3"),
        ("/share:number", "0.2"),
        ("/on:bool", "true"),
    ]
    assert read_body(pairs) == {"title": "Hello", "caps": [{"count": 12408}, {"count": 3}], "share": 0.2, "on": True}


def test_an_empty_optional_field_says_nothing() -> None:
    assert read_body([("/topic:text?", ""), ("/weight:int?", ""), ("/title", "")]) == {"title": ""}


def test_an_empty_list_stays_a_list_and_gaps_close() -> None:
    assert read_body([("/caps:empty", "list")]) == {"caps": []}
    assert read_body([("/caps:empty", "list"), ("/caps/7/count:int", "1"), ("/caps/2/count:int", "2")]) == {
        "caps": [{"count": 2}, {"count": 1}]
    }


def test_what_does_not_fit_its_type_stays_text_for_the_schema_to_name() -> None:
    assert read_body([("/count:int", "many"), ("/share:number", "nan"), ("/where:json", "{")]) == {
        "count": "many",
        "share": "nan",
        "where": "{",
    }


def test_names_that_are_no_pointers_are_ignored() -> None:
    assert read_body([("csrfmiddlewaretoken", "x"), ("do", "save"), ("/title", "T")]) == {"title": "T"}


@given(NAMES, st.text(max_size=20))
def test_any_field_name_survives_escaping(name: str, value: str) -> None:
    assert read_body([(f"/{escape_part(name)}", value)]) == {name: value.replace("\r\n", "\n")}


@given(st.lists(st.tuples(st.text("/:?~0123456789abint", max_size=12), st.text(max_size=8)), max_size=12))
def test_no_form_breaks_the_reader(pairs: list[tuple[str, str]]) -> None:
    assert isinstance(read_body(pairs), dict)


def test_steps_add_move_copy_and_remove() -> None:
    body = {"items": ["a", "b", "c"]}
    assert take_step(body, "up:/items/2")["items"] == ["a", "c", "b"]
    assert take_step(body, "down:/items/0")["items"] == ["b", "a", "c"]
    assert take_step(body, "copy:/items/1")["items"] == ["a", "b", "b", "c"]
    assert take_step(body, "remove:/items/0")["items"] == ["b", "c"]
    assert take_step(body, "add:/items:new", lambda path, what, form: what)["items"] == ["a", "b", "c", "new"]
    assert body == {"items": ["a", "b", "c"]}


@pytest.mark.parametrize("step", ["", "explode:/items/0", "up:/items/9", "remove:/nothing/0", "up:", "remove:/items/x"])
def test_a_step_that_means_nothing_is_refused(step: str) -> None:
    with pytest.raises(Invalid):
        take_step({"items": ["a"]}, step)


def test_the_focus_follows_what_was_moved() -> None:
    body = {"items": ["a", "b"]}
    assert focus_after("up:/items/1", body) == "f-items-0"
    assert focus_after("add:/items:x", body) == "f-items-1"
    assert focus_after("remove:/items/0", body) == "f-items"
