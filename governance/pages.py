"""What every console page about a document shares: who may open it, its tabs, its state in words, and its errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from governance import kinds
from governance.access import ConsoleRequest, role_required
from governance.bills import bill
from governance.findings import DoorError, Invalid, Missing, Refused, Stale
from governance.models import Document
from governance.questions import refuse_nul
from governance.reading import DocumentView
from governance.roles import Role

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Pages:
    """How a kind appears in the console. edit, preview: url names taking a key; frame: one taking a key and a revision number.

    spoken(workspace_id, model): what a body says, as a sentence; outlined: the same in lines, for one that is long;
    told: the part of a body that the sentence says all of;
    estimate: url name of a part of a page that says what a draft would do; moved: url name, taking a key and a request for approval,
    of a part that says whom the release of what was submitted would bring in and lose.
    offers(workspace_id): what is known to be typed in the fields of the plain form, by their pointers (see schema_fields).
    beside: url name, taking a key, of a page about what the document is about, and what that page is called.
    shows_users: whether its list says which documents use each.
    starter: the body that a new document begins with; group: the page from which its list is reached:
    "settings", another kind's list by that kind's name, or "" for the main navigation.
    """

    icon: str = "document"
    intro: str = ""
    many: str = ""
    edit: str = ""
    new: str = ""
    preview: str = ""
    frame: str = ""
    list: str = ""
    starter: Mapping[str, Any] = field(default_factory=dict)
    group: str = "settings"
    primary: str = ""
    spoken: Callable[[int, Any], str] | None = None
    outlined: Callable[[int, Any], str] | None = None
    told: str = ""
    estimate: str = ""
    moved: str = ""
    shows_users: bool = False
    offers: Callable[[int], Mapping[str, Sequence[tuple[str, str]]]] | None = None
    beside: tuple[str, str] | None = None


_PAGES: dict[str, Pages] = {}


def register_pages(kind_name: str, pages: Pages) -> None:
    """Say how a kind appears in the console; each room does so where its addresses are."""
    _PAGES[kind_name] = pages


def pages_of(kind_name: str) -> Pages:
    """How a kind appears; unregistered ones get the plain pages."""
    return _PAGES.get(kind_name, Pages())


def console_page(role: Role = Role.VIEWER) -> Callable[[Callable[Concatenate[Any, P], HttpResponseBase]], View[P]]:
    """A console view for members with at least this role; expected failures become pages that say what to do."""

    def decorate(view: Callable[Concatenate[Any, P], HttpResponseBase]) -> View[P]:
        @wraps(view)
        def answered(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            try:
                refuse_nul(request.GET, request.POST)
                return view(request, *args, **kwargs)
            except DoorError as error:
                return error_page(request, error)

        guarded = cast("View[P]", role_required(role)(answered))

        @wraps(view)
        def framed(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            try:
                return guarded(request, *args, **kwargs)
            except PermissionDenied as refusal:
                if getattr(request, "actor", None) is None:
                    raise
                return error_page(request, Refused(str(refusal)))

        return cast("View[P]", framed)

    return decorate


WORDS: dict[type[DoorError], tuple[int, str, str]] = {
    Missing: (404, "There is nothing here", "search"),
    Refused: (403, "That isn’t allowed", "lock"),
    Stale: (409, "Somebody changed it meanwhile", "history"),
    Invalid: (422, "That can’t be accepted", "error"),
}


def error_page(request: HttpRequest, error: DoorError) -> HttpResponse:
    """An expected failure as a page (or, for htmx, the part of one)."""
    status, title, icon = next((words for kind, words in WORDS.items() if isinstance(error, kind)), (400, "That didn’t work", "error"))
    partial = request.headers.get("HX-Request") == "true"
    back = request.headers.get("Referer", "")
    here = request.build_absolute_uri("/")
    words = (error.reason[:1].upper() + error.reason[1:]) if error.reason else title
    context = {
        "title": title,
        "words": words.rstrip(".") + ".",
        "findings": () if isinstance(error, Invalid) and len(error.findings) == 1 else error.findings,
        "icon": icon,
        "back": back if back.startswith(here) and back != request.build_absolute_uri() else reverse("console:home"),
        "back_words": "Go back" if back.startswith(here) else "To the home page",
    }
    return render(request, "console/_error.html" if partial else "console/error.html", context, status=422 if partial else status)


def plural_of(kind_name: str) -> str:
    """The plural in a kind's addresses."""
    return kinds.kind(kind_name).plural


