"""What can go wrong between two statements: a process dies, the database goes away, a commit's answer is lost, or others act.

Django hands every statement to `Chaos`, so there is no place in the code where nothing can happen. One arm is set at a time; the
statement it strikes is counted from when it was set. Statements of a transaction are not interleaved with others' (the database
would make them wait); everything else is.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import OperationalError, connection

SAVEPOINT = re.compile(r' "s\d+_x\d+"')  # whose names differ from day to day


class Killed(BaseException):
    """`kill -9`, as far as one process can play it: no handler of ours sees it."""


@dataclass
class Arm:
    """Raise `what` at the statement after so many; after: once that statement was executed."""

    countdown: int
    what: BaseException
    after: bool


class Chaos:
    """Stands between Django and its database for the length of one day."""

    def __init__(self, draw: random.Random, meanwhile: Callable[[], None]) -> None:
        self.draw, self.meanwhile = draw, meanwhile
        self.arm: Arm | None = None
        self.commits: list[BaseException] = []  # raised by the next commits, after they are done
        self.quiet = 0
        self.struck: list[str] = []

    @contextmanager
    def playing(self) -> Iterator[None]:
        """Be in the way of every statement and commit."""
        commit = connection.commit

        def committed() -> None:
            commit()
            if not self.quiet and self.commits:
                error = self.commits.pop()
                self.struck.append(f"{type(error).__name__} after a commit")
                raise error

        with ExitStack() as stack:
            stack.enter_context(connection.execute_wrapper(self.execute))
            connection.commit = committed  # type: ignore[method-assign]
            stack.callback(lambda: delattr(connection, "commit"))
            connection.close = lambda: None  # type: ignore[method-assign]  # in life it would be that process's own
            stack.callback(lambda: delattr(connection, "close"))
            yield

    @contextmanager
    def calm(self) -> Iterator[None]:
        """Nothing happens here: for those who watch."""
        self.quiet += 1
        try:
            yield
        finally:
            self.quiet -= 1

    @contextmanager
    def threatened(self, *, deadly: bool) -> Iterator[None]:
        """What is done here may be struck, once. deadly: it is a process that can die; else only the database fails it."""
        before = self.arm, self.commits
        self.arm, self.commits = None, []
        kind = self.draw.random()
        error: BaseException = Killed() if deadly and self.draw.random() < 0.6 else OperationalError("the database is away")
        if kind < 0.2:
            self.arm = Arm(self.draw.randrange(60), error, self.draw.random() < 0.5)
        elif kind < 0.27:
            self.commits = [error]
        try:
            yield
        finally:
            self.arm, self.commits = before

    def execute(self, execute: Any, statement: str, parameters: Any, many: bool, context: dict[str, Any]) -> Any:
        """Django's wrapper around every statement."""
        if self.quiet:
            return execute(statement, parameters, many, context)
        if not connection.in_atomic_block and not statement.startswith("BEGIN"):  # where Django is half in a transaction already
            self.meanwhile()
        arm = self.arm
        if arm is not None and not statement.startswith("BEGIN"):  # a broken connection would close itself: a played one can't
            arm.countdown -= 1
            if arm.countdown < 0:
                self.arm = None
                at = "after" if arm.after else "at"
                self.struck.append(f"{type(arm.what).__name__} {at} {SAVEPOINT.sub('', statement)[:60]}")
                if arm.after:
                    execute(statement, parameters, many, context)
                raise arm.what
        return execute(statement, parameters, many, context)
