"""One law over a table of cases: told as one test, where making its world anew for every row would cost more than the row."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any


def over(names: str | Sequence[str], rows: Sequence[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """As `pytest.mark.parametrize`, but all rows in one test and one world: for rows that leave nothing behind.

    The first row that breaks the law fails the test and is named by a note on its error.
    """
    given = [each.strip() for each in names.split(",")] if isinstance(names, str) else list(names)

    def told(law: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(law)
        def for_every_row(**world: Any) -> None:
            for row in rows:
                values = (row,) if len(given) == 1 else row
                try:
                    law(**world, **dict(zip(given, values, strict=True)))
                except BaseException as error:
                    error.add_note(f"{', '.join(given)} = {values!r:.500}")
                    raise

        asked = inspect.signature(law)
        left = [parameter for name, parameter in asked.parameters.items() if name not in given]
        for_every_row.__signature__ = asked.replace(parameters=left)  # type: ignore[attr-defined]  # what pytest hands in
        return for_every_row

    return told
