"""What is asked of the database, as it is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def noting(statements: list[str]) -> Callable[..., Any]:
    """For `connection.execute_wrapper`: every statement is added to the list, and then executed."""

    def wrapper(execute: Callable[..., Any], statement: str, *more: Any) -> Any:
        statements.append(statement)
        return execute(statement, *more)

    return wrapper
