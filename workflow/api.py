"""Events, transactional messages, launches and runs by HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from audience import door as audience
from delivery import door as delivery
from governance.door import PAGING, ApiRequest, Conflict, DoorError, Finding, HasScope, Invalid, Missing, Role, allow, page, parse, pointer
from workflow import api_bodies as bodies
from workflow import bells, pipeline
from workflow.because import because
from workflow.models import Run
from workflow.requests import BatchedMessage, BatchRequest, BudgetRequest, LaunchRequest, MessageRequest

KEY = OpenApiParameter("Idempotency-Key", str, "header", description="1 to 255 characters; the same key and body send once")


class Events(APIView):
    permission_classes = [HasScope("events:write")]

    @extend_schema(operation_id="events_record", request=audience.EventsRequest, responses={202: bodies.EventsAnswer})
    def post(self, request: ApiRequest) -> Response:
        """One event, or up to 1,000 as `events`. An id counts once; released campaigns that match are triggered."""
        wanted, now = parse(audience.EventsRequest, request.data), timezone.now()
        events = [each.event(now) for each in wanted.events]
        recorded = audience.record(request.actor.workspace_id, events, now=now)
        if len(events) == 1 and recorded.rejected:
            raise Invalid(recorded.rejected[0].findings)
        bells.ring(lane="transactional")
        return Response(
            {
                "accepted": recorded.accepted,
                "duplicates": recorded.duplicates,
                "rejected": [_rejected(each) for each in recorded.rejected],
            },
            status=202,
        )


def _rejected(event: audience.RejectedEvent) -> dict[str, Any]:
    findings = [Finding(each.level, pointer(["events", event.place]) + each.path, each.found, each.expected) for each in event.findings]
    return {"place": event.place, "findings": [finding.as_dict() for finding in findings]}


class Messages(APIView):
    permission_classes = [HasScope("messages:send")]

    @extend_schema(operation_id="messages_send", request=MessageRequest, responses={202: bodies.MessageAnswer}, parameters=[KEY])
    def post(self, request: ApiRequest) -> Response:
        """Send one transactional message. Answers at once with an address to follow; a worker sends it within moments."""
        wanted = parse(MessageRequest, request.data)
        key = request.headers.get("Idempotency-Key")
        accepted = pipeline.send_now(request.actor, wanted, idempotency_key=key, now=timezone.now())
        href = f"/api/v1/messages/{accepted.message_id}"
        body: dict[str, Any] = {
            "id": accepted.message_id,
            "state": "accepted",
            "reason": "",
            "href": href,
            "timeline": [],
            "fallbacks": [],
            "permission": None,
        }
        return Response(body, status=202, headers={"Location": href, "Idempotent-Replayed": str(accepted.replayed).lower()})


class MessageBatch(APIView):
    permission_classes = [HasScope("messages:send")]

    @extend_schema(operation_id="messages_send_batch", request=bodies.BatchSchema, responses={202: bodies.BatchAnswer})
    def post(self, request: ApiRequest) -> Response:
        """Send up to 500 transactional messages. Each is decided by itself; the answer tells of each, in the order of the request."""
        wanted, now = parse(BatchRequest, request.data), timezone.now()
        results = [_send_one(request, place, each, now) for place, each in enumerate(wanted.messages)]
        refused = sum(bool(result["findings"]) for result in results)
        return Response({"accepted": len(results) - refused, "refused": refused, "messages": results}, status=202)


def _send_one(request: ApiRequest, place: int, each: dict[str, Any], now: datetime) -> dict[str, Any]:
    """What became of one message of a batch."""
    at = pointer(["messages", place])
    try:
        wanted = parse(BatchedMessage, each)
        actor = replace(request.actor, epoch=None)  # the last of a batch may be decided long after its key was shown
        accepted = pipeline.send_now(actor, wanted, idempotency_key=wanted.idempotency_key, now=now)
    except DoorError as refusal:
        findings = getattr(refusal, "findings", None) or [Finding("error", "", refusal.reason, "another request")]
        told = [Finding(each.level, at + each.path, each.found, each.expected).as_dict() for each in findings]
        return {"id": "", "state": "refused", "href": "", "replayed": False, "findings": told}
    href = f"/api/v1/messages/{accepted.message_id}"
    return {"id": accepted.message_id, "state": "accepted", "href": href, "replayed": accepted.replayed, "findings": []}


class OneMessage(APIView):
    permission_classes = [HasScope("messages:read", DELETE="messages:send")]

    @extend_schema(operation_id="messages_read", responses=bodies.MessageAnswer)
    def get(self, request: ApiRequest, message_id: str) -> Response:
        """A message by its id, with everything that happened to it."""
        why = delivery.timeline(request.actor.workspace_id, message_id)
        href = f"/api/v1/messages/{message_id}"
        followed = pipeline.followed(request.actor.workspace_id, message_id)
        told = {"id": message_id, "state": why.state, "reason": why.reason, "href": href, "timeline": stops(why)}
        return Response({**told, "fallbacks": followed, "permission": _permission(request.actor.workspace_id, message_id)})

    @extend_schema(operation_id="messages_cancel", responses={204: None})
    def delete(self, request: ApiRequest, message_id: str) -> Response:
        """Take a message back before its last look. 409 once it is too late."""
        if not delivery.cancel(request.actor.workspace_id, message_id, now=timezone.now()):
            reason = "it is too late to take this message back: its last look was had, or it was taken back before"
            raise Conflict(reason, title="Too late")
        return Response(status=204)


def _permission(workspace_id: int, message_id: str) -> dict[str, Any]:
    """What permitted a message, as plain data."""
    found = delivery.permission(workspace_id, message_id)
    said = audience.ConsentEntryAnswer.of(found.said) if found.said is not None else None
    about = {name: getattr(found, name) for name in ("verdict", "words", "channel", "topic", "message_class", "at")}
    return bodies.PermissionBody(**about, consent=said).model_dump(mode="json")


class CampaignOutlook(APIView):
    permission_classes = [HasScope("runs:read")]

    @extend_schema(operation_id="campaigns_outlook", responses=bodies.OutlookAnswer)
    def get(self, request: ApiRequest, key: str) -> Response:
        """What launching the campaign would do now. Changes nothing."""
        ahead = pipeline.preview(request.actor.workspace_id, key, now=timezone.now())
        return Response(
            {
                "campaign": key,
                "count": ahead.count,
                "left_out": {reason: len(people) for reason, people in ahead.left_out.items()},
                "first_wave": ahead.first_wave,
                "estimated_micros": ahead.micros,
                "currency": ahead.currency,
                "audience": ahead.sentence,
                "engine": ahead.resolution.engine,
                "note": ahead.resolution.note,
                "findings": [finding.as_dict() for finding in ahead.findings],
            }
        )


class CampaignRuns(APIView):
    permission_classes = [HasScope("runs:read", POST="runs:launch")]

    @extend_schema(operation_id="campaigns_runs", parameters=PAGING, responses=bodies.RunsPage)
    def get(self, request: ApiRequest, key: str) -> Response:
        """The runs of one campaign, newest first."""
        rows = Run.objects.filter(workspace_id=request.actor.workspace_id, campaign_key=key)
        return Response(page(rows, request, run_body, ["-id"]))

    @extend_schema(operation_id="campaigns_launch", request=LaunchRequest, responses={201: bodies.RunBody})
    def post(self, request: ApiRequest, key: str) -> Response:
        """Launch a released campaign. `count` repeats the number of people, as the launch page asks a person to type it."""
        allow(request.actor, Role.APPROVER, "runs:launch")
        wanted = parse(LaunchRequest, request.data)
        if wanted.count is None:
            raise Invalid([Finding("error", "/count", "nothing", "the number of people, as `outlook` says it")])
        run = pipeline.launch(request.actor, key, now=timezone.now(), typed_count=wanted.count, shadow=wanted.shadow, limit=wanted.limit)
        return Response(run_body(run), status=201, headers={"Location": f"/api/v1/runs/{run.pk}"})


class Runs(APIView):
    permission_classes = [HasScope("runs:read")]

    @extend_schema(operation_id="runs_list", parameters=PAGING, responses=bodies.RunsPage)
    def get(self, request: ApiRequest) -> Response:
        """All runs, newest first."""
        return Response(page(Run.objects.filter(workspace_id=request.actor.workspace_id), request, run_body, ["-id"]))


class OneRun(APIView):
    permission_classes = [HasScope("runs:read")]

    @extend_schema(operation_id="runs_read", responses=bodies.RunBody)
    def get(self, request: ApiRequest, run_id: int) -> Response:
        """One run with its counts as of now."""
        return Response(run_body(find_run(request.actor.workspace_id, run_id)))


class ControlRun(APIView):
    """Once one of these returns, no message is sent against it."""

    permission_classes = [HasScope("runs:launch")]
    act: Callable[..., object]
    halts = False

    def control(self, request: ApiRequest, run_id: int) -> Response:
        run = find_run(request.actor.workspace_id, run_id)
        type(self).act(request.actor, run.dispatch_id, now=timezone.now())
        if self.halts:
            delivery.standstill(run.workspace_id, dispatch_id=run.dispatch_id)
        return Response(run_body(run))


class PauseRun(ControlRun):
    act, halts = staticmethod(delivery.pause), True

    @extend_schema(operation_id="runs_pause", request=None, responses=bodies.RunBody)
    def post(self, request: ApiRequest, run_id: int) -> Response:
        """Hold the run; it goes on where it stood when it is resumed."""
        return self.control(request, run_id)


class ResumeRun(ControlRun):
    act = staticmethod(delivery.resume)

    @extend_schema(operation_id="runs_resume", request=None, responses=bodies.RunBody)
    def post(self, request: ApiRequest, run_id: int) -> Response:
        """Let a paused or halted run go on."""
        return self.control(request, run_id)


class StopRun(ControlRun):
    act, halts = staticmethod(delivery.stop), True

    @extend_schema(operation_id="runs_stop", request=None, responses=bodies.RunBody)
    def post(self, request: ApiRequest, run_id: int) -> Response:
        """End the run for good; what was not sent is never sent by it."""
        return self.control(request, run_id)


class OpenNextWave(ControlRun):
    act = staticmethod(delivery.open_next_wave)

    @extend_schema(operation_id="runs_next_wave", request=None, responses=bodies.RunBody)
    def post(self, request: ApiRequest, run_id: int) -> Response:
        """Open the next step of the ramp now."""
        return self.control(request, run_id)


class RunBudget(APIView):
    permission_classes = [HasScope("runs:launch")]

    @extend_schema(operation_id="runs_budget", request=BudgetRequest, responses=bodies.RunBody)
    def post(self, request: ApiRequest, run_id: int) -> Response:
        """Raise what the run may spend in all. One that was halted by its budget goes on when it is resumed."""
        allow(request.actor, Role.APPROVER, "runs:launch")
        run, wanted = find_run(request.actor.workspace_id, run_id), parse(BudgetRequest, request.data)
        delivery.raise_budget(request.actor, run.dispatch_id, wanted.micros, reason=wanted.reason, now=timezone.now())
        return Response(run_body(run))


class RunWhy(APIView):
    permission_classes = [HasScope("runs:read")]

    @extend_schema(operation_id="runs_why", responses=bodies.WhyAnswer)
    def get(self, request: ApiRequest, run_id: int, external_id: str) -> Response:
        """Why one person did or didn't get a message in this run."""
        person = audience.named(request.actor.workspace_id, external_id)
        workspace_id = request.actor.workspace_id
        why = pipeline.why(workspace_id, run_id, person.id)
        told = _because(find_run(workspace_id, run_id), person.id, request.actor.role)
        return Response({"state": why.state, "reason": why.reason, "audience": told, "stops": stops(why)})


