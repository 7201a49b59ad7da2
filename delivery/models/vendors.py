"""What is shared about vendor accounts, their calls and their mailbox providers."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class VendorAccount(models.Model):
    """What all workers share about one vendor account: until when to leave it alone, and how fast it may be taken."""

    workspace = models.ForeignKey("governance.Workspace", on_delete=models.PROTECT, related_name="+")
    account = models.CharField(max_length=80)  # the route's key
    blocked_until = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=300, blank=True)
    campaigns_wait_until = models.DateTimeField(null=True)  # a quota is used up but for what is kept for transactional messages
    campaigns_wait_for = models.CharField(max_length=300, blank=True)
    transactional_at = models.DateTimeField(null=True)  # about when it last carried one
    pace = models.FloatField(default=1)  # the part of its speed it was trusted with at paced_at
    paced_at = models.DateTimeField(null=True)
    throttled = models.PositiveSmallIntegerField(default=0)  # how often in a row it asked for less and named no time
    prices_asked_at = models.DateTimeField(null=True)  # when the vendor was last asked what messages cost
    prices_until = models.DateTimeField(null=True)  # posted before it, or then with a number up to the next field's: asked about
    prices_until_id = models.BigIntegerField(default=0)
    heard_at = models.DateTimeField(null=True)  # when its vendor last said something new about a message that went by it

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "account"], name="one_row_per_vendor_account")]


class Allowance(models.Model):
    """What was drawn of one limit of a vendor account lately. of: what it is counted for ("account", "sender:+15550009999");
    used: [[a share of its span, messages], …], ascending; tokens: of a speed, what its bucket holds, below 0 what is waited for."""

    workspace = models.ForeignKey("governance.Workspace", on_delete=models.PROTECT, related_name="+")
    account = models.CharField(max_length=80)
    of = models.CharField(max_length=180)
    per = models.CharField(max_length=12)
    tokens = models.FloatField(default=0)
    filled_at = models.DateTimeField(null=True)
    used = models.JSONField(default=list)
    booked_until = models.DateTimeField(null=True)  # those who wait for it were told moments up to this one

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "account", "of", "per"], name="one_row_per_limit")]


class WebhookCall(models.Model):
    """One call of a vendor's webhook. The log, without people's data; and, while its events wait to be drawn from, the events
    themselves as the adapter read them: no address is among them, because what has one is drawn from before the answer."""

    workspace = models.ForeignKey("governance.Workspace", on_delete=models.PROTECT, related_name="+", db_constraint=False)
    only_id = models.BigIntegerField(null=True)  # the one workspace whose messages this account may speak about; null: all
    vendor = models.CharField(max_length=20)
    received_at = models.DateTimeField()
    outcome = models.CharField(max_length=10)  # kept, refused, or stuck: kept, and nobody could draw from it
    reason = models.CharField(max_length=120, blank=True)
    calls = models.PositiveIntegerField(default=1)  # refused ones of the same second are counted together
    events = models.PositiveIntegerField(default=0)
    unreadable = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    repeated = models.PositiveIntegerField(default=0)
    orphans = models.PositiveIntegerField(default=0)
    waiting = models.BinaryField(null=True)
    drawn_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "id"]),
            # Workers draw for every workspace, so what waits is not led by one; the row itself belongs to one.
            models.Index(fields=["id"], condition=Q(waiting__isnull=False, outcome="kept"), name="webhook_calls_waiting"),
        ]


class DomainCheck(models.Model):
    """What DNS said about one domain that mail comes from, each answer with its moment; verdicts are made from it when they are asked
    for."""

    workspace = models.ForeignKey("governance.Workspace", on_delete=models.PROTECT, related_name="+")
    domain = models.CharField(max_length=253)
    asked_at = models.DateTimeField(null=True)  # by whoever asked last: others wait
    checked_at = models.DateTimeField(null=True)  # when DNS last answered
    answers = models.JSONField(default=dict)  # by question, "TXT example.com"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "domain"], name="one_check_per_domain")]


class OutboxMail(models.Model):
    """What the outbox vendor received: the local mailbox page shows it. message_id is unique: repeating a request is safe."""

    workspace = models.ForeignKey("governance.Workspace", on_delete=models.PROTECT, related_name="+", db_constraint=False)
    message_id = models.CharField(max_length=40, unique=True)
    dispatch_id = models.BigIntegerField(null=True)  # with n the ledger's key of the message; null for a test
    n = models.BigIntegerField(null=True)
    attempt_id = models.BigIntegerField()
    channel = models.CharField(max_length=10)
    recipient = models.CharField(max_length=320)
    sender = models.CharField(max_length=320)
    sender_name = models.CharField(max_length=200, blank=True)
    reply_to = models.CharField(max_length=320, blank=True)
    subject = models.TextField(blank=True)
    html = models.TextField(null=True)
    text = models.TextField(blank=True)
    locale = models.CharField(max_length=35, blank=True)
    headers = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "id"]),
            models.Index(fields=["workspace", "recipient"]),
            models.Index(fields=["dispatch_id", "n"]),
        ]
