"""A person's own filters of a list, kept by name: links they would otherwise type or bookmark."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from django.db.models import QuerySet

from governance.access import ConsoleRequest
from governance.findings import Finding, Invalid, Missing
from governance.models import SavedView

FILTERS = ("q", "state")  # of lists of documents
LONGEST, MOST = 200, 30  # characters of one filter; views of one list


def query_of(asked: Mapping[str, str]) -> str:
    """What of a request filters, in one order: equal filters give equal texts. "" for none."""
    given = {name: asked.get(name, "").strip()[:LONGEST] for name in FILTERS}
    return urlencode({name: value for name, value in given.items() if value})


def saved_views(request: ConsoleRequest, page: str) -> list[SavedView]:
    """The person's views of a list, by name."""
    return list(_own(request).filter(page=page).order_by("name"))


def save_view(request: ConsoleRequest, page: str, name: str, asked: Mapping[str, str]) -> SavedView:
    """Keep what filters under a name; the same name again is the new filter. Raises Invalid without a name, a filter, or room."""
    name, query = " ".join(name.split())[:60], query_of(asked)
    if not name:
        raise Invalid([Finding("error", "/name", "nothing", "a name for this view")])
    if not query:
        raise Invalid([Finding("error", "/q", "nothing", "something to filter by")])
    if _own(request).filter(page=page).exclude(name=name).count() >= MOST:
        raise Invalid([Finding("error", "/name", f"{MOST} views of this list", "fewer: forget one that you don't use")])
    view, _ = SavedView.objects.update_or_create(
        workspace_id=request.actor.workspace_id, user_id=request.user.pk, page=page, name=name, defaults={"query": query}
    )
    return view


def forget_view(request: ConsoleRequest, view_id: int) -> SavedView:
    """Raises Missing where it is nobody's or somebody else's."""
    view = _own(request).filter(pk=view_id).first()
    if view is None:
        raise Missing("no view of yours has this number")
    _own(request).filter(pk=view.pk).delete()
    return view


def _own(request: ConsoleRequest) -> QuerySet[SavedView]:
    return SavedView.objects.filter(workspace_id=request.actor.workspace_id, user_id=request.user.pk)
