"""The ledger: one row a message, one a vendor request, one a thing that a vendor said; partitioned by dispatch (see partitions).

Nothing points here, and a row is asked for with its dispatch: by its number alone every partition would be opened.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from delivery.states import AttemptState, MessageState


class Message(models.Model):
    """The ledger: one row per message from the moment of its last look. No addresses; every column has a fixed width.

    state SENDING means: as its attempt says. attempt_id and address_hash are 0 where there is none.
    """

    pk = models.CompositePrimaryKey("dispatch_id", "n")
    dispatch_id = models.BigIntegerField()
    n = models.BigIntegerField()
    workspace_id = models.BigIntegerField()
    profile_id = models.BigIntegerField()
    state = models.SmallIntegerField(choices=MessageState.choices)
    reason = models.SmallIntegerField(default=0)
    attempt_id = models.BigIntegerField(default=0)
    variant = models.SmallIntegerField(default=0)
    at = models.DateTimeField()  # of the last look
    address_hash = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(n__gte=0), name="message_number_is_a_place")]
        indexes = [
            models.Index(fields=["workspace_id", "profile_id", "at"], name="messages_of_a_profile"),
            models.Index(fields=["workspace_id", "address_hash"], name="messages_to_an_address"),
        ]


NAMED_BY_VENDOR = ("wechat",)  # vendors whose events name a message by their own id only


class Attempt(models.Model):
    """One vendor request and the unit of doubt. Its insertion, committed, is the in-flight mark."""

    workspace = models.ForeignKey("governance.Workspace", on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    dispatch_id = models.BigIntegerField()
    batch_id = models.BigIntegerField(null=True)  # null: decisions
    replaces_id = models.BigIntegerField(null=True)
    vendor = models.CharField(max_length=20)
    account = models.CharField(max_length=80)  # the route's key
    message_class = models.CharField(max_length=14)
    token = models.BigIntegerField()
    worker = models.CharField(max_length=80, blank=True)
    state = models.SmallIntegerField(choices=AttemptState.choices, default=AttemptState.POSTING)
    first_n = models.BigIntegerField()
    last_n = models.BigIntegerField()
    count = models.PositiveIntegerField()
    cost_micros = models.BigIntegerField(default=0)  # by the price book
    reported_micros = models.BigIntegerField(null=True)  # what the vendor says it cost
    posted_at = models.DateTimeField()
    deadline = models.DateTimeField()  # still POSTING after it: in doubt
    heard_at = models.DateTimeField(null=True)  # when the vendor's first event about it arrived
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(max_length=10, blank=True)  # vendor, event, lookup, resend, person, worker
    vendor_id = models.CharField(max_length=120, blank=True)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["workspace", "state", "deadline"],
                condition=Q(state__lt=AttemptState.SENT),
                name="attempts_unresolved",
            ),
            models.Index(fields=["dispatch_id", "first_n"]),
            models.Index(fields=["workspace", "vendor", "account", "posted_at"]),
            models.Index(fields=["workspace", "vendor_id"], condition=Q(vendor__in=NAMED_BY_VENDOR), name="attempts_named_by_vendor"),
        ]


class VendorEvent(models.Model):
    """One thing a vendor said, kept once. dispatch_id 0 and n null: about nothing we know (an orphan)."""

    workspace = models.ForeignKey("governance.Workspace", on_delete=models.PROTECT, related_name="+", db_constraint=False)
    vendor = models.CharField(max_length=20)
    event_id = models.CharField(max_length=160)
    kind = models.CharField(max_length=20)
    dispatch_id = models.BigIntegerField(default=0)
    n = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    received_at = models.DateTimeField()
    machine = models.BooleanField(default=False)
    permanent = models.BooleanField(default=False)
    link = models.IntegerField(null=True)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "vendor", "event_id", "dispatch_id"], name="one_row_per_vendor_event")]
        indexes = [
            models.Index(fields=["dispatch_id", "n"]),
            models.Index(fields=["workspace", "vendor", "received_at"]),
            models.Index(fields=["received_at"], condition=Q(kind__in=("clicking", "opening")), name="clicks_undecided"),
        ]
