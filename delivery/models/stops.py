"""What stops messages: addresses, switches, and a place that may not send."""

from __future__ import annotations

from django.db import models


class Suppression(models.Model):
    """An address that must not be written to, as a keyed hash. channel "*": on none."""

    # the constraint's index finds a workspace's rows, too
    workspace = models.ForeignKey("governance.Workspace", on_delete=models.PROTECT, related_name="+", db_index=False)
    channel = models.CharField(max_length=10)
    address_hash = models.BigIntegerField()
    reason = models.CharField(max_length=20)
    source = models.CharField(max_length=80, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "channel", "address_hash"], name="one_suppression_per_address")]
        indexes = [
            models.Index(fields=["workspace", "channel", "reason", "id"], name="suppressions_by_reason"),
            # The console's list asks for any of the two, newest first; of a rare one it would read all the others.
            models.Index(fields=["workspace", "reason", "id"], name="suppressions_of_a_reason"),
            models.Index(fields=["workspace", "channel", "id"], name="suppressions_of_a_channel"),
        ]


class Switch(models.Model):
    """A kill switch. scope: workspace (key ""), vendor or campaign."""

    workspace = models.ForeignKey("governance.Workspace", on_delete=models.PROTECT, related_name="+")
    scope = models.CharField(max_length=10)
    key = models.CharField(max_length=80, blank=True)
    on = models.BooleanField()
    reason = models.CharField(max_length=300, blank=True)
    by_user_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "scope", "key"], name="one_switch_per_thing")]


class Instance(models.Model):
    """An installation that this database knows. Its epoch also lies in a file: a restored copy meets another one and holds."""

    instance_id = models.CharField(max_length=36, unique=True)
    epoch = models.PositiveBigIntegerField()
    held = models.BooleanField(default=False)
    held_reason = models.CharField(max_length=300, blank=True)
    address_key = models.CharField(max_length=16)  # fingerprint of the key that address hashes were made with
    seen_at = models.DateTimeField()
