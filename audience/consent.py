"""Who agreed to hear about what, with the proof behind it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Literal

from django.db import connection, transaction

from audience.models import Subscription, SubscriptionEntry

State = Literal["subscribed", "unsubscribed"]
WHOLE_CHANNEL = "*"
AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Consent:
    """What one person said about one topic of one channel, last."""

    channel: str
    topic: str
    state: State
    source: str
    wording: str
    at: datetime


def set_consent(
    workspace_id: int,
    profile_ids: Iterable[int],
    *,
    channel: str,
    topic: str,
    state: State,
    source: str,
    now: datetime,
    wording: str = "",
) -> int:
    """Record what these people said, with its proof; returns for how many that was a change. topic "*": the whole channel.

    Subscribing to a topic lifts an earlier refusal of the whole channel only when topic is "*" itself.
    """
    changed = 0
    remaining = iter(dict.fromkeys(int(each) for each in profile_ids))
    while chunk := list(islice(remaining, AT_ONCE)):
        with transaction.atomic():
            changed += _set(workspace_id, chunk, (channel, topic, state, source, wording), now)
    return changed


def _set(workspace_id: int, ids: list[int], said: tuple[str, str, State, str, str], now: datetime) -> int:
    channel, topic, state, source, wording = said
    rows = Subscription.objects.filter(workspace_id=workspace_id, profile_id__in=ids, channel=channel, topic=topic)
    already = set(rows.filter(state=state).values_list("profile_id", flat=True))
    fresh = [each for each in ids if each not in already]
    values: dict[str, Any] = {"channel": channel, "topic": topic, "state": state, "source": source, "wording": wording, "at": now}
    Subscription.objects.bulk_create(
        [Subscription(workspace_id=workspace_id, profile_id=each, **values) for each in fresh],
        update_conflicts=True,
        unique_fields=["workspace", "profile", "channel", "topic"],
        update_fields=["state", "source", "wording", "at"],
    )
    SubscriptionEntry.objects.bulk_create(
        [SubscriptionEntry(workspace_id=workspace_id, profile_id=each, **values) for each in fresh], batch_size=1_000
    )
    return len(fresh)


def consenting(workspace_id: int, ids: Sequence[int], *, channel: str, topic: str, message_class: str) -> set[int]:
    """Those of `ids` who may be written to. One query, whatever their number.

    promotional: subscribed to the topic and not unsubscribed from the whole channel. service: not unsubscribed from either.
    transactional: everyone.
    """
    if message_class == "transactional" or not ids:
        return set(ids)
    said = _said(workspace_id, ids, channel, topic)
    refused = {profile_id for profile_id, _, state in said if state == "unsubscribed"}
    if message_class == "service":
        return set(ids) - refused
    return {profile_id for profile_id, about, state in said if about == topic and state == "subscribed"} - refused


def _said(workspace_id: int, ids: Sequence[int], channel: str, topic: str) -> list[tuple[int, str, str]]:
    wanted = [int(each) for each in ids]
    given, value = (
        ("= ANY(%s)", wanted) if connection.vendor == "postgresql" else ("IN (SELECT value FROM json_each(%s))", json.dumps(wanted))
    )
    sql = (
        "SELECT profile_id, topic, state FROM audience_subscription WHERE workspace_id = %s AND channel = %s AND topic IN (%s, %s) "
        f"AND profile_id {given}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [workspace_id, channel, topic, WHOLE_CHANNEL, value])
        return list(cursor.fetchall())


def consents(workspace_id: int, profile_id: int) -> list[Consent]:
    """Everything one person said, by channel and topic."""
    rows = Subscription.objects.filter(workspace_id=workspace_id, profile_id=profile_id).order_by("channel", "topic")
    return [_consent(row) for row in rows]


def proof(workspace_id: int, profile_id: int) -> list[Consent]:
    """The whole ledger of one person, newest first."""
    rows = SubscriptionEntry.objects.filter(workspace_id=workspace_id, profile_id=profile_id).order_by("-at", "-id")[:500]
    return [_consent(row) for row in rows]


def _consent(row: Subscription | SubscriptionEntry) -> Consent:
    state: State = "subscribed" if row.state == "subscribed" else "unsubscribed"
    return Consent(row.channel, row.topic, state, row.source, row.wording, row.at)
