"""Whole folders come in, of any of the formats: what their names say, what a mapping document says, and where they lie."""

from __future__ import annotations

import datetime
import gzip
import json
import subprocess
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from audience.models import Profile, ProfileFeed
from tests import factories
from tests.audience.imports import import_profiles, write_parquet
from tests.audience.s3_standin import s3_standin
from tests.tables import over

pytestmark = pytest.mark.usefixtures("workspace_id")


def person(external_id: str) -> Profile:
    return Profile.objects.get(external_id=external_id)


def zstd(content: bytes) -> bytes:
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as packed:
        packed.write(content)
    return bytes(out.getvalue())


def test_a_parquet_file_comes_in_with_its_types(tmp_path: Path) -> None:
    moment = datetime.datetime(2026, 2, 1, 10, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))
    columns = {
        "external_id": ["a", "b", "c"],
        "email": ["Ada@example.com", None, ""],
        "phone": ["+44 20 7946 0123", "+442079460123", None],
        "stays": pa.array([Decimal("3.00"), Decimal("2.50"), None], pa.decimal128(10, 2)),
        "vip": [True, False, None],
        "birthday": [datetime.date(1990, 12, 10), None, None],
        "seen": pa.array([moment, None, None], pa.timestamp("us", tz="Europe/Paris")),
        "interests": [["art", "food"], [], None],
        "city": pa.array(["Rome", "Rome", None]).dictionary_encode(),
    }
    people = write_parquet(tmp_path / "people.parquet", columns)
    assert "3 rows: 3 created" in import_profiles(people).out
    ada = person("a")
    assert (ada.email, ada.email_key, ada.phone) == ("Ada@example.com", "ada@example.com", "+442079460123")
    assert ada.attributes == {
        "stays": 3,
        "vip": True,
        "birthday": "1990-12-10",
        "seen": "2026-02-01T09:00:00.000000Z",
        "interests": ["art", "food"],
        "city": "Rome",
    }
    assert person("b").attributes == {"stays": 2.5, "vip": False, "interests": [], "city": "Rome"}
    assert (person("c").email, person("c").attributes) == (None, {})
    assert "0 updated, 3 unchanged" in import_profiles(people).out
    assert ProfileFeed.objects.count() == 3


def test_rows_of_a_parquet_file_are_told_by_their_number(tmp_path: Path) -> None:
    columns = {
        "external_id": ["a", "b", None, "d"],
        "email": ["a@example.com", "b@b", "c@example.com", None],
        "stays": [1.0, 2.0, 3.0, float("nan")],
    }
    ran = import_profiles(write_parquet(tmp_path / "p.parquet", columns), "--rejects", tmp_path / "rejects")
    assert (ran.status, "4 rows: 1 created, 0 updated, 0 unchanged, 3 rejected" in ran.out) == (2, True)
    assert [(one["row"], one["field"]) for one in map(json.loads, (tmp_path / "rejects").read_text().splitlines())] == [
        (2, "email"), (3, "external_id"), (4, "/stays"),
    ]  # fmt: skip
    assert "found NaN, expected a number" in (tmp_path / "rejects").read_text()


def test_what_folders_names_say_is_said_of_every_row_below(tmp_path: Path) -> None:
    for day, country, who in (("2026-11-01", "FR", "a"), ("2026-11-01", "D%45", "b"), ("2026-11-02", "__HIVE_DEFAULT_PARTITION__", "c")):
        write_parquet(
            tmp_path / "in" / f"seen={day}T00%3A00%3A00Z" / f"country={country}" / "part-0.parquet", {"external_id": [who], "stays": [1]}
        )
    (tmp_path / "in" / "_SUCCESS").touch()
    (tmp_path / "in" / ".part-0.crc").write_text("x")
    ran = import_profiles(tmp_path / "in", "--json")
    assert (ran.status, json.loads(ran.out)["files"]) == (0, 3)
    assert [(person(who).country, person(who).attributes["seen"][:10]) for who in "abc"] == [
        ("FR", "2026-11-01"),
        ("DE", "2026-11-01"),
        (None, "2026-11-02"),
    ]


