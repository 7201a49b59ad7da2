"""A ledger filled by COPY, as a year of mail would leave it: campaigns of 100,000 messages, a request per 1,000, some events."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from pyroaring import BitMap64

EACH = 100_000  # messages of one dispatch
PER_REQUEST = 1_000


def fill(
    workspace_id: int, messages: int, *, people: list[int], newest: datetime, events_share: float = 0.1, jump: int = 0, each: Any = None
) -> list[int]:
    """Write so many messages into the ledger, with what belongs to them; the numbers of their dispatches, oldest first.

    jump: so many run numbers are left out before each, so that the ledger has as many partitions as a year of small runs would make.
    people: profile ids, at least EACH; newest: when the last dispatch was planned, the others a quarter of a day apart before it.
    """
    from delivery import partitions
    from delivery.models import Dispatch, Slice

    made = []
    total = messages // EACH
    ids = BitMap64(people[:EACH])
    for number in range(total):
        at = newest - timedelta(hours=6 * (total - number))
        if jump:
            _skip(jump)
        dispatch = Dispatch.objects.create(
            workspace_id=workspace_id, kind="campaign", key="year", occurrence=f"{at.isoformat()}", lane=10, channel="email",
            message_class="promotional", topic="offers", vendor="sendgrid", account="sendgrid", considered=EACH, planned=EACH,
            state="done", planned_at=at, due_at=at, finished_at=at + timedelta(hours=1),
        )  # fmt: skip
        Slice.objects.create(
            dispatch=dispatch, workspace_id=workspace_id, wave=0, first_n=0, count=EACH, ids=ids.serialize(), digest=number
        )
        partitions.prepare_next()
        _rows(workspace_id, dispatch.pk, at, events_share)
        made.append(dispatch.pk)
        if each is not None:
            each(number + 1, total)
    return made


def _skip(numbers: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('delivery_dispatch_id_seq', (SELECT last_value FROM delivery_dispatch_id_seq) + %s)", [numbers])


def _rows(workspace_id: int, dispatch_id: int, at: datetime, events_share: float) -> None:
    """Requests, messages and events of one dispatch, made by the server itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO delivery_attempt (workspace_id, dispatch_id, vendor, account, message_class, token, worker, state,
                first_n, last_n, count, cost_micros, posted_at, deadline, heard_at, resolved_at, resolved_by, vendor_id, detail)
            SELECT %s, %s, 'sendgrid', 'sendgrid', 'promotional', 1, 'w', 30, g * 1000, g * 1000 + 999, 1000, 0,
                %s, %s, %s, %s, 'vendor', 'v' || g, '' FROM generate_series(0, %s) g RETURNING id""",
            [workspace_id, dispatch_id, at, at, at, at, EACH // PER_REQUEST - 1],
        )
        moment = at.isoformat()
        first = min(row[0] for row in cursor.fetchall())

        def line(n: int) -> str:
            state, attempt = 40 if n % 3 else 10, first + n // PER_REQUEST
            return f"{dispatch_id}\t{n}\t{workspace_id}\t{n + 1}\t{state}\t0\t{attempt}\t0\t{moment}\t{n * 7919 + 1}\n"

        copying = """COPY delivery_message (dispatch_id, n, workspace_id, profile_id, state, reason, attempt_id, variant, at, address_hash)
            FROM STDIN"""
        with cursor.cursor.copy(copying) as copy:
            block = 10_000
            for start in range(0, EACH, block):
                copy.write("".join(map(line, range(start, start + block))).encode())
        if events_share:
            step = max(1, round(1 / events_share))
            cursor.execute(
                """INSERT INTO delivery_vendorevent (workspace_id, vendor, event_id, kind, dispatch_id, n, at, received_at, machine,
                    permanent, detail) SELECT %s, 'sendgrid', %s || ':' || g, 'delivered', %s, g, %s, %s, false, false, ''
                FROM generate_series(0, %s, %s) g""",
                [workspace_id, f"y{dispatch_id}", dispatch_id, at, at, EACH - 1, step],
            )
