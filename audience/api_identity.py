"""Who is who, by HTTP: other ids of a person, two who are one, and who share an address."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from audience import api_bodies as bodies
from audience.duplicates import SHARED, duplicates
from audience.merging import merge
from audience.other_ids import add_other_id, other_ids, remove_other_id
from audience.profiles import named
from governance.door import ApiRequest, Finding, HasScope, Invalid, parse, shorten, whole_number

BY = OpenApiParameter("by", str, enum=SHARED, description="the address that they share; email unless said")
CURSOR = OpenApiParameter("cursor", str, description="`next` of the page before")
EACH = 50


class OtherIds(APIView):
    permission_classes = [HasScope("profiles:read", PUT="profiles:write", DELETE="profiles:write")]

    @extend_schema(operation_id="other_ids_read", responses=bodies.OtherIdsAnswer)
    def get(self, request: ApiRequest, external_id: str) -> Response:
        """By what else a person is known; whatever is sent or asked under one of these ids is theirs."""
        return Response(_known_as(request, external_id))

    @extend_schema(operation_id="other_ids_add", request=bodies.OtherIdRequest, responses=bodies.OtherIdsAnswer)
    def put(self, request: ApiRequest, external_id: str) -> Response:
        """Let a person be known by another id, too. Refused with 409 where somebody else has it: then merge the two."""
        wanted = parse(bodies.OtherIdRequest, request.data)
        add_other_id(request.actor, external_id, wanted.external_id, now=timezone.now())
        return Response(_known_as(request, external_id))

    @extend_schema(operation_id="other_ids_remove", request=bodies.OtherIdRequest, responses={204: None})
    def delete(self, request: ApiRequest, external_id: str) -> Response:
        """Let an id lead to this person no longer. Refused with 409 where it was somebody's who was merged with them."""
        wanted = parse(bodies.OtherIdRequest, request.data)
        remove_other_id(request.actor, external_id, wanted.external_id, now=timezone.now())
        return Response(status=204)


class Merge(APIView):
    permission_classes = [HasScope("profiles:write")]

    @extend_schema(operation_id="profiles_merge", request=bodies.OtherIdRequest, responses=bodies.MergeAnswer)
    def post(self, request: ApiRequest, external_id: str) -> Response:
        """Make two people one, for good: who is named in the body becomes one with this person. Call it when somebody signs in who was
        known by an anonymous id. An id that nobody has becomes another id of this person; done again, nothing changes. Refused with 409
        where the id already leads to somebody else."""
        wanted = parse(bodies.OtherIdRequest, request.data)
        done = merge(request.actor, external_id, wanted.external_id, now=timezone.now())
        told: dict[str, Any] = {"merged": done is not None, "fields": [], "left": [], "events": 0, "devices": 0, "records": 0}
        if done is not None:
            fields = [name for name in done.fields if name != "email_key"] + sorted(done.attributes)
            told |= {"fields": fields, "left": list(done.left), "events": done.events, "devices": done.devices, "records": done.records}
        return Response({**_known_as(request, external_id), **told})


class Duplicates(APIView):
    permission_classes = [HasScope("profiles:read")]

    @extend_schema(operation_id="duplicates_list", parameters=[BY, CURSOR], responses=bodies.DuplicatesPage)
    def get(self, request: ApiRequest) -> Response:
        """People who share an e-mail address or a phone number, however it was written: perhaps the same person, entered twice."""
        by, cursor = request.GET.get("by", "email"), request.GET.get("cursor", "")
        if by not in SHARED:
            raise Invalid([Finding("error", "/by", shorten(by), f"one of {', '.join(SHARED)}")])
        after = whole_number(cursor)
        if cursor and after is None:
            raise Invalid([Finding("error", "/cursor", shorten(cursor), "`next` of the page before")])
        found = duplicates(request.actor.workspace_id, by=by, after=after, limit=EACH + 1)
        items = [{"count": each.count, "external_ids": [person.external_id for person in each.people]} for each in found[:EACH]]
        return Response({"items": items, "next": str(found[EACH - 1].mark) if len(found) > EACH else None})


def _known_as(request: ApiRequest, external_id: str) -> dict[str, Any]:
    person = named(request.actor.workspace_id, external_id)
    items = [bodies.OtherIdAnswer.of(each).model_dump(mode="json") for each in other_ids(request.actor.workspace_id, person.id)]
    return {"external_id": person.external_id, "items": items}
