"""What an exchange can come to. Law of every transport: `transient` only where not a byte of the message was written.

What a vendor may have read is `ambiguous`, whatever broke afterwards, and no transport ever repeats a request by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog

from delivery.adapters.base import Fate, VendorRequest, VendorResponse
from delivery.permits import Permit

log = structlog.get_logger(__name__)
MAX_ANSWER = 1_000_000  # bytes of an answer that are read
Answer = VendorResponse | Fate


class Transport(Protocol):
    """One account's way to its vendor by one protocol. Used from the loop's thread only."""

    async def window(self, requests: Sequence[VendorRequest], until: float, permit: Permit) -> list[Answer]:
        """Requests that leave at once and their answers, in order, before the loop's time `until`. Each is begun only while the permit
        holds. Never raises."""

    def close(self) -> None:
        """Let go of every connection."""


async def one_by_one(
    exchange: Callable[[VendorRequest, float, Permit], Awaitable[Answer]], requests: Sequence[VendorRequest], until: float, permit: Permit
) -> list[Answer]:
    """A window as so many exchanges side by side. A fault of ours in one leaves that one in doubt, and not the others."""
    found = await asyncio.gather(*(exchange(request, until, permit) for request in requests), return_exceptions=True)
    answers = list[Answer]()
    for answer in found:
        if isinstance(answer, BaseException):
            log.error("vendor.exchange_failed", exc_info=answer)
            answers.append(unanswered(answer))
        else:
            answers.append(answer)
    return answers


class Unreached(Exception):
    """There is no connection, so nothing was written. Its words are for people and hold no address of a person."""


class Impossible(Exception):
    """The request can't be put on the wire at all: a fault of the route or of an adapter."""


class Unreadable(Exception):
    """What came back isn't an answer."""


def unreached(why: object) -> Fate:
    """Surely not accepted."""
    return Fate("transient", detail=f"no connection ({_words(why)})")


def unanswered(why: object) -> Fate:
    """It may have been accepted."""
    return Fate("ambiguous", detail=f"no answer ({_words(why)})")


def impossible(why: object) -> Fate:
    """Nothing will work until a person mends the route."""
    return Fate("misconfigured", detail=f"the request can't be made ({_words(why)})")


def _words(why: object) -> str:
    """Our own exceptions speak for themselves; of others only the kind is told, because they may quote anything."""
    if isinstance(why, Unreached | Impossible | Unreadable):
        return str(why)
    return type(why).__name__ if isinstance(why, BaseException) else str(why)
