"""Saving a whole folder of documents: every one of them, or none and every reason why not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db import transaction

from governance import witness
from governance.approvals import submit
from governance.bills import bill
from governance.difference import Change, difference
from governance.findings import Finding, Invalid, Missing, Refused, Stale
from governance.folders import FileDocument, in_file
from governance.kinds import Ref
from governance.models import Submission
from governance.reading import RevisionView, document, revision_view
from governance.revisions import save
from governance.roles import Actor

Elsewhere = Literal["refuse", "keep", "overwrite"]  # what becomes of an edit that somebody made at another door


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one file. number: its revision after; changes: from the latest revision before.

    kept: the document was edited elsewhere and stays as it is.
    """

    file: FileDocument
    number: int
    created: bool
    changes: Sequence[Change]
    remarks: Sequence[Finding]
    kept: bool = False

    @property
    def words(self) -> str:
        """One line for people."""
        if self.kept:
            return f"kept       {self.file.name}: edited elsewhere"
        if self.created:
            return f"new        {self.file.name}"
        if not self.changes:
            return f"unchanged  {self.file.name}"
        return f"changed    {self.file.name}: {_places(self.changes)}"


class DryRun(Exception):
    """Takes a transaction back that was only tried."""


def apply(
    actor: Actor,
    files: Iterable[FileDocument],
    *,
    note: str,
    dry_run: bool,
    keep_errors: bool = False,
    elsewhere: Elsewhere = "refuse",
    now: datetime,
) -> list[Applied]:
    """Save each file as a new revision where it differs, in one transaction.

    Raises Invalid, with nothing saved, where any file is refused or a check of a changed one finds an error
    (`keep_errors` saves those as drafts, as the console does). Raises Stale, with nothing saved, where a document was
    edited at another door and the file neither says the same nor was exported since; elsewhere: leave such documents
    as they are (keep), or save over them (overwrite). dry_run: the same, and nothing is saved.
    """
    done: list[Applied] = []
    faults: list[Finding] = []
    missed: list[str] = []
    try:
        with transaction.atomic():
            witness.lock(actor.workspace_id)
            for file in files:
                try:
                    done.append(_save(actor, file, note, elsewhere, now))
                except Invalid as invalid:
                    faults += in_file(file.name, invalid.findings)
                except Refused as refused:
                    raise Refused(f"{file.name}: {refused.reason}", refused.findings) from None
                except Stale as stale:
                    missed.append(f"{file.name}: {stale.reason}")
            if not keep_errors:
                faults += [remark for each in done for remark in each.remarks if remark.level == "error"]
            if faults:
                raise Invalid(faults)
            if missed:
                advice = "`export` into the folder and look at the difference, or apply with --keep-edits or --overwrite"
                raise Stale("\n".join([*missed, f"nothing was saved: {advice}"]))
            if dry_run:
                raise DryRun
    except DryRun:
        pass
    return done


@dataclass(frozen=True, slots=True)
class Submitted:
    """What was submitted, and the findings of drafts that this folder left as they were and that can't be submitted."""

    submissions: list[Submission]
    left: list[Finding]


def submit_roots(actor: Actor, done: Sequence[Applied], *, note: str, now: datetime) -> Submitted:
    """Submit what has unreleased changes in it and isn't part of another such bill. What waits already is left waiting.

    Raises Invalid, naming files, where something can't be submitted that holds what was changed here: call it in one
    transaction with `apply`. A draft that somebody else left broken is told, and holds up nothing.
    """
    names = {each.file.ready.ref: each.file.name for each in done}
    changed = {each.file.ready.ref for each in done if each.created or each.changes}
    submissions, refused = list[Submission](), list[tuple[set[Ref], list[Finding]]]()
    with transaction.atomic():
        for ref, number, parts in _roots(actor.workspace_id, [each.file.ready.ref for each in done if not each.kept]):
            try:
                with transaction.atomic():
                    submissions.append(submit(actor, ref.kind, ref.key, number=number, note=note, now=now))
                    changed -= parts
            except Invalid as invalid:
                refused.append((parts, in_file(names[ref], invalid.findings)))
        faults = [finding for parts, findings in refused if changed & parts for finding in findings]
        if faults:
            raise Invalid(faults)
    return Submitted(submissions, [finding for _, findings in refused for finding in findings])


def _roots(workspace_id: int, refs: Sequence[Ref]) -> list[tuple[Ref, int, set[Ref]]]:
    """What to submit: the document, its draft's number, and everything that its bill holds."""
    bills = {ref: bill(workspace_id, ref.kind, ref.key, of="draft") for ref in refs}
    changed = {ref: each for ref, each in bills.items() if each.changed}
    below = {item.ref for ref, each in changed.items() for item in each.items if item.ref != ref}
    roots = []
    for ref, each in changed.items():
        view = document(workspace_id, ref.kind, ref.key)
        live = [submission.bill_hash for submission in (view.open_submission, view.approved_submission) if submission]
        if ref not in below and each.hash not in live:
            roots.append((ref, view.latest.number, {item.ref for item in each.items}))
    return roots


def _save(actor: Actor, file: FileDocument, note: str, elsewhere: Elsewhere, now: datetime) -> Applied:
    before = _latest(actor.workspace_id, file.ready.ref)
    if before and elsewhere != "overwrite" and _edited_elsewhere(before, file):
        if elsewhere == "keep":
            return Applied(file, before.number, False, (), (), kept=True)
        made = f"{before.author or 'somebody'} made revision {before.number} through the {before.via} on {before.created_at:%Y-%m-%d}"
        raise Stale(f"{made}; the file differs in {_places(difference(file.ready.body, before.body))}")
    ref = file.ready.ref
    row = save(actor, ref.kind, ref.key, file.ready.body, base=before.number if before else None, note=note, now=now)
    after = revision_view(row)
    changes = difference(before.body, after.body) if before else ()
    remarks = in_file(file.name, after.findings) if before is None or changes else []
    return Applied(file, after.number, before is None, changes, remarks)


def _places(changes: Sequence[Change]) -> str:
    """Where, for one line: the first few pointers."""
    return ", ".join(sorted({change.path or "/" for change in changes})[:5])


def _edited_elsewhere(latest: RevisionView, file: FileDocument) -> bool:
    """Whether the latest revision holds an edit that the file's author can't have seen: no folder made it, nor was it exported here."""
    return latest.via != "command" and latest.sha256 not in {file.base, file.ready.sha256}


def _latest(workspace_id: int, ref: Ref) -> RevisionView | None:
    try:
        return document(workspace_id, ref.kind, ref.key).latest
    except Missing:
        return None
