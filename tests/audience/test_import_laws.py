"""What is quick comes to what is slow: columns at once as rows one by one, plain addresses and numbers as the full parsers."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from audience import addresses
from audience.catalogue import AttributeBody
from audience.ingest.checking import check, check_one
from audience.ingest.columns import ImportWishes, decide
from audience.ingest.conversions import Conversion
from audience.ingest.opening import Wanted, open_people
from audience.ingest.places import find_parts
from audience.ingest.tables import Table
from tests.audience.conftest import CATALOGUE

KNOWN = {name: AttributeBody(title=name, **body) for name, body in CATALOGUE.items()}  # type: ignore[arg-type]
COLUMNS = ["external_id", "email", "phone", "locale", "country", "zone", *KNOWN, "news"]
WISHES = ImportWishes(mapping={"news": "consent:email:offers"}, consent_source="form")
CONVERTED = replace(
    WISHES,
    mapping={"news": "consent:email:offers", "stays": "stays", "phone": "phone"},
    conversions={"stays": Conversion(to="stays", decimal=",", empty=["-"]), "phone": Conversion(to="phone", region="FR")},
)
CELLS: dict[str, list[Any]] = {
    "external_id": ["a", " b ", "", "é", "e\u0301", "x" * 201, "a\tb", "forgotten-1", 7, 7.0, 7.5],
    "email": ["", "a@example.com", " A@Example.COM ", "b@b", "ü@example.com", "a@münchen.de", "x;y@example.com", "a..b@example.com"],
    "phone": ["", "+442079460123", "+44 20 7946 0123", "0612345678", "112", "+33112", 33612345678, "+1 212-555-0123", "-"],
    "locale": ["", "en_US", "xx-YY", "de"],
    "country": ["", "fr", "UK", "ZZ"],
    "zone": ["", "Europe/Paris", "Asia/Calcutta", "+01:00"],
    "first_name": ["", "Ada", "  Ada ", "Ä", "a\0b", "x" * 40_000],
    "city": ["", "Rome", "1"],
    "stays": ["", "3", "3,5", "1e3", "many", 3, 3.5, 2**60, "-"],
    "vip": ["", "yes", "0", "perhaps", True, False],
    "birthday": ["", "1990-12-10", "1990-13-10"],
    "seen": ["", "2026-02-01 10:00:00+01:00", "2026-02-01", "soon"],
    "interests": ["", "a|b", '["a"]', "[1]", ["a", "b"], [], ["x" * 40_000]],
    "news": ["", "yes", "No", "perhaps", True],
}


@settings(max_examples=300)
@given(
    rows=st.lists(st.tuples(*(st.sampled_from(CELLS[name]) for name in COLUMNS)), min_size=1, max_size=6),
    wishes=st.sampled_from([WISHES, replace(WISHES, clear_empty=True), CONVERTED]),
)
def test_columns_at_once_come_to_what_rows_come_to_one_by_one(rows: list[tuple[Any, ...]], wishes: ImportWishes) -> None:
    shape = decide(COLUMNS, KNOWN, wishes)
    numbers = range(1, len(rows) + 1)
    table = Table(numbers, numbers, dict(zip(COLUMNS, zip(*rows, strict=True), strict=True)))
    one_by_one = [check_one(table.record(index), shape, KNOWN) for index in range(len(rows))]
    assert check(table, shape, KNOWN) == one_by_one


@given(
    rows=st.lists(st.tuples(*[st.text(st.sampled_from('aé ,;"\n\t'), max_size=6)] * 2), max_size=40),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    delimiter=st.sampled_from(",;\t"),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_csv_comes_out_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], quoting: Any, delimiter: str, end: str
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, quoting=quoting, delimiter=delimiter, lineterminator=end)
    writer.writerows([("external_id", "city"), *(row for row in rows)])
    path = Path(tmp_path_factory.getbasetemp()) / "written.csv"
    path.write_bytes(out.getvalue().encode())
    (part,) = find_parts(str(path))
    with open_people(part, Wanted(ImportWishes(), KNOWN, delimiter=delimiter)) as opened:
        read = [
            (table.record(index).values["external_id"], table.record(index).values["city"])
            for table in opened.rows.tables()
            for index in range(len(table.rows))
        ]
    assert read == rows


def numbers() -> st.SearchStrategy[str]:
    """Numbers that are in use somewhere, and what a slip of the finger makes of them."""
    found = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in range(11):
            if number := phonenumbers.example_number_for_type(region, kind):
                found.append(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    slip = st.tuples(st.integers(1, 14), st.sampled_from(["", "0", "1", "7", "00", " ", "-", "(0)", "."]), st.booleans())
    return st.builds(_slipped, st.sampled_from(found), st.lists(slip, max_size=3))


def _slipped(number: str, slips: list[tuple[int, str, bool]]) -> str:
    for at, sign, instead in slips:
        number = number[:at] + sign + number[at + instead :]
    return number


@settings(max_examples=500)
@given(numbers())
def test_a_plain_number_comes_to_what_the_full_parser_says(text: str) -> None:
    plain = addresses._plain_number(text)
    if plain:
        parsed = phonenumbers.parse(text, None)
        assert phonenumbers.is_valid_number(parsed) and not parsed.extension
        assert plain == phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def test_no_emergency_number_is_as_long_as_a_plain_number() -> None:
    tables = [phonenumbers.PhoneMetadata.short_metadata_for_region(region) for region in phonenumbers.SUPPORTED_SHORT_REGIONS]
    lengths = [length for table in tables if table.emergency for length in table.emergency.possible_length or ()]
    assert lengths and max(lengths) < addresses._MANY


@settings(max_examples=500)
@given(st.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,66}@[a-zA-Z0-9.-]{1,20}\.(com|test|localhost|x--y|C|123)", fullmatch=True))
def test_a_plain_address_comes_to_what_the_full_parser_says(text: str) -> None:
    local, _, domain = text.rpartition("@")
    if addresses._LOCAL.fullmatch(local) and len(local) <= 64 and len(text) <= 254 and addresses._plain_domain(domain):
        try:
            checked = validate_email(text, check_deliverability=False, test_environment=True)
        except EmailNotValidError as error:  # pragma: no cover
            raise AssertionError(f"{text} is taken as plain, and isn't: {error}") from None
        assert addresses.email_address(text) == (f"{checked.local_part}@{checked.ascii_domain}", checked.normalized.casefold())
