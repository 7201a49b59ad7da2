"""A vendor that answers nobody is not fed a whole campaign: every unanswered request is one that has to be settled later.

Law: after three unanswered requests in a row an account rests, each time longer while nothing changes, at most a minute; one
answer of any other kind ends that. An outage leaves in doubt what each worker tries once a minute, and no more.
"""

from __future__ import annotations

from collections.abc import Iterable

IN_A_ROW = 3
FIRST_REST, LONGEST_REST = 5.0, 60.0  # seconds


class Breaker:
    """What one process (or worker thread) has seen of its accounts. The rest itself is in the database, for all of them."""

    def __init__(self) -> None:
        self._in_a_row: dict[tuple[int, str], int] = {}

    def note(self, workspace_id: int, account: str, answers: Iterable[str]) -> float:
        """Count the kinds of one window's answers; how many seconds the account should be left alone, 0 for none."""
        unanswered = self._in_a_row.get((workspace_id, account), 0)
        for kind in answers:
            unanswered = unanswered + 1 if kind == "ambiguous" else 0
        self._in_a_row[workspace_id, account] = unanswered
        return min(FIRST_REST * 2 ** min(unanswered - IN_A_ROW, 10), LONGEST_REST) if unanswered >= IN_A_ROW else 0.0
