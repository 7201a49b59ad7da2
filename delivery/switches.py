"""Kill switches, read as part of the state that the witness guards."""

from __future__ import annotations

from functools import lru_cache

from django.db.models import Q, QuerySet

from delivery.models import Switch


@lru_cache(maxsize=1024)
def killed(workspace_id: int, key: str, vendor: str, epoch: int) -> Switch | None:
    """The switch that stops this campaign or message type on this vendor, if one does. epoch: the witness, read before this is
    asked; throwing and releasing a switch moves it, so the answer may be remembered by it."""
    return thrown(workspace_id, key, vendor).first()


def thrown(workspace_id: int, key: str, vendor: str) -> QuerySet[Switch]:
    """Every switch that stops this campaign or message type on this vendor, as the table has it now."""
    concerns = Q(scope="workspace") | Q(scope="campaign", key=key) | Q(scope="vendor", key=vendor)
    return Switch.objects.filter(concerns, workspace_id=workspace_id, on=True)
