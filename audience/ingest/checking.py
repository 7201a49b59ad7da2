"""Rows are understood column by column: each distinct cell of a column once, and what is odd by itself, in the slow and wordy way.

Law: a table comes to what its rows come to one by one (`Columns.row`, `clean`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Final, get_args

from audience import addresses
from audience.catalogue import MAX_ATTRIBUTES, AttributeBody, Catalogue
from audience.external_ids import MAX_EXTERNAL_ID, PREFIX, external_id_fault, external_id_of
from audience.ingest.columns import ID, SAID, Columns
from audience.ingest.rows import STORED, CleanRow, Rejected, clean
from audience.ingest.tables import Record, Table
from audience.values import PlainType, Unfit, comparable

_ODD: Final = object()  # this cell needs words
_NORMAL: dict[str, Callable[[str], Any]] = {
    "phone": addresses.phone_number,
    "locale": addresses.locale_tag,
    "country": addresses.country_code,
    "zone": addresses.zone_name,
}
Checked = CleanRow | Rejected


def check(table: Table, shape: Columns, catalogue: Catalogue) -> list[Checked]:
    """The rows of a table in the form that is stored, or everything that is wrong with each, in their order."""
    if len(shape.attributes) > MAX_ATTRIBUTES or not all(_plain(catalogue[name]) for name, _ in shape.attributes.values()):
        checked: list[Checked] = [check_one(table.record(index), shape, catalogue) for index in range(len(table.rows))]
    else:
        checked = list(map(CleanRow, *_columns(table, shape)))
        for index in _odd_ones(checked):
            checked[index] = check_one(table.record(index), shape, catalogue)
    if table.odd:
        checked = sorted([*checked, *(check_one(record, shape, catalogue) for record in table.odd)], key=lambda row: row.line)
    return checked


def _plain(attribute: AttributeBody) -> bool:
    """Whether a value is kept as it is compared, under one name."""
    return attribute.type in get_args(PlainType) and attribute.computed is None


def check_one(record: Record, shape: Any, catalogue: Catalogue) -> Checked:
    """A row by itself. shape: the columns or objects of its file."""
    row = shape.row(record)
    return row if isinstance(row, Rejected) else clean(row, catalogue)


def _odd_ones(rows: Sequence[Any]) -> list[int]:
    return [index for index, row in enumerate(rows) if row.external_id is _ODD]


def _columns(table: Table, shape: Columns) -> Iterable[Sequence[Any]]:
    """What CleanRow takes, a sequence each. Rows with something odd in any column have _ODD for their id."""
    count, odd = len(table.rows), set[int]()
    nothing = "" if shape.wishes.clear_empty else None
    by_field: dict[str, list[Any]] = {name: [None] * count for name in STORED}
    ids: list[Any] = []
    cells = {target: (column, table.columns[column]) for column, target in shape.fields.items()}
    made = [shape.wishes.made(row) for row in table.rows] if shape.wishes.made(1) else []
    for target in made[0] if made else ():
        cells[target] = ("", [each[target] for each in made])
    for target, (column, texts) in cells.items():
        understood = _each(texts, _reader(shape, column, target, nothing), odd)
        if target == ID:
            ids = understood
        elif target == "email":
            pairs = [(nothing, nothing) if pair is None else pair for pair in understood]
            by_field["email"], by_field["email_key"] = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        else:
            by_field[target] = understood
    attributes, folded = _attributes(table, shape, count, odd)
    consents = _consents(table, shape, count, odd)
    for index in odd:
        ids[index] = _ODD
    return ids, table.lines, *by_field.values(), attributes, folded, consents


def _each(cells: Sequence[Any], understand: Callable[[Any], Any], odd: set[int]) -> list[Any]:
    """Every cell understood, each distinct one once. The places of those that can't be are added to `odd`, and come as None."""
    known: dict[Hashable, Any] = {}
    troubled = False
    try:
        distinct = set(cells)
    except TypeError:  # lists
        return _each_by_itself(cells, understand, odd)
    if len(distinct) == len(cells):
        return _each_by_itself(cells, understand, odd)
    for cell in distinct:
        try:
            known[cell] = understood = understand(cell)
        except (Unfit, addresses.BadAddress):
            known[cell] = understood = _ODD
        if understood is _ODD:
            troubled = True
    found = [known[cell] for cell in cells]
    return _without_odd(found, odd) if troubled else found


