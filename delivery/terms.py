"""What the witness vouches for while a piece of work is sent: route, policy, and whether something it pins was recalled."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from delivery import policies
from delivery.ledger import Terms
from delivery.models import Dispatch
from delivery.policies import OUTBOX
from delivery.work import Work
from governance import door as governance
from governance.door import Refused


def terms_of(work: Work) -> tuple[Terms, ...]:
    """The terms of each route that may carry some of it, the most preferred first, at the work's epoch.

    Raises Missing or Refused where the route or one of its secrets is gone, and where a real vendor was to carry it and this process
    knows the outbox only: what waits for people must not end in a local mailbox.
    """
    facts = work.dispatch
    routes, policy = policies.at_epoch(facts.workspace_id, facts.route_key, facts.policy_key, facts.channel, work.epoch, settings.OMNI)
    if routes[0].adapter.key == OUTBOX and facts.vendor not in ("", OUTBOX):
        raise Refused(f"it was decided for {facts.vendor}, and OMNI_VENDOR keeps everything in the outbox here")
    if (facts.vendor, facts.account) != (carried := policies.carriers(routes)):  # other routes are the heaviest now
        same = Dispatch.objects.filter(pk=facts.id, workspace_id=facts.workspace_id)
        same.update(vendor=carried[0], account=carried[1])
    recalled = bool(_recalled(facts.workspace_id, work.epoch).intersection(facts.pins))
    return tuple(Terms(route, policy, recalled=recalled) for route in routes)


@lru_cache(maxsize=256)
def _recalled(workspace_id: int, epoch: int) -> frozenset[int]:
    return governance.recalled(workspace_id)