def test_a_folder_may_hold_text_plain_and_packed(tmp_path: Path) -> None:
    for country, name, content in (
        ("FR", "a.csv", b"external_id,stays\na,1\n"),
        ("DE", "b.csv.gz", gzip.compress(b"external_id,stays\nb,2\n")),
        ("IT", "c.csv.zst", zstd(b"external_id,stays\nc,3\n") + zstd(b"c2,3\n")),
        ("ES", "d.ndjson.zst", zstd(b'{"external_id": "d", "stays": 4}\n')),
    ):
        place = tmp_path / "in" / f"country={country}"
        place.mkdir(parents=True)
        (place / name).write_bytes(content)
    assert import_profiles(tmp_path / "in").status == 0
    found = {each.external_id: (each.country, each.attributes["stays"]) for each in Profile.objects.all()}
    assert found == {"a": ("FR", 1), "b": ("DE", 2), "c": ("IT", 3), "c2": ("IT", 3), "d": ("ES", 4)}


def test_a_column_of_the_folders_that_nobody_decided_about_is_asked_about(tmp_path: Path) -> None:
    for name, content in (("a.csv", "external_id\na\n"), ("b.ndjson", '{"external_id": "b"}\n')):
        (tmp_path / "in" / "day=2026-11-28").mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / "day=2026-11-28" / name).write_text(content)
    ran = import_profiles(tmp_path / "in")
    assert ran.status == 2 and not Profile.objects.exists()
    for name in ("a.csv", "b.ndjson"):
        assert f"/file/day=2026-11-28/{name}/columns/day: found a column that nothing is called like" in ran.err
    assert "2 rows: 2 created" in import_profiles(tmp_path / "in", "--map", "day=-").out


def test_files_come_from_an_object_storage(tmp_path: Path) -> None:
    import fsspec

    store = fsspec.filesystem("memory")
    people = write_parquet(tmp_path / "p.parquet", {"external_id": ["a"], "city": ["Rome"]})
    store.pipe("/bucket/people/country=FR/p.parquet", people.read_bytes())
    store.pipe("/bucket/people/country=DE/p.csv.gz", gzip.compress(b"external_id,city\nb,Bonn\n"))
    try:
        assert "2 rows: 2 created" in import_profiles("memory://bucket/people/").out
        assert [(person(who).country, person(who).attributes["city"]) for who in "ab"] == [("FR", "Rome"), ("DE", "Bonn")]
        assert "2 of 2 files were left" in import_profiles("memory://bucket/people/", "--only-new").out
        assert "1 row: 0 created, 0 updated, 1 unchanged" in import_profiles("memory://bucket/people/country=FR/p.parquet").out
    finally:
        store.rm("/bucket", recursive=True)


def test_files_come_from_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    people = write_parquet(tmp_path / "p.parquet", {"external_id": ["a"], "city": ["Rome"]}).read_bytes()
    objects = {"people/country=FR/p.parquet": people, "people/country=DE/p.csv.gz": gzip.compress(b"external_id,city\nb,Bonn\n")}
    with s3_standin("bucket", objects) as address:
        for name, value in (("ENDPOINT_URL", address), ("ACCESS_KEY_ID", "k"), ("SECRET_ACCESS_KEY", "s"), ("REGION", "here")):
            monkeypatch.setenv(f"AWS_{name}", value)
        assert "2 rows: 2 created" in import_profiles("s3://bucket/people/").out
        assert [(person(who).country, person(who).attributes["city"]) for who in "ab"] == [("FR", "Rome"), ("DE", "Bonn")]
        assert "2 of 2 files were left" in import_profiles("s3://bucket/people/", "--only-new").out
        objects["people/country=DE/p.csv.gz"] = gzip.compress(b"external_id,city\nb,Ulm\n")
        assert "1 row: 0 created, 1 updated" in import_profiles("s3://bucket/people/", "--only-new").out
        assert (
            "no such file" in import_profiles("s3://bucket/nowhere/p.csv").err
            or "nothing there" in import_profiles("s3://bucket/nowhere").err
        )


