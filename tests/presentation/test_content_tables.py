"""Tables of content come from files, are in force at once, and are read by key or by what somebody liked."""

from __future__ import annotations

import gzip
import json
from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from governance import door as governance
from governance.door import Actor, Invalid, Missing, Refused, parse
from presentation.models import ContentRow, ContentTable
from presentation.services.answers import Ask, Told
from presentation.services.client import Way
from presentation.services.documents import ContentSourceBody
from presentation.services.fetching import Source, fetch
from presentation.services.tables import load_table, rows_of
from tests.tables import over

pytestmark = pytest.mark.django_db
CSV = """id,name,area,price,stars,cosy,note
1,Harbour flat with a view,Quay,"$1,100.00",4.5,true,
2,Harbour loft with a view,Quay,$900.00,4,true,007
3,Quiet garden room,Hill,$95.50,,false,x
4,Garden house on the hill,Hill,$120.00,5,true,y
5,Room,Moor,$100.00,1,false,z
"""


@pytest.fixture
def operator(administrator: Actor) -> Actor:
    return governance.operator(administrator.workspace_id)


@pytest.fixture
def listings(operator: Actor, tmp_path: Path, now: datetime) -> Iterator[Path]:
    file = tmp_path / "listings.csv"
    file.write_text(CSV)
    done = load_table(operator, "listings", str(file), key_column="id", now=now)
    assert (done.rows, done.rejected) == (5, 0)
    yield file


def source(kind: str, part: dict[str, Any], response: dict[str, Any], type_: str = "text", **changes: Any) -> Source:
    inputs = {"which": {"source": "attribute.city", "type": type_}}
    body = {"title": "Listings", "type": kind, kind: part, "inputs": inputs, "response": response, **changes}
    return Source(governance.default_workspace().pk, "listings", 1, parse(ContentSourceBody, body))


def put(what: Source, *about: Any) -> list[Told]:
    return fetch(what, [Ask("", each) for each in about], Way(), within=5)


LOOKUP = {"table": "listings", "input": "which"}


def test_a_row_is_looked_up_by_its_key_with_its_columns_types(listings: Path) -> None:
    response = {"name": {"path": "name"}, "price": {"path": "price", "type": "number"}, "cosy": {"path": "cosy", "type": "boolean"}}
    found = put(source("table", LOOKUP, response), "1", "9", 3)
    assert found[0].values == {"name": "Harbour flat with a view", "price": 1100.0, "cosy": True}
    assert (found[1].values, found[1].why) == ({}, "it has nothing here")
    assert found[2].values["price"] == 95.5


def test_columns_are_what_all_their_cells_are(listings: Path) -> None:
    table = ContentTable.objects.get()
    assert table.columns == {
        "id": "text", "name": "text", "area": "text", "price": "number", "stars": "number", "cosy": "boolean", "note": "text",
    }  # fmt: skip
    assert rows_of(table.workspace_id, "listings", ["2", "1"])["2"]["note"] == "007"
    assert "note" not in rows_of(table.workspace_id, "listings", ["1"])["1"]


def test_everybody_of_a_batch_is_looked_up_by_one_question(listings: Path, django_assert_num_queries: Any) -> None:
    what = source("table", LOOKUP, {"name": {"path": "name"}})
    with django_assert_num_queries(1):
        assert len(put(what, *map(str, range(1, 400)))) == 399


def test_another_load_takes_the_place_of_the_one_before(listings: Path, operator: Actor, tmp_path: Path, now: datetime) -> None:
    other = tmp_path / "next.ndjson.gz"
    other.write_bytes(gzip.compress(b"\n".join(json.dumps({"id": n, "tags": ["a", n]}).encode() for n in range(7, 10))))
    assert load_table(operator, "listings", str(other), key_column="id", now=now).columns == {"id": "text", "tags": "list"}
    assert rows_of(operator.workspace_id, "listings", ["1", "7"]) == {"7": {"id": "7", "tags": ["a", 7]}}
    assert ContentRow.objects.count() == 3


