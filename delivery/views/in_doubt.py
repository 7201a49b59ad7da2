"""The desk for what is in doubt: over all runs, by account and age, with what each decision risks."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from audience import door as audience
from delivery import desk
from delivery.addresses import address_of
from delivery.control import SCOPE, resolve_in_doubt
from delivery.message_ids import message_ids, read_message_id
from delivery.models import Dispatch
from delivery.views.titles import route_titles, titles_of
from governance.door import ConsoleRequest, Invalid, Role, allow, console_page, whole_number

EACH = 50
DECIDED = {"sent": "counted as sent", "resend": "sent again after a new last look", "give_up": "given up, never sent again"}


@console_page()
def in_doubt(request: ConsoleRequest) -> HttpResponse:
    """Every unanswered request, oldest first."""
    workspace_id, now = request.actor.workspace_id, timezone.now()
    asked, after = request.GET.get("account", "")[:80], _number(request.GET.get("cursor", ""))
    rows = desk.doubts(workspace_id, account=asked, after=after, limit=EACH + 1, now=now)
    shown = rows[:EACH]
    titled = titles_of(workspace_id, {(row.kind, row.key) for row in shown})
    context: dict[str, Any] = {
        "title": "In doubt",
        "trail": [{"title": "Delivery", "href": reverse("delivery:health")}],
        "accounts": desk.accounts(workspace_id, now=now),
        "titles": route_titles(workspace_id),
        "account": asked,
        "rows": [{"doubt": row, "title": titled.get((row.kind, row.key), row.key)} for row in shown],
        "page": {"items": shown, "next": str(shown[-1].id) if len(rows) > EACH else ""},
        "is_approver": request.actor.role.covers(Role.APPROVER),
    }
    return render(request, "delivery/console/in_doubt.html", context)


@console_page()
def request_in_doubt(request: ConsoleRequest, attempt_id: int) -> HttpResponse:
    """One unanswered request with its messages; POST: a person says what became of it, or of one of them."""
    if request.method == "POST":
        allow(request.actor, Role.APPROVER, SCOPE)
        return _decide(request, attempt_id)
    return _page(request, attempt_id)


def _decide(request: ConsoleRequest, attempt_id: int) -> HttpResponse:
    asked = request.POST
    key = read_message_id(asked.get("message", ""))
    typed = asked.get("count", "").replace(",", "").replace("\u202f", "").strip()
    try:
        resolve_in_doubt(
            request.actor,
            attempt_id,
            asked.get("verdict", ""),  # type: ignore[arg-type]
            n=key.n if key else None,
            confirm=True,
            typed=whole_number(typed, 9),
            now=timezone.now(),
        )
    except Invalid as wrong:
        return _page(request, attempt_id, findings=wrong.findings, status=422)
    many = f"{int(typed):,} message{'' if int(typed) == 1 else 's'}"  # as many as were typed, else it would have been refused
    messages.success(request, f"{many} of request {attempt_id}: {DECIDED[asked['verdict']]}.")
    back = asked.get("next", "")
    return redirect(back if back.startswith("/console/") else reverse("delivery:in-doubt"))


def _page(request: ConsoleRequest, attempt_id: int, *, findings: Any = (), status: int = 200) -> HttpResponse:
    workspace_id = request.actor.workspace_id
    doubt = desk.doubt(workspace_id, attempt_id, now=timezone.now())
    after = request.GET.get("cursor", "")
    rows = desk.hanging(workspace_id, attempt_id, after=_number(after) if after else -1, limit=EACH + 1)
    shown = rows[:EACH]
    people = {person.id: person for person in audience.shown(request.actor, audience.load(workspace_id, [row.profile_id for row in shown]))}
    channel = Dispatch.objects.values_list("channel", flat=True).get(pk=doubt.dispatch_id)
    listed = [
        {"id": token, "n": row.n, "person": person, "address": (address_of(channel, person) or person.external_id) if person else ""}
        for row, token in zip(shown, message_ids(doubt.dispatch_id, [row.n for row in shown]), strict=True)
        for person in [people.get(row.profile_id)]
    ]
    one = request.POST.get("message", "") or request.GET.get("message", "")
    context: dict[str, Any] = {
        "title": f"Request {attempt_id}",
        "trail": [
            {"title": "Delivery", "href": reverse("delivery:health")},
            {"title": "In doubt", "href": reverse("delivery:in-doubt")},
        ],
        "doubt": doubt,
        "account_title": route_titles(workspace_id).get(doubt.account, doubt.account),
        "campaign": titles_of(workspace_id, [(doubt.kind, doubt.key)])[doubt.kind, doubt.key],
        "rows": listed,
        "page": {"items": shown, "next": str(shown[-1].n) if len(rows) > EACH else ""},
        "is_approver": request.actor.role.covers(Role.APPROVER),
        "findings": findings,
        "verdict": request.POST.get("verdict", ""),
        "one": next((row for row in listed if row["id"] == one), None),
        "about": 1 if any(row["id"] == one for row in listed) else doubt.messages,
    }
    return render(request, "delivery/console/request_in_doubt.html", context, status=status)


def _number(text: str) -> int:
    return whole_number(text, 17) or 0
