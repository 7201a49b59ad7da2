"""The way to what needs pyarrow, an extra that the base installation goes without."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Literal

from governance.door import Refused

MISSING = "Parquet needs one more package: .venv/bin/python -m pip install --require-hashes -r requirements/parquet.txt"


def parquet_available() -> bool:
    """Whether this installation can write Parquet."""
    return find_spec("pyarrow") is not None


def with_parquet(name: Literal["exporting", "archive"]) -> ModuleType:
    """A module of this folder that writes Parquet. Raises Refused where pyarrow isn't installed."""
    if not parquet_available():
        raise Refused(MISSING)
    return import_module(f"delivery.history.{name}")
