"""Who belongs to a workspace, and in which role they act."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import QuerySet

from governance import witness
from governance.audit import audit
from governance.findings import Missing, Refused
from governance.models import Membership, User, Workspace
from governance.roles import Actor, Role, Via, allow

DEFAULT = "default"


def default_workspace() -> Workspace:
    """The one workspace that always exists; made at first use."""
    return Workspace.objects.filter(key=DEFAULT).first() or create_workspace(DEFAULT, "Default")


def create_workspace(key: str, name: str) -> Workspace:
    """The workspace of that key, with its witness; an existing one is left as it is."""
    with transaction.atomic():
        workspace, _ = Workspace.objects.get_or_create(key=key, defaults={"name": name})
        witness.begin(workspace.pk)
    return workspace


def system_actor(workspace_id: int, label: str = "worker") -> Actor:
    """A worker or an operator's command acting for no person: it may not save, decide or release."""
    return Actor(workspace_id, None, Role.VIEWER, "system", label=label)


def operator(workspace_id: int) -> Actor:
    """Whoever runs commands on the server without saying who: may let people in and set secrets, but not save, decide or release."""
    return Actor(workspace_id, None, Role.VIEWER, "command", label="operator")


def administer(actor: Actor, scope: str) -> None:
    """Refuse all but admins and the operator, who holds the database and the vault's keys anyway."""
    if actor.via != "command" or actor.user_id is not None:
        allow(actor, Role.ADMIN, scope)


def actor_for(user: User | AnonymousUser, workspace_id: int, via: Via) -> Actor:
    """The person as they may act in this workspace now. Raises Missing for strangers and people who left."""
    membership = _memberships(user.pk or 0).filter(workspace_id=workspace_id).first()
    if membership is None:
        raise Missing("no membership in this workspace")
    return actor_of(membership, via)


def membership_of(user_id: int, workspace_id: int | None) -> Membership | None:
    """A person's membership in the workspace that they chose, else in their first one."""
    rows = list(_memberships(user_id).order_by("pk"))
    return next((row for row in rows if row.workspace_id == workspace_id), rows[0] if rows else None)


def memberships_of(user_id: int) -> list[Membership]:
    """Every workspace that a person belongs to, with its role; the first one first."""
    return list(_memberships(user_id).order_by("pk"))


def actor_of(membership: Membership, via: Via) -> Actor:
    """The actor of a membership that was read with its user."""
    label = membership.user.get_username()
    return Actor(membership.workspace_id, membership.user_id, Role(membership.role), via, legal=membership.legal, label=label)


def _memberships(user_id: int) -> QuerySet[Membership]:
    return Membership.objects.filter(user_id=user_id, user__is_active=True).select_related("user", "workspace")


def members(workspace_id: int) -> list[Membership]:
    """Everybody in the workspace with their user, by name."""
    return list(Membership.objects.filter(workspace_id=workspace_id).select_related("user").order_by("user__username"))


def set_member(actor: Actor, user: User, *, role: Role, legal: bool, now: datetime) -> Membership:
    """Let a person in, or change what they may do. Their API keys follow at once. Refused for the last admin's demotion."""
    administer(actor, "members:manage")
    with transaction.atomic():
        witness.lock(actor.workspace_id)
        if role is not Role.ADMIN:
            _keep_an_admin(actor.workspace_id, user.pk)
        membership, _ = Membership.objects.update_or_create(
            workspace_id=actor.workspace_id, user=user, defaults={"role": role, "legal": legal}
        )
        audit(actor, "member.set", subject=f"user:{user.pk}", data={"role": role, "legal": legal}, now=now)
    return membership


def remove_member(actor: Actor, user_id: int, *, now: datetime) -> None:
    """Take a person out of the workspace; their API keys stop working. Refused for the last admin."""
    administer(actor, "members:manage")
    with transaction.atomic():
        witness.lock(actor.workspace_id)
        _keep_an_admin(actor.workspace_id, user_id)
        gone, _ = Membership.objects.filter(workspace_id=actor.workspace_id, user_id=user_id).delete()
        if not gone:
            raise Missing("no such member")
        audit(actor, "member.removed", subject=f"user:{user_id}", data={}, now=now)


def _keep_an_admin(workspace_id: int, user_id: int) -> None:
    admins = Membership.objects.filter(workspace_id=workspace_id, role=Role.ADMIN)
    if admins.filter(user_id=user_id).exists() and not admins.exclude(user_id=user_id).exists():
        raise Refused("the workspace would have no admin: make somebody else admin first")