def _because(run: Run, profile_id: int, role: Role) -> dict[str, Any] | None:
    """The pinned segment's answer as plain data; None where its rule is about what the catalogue no longer has."""
    try:
        found = because(run.workspace_id, run.dispatch_id, profile_id, role=role)
    except Invalid:
        return None
    pinned = {"segment": found.segment.key, "revision": found.segment.number, "as_of": found.as_of, "event": found.event}
    return {**pinned, "rule": asdict(found.told)}


def stops(why: delivery.Why) -> list[dict[str, Any]]:
    """The stations of a message as plain data."""
    return [{"room": stop.room, "at": stop.at, **stop.facts} for stop in why.stops]


def find_run(workspace_id: int, run_id: int) -> Run:
    """One run. Raises Missing."""
    run = Run.objects.filter(workspace_id=workspace_id, pk=run_id).first() if 0 < run_id < 2**63 else None
    if run is None:
        raise Missing(f"no run {str(run_id)[:20]}")
    return run


def run_body(run: Run) -> dict[str, Any]:
    """A run as the API answers it."""
    view = delivery.facts(run.workspace_id, run.dispatch_id)
    return {
        "id": run.pk,
        "campaign": run.campaign_key,
        "trigger": run.trigger,
        "state": view.state,
        "state_reason": view.state_reason,
        "planned_at": run.planned_at,
        "started_at": run.started_at,
        "shadow": run.shadow,
        "considered": view.considered,
        "counts": dict(view.counts),
        "in_doubt": view.counts.get("in_doubt", 0),
        "cost_micros": view.cost_micros,
        "budget_micros": view.budget_micros,
        "currency": view.currency,
        "href": f"/api/v1/runs/{run.pk}",
    }
