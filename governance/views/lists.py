"""The list that every kind of document has: filtered, by pages, and the filters that a person keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from governance import kinds
from governance.access import ConsoleRequest
from governance.finding_documents import used_by
from governance.findings import Invalid
from governance.pages import console_page, document_address, group_trail, list_address, pages_of, title_of_many
from governance.paging import page
from governance.reading import STATES, document_rows, document_views, filtered, titles
from governance.saved_views import forget_view, query_of, save_view, saved_views


@console_page()
def documents(request: ConsoleRequest, plural: str) -> HttpResponse:
    """All documents of a kind: what exists, in which state."""
    sort = kinds.kind_of_plural(plural)
    context = list_context(request, sort.name)
    if pages_of(sort.name).shows_users:
        context["users"] = _users(request.actor.workspace_id, sort.name, [view.key for view in context["documents"]])
    return render(request, "governance/document_list.html", context)


def _users(workspace_id: int, kind_name: str, keys: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """What uses each of these documents: title and address."""
    users = {key: refs for key, refs in used_by(workspace_id, kind_name).items() if key in set(keys)}
    called = titles(workspace_id, [ref for refs in users.values() for ref in refs]) if users else {}
    return {
        key: [{"title": called[ref] or ref.key, "href": document_address(ref.kind, ref.key)} for ref in refs] for key, refs in users.items()
    }


def list_context(request: ConsoleRequest, kind_name: str) -> dict[str, Any]:
    """A filtered page of a kind's documents, for every kind's list."""
    sort = kinds.kind(kind_name)
    rows = filtered(document_rows(request.actor.workspace_id, kind_name), request.GET.get("q", ""), request.GET.get("state", ""))
    listed = page(rows, request, lambda row: document_views([row])[0], ("key",))
    return {
        "title": title_of_many(kind_name),
        "kind": sort,
        "pages": pages_of(kind_name),
        "page": listed,
        "documents": listed["items"],
        "q": request.GET.get("q", ""),
        "state": request.GET.get("state", ""),
        "states": STATES,
        "filtered": bool(request.GET.get("q") or request.GET.get("state")),
        "views": saved_views(request, kind_name),
        "view_query": query_of(request.GET),
        "may_edit": request.actor.role.covers(sort.save_role),
        "trail": group_trail(kind_name),
    }


@require_POST
@console_page()
def keep_view(request: ConsoleRequest, plural: str) -> HttpResponse:
    """Keep this list's filter under a name, for whoever asks."""
    sort = kinds.kind_of_plural(plural)
    try:
        view = save_view(request, sort.name, request.POST.get("name", ""), request.POST)
        messages.success(request, f"“{view.name}” is kept.")
        query = view.query
    except Invalid as error:
        messages.error(request, f"Not kept: {error.findings[0]}")
        query = query_of(request.POST)
    return redirect(f"{list_address(sort.name)}?{query}")


@require_POST
@console_page()
def drop_view(request: ConsoleRequest, view_id: int) -> HttpResponse:
    """Forget one of one's own views."""
    view = forget_view(request, view_id)
    messages.success(request, f"“{view.name}” is forgotten.")
    return redirect(f"{list_address(view.page)}?{view.query}")
