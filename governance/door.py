"""What other rooms may use of governance."""

from governance.findings import DoorError, Finding, Invalid, Missing, Refused, Stale, parse, pointer, shorten
from governance.models import ApiKey, Membership, User, Workspace
from governance.roles import Actor, Role

__all__ = [
    "Actor",
    "ApiKey",
    "DoorError",
    "Finding",
    "Invalid",
    "Membership",
    "Missing",
    "Refused",
    "Role",
    "Stale",
    "User",
    "Workspace",
    "parse",
    "pointer",
    "shorten",
]
