"""Messages that are decided one by one: what they were asked with, their files, and the keys of whoever asked."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from delivery.models.plans import Dispatch
from delivery.states import Lane, WorkState


class Decision(models.Model):
    """A message of a standing dispatch that was decided and not yet admitted: shown as accepted, cancellable until admit."""

    workspace = models.ForeignKey("governance.Workspace", on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    dispatch = models.ForeignKey(Dispatch, on_delete=models.CASCADE, related_name="decisions", db_constraint=False, db_index=False)
    n = models.PositiveBigIntegerField()
    profile_id = models.BigIntegerField()
    files = models.PositiveSmallIntegerField(default=0)  # how many go with it
    payload = models.JSONField(default=dict)  # what the message's variables read; cleared once nothing can need it
    lane = models.SmallIntegerField(choices=Lane.choices)
    state = models.SmallIntegerField(choices=WorkState.choices, default=WorkState.READY)
    admitted = models.BooleanField(default=False)  # had its last look: too late to cancel
    decided_at = models.DateTimeField()
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    token = models.BigIntegerField(default=0)
    leased_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=80, blank=True)
    claims = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dispatch", "n"], name="one_decision_per_message")]
        indexes = [
            models.Index(fields=["lane", "due_at", "id"], condition=Q(state=WorkState.READY), name="decisions_due"),
            models.Index(fields=["workspace", "profile_id"]),
        ]


class AttachedFile(models.Model):
    """A file that goes with a decided message: kept as long as it may be sent, and never longer than its data."""

    workspace = models.ForeignKey("governance.Workspace", on_delete=models.PROTECT, related_name="+", db_constraint=False)
    dispatch_id = models.BigIntegerField()
    n = models.BigIntegerField()
    profile_id = models.BigIntegerField()
    place = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=120)
    content_id = models.CharField(max_length=80, blank=True)
    content = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dispatch_id", "n", "place"], name="one_file_per_place")]
        indexes = [models.Index(fields=["workspace", "profile_id"])]


class IdempotencyKey(models.Model):
    """A key that a caller of the transactional door used, what was asked, and what came of it. Key and request are keyed hashes:
    callers make them from what they know of people."""

    workspace = models.ForeignKey("governance.Workspace", on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    key = models.CharField(max_length=64)
    request = models.CharField(max_length=64)
    dispatch_id = models.BigIntegerField(null=True)
    n = models.BigIntegerField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="one_use_of_a_key")]
