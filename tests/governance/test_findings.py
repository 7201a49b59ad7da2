from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from governance.door import DocumentModel, Invalid, Slug, Text, parse, shorten


class Image(DocumentModel):
    type: Literal["image"]
    src: str


class Words(DocumentModel):
    type: Literal["text"]
    text: Annotated[str, Text(10)]


class Letter(DocumentModel):
    blocks: list[Annotated[Image | Words, Field(discriminator="type")]]
    key: Slug = "a"
    ramp: tuple[float, ...] = ()
    at: datetime | None = None
    either: int | list[int] = 0


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, {"/blocks"}),
        ({"blocks": [{"type": "image"}]}, {"/blocks/0/src"}),
        ({"blocks": [{"type": "text", "text": 5}]}, {"/blocks/0/text"}),
        ({"blocks": [{"type": "text"}]}, {"/blocks/0/text"}),
        ({"blocks": [{"type": "video"}]}, {"/blocks/0"}),
        ({"blocks": [{"type": "text", "text": "a", "a/b~": 1}]}, {"/blocks/0/a~1b~0"}),
        ({"blocks": [], "key": "No Slug"}, {"/key"}),
        ({"blocks": [], "ramp": [0.1, "x"]}, {"/ramp/1"}),
        ({"blocks": [], "at": "yesterday"}, {"/at"}),
        ({"blocks": [], "either": "x"}, {"/either"}),
        ([], {""}),
        ("x", {""}),
        (None, {""}),
    ],
)
def test_each_fault_points_at_what_was_written(body: Any, paths: set[str]) -> None:
    with pytest.raises(Invalid) as caught:
        parse(Letter, body)
    assert {finding.path for finding in caught.value.findings} == paths
    assert all(finding.found and finding.expected for finding in caught.value.findings)


def test_strict_bodies_read_plain_data_as_json_does() -> None:
    letter = parse(Letter, {"blocks": [], "ramp": [0.1, 1], "at": "2026-01-01T09:00:00Z"})
    assert letter.ramp == (0.1, 1.0)
    assert letter.at is not None and letter.at.year == 2026


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"blocks": 5}, "/blocks: found 5, expected a valid array"),
        ({"blocks": [], "ramp": ["x"]}, "/ramp/0: found x, expected a valid number"),
        ({"blocks": [{"type": "text", "text": ""}]}, "/blocks/0/text: found empty text, expected at least 1 character besides spaces"),
        ({}, "/blocks: found nothing, expected a value: this field is required"),
    ],
)
def test_a_finding_reads_as_a_sentence(body: Any, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(Letter, body)
    assert str(caught.value.findings[0]) == words


@pytest.mark.parametrize("value", ["5", 1.5, True, None])
def test_strict_bodies_guess_no_types(value: Any) -> None:
    with pytest.raises(Invalid):
        parse(Letter, {"blocks": [], "either": value})


@pytest.mark.parametrize("text", ["a\nb", "a\u2028b", "a\u0085b", "a\0b", "a\tb", "\x1b[31m", "  ", "x" * 11])
def test_a_line_of_text_has_no_breaks_controls_or_length(text: str) -> None:
    with pytest.raises(Invalid):
        parse(Words, {"type": "text", "text": text})


def test_faulty_values_are_shown_short_and_on_one_line() -> None:
    assert shorten("a\nb\ud800\u202e") == "a\\x0ab\\ud800\\x202e"
    assert len(shorten("x" * 10_000)) == 80
