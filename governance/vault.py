"""Vendor credentials by name: from the environment (`OMNI_SECRET_<NAME>`), else from an encrypted table.

The environment is read here, when a secret is asked for, and nowhere else in the rooms: a value that is never
kept in settings can't be shown with them.
"""

from __future__ import annotations

import os
import re
from datetime import datetime

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import transaction

from governance import witness
from governance.audit import audit
from governance.findings import Finding, Invalid, Missing, Refused, shorten
from governance.members import administer
from governance.models import Secret
from governance.roles import Actor

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
LONGEST = 10_000  # characters of one secret


def secret(workspace_id: int, name: str) -> str:
    """The secret of that name. Raises Missing, naming both places where it could be put."""
    upper = name_of(name)
    if value := os.environ.get(f"OMNI_SECRET_{upper}", ""):
        return value
    stored = Secret.objects.filter(workspace_id=workspace_id, name=upper).first()
    if stored is None:
        raise Missing(f"the secret {upper} is not set: use OMNI_SECRET_{upper} or `manage.py set_secret {upper}`")
    try:
        return _vault().decrypt(bytes(stored.ciphertext)).decode()
    except InvalidToken:
        raise Refused(f"the secret {upper} can't be read with the present OMNI_VAULT_KEYS") from None


def set_secret(actor: Actor, name: str, value: str, *, now: datetime) -> None:
    """Keep a secret, encrypted with the newest vault key. Who set which name when is audited; the value is not."""
    administer(actor, "secrets:write")
    upper = name_of(name)
    if not value or len(value) > LONGEST or "\0" in value:
        raise Invalid([Finding("error", "/value", f"{len(value):,} characters", f"1 to {LONGEST:,} characters")])
    sealed = _vault().encrypt(value.encode())
    with transaction.atomic():
        witness.lock(actor.workspace_id)
        Secret.objects.update_or_create(workspace_id=actor.workspace_id, name=upper, defaults={"ciphertext": sealed, "updated_at": now})
        witness.bump(actor.workspace_id)
        audit(actor, "secret.set", subject=f"secret:{upper}", data={}, now=now)


def secret_names(workspace_id: int) -> list[tuple[str, datetime]]:
    """Names and times of the stored secrets, never a value."""
    return list(Secret.objects.filter(workspace_id=workspace_id).order_by("name").values_list("name", "updated_at"))


def reseal(actor: Actor, *, now: datetime) -> int:
    """Encrypt every stored secret anew with the newest key, so that an old key can be dropped. How many there were."""
    administer(actor, "secrets:write")
    vault = _vault()
    with transaction.atomic():
        witness.lock(actor.workspace_id)
        stored = list(Secret.objects.filter(workspace_id=actor.workspace_id))
        for each in stored:
            try:
                each.ciphertext = vault.rotate(bytes(each.ciphertext))
            except InvalidToken:
                raise Refused(f"the secret {each.name} can't be read with the present OMNI_VAULT_KEYS: list the old key too") from None
            each.save(update_fields=["ciphertext"])
        audit(actor, "secret.resealed", subject="secrets", data={"count": len(stored)}, now=now)
    return len(stored)


def name_of(name: str) -> str:
    """The name as it is kept. Raises Invalid."""
    if not NAME.fullmatch(name):
        raise Invalid([Finding("error", "/name", shorten(name), "letters, digits and _, starting with a letter, at most 60")])
    return name.upper()


def _vault() -> MultiFernet:
    keys = [key.strip() for key in settings.OMNI.vault_keys.split(",") if key.strip()]
    if not keys:
        raise Refused("stored secrets need OMNI_VAULT_KEYS: make one with `manage.py set_secret --new-vault-key`")
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise Refused("OMNI_VAULT_KEYS: expected Fernet keys, 32 bytes in URL-safe base64, separated by commas") from None
