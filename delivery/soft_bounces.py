"""Addresses that keep bouncing though no bounce said "never": after so many within so many days, nothing delivered in between, they are
given up like dead ones (the policy says how many; a full mailbox comes back, an abandoned one doesn't)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from delivery import policies, sql
from delivery.floors import oldest_posting
from delivery.models import Dispatch
from delivery.policy_document import SoftBounces
from governance.door import Missing

SOFT = ("bounced", "blocked")
STILL_BOUNCES = timedelta(days=10)  # after its run has ended a mail bounces no later: servers give up within five days


def worn_out(workspace_id: int, bounced: Mapping[int, Iterable[int]], *, now: datetime) -> set[int]:
    """Which of these address hashes have bounced too often. bounced: by dispatch, whose policy counts; of one that is gone, the default.

    Counted in dispatches (a transactional type's day is one), so that many messages of one bad hour are one bounce.
    """
    found = set[int]()
    for limits, hashes in _by_limits(workspace_id, bounced).items():
        since = now - timedelta(days=limits[1])
        rows = sql.rows(
            f"""SELECT m.address_hash FROM delivery_message m
            JOIN delivery_vendorevent e ON e.dispatch_id = m.dispatch_id AND e.n = m.n
            WHERE m.workspace_id = %s AND m.dispatch_id >= %s AND {sql.among("m.address_hash")} AND e.at > %s
            AND e.kind IN (%s, %s, 'delivered')
            GROUP BY m.address_hash
            HAVING COUNT(DISTINCT CASE WHEN e.kind <> 'delivered' THEN m.dispatch_id END) >= %s
               AND COUNT(CASE WHEN e.kind = 'delivered' THEN 1 END) = 0""",
            [
                workspace_id,
                oldest_posting(workspace_id, since - STILL_BOUNCES),
                sql.numbers(sorted(hashes)),
                sql.moment(since),
                *SOFT,
                limits[0],
            ],
        )
        found |= {row[0] for row in rows}
    return found


def _by_limits(workspace_id: int, bounced: Mapping[int, Iterable[int]]) -> dict[tuple[int, int], set[int]]:
    keys = dict(Dispatch.objects.filter(workspace_id=workspace_id, pk__in=bounced).values_list("pk", "policy_key"))
    grouped: dict[tuple[int, int], set[int]] = defaultdict(set)
    for dispatch_id, hashes in bounced.items():
        limits = _limits(workspace_id, keys.get(dispatch_id, ""))
        grouped[limits.count, limits.days].update(hashes)
    return grouped


def _limits(workspace_id: int, policy_key: str) -> SoftBounces:
    try:
        return policies.policy(workspace_id, policy_key).soft_bounces
    except Missing:
        return SoftBounces()
