"""Some people, spread over all: for looks that must be quick and need not be exact."""

from __future__ import annotations

from pyroaring import BitMap64

from audience import sql

SOME = 20_000
RUNS = 40  # stretches of neighbouring ids, so that reading them reads few pages

_THERE = "SELECT id FROM audience_profile WHERE workspace_id = %s AND gone_at IS NULL"


def everybody_or_some(workspace_id: int) -> tuple[BitMap64, bool]:
    """(ids, whether these are everybody): all of up to SOME people, else about SOME of them, in stretches at even distances."""
    first = [row[0] for row in sql.rows(f"{_THERE} ORDER BY id LIMIT %s", [workspace_id, SOME + 1])]
    if len(first) <= SOME:
        return BitMap64(first), True
    last = sql.rows(f"{_THERE} ORDER BY id DESC LIMIT 1", [workspace_id])[0][0]
    starts = [first[0] + (last - first[0]) * run // RUNS for run in range(RUNS)]
    stretch = f"SELECT id FROM ({_THERE} AND id >= %s ORDER BY id LIMIT {SOME // RUNS}) AS stretch"
    parameters = [value for start in starts for value in (workspace_id, start)]
    return BitMap64(row[0] for row in sql.rows(" UNION ALL ".join([stretch] * RUNS), parameters)), False
