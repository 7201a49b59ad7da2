"""Records from files."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audience.models import Record, Relation
from tests import factories

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
