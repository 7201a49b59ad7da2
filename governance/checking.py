"""Running the checks of a body, whatever its kind: what it uses exists, nothing is a credential, and what its kind asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from governance.bills import Bill
from governance.findings import Finding, Invalid, Missing, parse
from governance.kinds import CheckContext, Ref, kind
from governance.models import Document
from governance.reading import document, revision_by_id
from governance.roles import Actor
from governance.schema import DocumentModel

MOST = 500  # findings kept per revision
Draft = Callable[[str, str], Any]


def check(actor: Actor | None, workspace_id: int, ref: Ref, model: DocumentModel, *, now: datetime) -> list[Finding]:
    """Every finding about a body of this document. May raise Invalid where the kind's check says the body has no meaning at all."""
    sort, draft = kind(ref.kind), drafts(workspace_id)
    missing = [
        Finding("error", used.path, f"{used}, which doesn't exist", f"{_one(kind(used.kind).title.lower())} of this workspace")
        for used in dict.fromkeys(sort.references(model))
        if used != ref and draft(used.kind, used.key) is None
    ]
    context = CheckContext(workspace_id=workspace_id, key=ref.key, actor=actor, draft=draft, now=now)
    return [*missing, *sort.checks(context, model)][:MOST]


def _one(title: str) -> str:
    return f"{'an' if title[0] in 'aeiou' else 'a'} {title}"


def check_latest(actor: Actor, kind_name: str, key: str, *, now: datetime) -> list[Finding]:
    """The findings about a document's latest revision as things are now. Raises Missing."""
    view = document(actor.workspace_id, kind_name, key)
    return check_stored(actor, actor.workspace_id, view.latest.id, now=now)


def check_stored(actor: Actor | None, workspace_id: int, revision_id: int, *, now: datetime) -> list[Finding]:
    """The findings about a stored revision as things are now, including that its body no longer fits today's schema."""
    view = revision_by_id(workspace_id, revision_id)
    try:
        findings = check(actor, workspace_id, Ref(view.kind, view.key), view.model, now=now)
    except Invalid as invalid:
        findings = list(invalid.findings)
    if view.recalled_at:
        findings.append(Finding("error", "", f"revision {view.number}, which was recalled", "another revision"))
    return findings


def check_bill(actor: Actor | None, workspace_id: int, root: Ref, bill: Bill, *, now: datetime) -> list[Finding]:
    """The findings about everything in a bill. Those of documents below carry their name: "template:welcome#/locales/en"."""
    findings = []
    for item in bill.items:
        place = "" if item.ref == root else f"{item.kind}:{item.key}#"
        found = check_stored(actor, workspace_id, item.revision_id, now=now)
        findings += [Finding(each.level, place + each.path, each.found, each.expected) for each in found]
    return findings


def drafts(workspace_id: int) -> Draft:
    """Reads latest revisions once each; None for what doesn't exist or no longer fits its schema."""
    known: dict[tuple[str, str], Any] = {}

    def draft(kind_name: str, key: str) -> Any:
        if (kind_name, key) not in known:
            known[kind_name, key] = _latest_model(workspace_id, kind_name, key)
        return known[kind_name, key]

    return draft


def _latest_model(workspace_id: int, kind_name: str, key: str) -> Any:
    rows = Document.objects.filter(workspace_id=workspace_id, kind=kind_name, key=key, latest__isnull=False)
    bodies = list(rows.values_list("latest__body", flat=True))
    try:
        return parse(kind(kind_name).schema, bodies[0]) if bodies else None
    except (Invalid, Missing):
        return None