@over(
    ("place", "words"),
    [
        ("memory://bucket/nowhere", "/file: found nothing there"),
        ("ftp://host/people.csv", "a URL that begins with ftp://"),
        ("https://host/people.csv", "a URL that begins with https://"),
        ("s3::memory://bucket/people", "a URL of several steps"),
        ("az://container/people", "az://, which needs one more package"),
    ],
)
def test_places_that_lead_nowhere_are_told(place: str, words: str) -> None:
    ran = import_profiles(place)
    assert ran.status == 2 and words in ran.err


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    people = write_parquet(tmp_path / "p.parquet", {"external_id": ["a"]})
    (tmp_path / "p.csv.zst").write_bytes(zstd(b"external_id\na\n"))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    monkeypatch.setitem(sys.modules, "fsspec", None)
    for place, what in (
        (people, "a Parquet file"),
        (tmp_path / "p.csv.zst", "a zstd archive"),
        ("s3://bucket/people", "an object storage"),
    ):
        ran = import_profiles(place)
        assert (
            ran.status == 2
            and f"found {what}, which needs one more package, expected it to be installed: .venv/bin/python -m pip install" in ran.err
        )


# ── mapping documents ─────────────────────────────────────────────────────────────────────────────────────────────

MAPPING = """
title: The shop's export
delimiter: semicolon
consent_source: sign-up form
columns:
  Kunde: external_id
  Mail: email
  Handy: {to: phone, region: DE}
  Geboren: {to: birthday, pattern: "%d.%m.%Y", empty: ["00.00.0000"]}
  Zuletzt: {to: seen, pattern: "%d.%m.%Y %H:%M", zone: Europe/Berlin}
  Umsatz: {to: stays, decimal: ","}
  Themen: {to: interests, separator: "/"}
  Kern: {to: vip, words: {J: "yes", N: "no"}}
  Brief: {to: "consent:email:offers", words: {J: "yes", N: "no"}}
  intern: "-"
"""
SHOP = "Kunde;Mail;Handy;Geboren;Zuletzt;Umsatz;Themen;Kern;Brief;intern\n"


def test_a_mapping_may_be_a_released_document_like_any_other(tmp_path: Path, now: datetime.datetime) -> None:
    attribute = factories.attribute(title="Turnover", type="number")
    factories.in_force("attribute", "turnover", attribute, now=now)
    body = {"title": "Shop", "delimiter": "semicolon", "columns": {"Customer": "external_id", "Sum": {"to": "turnover", "decimal": ","}}}
    factories.put("import_mapping", "shop", body, now=now)
    (tmp_path / "shop.csv").write_text("Customer;Sum\nann;1.234,50\n")
    ran = import_profiles(tmp_path / "shop.csv", "--mapping", "shop")
    assert ran.status != 0 and "/mapping" in ran.err and not Profile.objects.exists(), "a draft decides nothing"
    factories.release("import_mapping", "shop", now=now)
    assert import_profiles(tmp_path / "shop.csv", "--mapping", "shop").status == 0
    assert Profile.objects.get().attributes == {"turnover": 1234.5}


