"""Who got what and why, and what is in doubt, by HTTP."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from audience import door as audience
from delivery import door as delivery
from governance.door import PAGING, ApiRequest, Finding, HasScope, Invalid, Missing, Role, allow, parse
from workflow import api_bodies as bodies
from workflow import pipeline
from workflow.models import Run
from workflow.requests import DoubtRequest, SearchRequest


class MessageSearch(APIView):
    permission_classes = [HasScope("messages:read")]

    @extend_schema(operation_id="messages_search", request=SearchRequest, responses=bodies.SearchAnswer)
    def post(self, request: ApiRequest) -> Response:
        """Messages by person, address, run or state, newest runs first. An address is searched for by its keyed hash, in any spelling,
        and the search is audited. For a person also what became of them in the latest runs, those included that left them out."""
        wanted, workspace_id = parse(SearchRequest, request.data), request.actor.workspace_id
        criteria: dict[str, Any] = {}
        person = None
        if wanted.external_id:
            person = audience.named(workspace_id, wanted.external_id)
        if wanted.address:
            asked = delivery.asked_address(workspace_id, wanted.address)
            if asked is None:
                raise Invalid([Finding("error", "/address", "something else", "an e-mail address, or a number that begins with + or 00")])
            criteria["address_hash"] = asked.hash
            delivery.note_search(request.actor, asked, now=timezone.now())
            person = person or delivery.holder(workspace_id, wanted.address)
        if person is not None:
            criteria["profile_id"] = person.id
        if wanted.run is not None:
            criteria["dispatch_id"] = _dispatch(workspace_id, wanted.run)
        page = delivery.messages(
            workspace_id, **criteria, state=wanted.state, reason=wanted.reason, after=wanted.cursor, limit=wanted.limit
        )
        runs = _lately(workspace_id, person.id, wanted.runs) if person is not None and not wanted.cursor else []
        until = delivery.archived_until(workspace_id)
        told = {"external_id": person.external_id if person else None, "items": _items(workspace_id, page), "next": page.next or None}
        return Response({**told, "runs": runs, "archived_until": until})


def _dispatch(workspace_id: int, run_id: int) -> int:
    found = Run.objects.filter(workspace_id=workspace_id, pk=run_id).values_list("dispatch_id", flat=True).first()
    if found is None:
        raise Missing(f"no run {run_id}")
    return found


def _items(workspace_id: int, page: delivery.MessagePage) -> list[dict[str, Any]]:
    people = {person.id: person for person in audience.load(workspace_id, sorted({item.profile_id for item in page.items}))}
    return [
        {
            "id": item.message_id,
            "external_id": people[item.profile_id].external_id if item.profile_id in people else None,
            "kind": item.kind,
            "key": item.campaign,
            "channel": item.channel,
            "state": item.state.replace(" ", "_"),
            "reason": item.reason,
            "at": item.at,
            "vendor": item.vendor,
            "href": f"/api/v1/messages/{item.message_id}",
        }
        for item in page.items
    ]


def _lately(workspace_id: int, profile_id: int, many: int) -> list[dict[str, Any]]:
    """What became of one person in each of the latest runs, whether they got something or not."""
    told = []
    for run in Run.objects.filter(workspace_id=workspace_id).order_by("-pk")[:many]:
        why = pipeline.why(workspace_id, run.pk, profile_id)
        told.append(
            {
                "run": run.pk,
                "campaign": run.campaign_key,
                "planned_at": run.planned_at,
                "state": why.state.replace(" ", "_"),
                "reason": why.reason,
                "message_id": why.message_id,
            }
        )
    return told


class InDoubt(APIView):
    permission_classes = [HasScope("runs:read")]

    @extend_schema(
        operation_id="in_doubt_list",
        parameters=[*PAGING, OpenApiParameter("account", str, description="key of a route")],
        responses=bodies.DoubtsPage,
    )
    def get(self, request: ApiRequest) -> Response:
        """Every request that was never answered, oldest first, with what is waited for."""
        limit, after = _number(request, "limit", 50), _number(request, "cursor", 0)
        if not 1 <= limit <= 200:
            raise Invalid([Finding("error", "/limit", str(limit)[:20], "a whole number from 1 to 200")])
        account = request.GET.get("account", "")[:80]
        rows = delivery.doubts(request.actor.workspace_id, account=account, after=after, limit=limit + 1, now=timezone.now())
        shown = rows[:limit]
        items = [{**asdict(row), "words": row.words} for row in shown]
        return Response({"items": items, "next": str(shown[-1].id) if len(rows) > limit else None})


class OneInDoubt(APIView):
    permission_classes = [HasScope("runs:launch")]

    @extend_schema(operation_id="in_doubt_decide", request=DoubtRequest, responses={204: None})
    def post(self, request: ApiRequest, attempt_id: int) -> Response:
        """Say what became of a request, or of one of its messages. `count` repeats how many messages that is about."""
        allow(request.actor, Role.APPROVER, "runs:launch")
        wanted = parse(DoubtRequest, request.data)
        key = delivery.read_message_id(wanted.message_id) if wanted.message_id else None
        if wanted.message_id and key is None:
            raise Invalid([Finding("error", "/message_id", wanted.message_id[:40], "the id of one of its messages")])
        n = key.n if key else None
        delivery.resolve_in_doubt(
            request.actor, min(attempt_id, 2**63 - 1), wanted.verdict, n=n, confirm=True, typed=wanted.count, now=timezone.now()
        )
        return Response(status=204)


def _number(request: ApiRequest, name: str, usual: int) -> int:
    text = request.GET.get(name, "")
    if not text:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise Invalid([Finding("error", f"/{name}", text[:20], "a whole number, as an earlier page gave it")])
    return int(text)
