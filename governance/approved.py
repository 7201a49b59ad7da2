"""Before a launch: did people vouch for exactly what is in force, and for an audience of this size?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from governance import canonical
from governance.approvals import document_id_in, items_of
from governance.bills import Bill, BillItem, bill
from governance.documents import policy
from governance.findings import Finding, Refused
from governance.kinds import Ref
from governance.models import Revision, Submission


@dataclass(frozen=True, slots=True)
class Approval:
    """What people vouched for. reach: the smallest audience any of them saw (None: no audience); drift: the share it may move."""

    submission_id: int
    bill_hash: str
    bill: Bill
    reach: int | None
    drift: float
    decided_at: datetime
    deciders: tuple[str, ...]

    def objection(self, count: int) -> Finding | None:
        """What to say against this audience of `count` people, if it is further from the approved one than policy allows."""
        if self.reach is None or abs(count - self.reach) <= self.drift * self.reach:
            return None
        share = f"{abs(count - self.reach) / self.reach:.0%}" if self.reach else "from nobody"
        moved = "grew" if count > self.reach else "shrank"
        found = f"{count:,} people: the audience {moved} {share} since {self.reach:,} were approved"
        return Finding("error", "/reach", found, f"at most {self.drift:.0%} more or less, or a new approval")


def approval(workspace_id: int, kind_name: str, key: str, *, now: datetime) -> Approval:
    """Who vouched for exactly what is released now. The hash is recomputed from the stored bodies.

    Refused, with one finding per document that differs from what was approved, where nobody did.
    """
    materials = bill(workspace_id, kind_name, key, of="released")
    _refuse_damaged(workspace_id, materials)
    accepted = Submission.objects.filter(workspace_id=workspace_id, document_id=document_id_in(materials, Ref(kind_name, key)))
    accepted = accepted.filter(state__in=[Submission.State.APPROVED, Submission.State.RELEASED]).order_by("-closed_at", "-pk")
    fitting = accepted.filter(bill_hash=materials.hash).first()
    if fitting is None or materials.missing:
        last = accepted.first()
        raise Refused(
            f"what {kind_name} {key} would use now is not what was approved: submit it again",
            _deviations(materials, items_of(last) if last else None),
        )
    decisions = list(fitting.decisions.filter(verdict="approve", bill_hash=materials.hash).select_related("by").order_by("at"))
    if len(decisions) < fitting.approvals_needed:
        raise Refused(f"{kind_name} {key} has {len(decisions)} of {fitting.approvals_needed} approvals")
    reaches = [decision.reach for decision in decisions if decision.reach is not None]
    return Approval(
        submission_id=fitting.pk,
        bill_hash=materials.hash,
        bill=materials,
        reach=min(reaches, default=None),
        drift=policy(workspace_id).drift,
        decided_at=decisions[-1].at,
        deciders=tuple(decision.by.get_username() for decision in decisions),
    )


def _refuse_damaged(workspace_id: int, materials: Bill) -> None:
    """Recalled revisions, and bodies that are no longer what their hash says."""
    rows = Revision.objects.filter(workspace_id=workspace_id, pk__in=[item.revision_id for item in materials.items])
    by_id = {row.pk: row for row in rows}
    findings = []
    for item in materials.items:
        row = by_id[item.revision_id]
        if row.recalled_at:
            findings.append(Finding("error", f"{item.kind}:{item.key}", f"revision {item.number}, which was recalled", "another revision"))
        if canonical.sha256(row.body) != item.sha256:
            findings.append(Finding("error", f"{item.kind}:{item.key}", f"a body of revision {item.number} that was altered", "its hash"))
    if findings:
        raise Refused("something that is released may not be used", findings)


def _deviations(materials: Bill, approved: tuple[BillItem, ...] | None) -> list[Finding]:
    """One finding per document in which the released bill differs from the approved one."""
    before = {item.ref: item for item in approved or ()}
    now = {item.ref: item for item in materials.items}
    findings = [Finding("error", f"{ref.kind}:{ref.key}", "nothing released", "a released revision") for ref in materials.missing]
    for ref in sorted({*before, *now}):
        was, is_ = before.get(ref), now.get(ref)
        if was and is_ and was.sha256 == is_.sha256 or ref in materials.missing:
            continue
        found = f"revision {is_.number}" if is_ else "no longer used"
        expected = f"the approved revision {was.number}" if was else "an approval: it never was part of one"
        findings.append(Finding("error", f"{ref.kind}:{ref.key}", found, expected))
    return findings
