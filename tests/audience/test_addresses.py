"""Addresses, locales, zones and countries are kept in one form, or refused in words that say why."""

from __future__ import annotations

from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from audience.door import BadAddress, can_receive_texts, country_code, email_address, locale_tag, phone_number, zone_name


def refusal(normalise: object, text: str) -> str:
    with pytest.raises(BadAddress) as caught:
        normalise(text)  # type: ignore[operator]
    return f"found {caught.value.found}, expected {caught.value}"


@pytest.mark.parametrize(
    ("given", "sent", "key"),
    [
        ("Ann@EXAMPLE.com", "Ann@example.com", "ann@example.com"),
        ("ann@münchen.example", "ann@xn--mnchen-3ya.example", "ann@xn--mnchen-3ya.example"),
        ("用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v", "用户@xn--fsqu00a.xn--4rr70v"),
        (" ann+promo@gmail.com ", "ann+promo@gmail.com", "ann+promo@gmail.com"),
    ],
)
def test_an_address_keeps_its_name_and_gets_an_ascii_domain(given: str, sent: str, key: str) -> None:
    assert email_address(given) == (sent, key)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("a@b", "a domain that has no dot"),
        ("a" * 65 + "@example.com", "at most 64 characters before the @"),
        ("ann@example.com,bob@example.com", "one e-mail address"),
        ("ann@example.com bob@example.com", "several addresses"),
        ("ann@[127.0.0.1]", "address literals are not allowed"),
        ('"much more unusual"@example.com', "quoted name"),
        ("ann@example.com\r\nBcc: x@example.com", "U+000D"),
        ("ann@example.com\u2028x@example.com", "U+2028"),
        ("ann\0@example.com", "U+0000"),
        ("\u202eann@example.com", "U+202E"),
        ("Ann <ann@example.com>", "display name"),
        ("ann@host.invalid", "special-use"),
        ("ann", "must have an @-sign"),
        ("", "found nothing"),
    ],
)
def test_what_is_not_one_plain_address_is_refused_in_its_own_words(given: str, words: str) -> None:
    assert words in refusal(email_address, given)


LABELS = st.text("ab0-_.ü", min_size=1, max_size=8)


@given(
    st.builds(
        "{}@{}.{}".format, st.text("aZ0.+-_'\"ü", max_size=8), LABELS, st.sampled_from(["com", "c", "1a", "12", "example", "xn--p1ai"])
    )
)
def test_the_quick_way_accepts_nothing_that_the_full_parser_refuses(text: str) -> None:
    try:
        sent, key = email_address(text)
    except BadAddress:
        return
    try:
        checked = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:  # pragma: no cover - this is the failure
        raise AssertionError(f"{text!r} was accepted, but {error}") from None
    assert sent == f"{checked.local_part}@{checked.ascii_domain}"
    assert email_address(sent) == (sent, key), "normalising twice is normalising once"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("+1 (201) 555-0123", "+12015550123"),
        ("tel:+1-201-555-0123;phone-context=x", "+12015550123"),
        ("+8613912345678", "+8613912345678"),
        ("+5511961234567", "+5511961234567"),
        ("+390612345678", "+390612345678"),
    ],
)
def test_a_number_is_kept_as_e164(given: str, kept: str) -> None:
    assert phone_number(given) == kept == phone_number(kept)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("+1201555012", "too short for US"),
        ("+4420794609581234", "too long for GB"),
        ("+999123456789", "an unknown country code"),
        ("020 7946 0958", "no country code"),
        ("911", "an emergency or short number"),
        ("+1911", "an emergency or short number"),
        ("+44999", "an emergency or short number"),
        ("+441632960961", "not in use"),
        ("+1 201 555 0123 ext. 5", "without an extension"),
        ("not a number", "such as +442079460123"),
        ("+" * 200, "200 characters"),
    ],
)
def test_a_number_that_nobody_can_have_is_refused_in_its_own_words(given: str, words: str) -> None:
    assert words in refusal(phone_number, given)


def test_a_fixed_line_receives_no_texts() -> None:
    assert [can_receive_texts(number) for number in ("+390612345678", "+5511961234567", "+12015550123")] == [False, True, True]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("en_US", "en-US"),
        ("EN-us", "en-US"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("zh-TW", "zh-TW"),
        ("sr_Latn", "sr-Latn"),
        ("pt-br", "pt-BR"),
        ("es-419", "es-419"),
        ("iw", "he"),
        ("eng", "en"),
        ("en-UK", "en-GB"),
        ("ca-ES-VALENCIA", "ca-ES-valencia"),
        ("en-FR", "en-FR"),
    ],
)
def test_a_locale_is_kept_in_its_canonical_spelling(given: str, kept: str) -> None:
    assert locale_tag(given) == kept == locale_tag(kept)


@pytest.mark.parametrize(
    "given", ["xx-YY", "i-klingon", "../../etc", "", "und", "en-ZZ", "C", "en\0", "e\u0301n", "en-US-u-ca-buddhist", "a" * 500]
)
def test_an_unknown_locale_is_refused(given: str) -> None:
    assert "a locale such as en-GB" in refusal(locale_tag, given)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Europe/Kiev", "Europe/Kyiv"),
        ("US/Eastern", "America/New_York"),
        ("EST", "America/Panama"),
        ("EST5EDT", "America/New_York"),
        ("Etc/UTC", "UTC"),
        ("UTC", "UTC"),
        ("Europe/Amsterdam", "Europe/Amsterdam"),
        ("Pacific/Chatham", "Pacific/Chatham"),
    ],
)
def test_a_zone_is_kept_by_its_present_name(given: str, kept: str) -> None:
    assert zone_name(given) == kept


def test_every_zone_has_a_present_name_that_stays() -> None:
    names = set((files("tzdata") / "zones").read_text("utf-8").split()) - {"Factory"}
    assert len(names) > 500
    for name in names:
        assert zone_name(zone_name(name)) == zone_name(name) == ZoneInfo(zone_name(name)).key


@pytest.mark.parametrize(
    ("given", "words"),
    [("+05:30", "an offset"), ("UTC+2", "an offset"), ("Mars/Olympus", "Europe/Paris"), ("../etc/passwd", "Europe/Paris"), ("", "")],
)
def test_an_offset_or_an_unknown_place_is_no_zone(given: str, words: str) -> None:
    assert words in refusal(zone_name, given)


def test_a_country_is_an_iso_code_and_a_wrong_one_is_told_the_right_one() -> None:
    assert [country_code(code) for code in ("fr", "GB", "XK")] == ["FR", "GB", "XK"]
    assert "GB is the present code" in refusal(country_code, "UK")
    for code in ("ZZ", "EU", "", "FRA!", "ÄÖ"):
        assert "two letters" in refusal(country_code, code)
