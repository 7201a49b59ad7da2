"""Segments asked by programs: how many, who, why somebody is in it or not, and what segments share. Released revisions only."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from audience import api_bodies as bodies
from audience.explain import explain
from audience.profiles import load, named
from audience.resolve import count, resolve
from audience.sets import MOST, overlap
from governance.door import ApiRequest, Finding, HasScope, Invalid, shorten, whole_number

READ = HasScope("profiles:read")
AFTER = OpenApiParameter("cursor", str, description="`next` of the page before")
LIMIT = OpenApiParameter("limit", int, description="1 to 1,000 (default 200)")
OF = OpenApiParameter("of", str, many=True, description=f"the key of a released segment; 2 to {MOST} of them")


class SegmentCount(APIView):
    permission_classes = [READ]

    @extend_schema(operation_id="segments_count", responses=bodies.SegmentCountAnswer)
    def get(self, request: ApiRequest, key: str) -> Response:
        """How many people are in a segment now."""
        now = timezone.now()
        return Response({"segment": key, "count": count(request.actor.workspace_id, key, as_of=now), "as_of": now})


class SegmentPeople(APIView):
    permission_classes = [READ]

    @extend_schema(operation_id="segments_people", parameters=[AFTER, LIMIT], responses=bodies.SegmentPeopleAnswer)
    def get(self, request: ApiRequest, key: str) -> Response:
        """Who is in a segment, by external id, in the order in which people came. Each page is asked anew: who enters or leaves meanwhile
        may be missed. For a set of one moment take a daily snapshot."""
        limit, after = _number(request, "limit", 200, 1_000), _number(request, "cursor", 0, 2**63 - 1)
        found = resolve(request.actor.workspace_id, key, as_of=timezone.now())
        first = found.ids.rank(after)
        some = list(found.ids[first : first + limit + 1])
        people = load(request.actor.workspace_id, some[:limit])
        more = len(some) > limit
        told = {"segment": key, "count": found.count, "as_of": found.as_of, "engine": found.engine, "note": found.note}
        return Response({**told, "items": [person.external_id for person in people], "next": str(some[limit - 1]) if more else None})


class SegmentExplained(APIView):
    permission_classes = [READ]

    @extend_schema(operation_id="segments_explain", responses=bodies.ExplanationAnswer)
    def get(self, request: ApiRequest, key: str, external_id: str) -> Response:
        """Why a person is in a segment, or isn't: the rule as a tree, each node with its answer and whether the whole hangs on it."""
        person = named(request.actor.workspace_id, external_id)
        return Response(asdict(explain(request.actor.workspace_id, key, person.id, as_of=timezone.now(), role=request.actor.role)))


class SegmentsShared(APIView):
    permission_classes = [READ]

    @extend_schema(operation_id="segments_overlap", parameters=[OF], responses=bodies.OverlapAnswer)
    def get(self, request: ApiRequest) -> Response:
        """How many people every two of some segments share: `counts[a][b]`; `counts[a][a]` is how many are in one."""
        keys = request.GET.getlist("of")
        if not 2 <= len(keys) <= MOST or len(set(keys)) != len(keys):
            raise Invalid([Finding("error", "/of", f"{len(set(keys))} segments", f"2 to {MOST} different keys")])
        now = timezone.now()
        found = overlap(request.actor.workspace_id, keys, as_of=now)
        return Response({"segments": keys, "counts": found.counts, "as_of": now})


def _number(request: ApiRequest, name: str, usual: int, most: int) -> int:
    text: Any = request.GET.get(name, "")
    if not text:
        return usual
    number = whole_number(text, 19)
    if number is None or number > most or (number == 0 and name != "cursor"):
        raise Invalid([Finding("error", f"/{name}", shorten(text), f"a whole number up to {most:,}")])
    return number