def test_what_no_database_keeps_is_left_out_of_a_row(operator: Actor, tmp_path: Path, now: datetime) -> None:
    file = tmp_path / "odd.ndjson"
    file.write_text('{"id": 5, "a": "x\\u0000y", "deep": {"n\\u0000": ["\\u0000", 1.5, null, {"at": true}]}, "none": null}')
    load_table(operator, "odd", str(file), key_column="id", now=now)
    assert rows_of(operator.workspace_id, "odd", ["5"]) == {"5": {"id": "5", "a": "xy", "deep": {"n": ["", 1.5, None, {"at": True}]}}}


def test_rows_come_from_parquet_too(operator: Actor, tmp_path: Path, now: datetime) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "listings.parquet"
    parquet.write_table(arrow.table({"id": ["a", "b"], "price": [1.5, None], "since": [now.date(), None]}), file)
    load_table(operator, "listings", str(file), key_column="id", now=now)
    assert rows_of(operator.workspace_id, "listings", ["a", "b"]) == {
        "a": {"id": "a", "price": 1.5, "since": now.date().isoformat()},
        "b": {"id": "b"},
    }


def test_a_load_that_breaks_off_leaves_the_table_as_it_was(
    listings: Path, operator: Actor, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    monkeypatch.setattr("presentation.services.tables.AT_ONCE", 2)
    listings.write_bytes(CSV.encode() + b"6,\xff,Moor,$1.00,1,true,\n")

    def broken(*_: Any, **__: Any) -> None:
        raise OSError("the disk went away")

    monkeypatch.setattr("presentation.services.tables._put_in_force", broken)
    with pytest.raises(OSError, match="the disk"):
        load_table(operator, "listings", str(listings), key_column="id", now=now)
    assert ContentRow.objects.count() == 5 and len(rows_of(operator.workspace_id, "listings", ["1", "2", "6"])) == 2


def test_bad_rows_are_told_by_their_line_and_the_others_are_taken(operator: Actor, tmp_path: Path, now: datetime) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(b"id,name\n1,a\n1,again\n,b\n3\n4,\xff\n5,e\n")
    done = load_table(operator, "bad", str(file), key_column="id", now=now)
    assert (done.rows, done.rejected) == (2, 4)
    assert [(line, finding.expected) for line, finding in done.told] == [
        (3, "a key that no row before it has"),
        (4, "a key of 1 to 200 characters"),
        (5, "2, as in the header"),
        (6, "text in UTF-8"),
    ]


@over(
    "content, key, expected",
    [
        ("id,name\n1,a\n", "number", "one of the columns: id, name"),
        ("id,name\n", "id", "a row for each key"),
        ("id,name\n,a\n", "id", "a key"),
    ],
)
def test_a_file_without_what_a_table_needs_is_refused(
    operator: Actor, tmp_path: Path, now: datetime, content: str, key: str, expected: str
) -> None:
    file = tmp_path / "no.csv"
    file.write_text(content)
    with pytest.raises(Invalid, match=expected):
        load_table(operator, "listings", str(file), key_column=key, now=now)
    with pytest.raises(Missing, match="load_table listings"):
        rows_of(operator.workspace_id, "listings", ["1"])


def test_a_command_loads_and_says_what_became_of_each_row(tmp_path: Path, capsys: pytest.CaptureFixture[str], administrator: Actor) -> None:
    file = tmp_path / "listings.csv"
    file.write_text(CSV.replace("5,Room", "4,Room"))
    with pytest.raises(SystemExit) as ended:
        call_command("load_table", "listings", str(file))
    told = capsys.readouterr().out
    assert ended.value.code == 2 and "listings: 4 rows in force, 1 rejected; 7 columns (1 boolean, 2 numbers, 4 texts)" in told
    assert "line 6: /id: found 4, expected a key that no row before it has" in told


def test_a_person_who_writes_templates_loads_no_tables(author: Actor, tmp_path: Path, now: datetime) -> None:
    with pytest.raises(Refused):
        load_table(author, "listings", str(tmp_path / "none.csv"), key_column="id", now=now)


def test_a_table_that_was_never_loaded_is_told(administrator: Actor) -> None:
    found = put(source("table", LOOKUP, {"name": {"path": "name"}}), "1")
    assert found[0].why == "the table listings: nothing was loaded yet (manage.py load_table listings FILE)"


# ── what somebody liked ───────────────────────────────────────────────────────────────────────────────────────────

ROWS = {"places": {"path": "rows", "type": "list"}, "because": {"path": "liked[0].name", "fallback": "what you liked"}}


def nearest(*liked: str, **part: Any) -> list[str]:
    """The ids of the rows most like these, the nearest first."""
    features = {"text": ["name"], "numbers": ["price", "stars"], "categories": ["area"]}
    what = source("similar", {"table": "listings", "liked": "which", **features, **part}, ROWS, "list")
    (found,) = put(what, tuple(liked))
    return [row["id"] for row in found.values.get("places", [])]  # type: ignore[union-attr, index, call-overload]


def test_what_is_most_like_the_liked_comes_first_and_the_liked_never(listings: Path) -> None:
    assert nearest("1")[0] == "2" and nearest("3")[0] == "4"
    assert set(nearest("1", "3")) == {"2", "4", "5"}
    assert nearest("1", most=2) == nearest("1")[:2]
    assert nearest("1") == nearest("nothing known", "1", "1")


@over(
    "part, first",
    [
        ({"text": [], "numbers": ["price"], "categories": []}, "3"),
        ({"text": [], "numbers": [], "categories": ["cosy"]}, "3"),
        ({"text": ["name"], "numbers": [], "categories": []}, "3"),
        ({"weights": {"text": 0.0, "categories": 0.0}}, "3"),
    ],
)
def test_what_counts_is_what_the_source_names(listings: Path, part: dict[str, Any], first: str) -> None:
    assert nearest("5", **part)[0] == first


def test_whoever_liked_nothing_in_the_table_gets_the_fallback_or_nothing(listings: Path) -> None:
    what = source("similar", {"table": "listings", "liked": "which", "text": ["name"]}, ROWS, "list")
    found = put(what, ("77",), (), ("1",))
    assert [each.why for each in found] == ["it has nothing here", "it has nothing here", ""]
    assert found[2].values["because"] == "Harbour flat with a view"


def test_a_table_that_is_loaded_anew_is_compared_anew(listings: Path, operator: Actor, now: datetime) -> None:
    assert nearest("1")[0] == "2"
    listings.write_text(CSV.replace("2,Harbour loft with a view,Quay,$900.00,4", "2,Cave,Moor,$10.00,1"))
    load_table(operator, "listings", str(listings), key_column="id", now=now)
    assert nearest("1")[0] != "2"


def test_a_table_too_large_to_compare_is_told(listings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("presentation.services.similarity.MOST_ROWS", 4)
    monkeypatch.setattr("presentation.services.similarity._kept", OrderedDict())
    what = source("similar", {"table": "listings", "liked": "which", "text": ["name"]}, ROWS, "list")
    assert put(what, ("1",))[0].why == "the table listings has 5 rows, and 4 can be compared"


@over(
    "part, path",
    [
        ({"table": "listings", "liked": "nobody", "text": ["name"]}, "/similar/liked"),
        ({"table": "listings", "liked": "which"}, "/similar"),
        ({"table": "Listings!", "liked": "which", "text": ["name"]}, "/similar/table"),
        (
            {"table": "listings", "liked": "which", "text": ["name"], "weights": {"text": 0.0, "numbers": 0.0, "categories": 0.0}},
            "/similar/weights",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(part: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        source("similar", part, ROWS, "list")
    assert path in {finding.path for finding in refused.value.findings}


def test_a_part_of_another_kind_is_refused() -> None:
    with pytest.raises(Invalid, match="nothing: the type is table"):
        source("table", LOOKUP, ROWS, similar={"table": "listings", "liked": "which", "text": ["name"]})
