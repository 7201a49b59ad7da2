"""Another channel where the first didn't reach them: a message, then another type of it, until one arrives or time is over.

Laws: at most one message of a chain is under way at a time; the next one is decided in the transaction that gives the last one up,
so it is decided once, whoever looks and however often; what is known to have arrived ends the chain, and so does taking a message
back. Silence within the given time is a reason to try another channel, and only that: the message without a word stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q

from delivery import door as delivery
from delivery.door import MessageKey
from governance.door import DoorError
from workflow.models import Chain
from workflow.requests import FallbackStep

log = structlog.get_logger(__name__)
Decide = Callable[..., MessageKey]
AT_ONCE = 200  # chains that one round looks at
LOOKS_AGAIN = timedelta(seconds=5)  # whether a message has failed; when its time is over is known to the second
KEPT = timedelta(days=30)  # after its end, for whoever asks what followed


def begin(
    workspace_id: int,
    first: MessageKey,
    profile_id: int,
    data: dict[str, object],
    steps: Sequence[FallbackStep],
    expires: datetime,
    now: datetime,
) -> None:
    """Watch a message that was just decided, in the caller's transaction."""
    Chain.objects.create(
        workspace_id=workspace_id,
        first_dispatch=first.dispatch_id,
        first_n=first.n,
        dispatch_id=first.dispatch_id,
        n=first.n,
        profile_id=profile_id,
        data=data,
        steps=[step.model_dump() for step in steps],
        waits_until=now + timedelta(seconds=steps[0].after),
        looks_at=now + min(LOOKS_AGAIN, timedelta(seconds=steps[0].after)),
        expires_at=expires,
    )


def fall_back(decide: Decide, *, now: datetime) -> int:
    """Look at the chains that are due; how many messages were decided because an earlier one had not arrived.

    decide: makes one message of a type for a person, in the caller's transaction, or raises a DoorError where it can't be.
    """
    decided = 0
    due = Chain.objects.filter(ended="", looks_at__lte=now).order_by("looks_at").values_list("pk", flat=True)[:AT_ONCE]
    for pk in due:
        with transaction.atomic():
            chain = Chain.objects.select_for_update(skip_locked=True).filter(pk=pk, ended="", looks_at__lte=now).first()
            decided += _look(chain, decide, now) if chain is not None else 0
    Chain.objects.filter(~Q(ended=""), expires_at__lt=now - KEPT).delete()
    return decided


def followed(workspace_id: int, first: MessageKey) -> list[dict[str, str]]:
    """What was sent after a chain's first message, and why, in order; nothing for a message without a chain."""
    chain = Chain.objects.filter(workspace_id=workspace_id, first_dispatch=first.dispatch_id, first_n=first.n).first()
    return list(chain.followed) if chain is not None else []


def chain(workspace_id: int, key: MessageKey) -> list[dict[str, str]]:
    """The whole chain that a message belongs to, its first message included; nothing for a message without one."""
    token = delivery.message_id(key.dispatch_id, key.n)
    theirs = Chain.objects.filter(workspace_id=workspace_id)
    mine = theirs.filter(Q(first_dispatch=key.dispatch_id, first_n=key.n) | Q(dispatch_id=key.dispatch_id, n=key.n)).first()
    if mine is None:  # one in between
        whose = delivery.messages(workspace_id, message_id=token, limit=1).items
        of_them = theirs.filter(profile_id=whose[0].profile_id) if whose else theirs.none()
        mine = next((each for each in of_them if any(step["message_id"] == token for step in each.followed)), None)
    if mine is None:
        return []
    first = delivery.message_id(mine.first_dispatch, mine.first_n)
    kind = delivery.briefs(workspace_id, [mine.first_dispatch])
    named = kind[mine.first_dispatch].key if mine.first_dispatch in kind else ""
    return [{"type": named, "message_id": first, "because": "", "passed_over": ""}, *mine.followed]


def forget(workspace_id: int, numbers: Sequence[int]) -> None:
    """Nothing more for people who are forgotten, and nothing of what it would have said."""
    theirs = Chain.objects.filter(workspace_id=workspace_id, profile_id__in=list(numbers))
    theirs.filter(ended="").update(ended="forgotten")
    theirs.update(data={})


def left(workspace_id: int, numbers: Sequence[int]) -> set[int]:
    """Those of these numbers for whom something is watched."""
    rows = Chain.objects.filter(workspace_id=workspace_id, profile_id__in=list(numbers))
    return set(rows.order_by().values_list("profile_id", flat=True).distinct())


def follow(workspace_id: int, goes: int, stays: int) -> None:
    """What is watched for somebody who was merged goes on for the one who stays."""
    Chain.objects.filter(workspace_id=workspace_id, profile_id=goes).update(profile_id=stays)


def tell(workspace_id: int, numbers: Sequence[int]) -> dict[str, Any]:
    """What is watched for a person who asks, and what it would say next."""
    rows = Chain.objects.filter(workspace_id=workspace_id, profile_id__in=list(numbers)).order_by("pk")
    return {"fallbacks": [{"ended": each.ended, "until": each.expires_at, "data": each.data} for each in rows]}


def _look(chain: Chain, decide: Decide, now: datetime) -> int:
    """Go on, end, or look again."""
    found = delivery.outcome(chain.workspace_id, MessageKey(chain.dispatch_id, chain.n))
    failed = found in ("failed", "bounced", "skipped")
    if found in ("reached", "cancelled"):
        return _end(chain, found)
    if chain.expires_at <= now:
        return _end(chain, "expired")
    if not failed and now < chain.waits_until:
        chain.looks_at = min(now + LOOKS_AGAIN, chain.waits_until)
        chain.save(update_fields=["looks_at"])
        return 0
    return _next(chain, found if failed else "no delivery in time", decide, now)


def _next(chain: Chain, because: str, decide: Decide, now: datetime) -> int:
    """The next type that can be sent to this person. One that can't (no longer in force, no address) is passed over and told."""
    while chain.steps:
        step = FallbackStep.model_validate(chain.steps[0])
        chain.steps = chain.steps[1:]
        try:
            with transaction.atomic():
                key = decide(chain.workspace_id, step.type, chain.profile_id, dict(chain.data), expires=chain.expires_at, now=now)
        except DoorError as refusal:
            log.warning("fallback.passed_over", type=step.type, reason=refusal.reason)
            chain.followed = [
                *chain.followed,
                {"type": step.type, "message_id": "", "because": because, "passed_over": refusal.reason[:200]},
            ]
            continue
        message_id = delivery.message_id(key.dispatch_id, key.n)
        chain.followed = [*chain.followed, {"type": step.type, "message_id": message_id, "because": because, "passed_over": ""}]
        chain.dispatch_id, chain.n = key.dispatch_id, key.n
        after = timedelta(seconds=FallbackStep.model_validate(chain.steps[0]).after) if chain.steps else timedelta()
        chain.waits_until, chain.looks_at = now + after, now + min(LOOKS_AGAIN, after)
        chain.ended = "" if chain.steps else "through"
        chain.save()
        return 1
    chain.save()
    return _end(chain, "through")


def _end(chain: Chain, how: str) -> int:
    chain.ended, chain.data = how, {}
    chain.save(update_fields=["ended", "data", "steps", "followed"])
    return 0