def _each_by_itself(cells: Sequence[Any], understand: Callable[[Any], Any], odd: set[int]) -> list[Any]:
    try:
        found = [understand(cell) for cell in cells]
    except (Unfit, addresses.BadAddress):
        found = []
        for cell in cells:
            try:
                found.append(understand(cell))
            except (Unfit, addresses.BadAddress):
                found.append(_ODD)
    return _without_odd(found, odd) if _ODD in found else found


def _without_odd(found: list[Any], odd: set[int]) -> list[Any]:
    for index, value in enumerate(found):
        if value is _ODD:
            odd.add(index)
            found[index] = None
    return found


def _reader(shape: Columns, column: str, target: str, nothing: str | None) -> Callable[[Any], Any]:
    """What understands a cell of a field's column."""
    normal = _id if target == ID else _email(nothing) if target == "email" else _other(_NORMAL[target], nothing)

    def read(cell: Any) -> Any:
        text = shape.field(column, cell)
        return normal(text) if isinstance(text, str) else _ODD

    def read_plain(cell: Any) -> Any:
        return normal(cell) if type(cell) is str else read(cell)

    return read if column in shape.readers else read_plain


def _id(cell: str) -> Any:
    text = cell.strip()
    if text.isascii() and text.isprintable() and 0 < len(text) <= MAX_EXTERNAL_ID and not text.startswith(PREFIX):
        return text
    return _ODD if external_id_fault(text) else external_id_of(text)


def _email(nothing: str | None) -> Callable[[str], Any]:
    empty = (nothing, nothing)
    return lambda cell: addresses.email_address(text) if (text := cell.strip()) else empty


def _other(normal: Callable[[str], str], nothing: str | None) -> Callable[[str], Any]:
    return lambda cell: normal(text) if (text := cell.strip()) else nothing


def _attributes(table: Table, shape: Columns, count: int, odd: set[int]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    names, shown, folded, gaps = [], [], [], False
    for column, (name, type_) in shape.attributes.items():

        def understand(cell: Any, column: str = column, type_: Any = type_) -> tuple[Any, Any]:
            value = shape.attribute(column, type_, cell)
            return (None, None) if value is None else comparable(type_, value)

        pairs = _each(table.columns[column], understand, odd)
        pairs = [(None, None) if pair is None else pair for pair in pairs] if odd else pairs
        names.append(name)
        shown.append([pair[0] for pair in pairs])
        folded.append([pair[1] for pair in pairs])
        gaps = gaps or None in shown[-1]
    if not names:
        return [{} for _ in range(count)], [{} for _ in range(count)]
    if gaps and not shape.wishes.clear_empty:
        return _without_gaps(names, shown), _without_gaps(names, folded)
    return ([dict(zip(names, values, strict=True)) for values in zip(*each, strict=True)] for each in (shown, folded))  # type: ignore[return-value]


def _without_gaps(names: list[str], columns: list[list[Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in zip(names, values, strict=True) if value is not None} for values in zip(*columns, strict=True)]


def _consents(table: Table, shape: Columns, count: int, odd: set[int]) -> list[dict[tuple[str, str], str]]:
    said: list[dict[tuple[str, str], str]] = [{} for _ in range(count)]
    for column, about in shape.consents.items():

        def understand(cell: Any, column: str = column) -> Any:
            word = shape.word(column, cell)
            return SAID.get(word, _ODD) if word else ""

        for index, state in enumerate(_each(table.columns[column], understand, odd)):
            if state:
                said[index][about] = state
    return said
