"""Records from files."""

from __future__ import annotations

import gzip
import json
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audience import record_import
from audience.models import Record, Relation
from tests import factories
from tests.audience.imports import write_parquet

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def bookings(now: datetime) -> None:
    factories.workspace()
    factories.put("record_type", "booking", factories.record_type(), now=now)
    for external_id in ("ada", "bob"):
        factories.profile(now=now, external_id=external_id)


def run(place: Path, *more: str, type: str = "booking", status: int = 0) -> dict[str, Any]:
    said = StringIO()
    try:
        call_command("import_records", type, str(place), "--json", *more, stdout=said)
        ended = 0
    except SystemExit as ending:
        ended = int(str(ending.code))
    assert ended == status, said.getvalue()
    return json.loads(said.getvalue())  # type: ignore[no-any-return]


def test_a_csv_file_of_bookings(tmp_path: Path) -> None:
    file = tmp_path / "bookings.csv"
    file.write_text("external_id,city,nights,arrival,people\nb-1,Rome,3,2026-04-01,ada:guest|bob:payer\nb-2,Oslo,,,\n")
    assert run(file) == {"created": 2, "updated": 0, "unchanged": 0, "related": 2, "unrelated": 0, "rejected": 0}
    assert Record.objects.get(external_id="b-1").attributes == {"city": "Rome", "nights": 3, "arrival": "2026-04-01"}
    assert set(Relation.objects.values_list("profile__external_id", "role")) == {("ada", "guest"), ("bob", "payer")}
    assert run(file)["unchanged"] == 2
    file.write_text("external_id,city,people\nb-1,,\n")
    assert run(file, "--clear-empty", "--people", "merge")["updated"] == 1
    assert "city" not in Record.objects.get(external_id="b-1").attributes and Relation.objects.count() == 2


def test_objects_a_line_packed_or_not(tmp_path: Path) -> None:
    lines = [
        {"external_id": "b-1", "city": "Rome", "people": [{"external_id": "ada", "role": "guest"}]},
        {"external_id": "b-2", "attributes": {"nights": 2}},
    ]
    file = tmp_path / "bookings.ndjson.gz"
    file.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    assert run(file)["created"] == 2
    assert Record.objects.get(external_id="b-2").attributes == {"nights": 2}


def test_bad_rows_are_told_by_line_and_column_and_harm_no_others(tmp_path: Path) -> None:
    file, rejects = tmp_path / "bookings.csv", tmp_path / "rejects.ndjson"
    file.write_text('external_id,nights,people\nb-1,three,\nb-2,2,nobody:guest\nb-3,2,ada:owner\n,1,\nb-4,"2\nb-5,2,ada\nb-6,2,ada:guest\n')
    assert run(file, "--rejects", str(rejects), status=2)["created"] == 1
    told = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [(each["line"], each["field"]) for each in told] == [
        (2, "nights"),
        (3, "people"),
        (4, "people"),
        (5, "external_id"),
        (6, "row"),
        (7, "people"),
    ]
    odd = [
        '{"external_id": "b-1", "people": "ada"}',
        '{"external_id": "b-2", "people": [7]}',
        '{"external_id": 3}',
        '{"attributes": []}',
        '{"external_id": "b-7", "nights": NaN}',
        "{" * 5_000,
    ]
    file.write_text("\n".join(odd))
    assert run(file, status=2)["rejected"] == len(odd)


@pytest.mark.parametrize("header", ["city,nights", "external_id,colour", "external_id,city,city", ""])
def test_a_header_that_fits_no_record_is_refused(tmp_path: Path, header: str) -> None:
    file = tmp_path / "bookings.csv"
    file.write_text(f"{header}\na,b\n")
    with pytest.raises((CommandError, SystemExit)):
        call_command("import_records", "booking", str(file), stdout=StringIO(), stderr=StringIO())
    assert not Record.objects.exists()


