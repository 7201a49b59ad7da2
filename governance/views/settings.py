"""Settings and the audit trail."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from governance import kinds
from governance.access import ConsoleRequest
from governance.audit import verify
from governance.models import ApiKey, AuditEntry, Document, Membership, User
from governance.pages import console_page, list_address, pages_of, title_of_many
from governance.paging import page
from governance.roles import Role
from governance.vault import secret_names


@console_page()
def settings_page(request: ConsoleRequest) -> HttpResponse:
    """Everything that is set up once: people, keys, policies, routes, attributes."""
    workspace_id = request.actor.workspace_id
    counts: dict[str, int] = {}
    for kind_name in Document.objects.filter(workspace_id=workspace_id).values_list("kind", flat=True):
        counts[kind_name] = counts.get(kind_name, 0) + 1
    listed = [
        {
            "title": title_of_many(sort.name),
            "words": pages_of(sort.name).intro,
            "icon": pages_of(sort.name).icon,
            "count": counts.get(sort.name, 0),
        }
        | {"href": list_address(sort.name)}
        for sort in kinds.kinds()
        if pages_of(sort.name).group == "settings"
    ]
    context = {
        "title": "Settings",
        "kinds": listed,
        "people": Membership.objects.filter(workspace_id=workspace_id).count(),
        "keys": ApiKey.objects.filter(workspace_id=workspace_id, revoked_at=None).count(),
        "secrets": secret_names(workspace_id) if request.actor.role.covers(Role.ADMIN) else [],
        "is_admin": request.actor.role.covers(Role.ADMIN),
    }
    return render(request, "governance/settings.html", context)


@console_page()
def audit_page(request: ConsoleRequest) -> HttpResponse:
    """Who did what, newest first; by person, action or subject."""
    asked, workspace_id = request.GET, request.actor.workspace_id
    rows = AuditEntry.objects.filter(workspace_id=workspace_id)
    if subject := asked.get("subject", "")[:160]:
        rows = rows.filter(subject__icontains=subject) if ":" not in subject else rows.filter(subject=subject)
    if action := asked.get("action", "")[:60]:
        rows = rows.filter(action__icontains=action)
    if (user := asked.get("user", "")) and user.isascii() and user.isdigit() and len(user) < 18:
        rows = rows.filter(user_id=int(user))
    listed = page(rows, request, lambda entry: entry, ("-n",))
    people = list(User.objects.filter(membership__workspace_id=workspace_id).order_by("username"))
    names = {person.pk: person.username for person in people}
    strangers = {entry.user_id for entry in listed["items"] if entry.user_id and entry.user_id not in names}
    names |= dict(User.objects.filter(pk__in=strangers).values_list("pk", "username"))
    context = {
        "title": "Audit",
        "trail": [{"title": "Settings", "href": reverse("governance:settings")}],
        "page": listed,
        "entries": [
            {
                "entry": entry,
                "who": names.get(entry.user_id, "") if entry.user_id else "the system",
                "facts": [(name.replace("_", " "), value) for name, value in entry.data.items() if value not in (None, "")],
            }
            for entry in listed["items"]
        ],
        "people": people,
        "asked": asked,
        "filtered": any(asked.get(name) for name in ("subject", "action", "user")),
    }
    return render(request, "governance/audit.html", context)


@console_page(Role.ADMIN)
def audit_verify(request: ConsoleRequest) -> HttpResponse:
    """Walk the whole chain now and say what was found."""
    return render(request, "governance/_audit_chain.html", {"chain": verify(request.actor.workspace_id)})
