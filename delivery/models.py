"""The tables of delivery: shape and integrity only.

A message's number n is its place in the dispatch's frozen order, so (dispatch, n) is its key and a second message to the
same person in one dispatch can't exist. Tables that are written once per message or request keep plain integers instead of
foreign keys: nothing may point at Message, and its rows are written by COPY.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from delivery.states import AttemptState, DispatchState, Lane, MessageState, WorkState


class Dispatch(models.Model):
    """One frozen launch of a campaign, or a standing one (a message type's or an event campaign's day)."""

    workspace = models.ForeignKey("governance.Workspace", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20)  # campaign, transactional, event
    key = models.CharField(max_length=80)  # of the campaign or the message type
    occurrence = models.CharField(max_length=120)  # which planned instant, run or day
    relaunch = models.PositiveSmallIntegerField(default=0)  # "edit and relaunch" of the same occurrence
    lane = models.SmallIntegerField(choices=Lane.choices)
    channel = models.CharField(max_length=10)
    message_class = models.CharField(max_length=14)
    topic = models.CharField(max_length=80, blank=True)
    campaign_revision_id = models.BigIntegerField(null=True)
    template_revision_id = models.BigIntegerField(null=True)
    pins = models.JSONField(default=list)  # ids of every revision it was frozen with; recall of one halts it
    bill_hash = models.CharField(max_length=64, blank=True)
    route_key = models.CharField(max_length=80, blank=True)
    policy_key = models.CharField(max_length=80, blank=True)
    vendor = models.CharField(max_length=20, blank=True)  # by the route: kill switches are matched against it
    account = models.CharField(max_length=80, blank=True)  # the route's own key: an account that rests is not leased for
    experiment = models.JSONField(null=True)
    recheck_rule = models.JSONField(null=True)
    reentry = models.BooleanField(default=False)
    shadow = models.BooleanField(default=False)
    ramp = models.JSONField(default=list)  # cumulative shares, [0.01, 0.1, 1.0]; one wave each
    soak_minutes = models.PositiveIntegerField(default=15)
    waves_open = models.PositiveSmallIntegerField(default=1)
    wave_done_at = models.DateTimeField(null=True)  # when the newest open wave was through: the soak counts from here
    considered = models.PositiveBigIntegerField(default=0)  # everybody the audience named, left out or not
    planned = models.PositiveBigIntegerField(default=0)  # messages; of a standing dispatch on SQLite: the next n
    n_base = models.BigIntegerField(default=0)  # of a standing dispatch on PostgreSQL: n is the decision's id less this
    state = models.CharField(max_length=8, choices=DispatchState.choices, default=DispatchState.RUNNING)
    state_reason = models.CharField(max_length=300, blank=True)
    planned_at = models.DateTimeField()
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    estimated_micros = models.BigIntegerField(default=0)
    budget_micros = models.BigIntegerField(null=True)
    committed_micros = models.BigIntegerField(default=0)  # reserved at admit, given back when surely not sent
    currency = models.CharField(max_length=3, blank=True)
    revised = models.PositiveIntegerField(default=0)  # one more for each change to its requests that no event and no state shows
    archived_at = models.DateTimeField(null=True)  # its messages, requests and events are gone from the ledger
    final_counts = models.JSONField(null=True)  # what the run's page shows from then on
    emptied = models.BooleanField(default=False)  # none of its rows is in the ledger any more
    legal_hold = models.BooleanField(default=False)  # nothing of it is dropped while it stands

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "kind", "key", "occurrence", "relaunch"], name="one_dispatch_per_launch"),
            models.CheckConstraint(
                condition=Q(budget_micros=None) | Q(committed_micros__lte=F("budget_micros")), name="money_stays_within_the_budget"
            ),
        ]
        indexes = [models.Index(fields=["workspace", "state"]), models.Index(fields=["workspace", "message_class", "finished_at"])]


class LeftOut(models.Model):
    """People whom the audience named and the plan left out, one bitmap per reason."""

    dispatch = models.ForeignKey(Dispatch, on_delete=models.CASCADE, related_name="left_out")
    workspace = models.ForeignKey("governance.Workspace", on_delete=models.PROTECT, related_name="+")
    reason = models.SmallIntegerField()
    count = models.PositiveBigIntegerField()
    ids = models.BinaryField()  # BitMap64

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dispatch", "reason"], name="one_bitmap_per_reason")]


class Slice(models.Model):
    """One wave (later also: one send slot) of a dispatch: its people as a bitmap, numbered from first_n in the order of ids."""

    dispatch = models.ForeignKey(Dispatch, on_delete=models.CASCADE, related_name="slices")
    workspace = models.ForeignKey("governance.Workspace", on_delete=models.PROTECT, related_name="+")
    wave = models.PositiveSmallIntegerField()
    slot = models.PositiveIntegerField(default=0)
    first_n = models.PositiveBigIntegerField()
    count = models.PositiveBigIntegerField()
    ids = models.BinaryField()  # BitMap64
    digest = models.BigIntegerField()  # of the bitmap: workers keep bitmaps in memory by it

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dispatch", "wave", "slot"], name="one_slice_per_wave_and_slot")]


class Batch(models.Model):
    """A rank range [start, stop) of one slice, taken as a whole by one worker for a bounded time.

    ranks: where given, a bitmap of the ranks that remain (what was postponed, or is sent again). A lease moves due_at to the
    lease's end, so one index serves fresh and expired work alike. token: the fence; a stale one writes nothing.
    """

    workspace = models.ForeignKey("governance.Workspace", on_delete=models.PROTECT, related_name="+")
    dispatch = models.ForeignKey(Dispatch, on_delete=models.CASCADE, related_name="batches")
    slice = models.ForeignKey(Slice, on_delete=models.CASCADE, related_name="batches")
    wave = models.PositiveSmallIntegerField()
    start = models.PositiveBigIntegerField()
    stop = models.PositiveBigIntegerField()
    ranks = models.BinaryField(null=True)
    lane = models.SmallIntegerField(choices=Lane.choices)
    state = models.SmallIntegerField(choices=WorkState.choices)
    due_at = models.DateTimeField()
    token = models.BigIntegerField(default=0)
    leased_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=80, blank=True)
    claims = models.PositiveSmallIntegerField(default=0)  # leases that never came to an end: a crash must count

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(stop__gt=F("start")), name="a_batch_has_people")]
        indexes = [
            # A worker serves every workspace, so what waits is not led by one; the row itself belongs to one.
            models.Index(fields=["lane", "due_at", "id"], condition=Q(state=WorkState.READY), name="batches_due"),
            models.Index(fields=["dispatch", "state", "wave"]),
        ]


class Decision(models.Model):
    """A message of a standing dispatch that was decided and not yet admitted: shown as accepted, cancellable until admit."""

    workspace = models.ForeignKey("governance.Workspace", on_delete=models.PROTECT, related_name="+", db_constraint=False)
    dispatch = models.ForeignKey(Dispatch, on_delete=models.CASCADE, related_name="decisions")
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

    workspace = models.ForeignKey("governance.Workspace", on_delete=models.PROTECT, related_name="+", db_constraint=False)
    dispatch_id = models.BigIntegerField()
    batch_id = models.BigIntegerField(null=True)  # null: decisions
    replaces_id = models.BigIntegerField(null=True)
    vendor = models.CharField(max_length=20)
    account = models.CharField(max_length=80)  # the route's key
    message_class = models.CharField(max_length=14)
    request_key = models.CharField(max_length=32)
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
    """One thing a vendor said, kept once. dispatch_id and n are null for events about nothing we know (orphans)."""

    workspace = models.ForeignKey("governance.Workspace", on_delete=models.PROTECT, related_name="+", db_constraint=False)
    vendor = models.CharField(max_length=20)
    event_id = models.CharField(max_length=160)
    kind = models.CharField(max_length=20)
    dispatch_id = models.BigIntegerField(null=True)
    n = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    received_at = models.DateTimeField()
    machine = models.BooleanField(default=False)
    permanent = models.BooleanField(default=False)
    link = models.IntegerField(null=True)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "vendor", "event_id"], name="one_row_per_vendor_event")]
        indexes = [
            models.Index(fields=["dispatch_id", "n"]),
            models.Index(fields=["workspace", "vendor", "received_at"]),
            models.Index(fields=["received_at"], condition=Q(kind__in=("clicking", "opening")), name="clicks_undecided"),
        ]


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


class Suppression(models.Model):
    """An address that must not be written to, as a keyed hash. channel "*": on none."""

    workspace = models.ForeignKey("governance.Workspace", on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=10)
    address_hash = models.BigIntegerField()
    reason = models.CharField(max_length=20)
    source = models.CharField(max_length=80, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "channel", "address_hash"], name="one_suppression_per_address")]


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


class IdempotencyKey(models.Model):
    """A key that a caller of the transactional door used, what was asked, and what came of it. Key and request are keyed hashes:
    callers make them from what they know of people."""

    workspace = models.ForeignKey("governance.Workspace", on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=64)
    request = models.CharField(max_length=64)
    dispatch_id = models.BigIntegerField(null=True)
    n = models.BigIntegerField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="one_use_of_a_key")]


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


class Instance(models.Model):
    """An installation that this database knows. Its epoch also lies in a file: a restored copy meets another one and holds."""

    instance_id = models.CharField(max_length=36, unique=True)
    epoch = models.PositiveBigIntegerField()
    held = models.BooleanField(default=False)
    held_reason = models.CharField(max_length=300, blank=True)
    address_key = models.CharField(max_length=16)  # fingerprint of the key that address hashes were made with
    seen_at = models.DateTimeField()
