"""Who is acting: roles and the actor that every changing door takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

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
    """Somebody (or a worker) acting in one workspace through one door."""

    workspace_id: int
    user_id: int | None
    role: Role
    via: Via
    legal: bool = False
    api_key_id: int | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)
    label: str = ""