def test_a_parquet_file_of_bookings_has_values_and_lists_of_people(tmp_path: Path) -> None:
    arrivals = [date(2026, 4, 1), None, date(2026, 5, 1)]
    people = [["ada:guest", "bob:payer"], [], ["nobody:guest"]]
    columns = {"external_id": [1, 2, 3], "city": ["Rome", None, "Oslo"], "nights": [3, 2, 1], "arrival": arrivals, "people": people}
    file, rejects = write_parquet(tmp_path / "bookings.parquet", columns), tmp_path / "rejects"
    assert run(file, "--rejects", str(rejects), status=2)["created"] == 2
    assert Record.objects.get(external_id="1").attributes == {"city": "Rome", "nights": 3, "arrival": "2026-04-01"}
    assert Record.objects.get(external_id="2").attributes == {"nights": 2}
    assert set(Relation.objects.values_list("profile__external_id", "role")) == {("ada", "guest"), ("bob", "payer")}
    told = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [(each["row"], each["field"]) for each in told] == [(3, "people")]


def test_a_parquet_file_with_columns_that_no_record_has_is_refused(tmp_path: Path) -> None:
    file = write_parquet(tmp_path / "bookings.parquet", {"external_id": ["a"], "colour": ["red"], "city": [{"is": "Rome"}]})
    err = StringIO()
    with pytest.raises(SystemExit):
        call_command("import_records", "booking", str(file), stdout=StringIO(), stderr=err)
    assert "the column colour" in err.getvalue() and "in the column city" in err.getvalue() and not Record.objects.exists()


@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])
def test_an_import_that_is_broken_off_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """What somebody changed among the rows that were taken isn't taken over again, and everything is counted and told once."""
    file, rejects, alone = tmp_path / f"bookings.{kind}", tmp_path / "rejects", tmp_path / "alone"
    nights = ["x" if n % 1_000 == 500 else str(n) for n in range(2_500)]
    rows = [{"external_id": f"b-{n}", "nights": many, "people": "ada:guest" if n == 7 else ""} for n, many in enumerate(nights)]
    if kind == "parquet":
        write_parquet(file, {name: [row[name] for row in rows] for name in rows[0]})
    elif kind == "csv":
        file.write_text("\n".join(["external_id,nights,people", *(",".join(row.values()) for row in rows)]))
    else:
        guests = [{"external_id": "ada", "role": "guest"}]
        objects = [{**row, "nights": n if row["nights"] != "x" else "x", "people": guests * (n == 7)} for n, row in enumerate(rows)]
        file.write_text("\n".join(map(json.dumps, objects)))
    taken, real = iter([True, True]), record_import.upsert_records

    def breaks(*given: Any, **more: Any) -> Any:
        if not next(taken, False):
            raise KeyboardInterrupt
        return real(*given, **more)

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(record_import, "upsert_records", breaks)
        call_command("import_records", "booking", str(file), "--rejects", str(rejects), stdout=StringIO())
    assert Record.objects.count() == 1_998
    Record.objects.filter(external_id="b-3").update(attributes={"nights": 99})
    told = run(file, "--rejects", str(rejects), status=2)
    assert told == {"created": 2_498, "updated": 0, "unchanged": 0, "related": 1, "unrelated": 0, "rejected": 2}
    assert Record.objects.get(external_id="b-3").attributes == {"nights": 99}
    run(file, "--rejects", str(alone), "--from-start", status=2)
    assert rejects.read_text() == alone.read_text() and len(alone.read_text().splitlines()) == 2
    assert Record.objects.get(external_id="b-3").attributes == {"nights": 3}, "begun anew"


def test_of_a_folder_only_what_is_new_is_read_and_nothing_before_all_can_be(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("external_id,city\nb-1,Rome\n")
    assert run(tmp_path / "in", "--only-new")["created"] == 1
    (tmp_path / "in" / "b.csv").write_text("external_id,city\nb-2,Oslo\n")
    told = run(tmp_path / "in", "--only-new")
    assert told == {"created": 1, "updated": 0, "unchanged": 0, "related": 0, "unrelated": 0, "rejected": 0}
    (tmp_path / "in" / "a.csv").write_text("external_id,city\nb-1,Bergen\n")
    (tmp_path / "in" / "c.csv").write_text("external_id,colour\nb-3,red\n")
    with pytest.raises(SystemExit):
        call_command("import_records", "booking", str(tmp_path / "in"), stdout=StringIO(), stderr=StringIO())
    assert Record.objects.get(external_id="b-1").attributes == {"city": "Rome"}
