"""When something was launched, and what came of it: shape and integrity only."""

from __future__ import annotations

from django.db import models

from governance.door import Workspace


class Occurrence(models.Model):
    """One planned instant of one campaign; inserted with its dispatch, so an instant can't launch twice."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT)
    campaign_key = models.CharField(max_length=80)
    planned_at = models.DateTimeField()
    outcome = models.CharField(max_length=20)  # launched, refused, too_late
    reason = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "campaign_key", "planned_at"], name="an_instant_launches_once"),
        ]


class Run(models.Model):
    """One launch of one campaign. What becomes of its messages is the dispatch's to say."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT)
    campaign_key = models.CharField(max_length=80)
    campaign_revision_id = models.BigIntegerField()
    dispatch_id = models.BigIntegerField(unique=True)
    occurrence = models.CharField(max_length=120)  # launches of one occurrence never reach the same person twice
    trigger = models.CharField(max_length=10)  # manual, schedule, once, event
    planned_at = models.DateTimeField()
    started_at = models.DateTimeField()
    started_by = models.BigIntegerField(null=True)  # user; null: the scheduler or an event
    via = models.CharField(max_length=10)
    shadow = models.BooleanField(default=False)
    considered = models.PositiveBigIntegerField(default=0)
    facts = models.JSONField(default=dict)  # engine, note, estimate, approval: what was true at launch

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "-started_at"]),
            models.Index(fields=["workspace", "campaign_key", "-started_at"]),
        ]
