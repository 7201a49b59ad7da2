"""What goes to a vendor together, what has left and isn't answered, and what stands in the way of the rest."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from delivery.adapters.base import Account, Fate, VendorRequest
from delivery.connections import Posting
from delivery.ledger import Bundle, Terms
from delivery.requests import ids_of


@dataclass(slots=True)
class Flight:
    """A window that was admitted and is being posted. made: each bundle's request, or its fate where there is none to post."""

    bundles: list[Bundle]
    made: Sequence[VendorRequest | Fate]
    posting: Posting
    account: Account

    def fates(self, terms: Terms, meanwhile: Callable[[], object]) -> list[Fate]:
        """Wait for the answers and read them. meanwhile: see Posting."""
        answers, read, fates = iter(self.posting.answers(meanwhile)), terms.route.adapter.read, list[Fate]()
        for bundle, one in zip(self.bundles, self.made, strict=True):
            answer = one if isinstance(one, Fate) else next(answers)
            fates.append(answer if isinstance(answer, Fate) else read(answer, ids_of(bundle)))
        return fates


@dataclass(slots=True)
class Stop:
    """Why nothing more leaves and when the rest falls due; false while nothing stands in the way. The first reason and the latest
    moment count."""

    reason: str = ""
    due_at: datetime | None = None

    def __bool__(self) -> bool:
        return self.due_at is not None

    def add(self, other: Stop) -> None:
        """What stands in the way of something else of the same work."""
        if other.due_at is not None:
            self.because(other.reason, other.due_at)

    def because(self, reason: str, due_at: datetime) -> None:
        """One more reason."""
        self.reason = self.reason or reason
        self.due_at = due_at if self.due_at is None else max(self.due_at, due_at)


def next_window(queue: deque[Bundle], terms: Terms, room: int | None, *, in_the_air: int) -> list[Bundle]:
    """The requests that go together: all that is left, or half of what the vendor takes at once, so that another half can follow
    before the first is answered; and no more messages than the account's rate pays for."""
    window, messages = list[Bundle](), 0
    at_once = terms.route.adapter.limits.concurrency
    free = at_once - in_the_air
    most = free if len(queue) <= free else min(free, max(1, at_once // 2))
    while queue and len(window) < most:
        messages += len(queue[0].candidates)
        if window and room is not None and messages > room:
            break
        window.append(queue.popleft())
    return window
