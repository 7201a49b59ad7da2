"""Keys for programs: shown once, kept as a prefix and a SHA-256, never able to do more than the person who made them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

import orjson
from django.db import connection, transaction

from governance import witness
from governance.audit import audit
from governance.findings import Finding, Invalid, Missing, Refused, shorten
from governance.models import ApiKey
from governance.prepared import prepared_cursor
from governance.revisions import clean_text
from governance.roles import SCOPES, Actor, Role, allow, person_of

PREFIX, SECRET_BYTES = 10, 32
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # without look-alikes
NOTICE = timedelta(minutes=1)  # how exact last_used_at is


def create_api_key(
    actor: Actor, name: str, role: Role, scopes: Iterable[str], expires_at: datetime | None, now: datetime
) -> tuple[ApiKey, str]:
    """Make a key that acts for the actor's user. Returns the row and the key's text, which exists nowhere else.

    Refused beyond the maker's own role, and beyond the scopes of a key that makes another.
    """
    allow(actor, Role.ADMIN, "keys:manage")
    name, wanted = _checked(actor, name, role, scopes, expires_at, now)
    prefix = "".join(secrets.choice(ALPHABET) for _ in range(PREFIX))
    text = f"omni_{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
    with transaction.atomic():
        witness.lock(actor.workspace_id)
        key = ApiKey.objects.create(
            workspace_id=actor.workspace_id,
            name=name,
            prefix=prefix,
            sha256=_digest(text),
            role=role,
            scopes=wanted,
            created_by_id=person_of(actor),
            created_at=now,
            expires_at=expires_at,
        )
        audit(actor, "api_key.created", subject=f"api_key:{key.pk}", data={"role": role, "scopes": wanted}, now=now)
    return key, text


def revoke_api_key(actor: Actor, key_id: int, *, now: datetime) -> ApiKey:
    """Stop a key at once. Revoking twice changes nothing."""
    allow(actor, Role.ADMIN, "keys:manage")
    with transaction.atomic():
        witness.lock(actor.workspace_id)
        key = ApiKey.objects.filter(workspace_id=actor.workspace_id, pk=key_id).first()
        if key is None:
            raise Missing("no such API key")
        if key.revoked_at is None:
            key.revoked_at = now
            key.save(update_fields=["revoked_at"])
            audit(actor, "api_key.revoked", subject=f"api_key:{key.pk}", data={}, now=now)
    return key


_WORKING = """
SELECT k.id, k.workspace_id, k.created_by_id, k.sha256, k.prefix, k.role, k.scopes, u.username, m.role, m.legal,
       k.last_used_at IS NULL OR k.last_used_at <= %s, w.epoch
  FROM governance_apikey k
  JOIN governance_user u ON u.id = k.created_by_id AND u.is_active
  JOIN governance_membership m ON m.user_id = u.id AND m.workspace_id = k.workspace_id
  JOIN governance_witness w ON w.workspace_id = k.workspace_id
 WHERE k.prefix = %s AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > %s)
"""


def authenticate(text: str, *, now: datetime) -> Actor | None:
    """Who acts by a key's text; None for every kind of wrong key alike. Asked by every request, so in plain SQL.

    The role is the lower of the key's and its maker's present one; a maker who left has no working keys.
    """
    parts = text.split("_", 2)
    if len(parts) != 3 or len(text) > 200 or not text.isascii() or not text.isprintable():
        return None
    moment = connection.ops.adapt_datetimefield_value
    with prepared_cursor() as cursor:
        cursor.execute(_WORKING, [moment(now - NOTICE), parts[1], moment(now)])
        row = cursor.fetchone()
    if not hmac.compare_digest(row[3] if row else "0" * 64, _digest(text)) or row is None:
        return None
    key_id, workspace_id, user_id, _, prefix, role, scopes, username, makers_role, legal, unnoticed, epoch = row
    if unnoticed:  # at most once a minute: a busy key doesn't write on every request
        ApiKey.objects.filter(pk=key_id).update(last_used_at=now)
    return Actor(
        workspace_id=workspace_id,
        user_id=user_id,
        role=min(Role(role), Role(makers_role), key=list(Role).index),
        via="api",
        legal=bool(legal),
        api_key_id=key_id,
        scopes=frozenset(orjson.loads(scopes)),
        label=f"{username} by key {prefix}",
        epoch=epoch,
    )


def _checked(
    actor: Actor, name: str, role: Role, scopes: Iterable[str], expires_at: datetime | None, now: datetime
) -> tuple[str, list[str]]:
    name, wanted, faults = clean_text("name", name, 120), sorted(set(scopes)), []
    if not name:
        faults.append(Finding("error", "/name", "nothing", "what the key is for"))
    if not wanted:
        faults.append(Finding("error", "/scopes", "none", "at least one scope"))
    for scope in wanted:
        if scope not in SCOPES:
            faults.append(Finding("error", "/scopes", shorten(scope), f"scopes among {', '.join(SCOPES)}"))
    if expires_at is not None and expires_at <= now:
        faults.append(Finding("error", "/expires_at", expires_at.isoformat(), "a moment in the future"))
    if faults:
        raise Invalid(faults)
    if not actor.role.covers(role):
        raise Refused(f"a key can't have the role {role}: yours is {actor.role}")
    if actor.api_key_id is not None and not set(wanted) <= actor.scopes:
        raise Refused("a key can't make another with scopes that it hasn't itself")
    return name, wanted


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