def title_of_many(kind_name: str) -> str:
    """A kind's plural as a heading: "Segments"."""
    sort = kinds.kind(kind_name)
    return pages_of(kind_name).many or sort.plural.replace("-", " ").capitalize()


def list_address(kind_name: str) -> str:
    """Where a kind's documents are listed."""
    named = pages_of(kind_name).list
    return reverse(named) if named else reverse("governance:documents", args=[plural_of(kind_name)])


def document_address(kind_name: str, key: str, tab: str = "edit") -> str:
    """Where a tab of a document is."""
    named = {"edit": pages_of(kind_name).edit, "preview": pages_of(kind_name).preview}.get(tab, "")
    return reverse(named, args=[key]) if named else reverse(f"governance:{tab}", args=[plural_of(kind_name), key])


TABS = (
    ("edit", "Edit", "edit"),
    ("preview", "Preview", "eye"),
    ("checks", "Checks", "checks"),
    ("history", "History", "history"),
    ("approvals", "Approvals", "approval"),
)


def document_context(request: ConsoleRequest, view: DocumentView, tab: str) -> dict[str, Any]:
    """The shell of a document's page: trail, tabs, state, words, and what this person may do with it next."""
    sort, actor = kinds.kind(view.kind), request.actor
    errors = len(view.latest.errors)
    warnings = sum(finding.level == "warning" for finding in view.latest.findings)
    waiting, approved = view.open_submission, view.approved_submission
    author = actor.role.covers(Role.AUTHOR)
    fresh = waiting is None or waiting.revision_id != view.latest.id
    below = _drafts_below(view) if view.state == "released" else ()
    return {
        "title": view.title or view.key,
        "kind": sort,
        "pages": pages_of(view.kind),
        "document": view,
        "below": below,
        "tab": tab,
        "trail": _trail(view.kind),
        "tabs": [
            {
                "title": title,
                "icon": icon,
                "href": document_address(view.kind, view.key, name),
                "current": name == tab,
                "count": (errors + warnings) if name == "checks" else int(bool(waiting)) if name == "approvals" else 0,
                "tone": "danger" if errors else "caution",
            }
            for name, title, icon in TABS
        ],
        "beside": _beside(view),
        "may_edit": actor.role.covers(sort.save_role),
        "saves": tab == "edit" and actor.role.covers(sort.save_role),
        "may_submit": author and fresh and (below or view.state in {"draft", "changed", "submitted"}) and not errors,
        "blocked_by_errors": author and errors if view.state in {"draft", "changed"} else 0,
        "may_withdraw": author and waiting is not None,
        "may_decide": actor.role.covers(Role.APPROVER) and waiting is not None and waiting.submitted_by_id != actor.user_id,
        "may_release": actor.role.covers(Role.APPROVER) and approved is not None,
        "waiting": waiting,
        "approved": approved,
    }


def _beside(view: DocumentView) -> dict[str, str] | None:
    beside = pages_of(view.kind).beside
    return {"title": beside[1], "href": reverse(beside[0], args=[view.key])} if beside else None


def _drafts_below(view: DocumentView) -> list[dict[str, str]]:
    """The documents that a released one uses, directly or not, whose drafts are not what is released: asked for with it, or alone."""
    if not view.latest.uses:
        return []
    changed = [item for item in bill(view.workspace_id, view.kind, view.key, of="draft").changed if item.document_id != view.id]
    titles = dict(Document.objects.filter(pk__in=[item.document_id for item in changed]).values_list("pk", "title"))
    return [
        {"title": titles.get(item.document_id) or item.key, "number": str(item.number), "href": document_address(item.kind, item.key)}
        for item in changed
    ]


def _trail(kind_name: str) -> list[dict[str, str]]:
    return [*group_trail(kind_name), {"title": title_of_many(kind_name), "href": list_address(kind_name)}]


def group_trail(kind_name: str) -> list[dict[str, str]]:
    """The way to a kind's list: from the settings, or from the list of the kind beside which it stands."""
    group = pages_of(kind_name).group
    if group == "settings":
        return [{"title": "Settings", "href": reverse("governance:settings")}]
    return [{"title": title_of_many(group), "href": list_address(group)}] if group else []
