"""What stands still, by the name that the console has for it elsewhere."""

from __future__ import annotations

from delivery import door as delivery
from governance import door as governance


def stopped(workspace_id: int, scope: str, key: str) -> str:
    """What a kill switch stops: a vendor, a campaign or all of it."""
    if scope == "campaign":
        return titled(workspace_id, "campaign", key)
    return delivery.vendor_title(key) if key else "the whole workspace"


def titled(workspace_id: int, kind: str, key: str) -> str:
    """A document by its title; its key where there is none."""
    document = governance.Ref(kind, key)
    return governance.titles(workspace_id, [document])[document]
