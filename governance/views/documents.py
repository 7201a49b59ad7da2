"""The pages that every document has: Edit, Preview, Checks, History, Approvals, and what moves it on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from governance import approvals, kinds, releases
from governance.access import ConsoleRequest
from governance.bills import bill
from governance.checking import check_bill
from governance.difference import difference
from governance.editing import Edit, Editor, draw, edit
from governance.findings import Finding, Invalid
from governance.kinds import Ref
from governance.models import Release, Submission
from governance.pages import console_page, document_address, document_context, pages_of
from governance.paging import page, whole_number
from governance.reading import (
    DocumentView,
    document,
    revision,
    revision_rows,
    revision_view,
    titles,
    users_of,
)
from governance.roles import Role
from governance.schema_fields import form_fields, labels
from governance.schema_leaves import FormField
from governance.schema_rows import place_in_rows, to_map, to_rows
from governance.yaml_files import write as write_yaml


@console_page(Role.AUTHOR)
def new(request: ConsoleRequest, plural: str) -> HttpResponse:
    """The editor, empty."""
    sort = kinds.kind_of_plural(plural)
    return _draw(request, edit(request, _editor(sort), None))


@console_page()
def edit_page(request: ConsoleRequest, plural: str, key: str) -> HttpResponse:
    """The plain editor, for kinds whose room has no page of its own: the schema as a form, or the text."""
    sort = kinds.kind_of_plural(plural)
    return _draw(request, edit(request, _editor(sort), key))


def _editor(sort: kinds.Kind[Any]) -> Editor:
    return Editor(
        sort.name,
        to_form=lambda body: to_rows(sort.schema, body),
        to_body=lambda form: to_map(sort.schema, form),
        make=_empty_item,
        place=place_in_rows,
    )


def _draw(request: ConsoleRequest, current: Edit) -> HttpResponse:
    fields = [] if current.source is not None else _fields(request, current)
    places = {field.path for field in fields}
    extra = {"fields": fields, "labels": labels(fields), "elsewhere": [fault for fault in current.faults if fault.path not in places]}
    return draw(request, current, "governance/edit.html", "governance/_editor.html", extra)


def _fields(request: ConsoleRequest, current: Edit) -> list[FormField]:
    offer = pages_of(current.kind).offers
    offers = offer(request.actor.workspace_id) if offer else {}
    return form_fields(kinds.kind(current.kind).schema, current.form, current.faults or _warned(current), offers)


def _warned(current: Edit) -> list[Finding]:
    """What the checks warned of when the draft was saved, while the form shows that draft."""
    if current.view is None or current.dirty:
        return []
    warnings = [each for each in current.view.latest.findings if each.level == "warning"]
    return [replace(each, path=place_in_rows(each.path, current.form)) for each in warnings]


def _empty_item(path: str, what: str, body: Any) -> Any:
    """The item that "Add" puts in: an empty text, or an empty object, which the schema's defaults fill."""
    return "" if what == "text" else {}


@console_page()
def preview(request: ConsoleRequest, plural: str, key: str) -> HttpResponse:
    """What the draft says, for reading."""
    sort = kinds.kind_of_plural(plural)
    view = document(request.actor.workspace_id, sort.name, key)
    shown = _number(request, "revision")
    chosen = revision(request.actor.workspace_id, sort.name, key, shown) if shown else view.latest
    offer = pages_of(sort.name).offers
    context = {
        **document_context(request, view, "preview"),
        "revision": chosen,
        "fields": form_fields(sort.schema, to_rows(sort.schema, chosen.body), offers=offer(request.actor.workspace_id) if offer else None),
        "text": write_yaml(chosen.body).decode(),
    }
    return render(request, "governance/preview.html", context)


