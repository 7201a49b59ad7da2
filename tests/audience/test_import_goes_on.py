"""An import that is killed goes on where it was, and the next one takes what is new."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from audience.ingest import importing
from audience.ingest.places import Part
from audience.ingest.rejects import Rejects
from audience.management.commands.import_profiles import _report
from audience.models import ImportedFile, Profile
from tests.audience.imports import House, import_profiles, write_parquet
from tests.tables import over

ROWS, BAD = 60_000, 1_000  # every so many rows a bad one, so that the file of rejects tells how far an import is
WHO = ("external_id", "email", "email_key", "country")
EVERYBODY = f"list(Profile.objects.values_list(*{WHO}))"
ROWS_TAKEN = "ImportedFile.objects.exclude(name='').values_list('rows', flat=True)"


@pytest.mark.sqlite
def test_a_killed_import_goes_on_as_if_nothing_had_happened_on_sqlite(workspace_id: int, tmp_path: Path) -> None:
    judge(tmp_path, "")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)  # of rows that nobody has committed PostgreSQL's statistics, and so its plans, know nothing
def test_a_killed_import_goes_on_as_if_nothing_had_happened_on_postgres(workspace_id: int, tmp_path: Path, postgres_url: str) -> None:
    judge(tmp_path, postgres_url)


def judge(folder: Path, database_url: str) -> None:
    """The import that nobody disturbs is made here, in the test's own database."""
    write_people(folder / "in")
    house, rejects = House(folder / "house", database_url), folder / "rejects"
    assert house.run("manage.py", "migrate", "--verbosity", "0").status == 0
    command = ("manage.py", "import_profiles", folder / "in", "--json", "--rejects", rejects)
    kills = sum(killed(house.start(*command), rejects, size) for size in (1, 3_000))
    assert kills, "it was done before it could be killed: this shows nothing"
    # Somebody else changes a person who was taken already, who must not be taken again over what came later.
    taken = house.ask(f"(sum({ROWS_TAKEN}), Profile.objects.filter(external_id='u-2').update(country='IT'))[0]")
    assert 0 < int(taken) < ROWS + 1

    told, expected = (
        json.loads(house.run(*command).out),
        json.loads(import_profiles(folder / "in", "--json", "--rejects", folder / "alone").out),
    )
    assert [told[name] for name in ("rows", "created", "rejected")] == [expected[name] for name in ("rows", "created", "rejected")]
    assert any("rows taken already by an import that was broken off" in note for note in told["notes"])
    assert rejects.read_text() == (folder / "alone").read_text()
    found = {one[0]: one[1:] for one in json.loads(house.ask(f"__import__('json').dumps({EVERYBODY})"))}
    wanted = {one[0]: list(one[1:]) for one in Profile.objects.values_list(*WHO)}
    assert found.pop("u-2")[2] == "IT" and wanted.pop("u-2")[2] == "DE"
    assert found == wanted


def killed(process: subprocess.Popen[str], rejects: Path, size: int) -> bool:
    """Whether an import could be killed as soon as its file of rejects was larger than that."""
    while process.poll() is None and not (rejects.exists() and rejects.stat().st_size > size):
        time.sleep(0.002)
    lives = process.poll() is None
    process.kill()
    process.communicate()
    return lives


def write_people(folder: Path) -> None:
    """Two files; some people of the first come again, changed, in the second."""
    folder.mkdir()
    for half in (0, 1):
        with (folder / f"part-{half}.csv").open("w") as out:
            out.write("external_id,email,country\n")
            for number in range(half * ROWS // 2, (half + 1) * ROWS // 2):
                address = "nobody" if number % BAD == 500 else f"Person{number}@Example.com"
                who = number - ROWS // 2 if half and number % 7 == 3 else number
                out.write(f"u-{who},{address},{'FR' if half else 'DE'}\n")


# ── what is new ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def folder(workspace_id: int, tmp_path: Path) -> Path:
    day(tmp_path / "in", "2026-11-01", "a")
    day(tmp_path / "in", "2026-11-02", "b")
    return tmp_path / "in"


def day(folder: Path, name: str, who: str, part: str = "part-0") -> Path:
    place = folder / f"seen={name}T00:00:00Z" / f"{part}.csv"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"external_id\n{who}\n")
    return place


def everybody() -> set[str]:
    return set(Profile.objects.values_list("external_id", flat=True))


def test_only_new_leaves_what_was_taken_and_takes_what_changed(folder: Path) -> None:
    assert json.loads(import_profiles(folder, "--only-new", "--json").out)["files"] == 2
    again = import_profiles(folder, "--only-new")
    assert again.status == 0 and "0 rows" in again.out and "2 of 2 files were left: an earlier import took them" in again.out
    day(folder, "2026-11-02", "b2")
    day(folder, "2026-10-30", "late")
    assert json.loads(import_profiles(folder, "--only-new", "--json").out)["files"] == 2
    assert everybody() == {"a", "b", "b2", "late"}
    assert json.loads(import_profiles(folder, "--json").out)["unchanged"] == 3, "without the option all of them are read"


def test_other_wishes_are_another_import(folder: Path) -> None:
    import_profiles(folder, "--only-new")
    assert json.loads(import_profiles(folder, "--only-new", "--map", "seen=-", "--json").out)["files"] == 2


