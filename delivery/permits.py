"""The right to begin requests. What had its last look has not left the house yet: it may wait for a connection, a session, a stream.

Law: a request begins only while its permit holds, a permit holds for a second from the moment at which nothing had been halted, and is
then renewed or lapses. So a second after a halt nothing begins any more, whatever waits for what, and on whichever machine.
"""

from __future__ import annotations

import time

from delivery.adapters.base import Fate

HOLDS = 1.0  # seconds
RENEWED = 0.25  # seconds after which whoever waits for answers asks again


class Permit:
    """One worker's right. Renewed and taken back by its own thread, asked by the thread that speaks with vendors."""

    __slots__ = ("_until",)

    def __init__(self, until: float = 0.0) -> None:
        self._until = until

    def holds(self) -> bool:
        """Whether a request may begin now."""
        return time.monotonic() < self._until

    def is_young(self) -> bool:
        """Whether it needn't be renewed yet."""
        return time.monotonic() < self._until - (HOLDS - RENEWED)

    def renew(self, since: float) -> None:
        """Nothing stood against it at this moment or later (time.monotonic())."""
        self._until = since + HOLDS

    def take_back(self) -> None:
        """Something was halted."""
        self._until = 0.0


ALWAYS = Permit(float("inf"))  # for questions: nothing is sent by them


def withheld() -> Fate:
    """What had no permit when its turn came. Surely not accepted, and no fault of the vendor's."""
    return Fate("transient", retry_after=0.0, detail="not begun: something was halted, or the worker was too slow")
