"""Who stays untouched, on purpose, so that a campaign's effect can be measured."""

from __future__ import annotations

from pyroaring import BitMap64

from optimization.splitting import as_ids, split


def hold_out(ids: BitMap64, *, share: float, salt: str) -> BitMap64:
    """The people of `ids` who are left out. share: 0..1 of them; salt: the campaign, so holdouts of two campaigns are independent."""
    if share <= 0 or not ids:
        return BitMap64()
    people = as_ids(ids)
    return BitMap64(people[split("holdout", salt, people) < share])
