"""Tables of content: loaded whole from files, in force at once, looked up by key.

Law: whoever looks up sees one load, the one in force; a load that breaks off leaves the table as it was.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any

import orjson
from django.db import transaction
from django.db.models import F

from audience.door import FileRow, read_rows
from governance.door import Actor, DocumentModel, Finding, Invalid, Missing, Role, Slug, allow, audit, parse, pointer, shorten
from presentation.models import ContentRow, ContentTable

MOST_ROWS, MOST_BYTES, MOST_COLUMNS = 200_000, 16 * 1024, 200  # rows of a table, bytes and columns of a row
AT_ONCE, ASKED_AT_ONCE = 2_000, 500
SHOWN = 20  # rejected rows that are told
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,17})?")
_AMOUNT = re.compile(r"[$€£] ?([0-9]{1,3}(?:,[0-9]{3}){0,4}(?:\.[0-9]{1,4})?)")  # only behind a sign of money is a comma no decimal one
_BOOLEANS = {"true": True, "false": False}


class _Named(DocumentModel):
    key: Slug


@dataclass(slots=True)
class Loaded:
    """What became of a file's rows. rejected: how many weren't taken; told: the first of them, by line; columns: name → kind."""

    rows: int = 0
    rejected: int = 0
    told: list[tuple[int, Finding]] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)

    def reject(self, row: FileRow, found: Finding) -> None:
        """A row that isn't taken."""
        self.rejected += 1
        if len(self.told) < SHOWN:
            self.told.append((row.line, found))


def load_table(actor: Actor, key: str, place: str, *, key_column: str, now: datetime, delimiter: str | None = None) -> Loaded:
    """Replace the table's rows by those of a file (or of a folder's files); whoever looks up sees the old ones until all are there.

    A column of texts that are all numbers (or amounts such as $1,250.00), or all true and false, is one of those; the key is always
    text. Raises Invalid for a file that can't be read as a whole, and where no row could be taken.
    """
    if actor.via != "command":
        allow(actor, Role.ADMIN, "documents:write")
    parse(_Named, {"key": key})
    kinds = _kinds(read_rows(place, delimiter=delimiter), key_column)
    done = Loaded(columns=dict(kinds))
    table, load = _begin(actor.workspace_id, key)
    try:
        seen: set[str] = set()
        sound = _sound(read_rows(place, delimiter=delimiter), key_column, kinds, seen, done)
        while some := list(islice(sound, AT_ONCE)):
            rows = [ContentRow(workspace_id=actor.workspace_id, table=table, load=load, row_key=name, says=says) for name, says in some]
            ContentRow.objects.bulk_create(rows)
            done.rows += len(rows)
        if not done.rows:
            first = [finding for _, finding in done.told[:5]]
            raise Invalid(first or [Finding("error", "/file", "no rows", "a row for each key")])
        _put_in_force(actor, table, load, key_column, done, now)
    except BaseException:
        ContentRow.objects.filter(workspace_id=actor.workspace_id, table=table, load=load).delete()
        raise
    return done


def _begin(workspace_id: int, key: str) -> tuple[ContentTable, int]:
    with transaction.atomic():
        table, _ = ContentTable.objects.get_or_create(workspace_id=workspace_id, key=key)
        table = ContentTable.objects.select_for_update().get(pk=table.pk)
        table.loads += 1
        table.save(update_fields=["loads"])
        return table, table.loads


def _put_in_force(actor: Actor, table: ContentTable, load: int, key_column: str, done: Loaded, now: datetime) -> None:
    """A later load that ended earlier stays."""
    with transaction.atomic():
        changed = ContentTable.objects.filter(pk=table.pk, load__lt=load).update(
            load=load, key_column=key_column, columns=done.columns, rows=done.rows, loaded_at=now
        )
        audit(
            actor,
            "content_table.loaded",
            subject=f"content_table:{table.key}",
            data={"rows": done.rows, "in_force": bool(changed)},
            now=now,
        )
    ContentRow.objects.filter(workspace_id=actor.workspace_id, table=table, load__lt=load).delete()


def _kinds(rows: Iterable[FileRow], key_column: str) -> dict[str, str]:
    """The columns and what their cells are. Raises Invalid without the key's column, or with too many rows or columns."""
    kinds: dict[str, str] = {}
    count = 0
    for row in rows:
        count += 1
        for name, cell in row.values.items():
            kinds[name] = _wider(kinds.get(name, ""), _kind(cell))
    faults = []
    if count and key_column not in kinds:
        faults.append(Finding("error", "/key", shorten(key_column), f"one of the columns: {', '.join(list(kinds)[:20])}"))
    if count > MOST_ROWS:
        faults.append(Finding("error", "/file", f"{count:,} rows", f"at most {MOST_ROWS:,}"))
    if len(kinds) > MOST_COLUMNS:
        faults.append(Finding("error", "/file", f"{len(kinds):,} columns", f"at most {MOST_COLUMNS}"))
    if faults:
        raise Invalid(faults)
    return {name: kind or "text" for name, kind in kinds.items()} | ({key_column: "text"} if count else {})


