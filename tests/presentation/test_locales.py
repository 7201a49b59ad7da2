"""A person reads the nearest translation there is."""

from __future__ import annotations

import pytest

from presentation.door import canonical, choose_locale, direction


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("zh-Hant-TW", "zh-Hant"),
        ("zh-TW", "zh-Hant"),
        ("zh_tw", "zh-Hant"),
        ("zh-CN", "zh"),
        ("pt-BR", "pt"),
        ("de-AT", "de"),
        ("gsw", "de"),
        ("nn", "en"),
        ("", "en"),
        ("klingon", "en"),
        ("../../etc/passwd", "en"),
    ],
)
def test_the_chain_goes_from_the_person_to_the_fallbacks_to_the_default(wanted: str, expected: str) -> None:
    available = ["en", "zh", "zh-Hant", "pt", "de"]
    assert choose_locale(available, wanted, "en", {"gsw": ["fr", "de"]}) == expected


@pytest.mark.parametrize("tag", ["en", "pt-BR", "zh-Hant-TW", "sr-Latn", "es-419"])
def test_a_canonical_tag_stays_as_it_is(tag: str) -> None:
    assert canonical(tag) == canonical(tag.lower().replace("-", "_")) == tag


@pytest.mark.parametrize(
    ("tag", "expected"),
    [("ar", "rtl"), ("he", "rtl"), ("fa", "rtl"), ("ur-PK", "rtl"), ("en", "ltr"), ("az-Arab", "rtl"), ("uz", "ltr")],
)
def test_direction_follows_the_script(tag: str, expected: str) -> None:
    assert direction(tag) == expected
