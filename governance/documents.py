"""Governance's own kind: how many people must vouch, and how far an audience may drift from what they saw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from governance.findings import Finding, Missing
from governance.kinds import CheckContext, Kind
from governance.reading import released
from governance.roles import Role
from governance.schema import DocumentModel, Text

DEFAULT_KEY = "default"
NOT_AUTHORS = "None of them wrote what they approve."


Approvals = Annotated[
    int,
    Field(
        ge=1,
        le=10,
        title="Must be approved by",
        description="Approvals by different people, none of them an author.",
        json_schema_extra={"unit": "people", "help": NOT_AUTHORS},
    ),
]


class ApprovalsAbove(DocumentModel):
    """More approvals above an audience size."""

    reach: int = Field(
        ge=0,
        title="An audience larger than",
        description="People; an audience larger than this needs more approvals.",
        json_schema_extra={"unit": "people", "help": ""},
    )
    approvals: Approvals


class ApprovalPolicy(DocumentModel):
    """The workspace's rule for approving. Only the document `default` counts."""

    title: Annotated[str, Text(120)] = "Approval policy"
    approvals: Approvals = 1
    approvals_above: ApprovalsAbove | None = Field(ApprovalsAbove(reach=250_000, approvals=2), title="Large audiences")
    drift: float = Field(
        0.2,
        ge=0,
        le=10,
        title="An audience may differ by",
        description="Share by which an audience may differ from the approved count: 0.2 is 20 %.",
        json_schema_extra={"shown_as": "share", "help": "From the size that was approved. Beyond that, it must be approved again."},
    )

    translations: Literal["any", "complete", "reviewed"] = Field(
        "any",
        title="Translations of a template",
        description="What must be so before a template with several languages can be submitted: nothing missing or stale, or all reviewed.",
        json_schema_extra={
            "words": {"any": "may be incomplete", "complete": "must be complete and up to date", "reviewed": "must all be reviewed"}
        },
    )

    def needed(self, reach: int | None) -> int:
        """How many approvals an audience of this size needs."""
        above = self.approvals_above
        if above is None or reach is None or reach <= above.reach:
            return self.approvals
        return max(self.approvals, above.approvals)


def _checks(context: CheckContext, policy: ApprovalPolicy) -> Sequence[Finding]:
    if context.key != DEFAULT_KEY:
        return [Finding("error", "", f"the key {context.key}", f"the key {DEFAULT_KEY}: a workspace has one approval policy")]
    above = policy.approvals_above
    if above and above.approvals <= policy.approvals:
        return [Finding("warning", "/approvals_above/approvals", str(above.approvals), f"more than the usual {policy.approvals}")]
    return []


APPROVAL_POLICY = Kind(
    name="approval_policy", plural="approval-policies", title="Approval policy", schema=ApprovalPolicy, checks=_checks, save_role=Role.ADMIN
)


def policy(workspace_id: int) -> ApprovalPolicy:
    """The released approval policy, or the built-in one."""
    try:
        model: ApprovalPolicy = released(workspace_id, APPROVAL_POLICY.name, DEFAULT_KEY).model
    except Missing:
        return ApprovalPolicy()
    return model
