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


def terms_of(work: Work) -> Terms:
    """The terms at the work's epoch. Raises Missing or Refused where the route or one of its secrets is gone, and where a real
    vendor was to carry it and this process knows the outbox only: what waits for people must not end in a local mailbox."""
    facts = work.dispatch
    route, policy = policies.at_epoch(facts.workspace_id, facts.route_key, facts.policy_key, facts.channel, work.epoch, settings.OMNI)
    if route.adapter.key == OUTBOX and facts.vendor not in ("", OUTBOX):
        raise Refused(f"it was decided for {facts.vendor}, and OMNI_VENDOR keeps everything in the outbox here")
    if (facts.vendor, facts.account) != (route.adapter.key, route.key):  # another route is the heaviest now
        same = Dispatch.objects.filter(pk=facts.id, workspace_id=facts.workspace_id)
        same.update(vendor=route.adapter.key, account=route.key)
    return Terms(route, policy, recalled=bool(_recalled(facts.workspace_id, work.epoch).intersection(facts.pins)))


@lru_cache(maxsize=256)
def _recalled(workspace_id: int, epoch: int) -> frozenset[int]:
    return governance.recalled(workspace_id)
