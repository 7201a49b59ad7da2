"""Steps that move conditions and groups of a rule in the builder: nothing is lost, and what can't be is refused in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience import rule_steps
from governance.door import Invalid


def group(*inside: Any) -> dict[str, Any]:
    return {"word": "all", "of": list(inside)}


def tree(text: str) -> dict[str, Any]:
    """ "a(b c)d" as a rule: letters are conditions, brackets are groups."""
    stack: list[list[Any]] = [[]]
    for char in text:
        if char == "(":
            stack.append([])
        elif char == ")":
            inside = stack.pop()
            stack[-1].append(group(*inside))
        elif char != " ":
            stack[-1].append({"subject": char, "op": "is"})
    return {"title": "T", "rule": group(*stack[0])}


def told(form: Any) -> str:
    def say(node: Any) -> str:
        return "(" + "".join(map(say, node["of"])) + ")" if "word" in node else str(node["subject"])

    return say(form["rule"])[1:-1]


@pytest.mark.parametrize(
    ("before", "step", "after", "focus"),
    [
        ("a(bc)d", "in:/rule/of/2", "a(bcd)", "f-rule-of-1-of-2-grip"),
        ("(a)b(c)", "in:/rule/of/2", "(a(c))b", "f-rule-of-0-of-1-grip"),
        ("a(bc)d", "out:/rule/of/1/of/0", "a(c)bd", "f-rule-of-2-grip"),
        ("a(bc)d", "move:/rule/of/0:/rule/of/1/of/1", "(bac)d", "f-rule-of-0-of-1-grip"),
        ("a(bc)d", "move:/rule/of/0:/rule/of/1/of/2", "(bca)d", "f-rule-of-0-of-2-grip"),
        ("a(bc)d", "move:/rule/of/2:/rule/of/0", "da(bc)", "f-rule-of-0-grip"),
        ("abcd", "move:/rule/of/0:/rule/of/3", "bcad", "f-rule-of-2-grip"),
        ("abcd", "move:/rule/of/1:/rule/of/1", "abcd", "f-rule-of-1-grip"),
        ("a((b)c)d", "move:/rule/of/1/of/0:/rule/of/3", "a(c)d(b)", "f-rule-of-3-grip"),
        ("a(b)", "wrap:/rule/of/0", "(a)(b)", "f-rule-of-0"),
        ("a(bc)", "unwrap:/rule/of/1", "abc", "f-rule-of-1"),
        ("ab", "up:/rule/of/1", None, "f-rule-of-0-grip"),
        ("ab", "copy:/rule/of/0", None, "f-rule-of-1-grip"),
    ],
)
def test_a_step_moves_what_it_names_and_the_focus_follows(before: str, step: str, after: str | None, focus: str) -> None:
    form = tree(before)
    moved = rule_steps.steps(step, form)
    assert (None if moved is None else told(moved)) == after
    assert rule_steps.focus(step, form, moved or form) == focus
    assert told(form) == before, "the form of before is as it was"


@pytest.mark.parametrize(
    ("before", "step", "words"),
    [
        ("ab", "in:/rule/of/1", "no group above it"),
        ("ab", "out:/rule/of/1", "no group"),
        ("a((b)c)", "move:/rule/of/1:/rule/of/1/of/0/of/0", "go into itself"),
        ("ab", "move:/rule/of/7:/rule/of/0", "a place of this rule"),
        ("ab", "move:/rule/of/0:/rule/of/3", "a place of this rule"),
        ("ab", "move:/rule/of/0:", "go into itself"),
        ("ab", "wrap:/rule/of/99999999", "a place of this rule"),
        ("ab", "wrap:/rule", "a place of this rule"),
        ("ab", "out:/title", "a place of this rule"),
        ("((((((((((a))))))))))", "wrap:/rule/of/0", "nested deeper"),
    ],
)
def test_what_can_not_be_moved_is_refused_in_words(before: str, step: str, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        rule_steps.steps(step, tree(before))
    assert words in " ".join(f"{each.found} {each.expected}" for each in refused.value.findings)


def test_other_steps_are_not_its_own() -> None:
    assert rule_steps.steps("add:/rule/of:condition", tree("a")) is None


TREES = st.recursive(st.sampled_from("abcdefg"), lambda inside: st.lists(inside, min_size=1, max_size=3).map(lambda of: f"({''.join(of)})"))
PLACES = st.lists(st.integers(0, 3), min_size=1, max_size=4).map(lambda way: "/rule" + "".join(f"/of/{place}" for place in way))


@given(st.lists(TREES, min_size=1, max_size=4).map("".join), st.sampled_from(["in", "out", "move"]), PLACES, PLACES)
def test_no_move_loses_or_doubles_a_condition(before: str, verb: str, path: str, target: str) -> None:
    form = tree(before)
    try:
        moved = rule_steps.steps(f"{verb}:{path}:{target}", form)
    except Invalid:
        return
    assert sorted(told(moved)) == sorted(told(form))
