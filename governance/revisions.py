"""Saving: a new immutable revision, or the difference that the saver has missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from governance import canonical, witness
from governance.audit import audit
from governance.bills import find_loop, loop_finding
from governance.checking import check
from governance.credentials import credential_findings
from governance.difference import difference
from governance.findings import Finding, Invalid, Missing, Stale, parse, shorten
from governance.kinds import Ref, kind
from governance.models import Document, Revision
from governance.roles import Actor, Role, allow
from governance.schema import SLUG, DocumentModel

NOTE = 500  # characters


@dataclass(frozen=True, slots=True)
class Prepared:
    """A body that may be saved: normal, parsed, free of credentials."""

    ref: Ref
    body: dict[str, Any]
    model: DocumentModel
    sha256: str
    uses: tuple[Ref, ...]


def save(actor: Actor, kind_name: str, key: str, body: object, *, base: int | None, note: str = "", now: datetime) -> Revision:
    """Make a revision of the document, or return its latest one where that has the same body already.

    base: the number of the revision that was edited, None for a new document. Raises Stale with what was changed
    since `base`; Invalid for a body that its schema refuses, that holds a credential or that closes a loop.
    Other findings are stored with the revision and block its submission.
    """
    allow(actor, Role.AUTHOR, "documents:write")
    ready = prepare(kind_name, key, body)
    note = clean_text("note", note, NOTE)
    findings = check(actor, actor.workspace_id, ready.ref, ready.model, now=now)
    with transaction.atomic():
        witness.lock(actor.workspace_id)
        document = Document.objects.filter(workspace_id=actor.workspace_id, kind=kind_name, key=key).select_related("latest").first()
        latest = document.latest if document else None
        if latest and latest.sha256 == ready.sha256:
            return latest
        allow(actor, kind(kind_name).save_role, "documents:write")
        _refuse_stale(actor.workspace_id, ready.ref, latest, base)
        _refuse_loop(actor.workspace_id, ready)
        return _append(actor, document, latest, ready, findings, note, now)


def prepare(kind_name: str, key: str, body: object) -> Prepared:
    """Everything about a body that needs no database. Raises Invalid with every fault."""
    sort = kind(kind_name)
    if not isinstance(key, str) or not SLUG.fullmatch(key):
        expected = "lower-case letters, digits, - and _, starting with a letter or digit, at most 80 characters"
        raise Invalid([Finding("error", "/key", shorten(key), expected)])
    plain = canonical.normal(body)
    if secrets := credential_findings(plain):
        raise Invalid(secrets)
    model = parse(sort.schema, plain)
    uses = tuple(dict.fromkeys(sort.references(model)))
    return Prepared(Ref(kind_name, key), plain, model, canonical.sha256(plain), uses)


def clean_text(field: str, text: str, longest: int) -> str:
    """A note, reason or comment, stripped. Raises Invalid naming the field."""
    text = text.replace("\r\n", "\n").strip()
    if len(text) > longest:
        raise Invalid([Finding("error", f"/{field}", f"{len(text):,} characters", f"at most {longest:,} characters")])
    if any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text):
        raise Invalid([Finding("error", f"/{field}", "a character that can't be kept", "plain text")])
    return text


def missed(workspace_id: int, ref: Ref, base: int | None, latest: Revision) -> Sequence[dict[str, Any]]:
    """What was changed between revision `base` (None or unknown: nothing at all) and the latest."""
    rows = Revision.objects.filter(workspace_id=workspace_id, document__kind=ref.kind, document__key=ref.key, number=base or 0)
    before = rows.values_list("body", flat=True).first() if (base or 0) < 2**31 else None
    return [change.as_dict() for change in difference(before or {}, latest.body)]


def _refuse_stale(workspace_id: int, ref: Ref, latest: Revision | None, base: int | None) -> None:
    if latest is None:
        if base is not None:
            raise Missing(f"{ref} doesn't exist, so revision {base} of it can't have been edited")
    elif base != latest.number:
        edited = "was made without looking at it" if base is None else f"was made from revision {base}"
        reason = f"{ref} is at revision {latest.number}; this edit {edited}"
        raise Stale(reason, missed(workspace_id, ref, base, latest))


def _refuse_loop(workspace_id: int, ready: Prepared) -> None:
    way = find_loop(workspace_id, ready.ref, ready.uses, lambda row: row.latest)
    if way:
        path = next((used.path for used in ready.uses if used == way[1]), "")
        raise Invalid([loop_finding(way, path)])


def _append(
    actor: Actor, document: Document | None, latest: Revision | None, ready: Prepared, findings: list[Finding], note: str, now: datetime
) -> Revision:
    ref = ready.ref
    if document is None:
        document = Document.objects.create(workspace_id=actor.workspace_id, kind=ref.kind, key=ref.key, updated_at=now)
    revision = Revision.objects.create(
        workspace_id=actor.workspace_id,
        document=document,
        number=latest.number + 1 if latest else 1,
        body=ready.body,
        sha256=ready.sha256,
        uses=sorted([used.kind, used.key] for used in ready.uses),
        findings=[finding.as_dict() for finding in findings],
        author_id=actor.user_id,
        via=actor.via,
        note=note,
        created_at=now,
    )
    title = kind(ref.kind).title_of(ready.model)[:200]
    Document.objects.filter(pk=document.pk).update(latest=revision, title=title, updated_at=now)
    audit(actor, f"{ref.kind}.saved", subject=f"{ref.kind}:{ref.key}", data={"number": revision.number, "sha256": ready.sha256}, now=now)
    return revision