def test_a_watermark_leaves_older_partitions_and_says_which_nobody_took(folder: Path) -> None:
    import_profiles(folder, "--watermark", "seen")
    day(folder, "2026-10-30", "late")
    day(folder, "2026-11-02", "b2", "part-1")
    day(folder, "2026-11-03", "c")
    ran = import_profiles(folder, "--watermark", "seen")
    assert "2 rows: 2 created" in ran.out
    assert "1 file that nobody took, older than the watermark, left: seen=2026-10-30T00:00:00Z/part-0.csv" in ran.out
    assert everybody() == {"a", "b", "b2", "c"}


def test_a_watermark_orders_numbers_as_numbers_and_can_be_the_time_of_writing(workspace_id: int, tmp_path: Path) -> None:
    for month in (9, 10):
        write_parquet(tmp_path / "in" / f"stays={month}" / "p.parquet", {"external_id": [f"m-{month}"]})
    import_profiles(tmp_path / "in", "--watermark", "stays")
    write_parquet(tmp_path / "in" / "stays=11" / "p.parquet", {"external_id": ["m-11"]})
    assert "1 row: 1 created" in import_profiles(tmp_path / "in", "--watermark", "stays").out
    old = write_parquet(tmp_path / "in" / "stays=12" / "p.parquet", {"external_id": ["old"]})
    import_profiles(tmp_path / "in", "--watermark", "modified", "--map", "stays=-")
    os.utime(old, (1, 1))
    new = write_parquet(tmp_path / "in" / "stays=13" / "p.parquet", {"external_id": ["new"]})
    os.utime(new, (time.time() + 60, time.time() + 60))
    assert "1 row: 1 created" in import_profiles(tmp_path / "in", "--watermark", "modified", "--map", "stays=-").out


def test_a_watermark_goes_by_what_was_taken_without_one_too(folder: Path) -> None:
    import_profiles(folder, "--only-new")
    day(folder, "2026-10-30", "late")
    day(folder, "2026-11-03", "c")
    ran = import_profiles(folder, "--watermark", "seen")
    assert "1 row: 1 created" in ran.out and "older than the watermark" in ran.out


def test_watermarks_of_both_kinds_on_one_folder_don_t_get_in_each_other_s_way(folder: Path) -> None:
    import_profiles(folder, "--watermark", "seen")
    new = day(folder, "2026-11-03", "c")
    os.utime(new, (time.time() + 60, time.time() + 60))
    assert "1 row: 1 created" in import_profiles(folder, "--watermark", "modified").out
    day(folder, "2026-11-04", "d")
    assert "1 row: 1 created" in import_profiles(folder, "--watermark", "seen").out


@over(
    ("options", "words"),
    [
        (["--watermark", "stays"], "/watermark: found stays, expected modified, or columns of the folders' names (seen)"),
        (["--watermark", "seen", "--watermark", "x"], "/watermark: found x"),
    ],
)
def test_a_watermark_that_no_folder_has_is_refused(folder: Path, options: list[str], words: str) -> None:
    ran = import_profiles(folder, *options)
    assert ran.status == 2 and words in ran.err and not everybody()


def test_a_dry_run_notes_nothing(folder: Path) -> None:
    assert "2 rows: 2 would be taken" in import_profiles(folder, "--dry-run").out
    assert not ImportedFile.objects.exists() and not everybody()


def test_a_file_that_is_damaged_at_its_end_says_what_was_taken(workspace_id: int, tmp_path: Path) -> None:
    import gzip
    import random

    chance = random.Random(3)
    rows = "".join(f"u-{number},{chance.random()}{chance.random()}\n" for number in range(60_000))
    whole = gzip.compress(("external_id,city\n" + rows).encode())
    people = tmp_path / "in" / "b.csv.gz"
    people.parent.mkdir()
    (tmp_path / "in" / "a.csv").write_text("external_id,city\nfirst,Rome\n")
    people.write_bytes(whole[: len(whole) * 2 // 3])
    ran = import_profiles(tmp_path / "in")
    assert ran.status == 2 and "/file/b.csv.gz: found a damaged archive" in ran.err
    taken = len(everybody())
    assert 1 < taken < 60_001 and f"/taken: found {taken:,} rows taken before it, 1 file to their end" in ran.err
    people.write_bytes(whole)
    ran = import_profiles(tmp_path / "in")
    assert "60,001 rows" in ran.out and "a.csv: 1 row taken already" in ran.out
    assert len(everybody()) == 60_001


def test_a_folder_with_one_bad_file_is_refused_before_the_first_row(folder: Path) -> None:
    (folder / "seen=2026-11-02T00:00:00Z" / "report.csv").write_bytes(b"%PDF-1.7")
    (folder / "seen=2026-11-01T00:00:00Z" / "other.csv").write_text("external_id,external_id\n")
    ran = import_profiles(folder)
    assert ran.status == 2 and not everybody()
    assert "/file/seen=2026-11-02T00:00:00Z/report.csv: found a PDF" in ran.err
    assert "/file/seen=2026-11-01T00:00:00Z/other.csv/header: found the column external_id 2 times" in ran.err


def test_a_file_that_was_changed_meanwhile_is_read_from_its_beginning(workspace_id: int, tmp_path: Path) -> None:
    people = tmp_path / "p.csv"
    people.write_text("external_id\na\n")
    before = Part("p.csv", 14, "1", people).fingerprint()
    people.write_text("external_id\nb\n")
    assert Part("p.csv", 14, "1", people).fingerprint() != before


def test_the_speed_is_that_of_the_rows_of_this_run() -> None:
    done = importing.Imported(created=9_000, updated=1_000, before=8_000)
    assert "10,000 rows: " in (line := _report(done, Rejects(None), 2.0).lines[0]) and "1,000 rows/s" in line