def test_a_mapping_document_says_what_columns_become_and_how_they_are_read(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(MAPPING)
    (tmp_path / "shop.csv").write_text(
        SHOP
        + "7;ann@example.com;0151 23456789;31.01.1990;01.07.2026 09:30;1.234,5;Kunst / Essen;J;J;x\n8;;+33612345678;00.00.0000;;;;N;;\n"
        "9;;030;31.02.1990;gestern;viel;;?;vielleicht;\n"
    )
    ran = import_profiles(tmp_path / "shop.csv", "--mapping", tmp_path / "shop.yaml", "--rejects", tmp_path / "rejects")
    assert ran.status == 2 and "3 rows: 2 created, 0 updated, 0 unchanged, 1 rejected" in ran.out and "1 consent recorded" in ran.out
    ann = person("7")
    assert (ann.email, ann.phone) == ("ann@example.com", "+4915123456789")
    assert ann.attributes == {
        "birthday": "1990-01-31",
        "seen": "2026-07-01T07:30:00.000000Z",
        "stays": 1234.5,
        "interests": ["Kunst", "Essen"],
        "vip": True,
    }
    assert (person("8").phone, person("8").attributes) == ("+33612345678", {"vip": False})
    rejects = [json.loads(line) for line in (tmp_path / "rejects").read_text().splitlines()]
    assert sorted((one["line"], one["field"]) for one in rejects) == [
        (4, "/Brief"), (4, "Geboren"), (4, "Handy"), (4, "Kern"), (4, "Umsatz"), (4, "Zuletzt"),
    ]  # fmt: skip
    reasons = {one["field"]: one["reason"] for one in rejects}
    assert reasons["Geboren"] == "found a day that doesn't exist, expected a day such as 31.01.2026"
    assert reasons["Zuletzt"] == "found text, expected an instant such as 31.01.2026 09:30"


def test_a_day_or_a_time_that_never_was_is_said_to_be_so(tmp_path: Path) -> None:
    """However the file spells them: 25:00 is no fault of form."""
    at = '{to: seen, pattern: "%d.%m.%Y %H:%M", zone: UTC}'
    (tmp_path / "m.yaml").write_text(f'title: x\ncolumns:\n  id: external_id\n  born: {{to: birthday, pattern: "%d.%m.%Y"}}\n  at: {at}\n')
    (tmp_path / "x.csv").write_text("id,born,at\n1,30.02.2026,\n2,,31.01.2026 25:00\n3,30-02-2026,\n4,,31.01.26 09:00\n")
    import_profiles(tmp_path / "x.csv", "--mapping", tmp_path / "m.yaml", "--rejects", tmp_path / "rejects")
    rejects = [json.loads(line) for line in (tmp_path / "rejects").read_text().splitlines()]
    assert [one["reason"].partition(",")[0] for one in sorted(rejects, key=lambda one: one["line"])] == [
        "found a day that doesn't exist", "found a day or a time that doesn't exist", "found text", "found text",
    ]  # fmt: skip


def test_a_document_is_for_parquet_and_objects_too(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text('title: x\ncolumns:\n  id: external_id\n  born: {to: birthday, pattern: "%Y%m%d"}\n  land: country\n')
    write_parquet(tmp_path / "in" / "land=FR" / "p.parquet", {"id": [7], "born": ["19900131"]})
    (tmp_path / "in" / "land=DE").mkdir()
    (tmp_path / "in" / "land=DE" / "p.ndjson").write_text('{"id": 8, "born": "19910228"}\n')
    assert import_profiles(tmp_path / "in", "--mapping", tmp_path / "m.yaml").status == 0
    assert [(person(who).country, person(who).attributes["birthday"]) for who in "78"] == [("FR", "1990-01-31"), ("DE", "1991-02-28")]


@over(
    ("document", "words"),
    [
        ("columns: {}\n", "/mapping/title: found nothing"),
        ("title: x\ncolumns: {a: {to: phone, regoin: DE}}\n", "/mapping/columns/a/regoin"),
        ("title: x\ncolumns: {a: {to: phone, region: Germany}}\n", "a country code of two letters"),
        ("title: x\ncolumns: {a: {to: seen, zone: Mars}}\n", "the name of a time zone"),
        ('title: x\ncolumns: {a: {to: seen, pattern: "%Q"}}\n', "a pattern such as %d.%m.%Y"),
        ("title: x\ncolumns: {a: {to: email, region: FR}}\n", "region with to: phone only"),
        ("title: x\ncolumns: &a {b: *a}\n", "/mapping"),
        ("title: x\ncolumns: {a: external_id, nope: email}\n", "a column nope in --map"),
    ],
)
def test_a_document_that_says_something_else_is_refused_before_the_first_row(tmp_path: Path, document: str, words: str) -> None:
    (tmp_path / "m.yaml").write_text(document)
    (tmp_path / "p.csv").write_text("a\n1\n")
    ran = import_profiles(tmp_path / "p.csv", "--mapping", tmp_path / "m.yaml")
    assert ran.status == 2 and words in ran.err, ran.err
    assert not Profile.objects.exists()


def test_the_tool_that_everybody_packs_with_is_understood(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("external_id,city\na,Rome\n")
    try:
        subprocess.run(["zstd", "-q", "-19", str(tmp_path / "p.csv")], check=True)
    except FileNotFoundError:
        pytest.skip("no zstd on this machine")
    assert import_profiles(tmp_path / "p.csv.zst").status == 0 and person("a").attributes == {"city": "Rome"}