@console_page()
def checks(request: ConsoleRequest, plural: str, key: str) -> HttpResponse:
    """What would stop this draft, and everything it uses, from being submitted, as things are now."""
    sort, workspace_id = kinds.kind_of_plural(plural), request.actor.workspace_id
    view, now = document(workspace_id, sort.name, key), timezone.now()
    materials = bill(workspace_id, sort.name, key, of="draft")
    users = users_of(workspace_id, sort.name, key)
    titled = titles(workspace_id, [*users, *(item.ref for item in materials.items)])
    found = check_bill(request.actor, workspace_id, Ref(sort.name, key), materials, now=now)
    context = {
        **document_context(request, view, "checks"),
        "own": [finding for finding in found if "#" not in finding.path],
        "found_below": [finding for finding in found if "#" in finding.path],
        "errors": sum(finding.level == "error" for finding in found),
        "bill": materials,
        "items": [{"item": item, **_named(item.ref, titled)} for item in materials.items],
        "users": [_named(user, titled) for user in users],
        "checked_at": now,
    }
    return render(request, "governance/checks.html", context)


def _named(ref: Ref, titled: dict[Ref, str]) -> dict[str, Any]:
    """A document as a link: its title, its kind and where it is."""
    return {"title": titled[ref], "href": document_address(ref.kind, ref.key), "kind": kinds.kind(ref.kind)}


@console_page()
def history(request: ConsoleRequest, plural: str, key: str) -> HttpResponse:
    """Every revision, what was released when, and the difference between any two."""
    sort, workspace_id = kinds.kind_of_plural(plural), request.actor.workspace_id
    view = document(workspace_id, sort.name, key)
    listed = page(revision_rows(workspace_id, sort.name, key), request, revision_view, ("-number",))
    moves = (
        Release.objects.filter(workspace_id=workspace_id, document_id=view.id).select_related("by", "revision").order_by("-at", "-pk")[:200]
    )
    by_number: dict[int, list[Release]] = {}
    for move in moves:
        by_number.setdefault(move.revision.number, []).append(move)
    context = {
        **document_context(request, view, "history"),
        "page": listed,
        "rows": [{"revision": item, "moves": by_number.get(item.number, [])} for item in listed["items"]],
        "moves": moves,
        "rollable": {
            number
            for number, each in by_number.items()
            if any(move.action in {"release", "rollback"} for move in each)
            and not any(move.action == "recall" for move in each)
            and (view.released is None or view.released.number != number)
        },
        **_comparison(request, view),
    }
    return render(request, "governance/history.html", context)


def _comparison(request: ConsoleRequest, view: DocumentView) -> dict[str, Any]:
    """The two revisions that the address names, else the released one and the draft."""
    first, second = _number(request, "from"), _number(request, "to")
    if not (first and second):
        first = view.released.number if view.released else max(1, view.latest.number - 1)
        second = view.latest.number
    before = revision(view.workspace_id, view.kind, view.key, first)
    after = revision(view.workspace_id, view.kind, view.key, second)
    return {
        "before": before,
        "after": after,
        "changes": difference(before.body, after.body),
        "before_text": write_yaml(before.body).decode(),
        "after_text": write_yaml(after.body).decode(),
        "asked": bool(_number(request, "from") and _number(request, "to")),
    }


def _number(request: ConsoleRequest, name: str) -> int:
    text = request.GET.get(name, "")
    return whole_number(text, 8) or 0


@console_page()
def approvals_tab(request: ConsoleRequest, plural: str, key: str) -> HttpResponse:
    """Every request to vouch for this document, and who said what."""
    sort, workspace_id = kinds.kind_of_plural(plural), request.actor.workspace_id
    view = document(workspace_id, sort.name, key)
    submissions = (
        Submission.objects.filter(workspace_id=workspace_id, document_id=view.id)
        .select_related("submitted_by", "revision")
        .prefetch_related("decisions__by", "releases__by")
        .order_by("-submitted_at", "-pk")[:50]
    )
    context = {**document_context(request, view, "approvals"), "submissions": submissions, "policy": approvals.policy(workspace_id)}
    return render(request, "governance/approvals_tab.html", context)


