"""Is what I remember still true? One small row per workspace answers, in the database that decides.

Law: an epoch number stands for one committed state only. A step is a random stride, so a bump that was
rolled back is never met again under the same number with another state behind it.
"""

from __future__ import annotations

import secrets

from django.db import connection, transaction
from django.db.models import F

from governance.models import Witness, Workspace
from governance.prepared import prepared_cursor

STRIDE = 2**32  # leaves room for two thousand million bumps in a bigint


def begin(workspace_id: int) -> None:
    """Give a workspace its witness, once."""
    Witness.objects.get_or_create(workspace_id=workspace_id, defaults={"epoch": _stride()})


def epoch(workspace_id: int) -> int:
    """The present epoch: equal numbers mean that nothing released, paused or switched has changed between."""
    return _read("SELECT epoch FROM governance_witness WHERE workspace_id = %s", workspace_id)


def bump(workspace_id: int) -> int:
    """Say that something changed, in the caller's transaction: waits for open admits, and later ones wait for it."""
    with transaction.atomic():
        lock(workspace_id)
        Witness.objects.filter(workspace_id=workspace_id).update(epoch=F("epoch") + _stride())
        return epoch(workspace_id)


def hold_epoch(workspace_id: int) -> int:
    """The present epoch, which can't change before the caller's transaction ends. For admit only.

    PostgreSQL: FOR SHARE, so admits don't wait for each other. SQLite: an immediate transaction is alone already.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("an epoch is held by a transaction: open one first")
    if connection.vendor != "postgresql":
        return epoch(workspace_id)
    return _read("SELECT epoch FROM governance_witness WHERE workspace_id = %s FOR SHARE", workspace_id)


def _read(statement: str, workspace_id: int) -> int:
    """Asked by every request and every batch, so in plain SQL."""
    with prepared_cursor() as cursor:
        cursor.execute(statement, [workspace_id])
        row = cursor.fetchone()
    if row is None:
        raise Witness.DoesNotExist
    return int(row[0])


def lock(workspace_id: int) -> None:
    """Queue behind every other governing act in this workspace until the transaction ends.

    One lock, taken first by everything that writes here, so that savers, deciders and pauses can neither race
    nor deadlock. Rows that merely point at the workspace are not held up.
    """
    Workspace.objects.select_for_update(no_key=True).filter(pk=workspace_id).values_list("pk").first()


def _stride() -> int:
    return 1 + secrets.randbelow(STRIDE)
