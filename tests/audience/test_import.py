"""A file of people comes in, whatever its manners: what fits is taken, what doesn't is named, nothing stops the rest."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from audience import door as audience
from audience.models import Profile, ProfileFeed, Subscription
from tests.audience.imports import Ran, import_profiles
from tests.tables import over

HEADER = "external_id,email,first_name,stays,vip,birthday,seen,interests\n"
ADA = 'u-1,Ada@example.com,Ada,3,yes,1990-12-10,2026-02-01 10:00:00+01:00,"art|food"\n'


@pytest.fixture
def run(workspace_id: int, tmp_path: Path) -> Callable[..., Ran]:
    """Import a file with this content."""

    def run(content: str | bytes, *options: str, name: str = "people.csv") -> Ran:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return import_profiles(path, *options)

    return run


def person(external_id: str = "u-1") -> Profile:
    return Profile.objects.get(external_id=external_id)


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_file_comes_in_and_the_same_file_again_changes_nothing(run: Callable[..., Ran]) -> None:
    assert "1 row: 1 created" in run(HEADER + ADA).out
    ada = person()
    assert (ada.email, ada.email_key) == ("Ada@example.com", "ada@example.com")
    assert ada.attributes == {
        "first_name": "Ada",
        "stays": 3,
        "vip": True,
        "birthday": "1990-12-10",
        "seen": "2026-02-01T09:00:00.000000Z",
        "interests": ["art", "food"],
    }
    assert "0 updated, 1 unchanged, 0 rejected" in run(HEADER + ADA).out
    assert ProfileFeed.objects.count() == 1


def test_bad_rows_are_listed_by_line_field_and_reason_and_the_rest_come_in(run: Callable[..., Ran], tmp_path: Path) -> None:
    rows = [
        "a,a@example.com,A,1,,,,\n",
        "b,b@b,B,many,maybe,1990-13-10,soon,\n",
        "c,c@example.com\n",
        "d,d@example.com,D,1,,,,,,extra\n",
        ',nobody@example.com,"E",2,,,,\n',
        "\n",
        'f,f@example.com,"two\nlines",6,,,,\n',
        "g,g@example.com;h@example.com,G,7,,,,\n",
    ]
    ran = run(HEADER + "".join(rows), "--rejects", str(tmp_path / "rejects.ndjson"))
    assert ran.status == 2
    assert "7 rows: 2 created, 0 updated, 0 unchanged, 5 rejected" in ran.out
    rejects = lines_of(tmp_path / "rejects.ndjson")
    assert sorted((each["line"], each["field"]) for each in rejects) == [
        (3, "birthday"), (3, "email"), (3, "seen"), (3, "stays"), (3, "vip"), (4, "row"), (5, "row"), (6, "external_id"), (10, "email"),
    ]  # fmt: skip
    assert all(each["reason"].startswith("found ") and ", expected " in each["reason"] for each in rejects)
    assert "@" not in (tmp_path / "rejects.ndjson").read_text().replace("ann@example.com", "")
    assert set(Profile.objects.values_list("external_id", flat=True)) == {"a", "f"}


def test_ids_and_addresses_are_made_from_the_row_where_the_file_has_none(run: Callable[..., Ran]) -> None:
    ran = run("stays,city\n3,Rome\nx,Oslo\n5,Bonn\n", "--id-from-row", "row-", "--email-template", "user{row}@example.com")
    assert ran.status == 2
    assert dict(Profile.objects.values_list("external_id", "email")) == {"row-1": "user1@example.com", "row-3": "user3@example.com"}


def test_columns_are_mapped_left_out_or_asked_about(run: Callable[..., Ran]) -> None:
    content = "Customer No,E-Mail,Home City,secret\n7,ann@example.com,Rome,x\n"
    refused = run(content)
    assert refused.status == 2 and Profile.objects.count() == 0
    for column in ("Customer No", "Home City", "secret"):
        assert f"/columns/{column}: found a column that nothing is called like" in refused.err
    assert (
        run(content, "--map", "Customer No=external_id", "--map", "E-Mail=email", "--map", "Home City=city", "--map", "secret=-").status
        == 0
    )
    assert (person("7").email, person("7").attributes) == ("ann@example.com", {"city": "Rome"})


@over(
    ("options", "words"),
    [
        (["--map", "nothing"], "COLUMN=TARGET"),
        (["--map", "nope=city"], "a column nope in --map"),
        (["--map", "city=unheard"], "an attribute of the catalogue"),
        (["--map", "city=stays"], "two columns for stays"),
        (["--map", "city=consent:email"], "consent:CHANNEL:TOPIC"),
        (["--id-from-row", "x"], "both in a column and from the row's number"),
        (["--map", "external_id=-"], "--id-from-row PREFIX"),
        (["--email-template", "user@example.com"], "{row}"),
        (["--email-template", "user{row}@b"], "a domain with a dot"),
        (["--consent-source", "x" * 90], "1 to 80 characters"),
    ],
)
def test_wishes_that_cannot_be_met_are_refused_before_the_first_row(run: Callable[..., Ran], options: list[str], words: str) -> None:
    ran = run("external_id,stays,city\na,1,Rome\n", *options)
    assert (ran.status, Profile.objects.count()) == (2, 0)
    assert words in ran.err


@over(
    ("content", "words"),
    [
        (b"PK\x03\x04" + b"\0" * 50, "a ZIP archive or spreadsheet"),
        (b"\xff\xfee\0x\0", "text in UTF-16"),
        (b"PAR1....", "a Parquet file"),
        (b"<html><body>Sign in</body></html>\n", "HTML or XML"),
        (b"", "nothing in the first line"),
        (b"external_id,stays\rada,1\r", "carriage return"),
        (b'{"external_id": "a"}\n', "--format ndjson"),
        (b"external_id;stays\na;1\n", "--delimiter"),
        (b"external_id,stays,stays\n", "the column stays 2 times"),
        (b"external_id,st\0ays\n", "printable"),
        (b"external_id,\xe9tat\n", "printable"),
        (b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*\n", "nothing is called like"),
        (b"\x1f\x8b\x08\x00broken", "damaged"),
    ],
)
def test_what_is_no_table_of_people_is_refused_in_its_own_words(run: Callable[..., Ran], content: bytes, words: str) -> None:
    ran = run(content)
    assert (ran.status, Profile.objects.count()) == (2, 0)
    assert words in ran.err


def test_a_missing_file_is_told(workspace_id: int, tmp_path: Path) -> None:
    ran = import_profiles(tmp_path / "none.csv")
    assert ran.status == 2 and "no such file" in ran.err


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffexternal_id,city\r\na,Rome\r\nb,Oslo\r\n".encode(),
        b"external_id,city\na,Rome\nb,Oslo",
        b"external_id , city\n\na,Rome\n\n\nb,Oslo\n\n",
        gzip.compress(b"external_id,city\na,Rome\nb,Oslo\n", mtime=0),
    ],
)
def test_marks_line_ends_empty_lines_and_gzip_make_no_difference(run: Callable[..., Ran], content: bytes) -> None:
    assert run(content).status == 0
    assert [person(who).attributes for who in "ab"] == [{"city": "Rome"}, {"city": "Oslo"}]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (b"caf\xe9", "the byte 0xE9"),
        (b"a\0b", "U+0000"),
        (b"x" * 10_000_000, "a line that is too long"),
        (b"x" * 200_000, "more than 128 KiB in one cell"),
        (b"x" * 40_000, "32 KiB"),
        (b'"quote"d', "quotation marks within a cell"),
    ],
)
def test_a_cell_that_nobody_can_read_costs_its_row_only(run: Callable[..., Ran], tmp_path: Path, cell: bytes, words: str) -> None:
    ran = run(b"external_id,city\na,Rome\nbad," + cell + b"\nb,Oslo\n", "--rejects", str(tmp_path / "rejects.ndjson"))
    assert ran.status == 2
    (reject,) = lines_of(tmp_path / "rejects.ndjson")
    assert (reject["line"], words in reject["reason"]) == (3, True), reject
    assert set(Profile.objects.values_list("external_id", flat=True)) == {"a", "b"}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("c,Bonn\n" * 3, "a quotation mark that is never closed"),
        ("c,Bonn am Rhein where the old town is\n" * 4_000, "a quotation mark that is never closed"),
        ('c,Bonn\nd,"Rome"\n', "quotation marks within a cell"),
        ('c,"Bonn\nam Rhein"\n', "quotation marks within a cell"),
    ],
)
def test_a_quotation_mark_that_is_never_closed_costs_its_own_row_only(run: Callable[..., Ran], rows: str, words: str) -> None:
    ran = run('external_id,city\na,Rome\nb,"Oslo\n' + rows + "e,Ulm\nf,\nf,Ulm,x\n")
    assert ran.status == 2 and " 2 rejected" in ran.out
    assert f"line 3: row: found {words}" in ran.out.replace("more than 128 KiB in one cell, or ", "")
    assert f"line {6 + rows.count(chr(10))}: row: found 3 cells" in ran.out
    assert set(Profile.objects.values_list("external_id", flat=True)) - {"d"} == {"a", "c", "e", "f"}


def test_a_reason_says_what_an_address_looks_like_and_never_the_one_it_found(run: Callable[..., Ran]) -> None:
    ran = run("external_id,email\na,one@example.org;two@example.org\n")
    assert "expected one e-mail address such as ann@example.com" in ran.out and "example.org" not in ran.out


@pytest.mark.parametrize("line_end", [b"\n", b"x"])
def test_an_archive_that_expands_too_far_is_refused(run: Callable[..., Ran], line_end: bytes) -> None:
    bomb = gzip.compress(b"external_id,city\n" + (b"a," + b"x" * 900_000 + line_end) * 100, 1)
    ran = run(bomb, "--dry-run", name="people.csv.gz")
    assert ran.status == 2 and "expands too far" in ran.err


def test_objects_line_by_line_are_taken_like_rows(run: Callable[..., Ran], tmp_path: Path) -> None:
    objects = [
        '{"external_id": "a", "email": "a@example.com", "city": "Rome", "attributes": {"stays": 2, "interests": ["x"]}}',
        "",
        '{"external_id": 7, "country": null, "stays": null}',
        '{"external_id": "c", "unheard": 1}',
        '{"external_id": "d", "external_id": "e"}',
        '{"external_id": "f", "stays": NaN}',
        '{"external_id": "g", "stays": "3"}',
        "[" * 100_000,
        '{"external_id": "h", "stays": ' + "9" * 5_000 + "}",
        "not json",
        '["a"]',
    ]
    ran = run("\n".join(objects), "--rejects", str(tmp_path / "rejects"), name="people.jsonl")
    assert ran.status == 2
    assert set(Profile.objects.values_list("external_id", flat=True)) == {"a", "7"}
    assert person("a").attributes == {"city": "Rome", "stays": 2, "interests": ["x"]}
    assert sorted(each["line"] for each in lines_of(tmp_path / "rejects")) == [4, 5, 6, 7, 8, 9, 10, 11]


def test_consents_need_a_source_and_say_so_without_one(run: Callable[..., Ran]) -> None:
    content = "external_id,consent:email:offers,consent:sms:*\na,yes,no\nb,,\nc,opted in,\nd,perhaps,\n"
    ran = run(content)
    assert ran.status == 2 and "--consent-source" in ran.err and "consents (email:offers, sms:*)" in ran.err
    assert not Profile.objects.exists(), "refused before the first row"
    ran = run(content, "--consent-source", "crm export")
    assert ran.status == 2 and "3 consents recorded" in ran.out
    said = Subscription.objects.order_by("profile__external_id", "channel").values_list("profile__external_id", "topic", "state", "source")
    assert list(said) == [
        ("a", "offers", "subscribed", "crm export"),
        ("a", "*", "unsubscribed", "crm export"),
        ("c", "offers", "subscribed", "crm export"),
    ]


def test_a_file_never_lifts_a_refusal_that_somebody_else_recorded(run: Callable[..., Ran], workspace_id: int, now: Any) -> None:
    content = "external_id,consent:email:offers\na,yes\n"
    run(content, "--consent-source", "crm export")
    ids = list(audience.ids_of(workspace_id, ["a"]).values())
    audience.set_consent(workspace_id, ids, channel="email", topic="offers", state="unsubscribed", source="unsubscribe link", now=now)
    run(content, "--consent-source", "crm export")
    assert audience.consenting(workspace_id, ids, channel="email", topic="offers", message_class="promotional", now=timezone.now()) == set()


def test_an_empty_cell_leaves_what_was_there_unless_told_to_clear_it(run: Callable[..., Ran]) -> None:
    run(HEADER + ADA)
    empty = HEADER + "u-1,,,,,,,\n"
    assert "1 unchanged" in run(empty).out
    assert "1 updated" in run(empty, "--clear-empty").out
    assert (person().email, person().attributes) == (None, {})


def test_a_dry_run_looks_at_every_row_and_writes_none(run: Callable[..., Ran]) -> None:
    ran = run(HEADER + ADA + "b,b@b,,,,,,\n", "--dry-run")
    assert "2 rows: 1 would be taken, 1 rejected" in ran.out and ran.status == 2
    assert not Profile.objects.exists() and not ProfileFeed.objects.exists()


def test_the_summary_is_json_for_programs(run: Callable[..., Ran]) -> None:
    summary = json.loads(run(HEADER + ADA, "--json").out)
    assert {name: summary[name] for name in ("rows", "created", "rejected", "dry_run")} == {
        "rows": 1,
        "created": 1,
        "rejected": 0,
        "dry_run": False,
    }


def test_the_rejects_never_overwrite_the_file_itself(run: Callable[..., Ran], tmp_path: Path) -> None:
    ran = run(HEADER + ADA, "--rejects", str(tmp_path / "people.csv"))
    assert ran.status == 2 and "another file" in ran.err and not Profile.objects.exists()
    refused = import_profiles(tmp_path, "--rejects", str(tmp_path / "rejects.ndjson"))
    assert refused.status == 2 and "another file" in refused.err, "nor become one of the folder's files"


def test_people_of_many_chunks_come_in_once_each_and_numbers_stay_dense(run: Callable[..., Ran]) -> None:
    content = "external_id,stays\n" + "".join(f"u-{n},{n}\n" for n in range(4_500))
    run(content)
    run(content.replace(",7\n", ",8\n"))
    run("external_id\nu-last\n")
    numbers = sorted(Profile.objects.values_list("id", flat=True))
    assert len(numbers) == 4_501 and numbers[-1] - numbers[0] == 4_500, "merging people who are known draws no new numbers"
    assert ProfileFeed.objects.count() == 4_502
    assert connection.in_atomic_block, "all of this inside one test transaction: nothing else was written"


def test_after_many_who_are_new_those_who_are_known_are_changed_and_no_empty_value_is_kept(run: Callable[..., Ran]) -> None:
    assert run("external_id,stays\n" + "".join(f"u-{n:05},1\n" for n in range(12_000, 12_500))).status == 0
    ran = run("external_id,stays,city\n" + "".join(f"u-{n:05},2,{'' if n % 2 else 'Oslo'}\n" for n in range(25_000)), "--clear-empty")
    assert ran.status == 0 and "24,500 created, 500 updated" in ran.out
    assert Profile.objects.filter(attributes__stays=2).count() == Profile.objects.count() == 25_000
    assert Profile.objects.filter(attributes__has_key="city").count() == 12_500


@pytest.mark.postgres
def test_the_first_question_after_a_large_import_meets_a_database_that_counted_its_tables(run: Callable[..., Ran]) -> None:
    rows = "".join(f"u-{number},yes\n" for number in range(5_000))
    assert run("external_id,news\n" + rows, "--map", "news=consent:email:offers", "--consent-source", "form").status == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, reltuples FROM pg_class WHERE relname IN ('audience_profile', 'audience_subscription')")
        assert dict(cursor.fetchall()) == {"audience_profile": 5_000, "audience_subscription": 5_000}
