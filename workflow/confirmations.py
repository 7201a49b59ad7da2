"""The question whether somebody meant it: a transactional message to whoever is said to have agreed to a topic that wants a confirmation.

Laws: the question is decided in the transaction that takes it out of audience's feed, so it is asked once, whoever is killed; and nobody
can use it to flood a stranger: an address is asked about one topic at most every ten minutes and three times in a day, and about all
topics together ten times.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import transaction

from audience import door as audience
from audience.door import Outcome, ToConfirm
from delivery import door as delivery
from governance.door import DoorError
from workflow import transactional
from workflow.models import Asked

log = structlog.get_logger(__name__)
DAY = timedelta(days=1)
NOT_WITHIN, MOST_A_DAY, MOST_OF_ALL_TOPICS = timedelta(minutes=10), 3, 10
OF_USE = timedelta(days=3)  # a question that could not leave for longer is none any more
EVERY_TOPIC, WHOLE = "", "*"


def ask_for_confirmations(*, now: datetime) -> int:
    """Send the questions that wait. Returns how many were sent."""
    Asked.objects.filter(last_at__lt=now - DAY).delete()
    return audience.ask_for_confirmations(lambda waits: _ask(waits, now), now=now)


def _ask(waits: ToConfirm, now: datetime) -> Outcome:
    """Decide the message, in the caller's transaction."""
    declared = audience.opt_in(waits.workspace_id, waits.channel, waits.topic)
    person = next(iter(audience.load(waits.workspace_id, [waits.profile_id])), None)
    address = delivery.address_of(waits.channel, person) if person is not None else ""
    if declared is None or not address:
        return "not now"  # a declaration or an address may come within the day
    counts = _counts(waits, address, now)
    if not _may_ask(counts, now):
        log.warning("confirmation.asked_often_enough", workspace=waits.workspace_id, topic=waits.topic, profile=waits.profile_id)
        return "never"
    data = {delivery.CONFIRMS: waits.number, "topic": "" if waits.topic == WHOLE else audience.topic_words(waits.topic)}
    expires = min(waits.until, now + OF_USE)
    try:
        with transaction.atomic():
            transactional.decide_for(
                waits.workspace_id,
                declared.confirm_with,
                waits.profile_id,
                data,
                expires=expires,
                now=now,
                approved_with=("opt_in", declared.key),
            )
    except DoorError as refusal:
        log.warning("confirmation.not_asked", workspace=waits.workspace_id, template=declared.confirm_with, reason=refusal.reason)
        return "not now"
    for count in counts:
        Asked.objects.filter(pk=count.pk).update(times=[*count.times, now.isoformat()], last_at=now)
    return "sent"


def _counts(waits: ToConfirm, address: str, now: datetime) -> tuple[Asked, Asked]:
    """What this address was asked in the last day about the topic, and about all; held until the caller's transaction ends, so that two
    who ask at once ask one after the other."""
    hashed = delivery.address_hash(waits.workspace_id, waits.channel, delivery.normal(waits.channel, address))
    found = []
    for topic in (waits.topic, EVERY_TOPIC):
        about = {"workspace_id": waits.workspace_id, "channel": waits.channel, "topic": topic, "address_hash": hashed}
        Asked.objects.get_or_create(**about, defaults={"last_at": now})
        count = Asked.objects.select_for_update().get(**about)
        count.times = [at for at in count.times if datetime.fromisoformat(at) > now - DAY]
        found.append(count)
    return found[0], found[1]


def _may_ask(counts: tuple[Asked, Asked], now: datetime) -> bool:
    of_topic, of_all = counts
    lately = any(datetime.fromisoformat(at) > now - NOT_WITHIN for at in of_topic.times)
    return not lately and len(of_topic.times) < MOST_A_DAY and len(of_all.times) < MOST_OF_ALL_TOPICS