@console_page()
def goes_along(request: ConsoleRequest, plural: str, key: str) -> HttpResponse:
    """What a submission would put before the approver: the drafts that aren't in force, this one and those below it."""
    sort = kinds.kind_of_plural(plural)
    changed = [item for item in bill(request.actor.workspace_id, sort.name, key, of="draft").items if item.changed]
    titled, root = titles(request.actor.workspace_id, [item.ref for item in changed]), Ref(sort.name, key)
    listed = [(titled[item.ref], kinds.kind(item.kind), item) for item in changed]
    listed.sort(key=lambda each: (each[2].ref != root, each[2].kind, each[0].casefold()))
    return render(request, "governance/_goes_along.html", {"listed": listed})


@console_page(Role.AUTHOR)
def submit(request: ConsoleRequest, plural: str, key: str) -> HttpResponse:
    """Ask others to vouch for the draft that was on the page."""
    sort = kinds.kind_of_plural(plural)
    if request.method != "POST":
        return redirect(document_address(sort.name, key, "approvals"))
    view = document(request.actor.workspace_id, sort.name, key)
    number = request.POST.get("number", "")
    try:
        submission = approvals.submit(
            request.actor,
            sort.name,
            key,
            number=whole_number(number, 9) or 0,
            note=request.POST.get("note", ""),
            now=timezone.now(),
        )
    except Invalid as error:
        context = {**document_context(request, view, "checks"), "title": "Not submitted", "document": view, "findings": error.findings}
        return render(request, "governance/not_submitted.html", context, status=422)
    needed = submission.approvals_needed
    messages.success(request, f"Submitted. {needed} other {'person' if needed == 1 else 'people'} must approve it.")
    return redirect(document_address(sort.name, key, "approvals"))


@require_POST
@console_page(Role.AUTHOR)
def withdraw(request: ConsoleRequest, plural: str, key: str) -> HttpResponse:
    """Take back what is waiting, or an approval that was not released."""
    sort = kinds.kind_of_plural(plural)
    view = document(request.actor.workspace_id, sort.name, key)
    open_or_approved = view.open_submission or view.approved_submission
    if open_or_approved is not None:
        approvals.withdraw(request.actor, open_or_approved.pk, now=timezone.now())
        messages.success(request, "Withdrawn. The draft is unchanged.")
    return redirect(document_address(sort.name, key, "approvals"))


@require_POST
@console_page(Role.APPROVER)
def release(request: ConsoleRequest, plural: str, key: str) -> HttpResponse:
    """Put the approved bill in force."""
    sort = kinds.kind_of_plural(plural)
    view = document(request.actor.workspace_id, sort.name, key)
    if view.approved_submission is not None:
        moved = releases.release(request.actor, view.approved_submission.pk, now=timezone.now())
        messages.success(request, f"Released: {len(moved)} document{'s are' if len(moved) != 1 else ' is'} in force now.")
    else:
        messages.warning(request, "There is nothing approved to release.")
    return redirect(document_address(sort.name, key, "approvals"))


@require_POST
@console_page(Role.APPROVER)
def roll_back(request: ConsoleRequest, plural: str, key: str, number: int) -> HttpResponse:
    """Put an earlier released revision in force again."""
    sort = kinds.kind_of_plural(plural)
    releases.roll_back(request.actor, sort.name, key, number=number, reason=request.POST.get("reason", ""), now=timezone.now())
    messages.success(request, f"Revision {number} is in force again.")
    return redirect(document_address(sort.name, key, "history"))


@require_POST
@console_page(Role.APPROVER)
def recall(request: ConsoleRequest, plural: str, key: str, number: int) -> HttpResponse:
    """Forbid a revision for good."""
    sort = kinds.kind_of_plural(plural)
    releases.recall(request.actor, sort.name, key, number=number, reason=request.POST.get("reason", ""), now=timezone.now())
    messages.success(request, f"Revision {number} is recalled: nothing that uses it sends any more.")
    return redirect(document_address(sort.name, key, "history"))
