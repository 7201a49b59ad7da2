"""Where nothing follows a silent request on its account, something of our own does: the same content to a seed address.

Its event shows that the vendor's feed has come past the silent request. A route names its seed (the external id of a profile of
your own); without one, what is in doubt waits for the next real message, or for a person.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from audience import door as audience
from delivery import policies
from delivery.deciding import NewDecision, decide
from delivery.models import Attempt, Decision, Dispatch
from delivery.standing import Standing, standing
from delivery.states import WorkState
from governance.door import DoorError


def probe(attempt: Attempt, *, now: datetime) -> bool:
    """Send a probe for this silent request's account, unless one is under way. False where none is needed or possible."""
    window = timedelta(seconds=settings.OMNI.in_doubt_after)
    account = Attempt.objects.filter(workspace_id=attempt.workspace_id, vendor=attempt.vendor, account=attempt.account)
    if account.filter(posted_at__gt=max(attempt.posted_at, now - window)).exists():
        return False  # something follows; its events may still come
    silent = Dispatch.objects.filter(pk=attempt.dispatch_id, workspace_id=attempt.workspace_id).first()
    if silent is None or silent.template_revision_id is None:
        return False
    try:
        seed = policies.route(attempt.workspace_id, attempt.account, silent.channel).seed
    except DoorError:
        return False
    person = audience.find(attempt.workspace_id, external_id=seed) if seed else None
    if person is None:
        return False
    with transaction.atomic():
        dispatch_id = _standing(silent, silent.template_revision_id, attempt.account, now)
        if Decision.objects.filter(Q(state=WorkState.READY) | Q(decided_at__gt=now - window), dispatch_id=dispatch_id).exists():
            return False  # under way, or it came to nothing: the seed isn't tried more often than once in a window
        decide(dispatch_id, [NewDecision(person.id, {}, due_at=now, expires_at=now + max(window, timedelta(minutes=5)))], now=now)
    return True


def _standing(silent: Dispatch, template_revision_id: int, account: str, now: datetime) -> int:
    """Only by the silent account: what another vendor says is no word about this one's feed."""
    of = Standing(
        workspace_id=silent.workspace_id,
        kind="probe",
        key=silent.key,
        day=now.date(),
        template_revision_id=template_revision_id,
        channel=silent.channel,
        message_class="transactional",
        route_key=account,
    )
    return standing(of, now=now)
