"""Who is acting: roles and the actor that every changing door takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from governance.findings import Refused

Via = Literal["console", "api", "command", "system"]


class Role(StrEnum):
    """What a member may do; each role covers the ones before it."""

    VIEWER = "viewer"
    AUTHOR = "author"
    APPROVER = "approver"
    ADMIN = "admin"

    def covers(self, other: Role) -> bool:
        """True if this role may do what `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody (or a worker) acting in one workspace through one door.

    epoch: the witness at the moment when a program showed its key; what it vouches for may be read by it in the same request.
    """

    workspace_id: int
    user_id: int | None
    role: Role
    via: Via
    legal: bool = False
    api_key_id: int | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)
    label: str = ""
    epoch: int | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return self.label or self.via


SCOPES: dict[str, str] = {
    "documents:read": "read documents, their history, checks and approvals",
    "documents:write": "save revisions",
    "documents:submit": "submit for approval and withdraw",
    "documents:decide": "approve or reject what others wrote",
    "documents:release": "release, roll back and recall",
    "profiles:read": "read profiles, events and consent",
    "profiles:write": "create and change profiles and consent",
    "events:write": "record events",
    "messages:send": "send transactional messages",
    "messages:read": "read messages and why they were or weren't sent",
    "runs:read": "read runs",
    "runs:launch": "launch, pause, resume and stop runs",
    "keys:manage": "make, list and revoke API keys",
    "audit:read": "read the audit trail",
}

LEAST: dict[str, Role] = {  # the least role that makes any use of a scope; some acts below it ask for more
    **dict.fromkeys(("documents:read", "profiles:read", "messages:read", "runs:read", "audit:read"), Role.VIEWER),
    **dict.fromkeys(("documents:write", "documents:submit", "profiles:write", "events:write", "messages:send", "runs:launch"), Role.AUTHOR),
    **dict.fromkeys(("documents:decide", "documents:release"), Role.APPROVER),
    "keys:manage": Role.ADMIN,
}


def person_of(actor: Actor) -> int:
    """The user who acts. Refused for the system."""
    if actor.user_id is None:
        raise Refused(f"{actor} may not do this: a person must")
    return actor.user_id


def allow(actor: Actor, role: Role, scope: str) -> None:
    """Refuse unless the actor is a person (or their key) with this role and, for a key, this scope."""
    person_of(actor)
    if not actor.role.covers(role):
        raise Refused(f"the role {actor.role} may not do this: it needs {role}")
    if actor.api_key_id is not None and scope not in actor.scopes:
        raise Refused(f"this API key may not do this: it needs the scope {scope}")
