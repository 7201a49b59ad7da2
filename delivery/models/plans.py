"""What a launch freezes, and the work that is cut from it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from delivery.states import DispatchState, Lane, WorkState


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
