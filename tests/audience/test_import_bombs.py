"""Files that were made to hurt, or that nobody meant as people: refused at once, in words that name the file, the row and the column."""

from __future__ import annotations

import gzip
import io
import time
import zipfile
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from audience.ingest import parquet
from audience.models import Profile
from tests.audience.imports import import_profiles, write_parquet
from tests.tables import over

pytestmark = pytest.mark.usefixtures("workspace_id")
MEMORY, SECONDS = 128 * 1024 * 1024, 20  # seconds: on a machine that is busy with other tests


def refused(place: Path, *options: str) -> str:
    """What an import says that is refused before its first row, in little time and memory."""
    before, began = psutil.Process().memory_info().rss, time.monotonic()
    ran = import_profiles(place, *options)
    assert ran.status == 2 and not Profile.objects.exists(), ran.out
    assert time.monotonic() - began < SECONDS
    assert psutil.Process().memory_info().rss - before < MEMORY
    return ran.err


def zstd(content: bytes) -> bytes:
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as packed:
        packed.write(content)
    return bytes(out.getvalue())


def test_zip_archives_of_any_kind_are_not_opened(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("people.csv", b"0" * 50_000_000)
    (tmp_path / "people.csv").write_bytes(packed.getvalue())
    assert "/file: found a ZIP archive or spreadsheet, expected text in UTF-8" in refused(tmp_path / "people.csv")


@over(
    ("name", "content"),
    [
        ("one endless line.csv.gz", lambda: gzip.compress(b"external_id," + b"x" * 300_000_000, 1)),
        ("no line feed at all.csv.zst", lambda: zstd(b"x" * 300_000_000)),
        ("zeros.csv.gz", lambda: gzip.compress(b"\0" * 300_000_000, 1)),
        ("an archive in an archive.csv.gz", lambda: gzip.compress(gzip.compress(b"external_id\na\n"))),
        ("zstd in gzip.csv.gz", lambda: gzip.compress(zstd(b"external_id\na\n"))),
    ],
)
def test_archives_that_expand_too_far_cost_little(tmp_path: Path, name: str, content: Any) -> None:
    (tmp_path / name).write_bytes(content())
    said = refused(tmp_path / name, "--dry-run")
    assert "expands too far" in said or "an archive in an archive" in said or "printable" in said or "nothing is called like" in said, said


def test_an_archive_that_expands_too_far_on_its_way_is_refused_there(tmp_path: Path) -> None:
    (tmp_path / "p.csv.zst").write_bytes(zstd(b"external_id,city\n" + (b"a," + b"x" * 30_000 + b"\n") * 10_000))
    ran = import_profiles(tmp_path / "p.csv.zst")
    assert ran.status == 2 and "an archive that expands too far, expected one that expands at most 100 times" in ran.err
    assert "/taken: found" in ran.err and "rows taken before it" in ran.err


def test_a_parquet_file_of_very_many_rows_in_few_bytes_is_refused(tmp_path: Path) -> None:
    people = write_parquet(tmp_path / "p.parquet", {"external_id": pa.nulls(20_000_000, pa.string())})
    assert people.stat().st_size < 50_000
    assert "/file: found 20,000,000 rows in" in refused(people)


def test_a_parquet_file_whose_dictionary_unfolds_without_end_is_refused(tmp_path: Path) -> None:
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 500_000, pa.int32()), pa.array(["x" * 30_000]))
    ids = pa.array([f"u-{number}" for number in range(500_000)])
    with pq.ParquetWriter(
        tmp_path / "p.parquet", pa.schema([("external_id", pa.string()), ("city", long.type)]), compression="zstd"
    ) as writer:
        writer.write_table(pa.table({"external_id": ids, "city": long}))
    before = psutil.Process().memory_info().rss
    ran = import_profiles(tmp_path / "p.parquet", "--dry-run")
    assert ran.status == 2 and "a file that expands too far" in ran.err
    assert psutil.Process().memory_info().rss - before < 2 * MEMORY


def test_a_row_group_that_no_memory_should_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "MAX_GROUP", 1024 * 1024)
    people = write_parquet(
        tmp_path / "p.parquet", {"external_id": [f"u-{n}" for n in range(90_000)], "city": [f"{n * n}" for n in range(90_000)]}
    )
    assert "MiB in row group 1, expected row groups of at most 1 MiB" in refused(people)


def test_a_cell_that_is_too_long_costs_its_row_only(tmp_path: Path) -> None:
    columns = {"external_id": ["a", "b", "c", "d"], "city": ["Rome", "x" * 200_000, "x" * 40_000, "Oslo"]}
    ran = import_profiles(write_parquet(tmp_path / "p.parquet", columns))
    assert "4 rows: 2 created, 0 updated, 0 unchanged, 2 rejected" in ran.out
    assert "row 2: /city: found more than 128 KiB in one cell" in ran.out and "row 3: city: found 40,000 characters" in ran.out


