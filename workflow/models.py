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


class Chain(models.Model):
    """Messages of which each is sent only if the one before didn't arrive. dispatch_id and n: the one that is waited for now.

    steps: what may follow, in order ([{"type", "after"}]). ended: "" while it is watched, else how it ended. followed: what was
    sent after the first one, and because of what.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT)
    first_dispatch = models.BigIntegerField()
    first_n = models.BigIntegerField()
    dispatch_id = models.BigIntegerField()
    n = models.BigIntegerField()
    profile_id = models.BigIntegerField()
    data = models.JSONField(default=dict)  # what the messages' variables read; gone when it ends
    steps = models.JSONField(default=list)
    followed = models.JSONField(default=list)
    waits_until = models.DateTimeField()
    looks_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended = models.CharField(max_length=12, blank=True)  # reached, through, expired, cancelled, forgotten

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "first_dispatch", "first_n"], name="one_chain_per_message")]
        indexes = [
            models.Index(fields=["looks_at"], condition=models.Q(ended=""), name="chains_due"),
            models.Index(fields=["workspace", "profile_id"]),
        ]


class Asked(models.Model):
    """When an address was asked to confirm an agreement, in the last day: so that nobody floods a stranger with such questions.

    topic "": about whatever. times: instants, oldest first; address_hash: as suppressions know it.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, db_index=False)
    channel = models.CharField(max_length=30)
    topic = models.CharField(max_length=80)
    address_hash = models.BigIntegerField()
    times = models.JSONField(default=list)
    last_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "channel", "topic", "address_hash"], name="one_count_per_address_and_topic"),
        ]


class ContentTrouble(models.Model):
    """What was amiss with a content source while the messages of a dispatch were made. times: people it was amiss for, each time they
    were asked about; stood_in: those of them for whom fallbacks stood in."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, db_index=False)
    dispatch_id = models.BigIntegerField()
    source = models.CharField(max_length=80)
    why = models.CharField(max_length=250)
    times = models.PositiveIntegerField(default=0)
    stood_in = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "dispatch_id", "source", "why"], name="one_count_per_trouble"),
        ]
