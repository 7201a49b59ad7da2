"""The street: from a trigger to a vendor, top to bottom. Every line is a call into one room's front door.

trigger → audience (who) → optimization (which one) → presentation and rendering (what it says) → delivery (may it go, did it).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from django.db import InterfaceError, OperationalError, transaction

from audience import door as audience
from delivery import door as delivery
from governance import door as governance
from governance.door import Actor, Finding, Refused, Role, allow
from optimization import door as optimization
from workflow import bells, confirmations, content, fallbacks, schedules, transactional, triggers
from workflow.documents import CampaignBody
from workflow.models import Run
from workflow.outlook import Outlook, Sample, look_ahead, run_of
from workflow.overview import Planned, RunLine, active_runs, latest_runs, refused_lately, upcoming
from workflow.requests import MessageRequest
from workflow.transactional import Accepted

__all__ = ["Accepted", "CampaignBody", "MessageRequest", "Outlook", "Run", "Sample"]
__all__ += [
    "ask_for_confirmations",
    "chain",
    "fall_back",
    "followed",
    "launch",
    "on_events",
    "preview",
    "send_batch",
    "send_now",
    "tick",
    "why",
]
__all__ += ["Planned", "RunLine", "active_runs", "latest_runs", "refused_lately", "upcoming"]

log = structlog.get_logger(__name__)


def preview(workspace_id: int, key: str, *, now: datetime, draft: bool = False, limit: int | None = None) -> Outlook:
    """What launching would do now: who, who not and why, cost, first wave, every objection. Changes nothing. Raises Missing."""
    return look_ahead(workspace_id, key, now=now, draft=draft, limit=limit)


def launch(
    actor: Actor,
    key: str,
    *,
    now: datetime,
    trigger: str = "manual",
    typed_count: int | None = None,
    planned_at: datetime | None = None,
    shadow: bool = False,
    limit: int | None = None,
) -> Run:
    """Freeze who, what and at what cost; nothing is sent before this returns.

    typed_count: the number of people as the launching person typed it. limit: at most so many people. shadow: everything but the vendor.
    Raises Refused with one finding per objecting guardrail, where the planned instant was launched already, and for everybody
    but approvers (their keys need `runs:launch`) and the schedule.
    """
    if actor.via != "system":
        allow(actor, Role.APPROVER, "runs:launch")
    ahead = look_ahead(actor.workspace_id, key, now=now, planned_at=planned_at, shadow=shadow, limit=limit)
    _agree(ahead, typed_count)
    with transaction.atomic():
        if not schedules.claim(actor.workspace_id, key, planned_at or now, now=now):
            raise Refused(f"{key} was already launched for {planned_at or now:%Y-%m-%d %H:%M %Z}")
        dispatch_id = delivery.plan(ahead.plan, now=now)
        if Run.objects.filter(dispatch_id=dispatch_id).exists():
            raise Refused(f"{key} was launched by somebody else at this moment")
        run = run_of(ahead, actor, dispatch_id, trigger=trigger, planned_at=planned_at, now=now)
        run.save(force_insert=True)
        governance.audit(actor, "campaign.launched", subject=f"campaign:{key}", data={"run": run.pk, "people": ahead.count}, now=now)
        bells.ring()
    return run


def send_batch(work: delivery.Work, *, vendors: delivery.Connections, clock: delivery.Clock) -> delivery.Outcome:
    """Walk one leased piece of work to its vendor: no query and no request per recipient."""
    people = {person.id: person for person in audience.load(work.workspace_id, work.ids)}
    choices = optimization.choose(work.dispatch.key, content.arms(work.dispatch.experiment), work.ids)
    outgoing = content.fill(work, people, choices, now=clock())
    return delivery.send(work, outgoing, vendors=vendors, clock=clock)  # admit → post → confirm


def send_now(actor: Actor, wanted: MessageRequest, *, idempotency_key: str | None, now: datetime) -> Accepted:
    """Decide one transactional message, once per Idempotency-Key; a worker sends it within moments. Raises Invalid, Refused, Missing."""
    return transactional.accept(actor, wanted, idempotency_key=idempotency_key, now=now)


def on_events(*, now: datetime, limit: int = 500) -> int:
    """Turn newly arrived events into messages of the campaigns they trigger, the best one per person. Returns how many events were read."""
    return triggers.consume(now=now, limit=limit)


def ask_for_confirmations(*, now: datetime) -> int:
    """Ask people whether they meant what they are said to have agreed to, where a topic wants that. Returns how many were asked."""
    return confirmations.ask_for_confirmations(now=now) if audience.confirmations_waiting(now=now) else 0


def tick(*, now: datetime, launched: Callable[[Run], None] = lambda run: None) -> int:
    """Launch every campaign whose planned instant has come, once; a refused one is remembered with its reason. Returns how many started."""
    started = 0
    for workspace_id in governance.Workspace.objects.values_list("id", flat=True):
        for item in schedules.due(workspace_id, now=now):
            actor = governance.system_actor(workspace_id, label="schedule")
            try:
                launched(launch(actor, item.key, now=now, trigger="schedule", planned_at=item.planned_at))
                started += 1
            except governance.DoorError as error:
                schedules.refuse(workspace_id, item.key, item.planned_at, error, now=now)
            except (OperationalError, InterfaceError):
                raise
            except Exception:  # a fault of ours in one campaign: it stays due and is tried again, and the others are launched
                log.exception("schedule.failed", workspace=workspace_id, campaign=item.key)
    return started


def fall_back(*, now: datetime) -> int:
    """Send by another channel what has not arrived by the first. Returns how many messages were decided."""
    return fallbacks.fall_back(transactional.decide_for, now=now)


def chain(workspace_id: int, message_id: str) -> list[dict[str, str]]:
    """The fallback chain that a message belongs to, from its first message on; nothing where it belongs to none."""
    key = delivery.read_message_id(message_id)
    return fallbacks.chain(workspace_id, key) if key is not None else []


def followed(workspace_id: int, message_id: str) -> list[dict[str, str]]:
    """What was sent after a message because it didn't arrive, in order."""
    key = delivery.read_message_id(message_id)
    return fallbacks.followed(workspace_id, key) if key is not None else []


def why(workspace_id: int, run_id: int, profile_id: int) -> delivery.Why:
    """What became of one person in one run, and why; for those never considered too. Raises Missing."""
    run = Run.objects.filter(workspace_id=workspace_id, pk=run_id).first()
    if run is None:
        raise governance.Missing(f"no run {run_id}")
    return delivery.why(workspace_id, run.dispatch_id, profile_id)


def _agree(ahead: Outlook, typed_count: int | None) -> None:
    findings = list(ahead.errors)
    if typed_count is not None and typed_count != ahead.count:
        findings.append(Finding("error", "/count", f"{typed_count:,}", f"{ahead.count:,}, the number of people it would reach now"))
    if findings:
        raise Refused(f"{ahead.key} can't be launched: {findings[0]}", findings)
