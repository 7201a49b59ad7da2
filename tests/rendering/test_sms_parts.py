"""An SMS is counted as carriers bill it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rendering.door import sms_parts
from rendering.sms_parts import BASIC, EXTENDED

gsm_texts = st.lists(st.one_of(st.sampled_from(sorted(BASIC)), st.sampled_from(sorted(EXTENDED))), max_size=700).map("".join)
any_texts = st.lists(st.one_of(st.characters(exclude_categories=("Cs",)), st.sampled_from("😀👍abc")), max_size=400).map("".join)


def parts_by_cutting(units: list[str], single: int, several: int, opens_a_pair: str) -> int:
    """Cut the units into parts one after the other; a part that would end inside a pair ends before it."""
    if len(units) <= single:
        return 1 if units else 0
    parts = 0
    while units:
        end = several
        if len(units) > end and opens_a_pair <= units[end - 1][0] <= ("\x1b" if opens_a_pair == "\x1b" else "\udbff"):
            end -= 1
        units, parts = units[end:], parts + 1
    return parts


@given(gsm_texts)
def test_gsm_texts_are_cut_like_septets(text: str) -> None:
    septets = [unit for char in text for unit in (("\x1b", char) if char in EXTENDED else (char,))]
    counted = sms_parts(text)
    assert (counted.encoding, counted.units) == ("GSM-7", len(septets))
    assert counted.parts == parts_by_cutting(septets, 160, 153, "\x1b")


@given(any_texts.filter(lambda text: any(char not in BASIC | EXTENDED for char in text)))
def test_other_texts_are_cut_like_utf_16(text: str) -> None:
    raw = text.encode("utf-16-be", "surrogatepass")
    units = [chr(int.from_bytes(raw[place : place + 2], "big")) for place in range(0, len(raw), 2)]
    counted = sms_parts(text)
    assert (counted.encoding, counted.units) == ("UCS-2", len(units))
    assert counted.parts == parts_by_cutting(units, 70, 67, "\ud800")


@pytest.mark.parametrize(
    ("text", "encoding", "parts"),
    [
        ("", "GSM-7", 0),
        ("a" * 160, "GSM-7", 1),
        ("a" * 161, "GSM-7", 2),
        ("a" * 306, "GSM-7", 2),
        ("a" * 307, "GSM-7", 3),
        ("€" * 80, "GSM-7", 1),
        ("€" * 81, "GSM-7", 2),
        ("€" * 153, "GSM-7", 3),  # 76 pairs a part: the 153rd septet stays empty
        ("ç", "UCS-2", 1),
        ("Ç", "GSM-7", 1),
        ("ñandú", "UCS-2", 1),
        ("`", "UCS-2", 1),
        ("“quoted”", "UCS-2", 1),
        ("я" * 70, "UCS-2", 1),
        ("я" * 71, "UCS-2", 2),
        ("😀" * 35, "UCS-2", 1),
        ("😀" * 36, "UCS-2", 2),
        ("😀" * 67, "UCS-2", 3),  # 33 pairs a part
    ],
)
def test_the_edges(text: str, encoding: str, parts: int) -> None:
    counted = sms_parts(text)
    assert (counted.encoding, counted.parts) == (encoding, parts)


def test_the_characters_that_cost_are_named() -> None:
    assert sms_parts("Grüße – bis morgen 👋").odd == ("–", "👋")
    assert sms_parts("a" * 100).room == 60
