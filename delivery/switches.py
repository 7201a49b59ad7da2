"""Kill switches, read as part of the state that the witness guards."""

from __future__ import annotations

from django.db.models import Q

from delivery.models import Switch


def killed(workspace_id: int, key: str, vendor: str) -> Switch | None:
    """The switch that stops this campaign or message type on this vendor, if one does."""
    concerns = Q(scope="workspace") | Q(scope="campaign", key=key) | Q(scope="vendor", key=vendor)
    return Switch.objects.filter(concerns, workspace_id=workspace_id, on=True).first()