def _kind(cell: Any) -> str:
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return ""
    if isinstance(cell, str):
        text = cell.strip()
        return "boolean" if text.lower() in _BOOLEANS else "number" if _NUMBER.fullmatch(text) or _AMOUNT.fullmatch(text) else "text"
    return (
        "boolean"
        if isinstance(cell, bool)
        else "number"
        if isinstance(cell, (int, float))
        else "list"
        if isinstance(cell, list)
        else "other"
    )


def _wider(one: str, other: str) -> str:
    return one if not other or one == other else other if not one else "text"


def _sound(
    rows: Iterable[FileRow], key_column: str, kinds: Mapping[str, str], seen: set[str], done: Loaded
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Key and content of each row that can be taken; of the same key twice the first one."""
    for row in rows:
        if row.faults:
            done.reject(row, row.faults[0])
            continue
        given = row.values.get(key_column)
        name = _text(given) if given is not None else ""
        says = {column: value for column, cell in row.values.items() if (value := _value(cell, kinds[column])) is not None}
        if not name or len(name) > 200 or "\0" in name:
            done.reject(
                row, Finding("error", pointer([key_column]), "nothing" if not name else shorten(name), "a key of 1 to 200 characters")
            )
        elif name in seen:
            done.reject(row, Finding("error", pointer([key_column]), shorten(name), "a key that no row before it has"))
        elif len(orjson.dumps(says, default=str)) > MOST_BYTES:
            done.reject(row, Finding("error", "", "a row that is too long", f"at most {MOST_BYTES // 1024} KiB"))
        else:
            seen.add(name)
            yield name, {**says, key_column: name}


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _value(cell: Any, kind: str) -> Any:
    """A cell as it is kept: JSON, without what says nothing."""
    if not isinstance(cell, str):
        return _plain(cell)
    text = _plain(cell).strip()
    if not text:
        return None
    if kind == "boolean":
        return _BOOLEANS.get(text.lower(), text)
    if kind == "number":
        text = amount[1].replace(",", "") if (amount := _AMOUNT.fullmatch(text)) else text
        return float(text) if "." in text else int(text)
    return text


def _plain(value: Any) -> Any:
    """What every database keeps as JSON: no NUL, no half surrogates, no number that is none; days and times as ISO texts."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {_plain(str(name)): _plain(item) for name, item in value.items()}
    return value if value is None or isinstance(value, (bool, int)) else _plain(str(value))


# ── looking up ────────────────────────────────────────────────────────────────────────────────────────────────────


def rows_of(workspace_id: int, key: str, names: Collection[str]) -> dict[str, dict[str, Any]]:
    """The rows of these keys, as far as there are any. One query for each 500. Raises Missing where nothing was ever loaded."""
    found: dict[str, dict[str, Any]] = {}
    wanted = sorted(set(names))
    for start in range(0, len(wanted), ASKED_AT_ONCE):
        some = wanted[start : start + ASKED_AT_ONCE]
        rows = ContentRow.objects.filter(workspace_id=workspace_id, table__workspace_id=workspace_id, table__key=key, load=F("table__load"))
        found.update(rows.filter(row_key__in=some).values_list("row_key", "says"))
    if not found:
        table_of(workspace_id, key)
    return found


def table_of(workspace_id: int, key: str) -> ContentTable:
    """The table. Raises Missing where nothing was ever loaded."""
    found = ContentTable.objects.filter(workspace_id=workspace_id, key=key, load__gt=0).first()
    if found is None:
        raise Missing(f"the table {key}: nothing was loaded yet (manage.py load_table {key} FILE)")
    return found


def all_rows(table: ContentTable, limit: int) -> Sequence[tuple[str, dict[str, Any]]]:
    """The rows of the load that this table's row speaks of, by key, at most so many."""
    rows = ContentRow.objects.filter(workspace_id=table.workspace_id, table=table, load=table.load)
    return list(rows.order_by("row_key").values_list("row_key", "says")[:limit])


def kinds_in(columns: Mapping[str, str]) -> str:
    """The columns in words: 3 numbers, 2 texts."""
    many = Counter(columns.values())
    return ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in sorted(many.items()))