def test_text_that_is_no_utf_8_costs_its_row_only_in_parquet_too(tmp_path: Path) -> None:
    raw = pa.array([b"Rome", b"caf\xe9", b"Oslo"]).cast(pa.binary())
    texts = pa.StringArray.from_buffers(3, raw.buffers()[1], raw.buffers()[2])  # bytes that say that they are text
    people = write_parquet(tmp_path / "p.parquet", {"external_id": ["a", "b", "c"], "city": texts})
    ran = import_profiles(people)
    assert "row 2: /city: found the byte 0xE9, expected text in UTF-8" in ran.out and "2 created" in ran.out


def test_a_damaged_parquet_file_says_so(tmp_path: Path) -> None:
    whole = write_parquet(tmp_path / "p.parquet", {"external_id": [f"u-{n}" for n in range(9_000)]}).read_bytes()
    for name, content in (
        ("cut", whole[:-20]),
        ("short", b"PAR1PAR1"),
        ("footer", whole[:-8] + b"\xff\xff\xff\x7fPAR1"),
        ("long", whole[:-8] + (64).to_bytes(4, "little") + b"PAR1"),
        ("garbled", whole[: -len(whole) // 8] + b"\xff" * (len(whole) // 8 - 8) + whole[-8:]),
    ):
        (tmp_path / f"{name}.parquet").write_bytes(content)
        said = refused(tmp_path / f"{name}.parquet")
        assert "Parquet file" in said or "a footer of" in said, said
    (tmp_path / "page.parquet").write_bytes(whole[:100] + b"\xff" * 2_000 + whole[2_100:])
    ran = import_profiles(tmp_path / "page.parquet")
    assert ran.status == 2 and "a damaged file or disk" in ran.err and "/taken: found" in ran.err


@over(
    ("columns", "words"),
    [
        ({"external_id": ["a"], "city": [{"deep": {"er": [1]}}]}, "/columns/city: found a column of struct<deep: struct<er: list"),
        ({"external_id": ["a"], "city": [[["x"]]]}, "/columns/city: found a column of lists of list"),
        ({"external_id": ["a"], "city": [b"x"]}, "/columns/city: found a column of binary"),
        ({"external_id": ["a"], "city": [1]}, "/columns/city: found a column of kind number, expected a column of text"),
        ({"external_id": ["a"], "stays": [True]}, "/columns/stays: found a column of kind boolean, expected a column of text or number"),
        ({"external_id": ["a"], "email": [1]}, "/columns/email: found a column of kind number"),
        ({"external_id": [True]}, "/columns/external_id: found a column of kind boolean"),
        ({"external_id": ["a"], "unheard": ["x"]}, "/columns/unheard: found a column that nothing is called like"),
        ({"email": ["a@example.com"]}, "no column for external_id"),
    ],
)
def test_columns_that_can_be_nothing_of_ours_are_told_once(tmp_path: Path, columns: dict[str, Any], words: str) -> None:
    assert words in refused(write_parquet(tmp_path / "p.parquet", columns))
    if "city" in columns:
        assert import_profiles(tmp_path / "p.parquet", "--map", "city=-", "--dry-run").status == 0, "left out, nobody reads it"


def test_instants_without_a_zone_are_refused_in_parquet(tmp_path: Path) -> None:
    people = write_parquet(tmp_path / "p.parquet", {"external_id": ["a"], "seen": pa.array([0], pa.timestamp("us"))})
    assert "/columns/seen: found a column of instants without a time zone" in refused(people)


def test_a_column_twice_is_refused_wherever_it_stands(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["external_id", "external_id"])
    pq.write_table(table, tmp_path / "p.parquet")
    assert "/header: found the column external_id 2 times" in refused(tmp_path / "p.parquet")
    write_parquet(tmp_path / "in" / "country=FR" / "p.parquet", {"external_id": ["a"], "country": ["DE"]})
    assert "/file/country=FR/p.parquet/header: found the column country both in the file and in its folders' names" in refused(
        tmp_path / "in"
    )


@over(
    ("folders", "words"),
    [
        (["a=1/a=2"], "found the folder a=2, expected each column once in a path"),
        (["a=1", "b=2"], "/file/b=2/p.csv: found b in the folders' names, expected a, as in a=1/p.csv"),
        (["=1"], "found the folder =1"),
        (["a=%00"], "found the folder a=%00"),
        ([], "found a folder without files"),
    ],
)
def test_folders_that_contradict_each_other_are_refused(tmp_path: Path, folders: list[str], words: str) -> None:
    root = tmp_path / str(len(list(tmp_path.iterdir())))
    root.mkdir()
    for each in folders:
        (root / each).mkdir(parents=True)
        (root / each / "p.csv").write_text("external_id\na\n")
    assert words in refused(root)


def test_very_many_short_lines_stay_in_bounds(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes(b"external_id\n" + b"\n" * 1_000_000 + b"a\n")
    assert "1 row: 1 created" in import_profiles(tmp_path / "p.csv").out
