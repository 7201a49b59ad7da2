"""Records beside people, by HTTP."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from audience import record_bodies as bodies
from audience.api_rows import each_by_itself, in_order, told
from audience.external_ids import external_id_of
from audience.models import Record, Relation
from audience.profiles import named
from audience.record_rows import MAX_PEOPLE
from audience.record_types import record_type, record_types
from audience.record_upsert import upsert_records
from audience.records import delete_record, record_rows, records_of, visible
from governance.door import PAGING, ApiRequest, HasScope, Invalid, Missing, page, parse

TYPE = OpenApiParameter("type", str, description="only records of this type")


class Records(APIView):
    permission_classes = [HasScope("profiles:write")]

    @extend_schema(operation_id="records_upsert", request=bodies.RecordsRequest, responses=bodies.RecordsAnswer)
    def post(self, request: ApiRequest, type: str) -> Response:
        """Create or change up to 1,000 records of a type. One that is wrong is named and harms no other; if none is right, the answer is
        422. The same again changes nothing; of two with one id the later wins."""
        workspace_id = request.actor.workspace_id
        record_type(workspace_id, type)  # before anything is said about the records
        wanted = parse(bodies.RecordsEnvelope, request.data)
        rows, rejected = each_by_itself(wanted.records, "records", lambda one, at, place: parse(bodies.RecordBody, one, at=at).row(place))
        merge = wanted.people == "merge"
        outcome = upsert_records(workspace_id, type, rows, now=timezone.now(), merge=merge)
        rejected = in_order("records", rejected, outcome.rejected)
        if not outcome.taken:
            raise Invalid([finding for row in rejected for finding in row.findings])
        counts = {name: getattr(outcome, name) for name in ("created", "updated", "unchanged", "related", "unrelated")}
        return Response({**counts, "rejected": told(rejected)})


class OneRecord(APIView):
    permission_classes = [HasScope("profiles:read", DELETE="profiles:write")]

    @extend_schema(operation_id="records_read", responses=bodies.OneRecordAnswer)
    def get(self, request: ApiRequest, type: str, external_id: str) -> Response:
        """One record, and who has to do with it."""
        rows = Record.objects.filter(workspace_id=request.actor.workspace_id, type=type, external_id=_kept(external_id))
        row = rows.first()
        if row is None:
            raise Missing("no such record")
        row.attributes = visible(record_types(row.workspace_id).get(type), row.attributes, request.actor.role)
        relations = Relation.objects.filter(record=row, profile__gone_at__isnull=True)
        people = relations.order_by("profile_id", "role").values("profile__external_id", "role")[:MAX_PEOPLE]
        answer = bodies.OneRecordAnswer(
            **{name: getattr(row, name) for name in bodies.RecordAnswer.model_fields},
            people=[bodies.PersonOfRecord(external_id=each["profile__external_id"], role=each["role"]) for each in people],
            people_count=relations.values("profile_id").distinct().count(),
        )
        return Response(answer.model_dump(mode="json"))

    @extend_schema(operation_id="records_delete", responses={204: None})
    def delete(self, request: ApiRequest, type: str, external_id: str) -> Response:
        """Take a record away for good, and with it that people have to do with it."""
        if not delete_record(request.actor.workspace_id, type, _kept(external_id), now=timezone.now()):
            raise Missing("no such record")
        return Response(status=204)


class ProfileRecords(APIView):
    permission_classes = [HasScope("profiles:read")]

    @extend_schema(operation_id="profiles_records", parameters=[TYPE, *PAGING], responses=bodies.RecordsOfPersonPage)
    def get(self, request: ApiRequest, external_id: str) -> Response:
        """What a person has to do with, the newest first."""
        workspace_id = request.actor.workspace_id
        person = named(workspace_id, _kept(external_id))
        rows, type_ = record_rows(workspace_id, person.id), request.GET.get("type", "")
        if type_:
            rows = rows.filter(type=_without_nul(type_))
        paged = page(rows, request, lambda row: row, ["-created_at", "-id"])
        types, role = record_types(workspace_id), request.actor.role
        for row in paged["items"]:
            row.attributes = visible(types.get(row.type), row.attributes, role)
        views = records_of(workspace_id, person.id, paged["items"])
        return Response({**paged, "items": [bodies.RecordOfPerson.of(view).model_dump(mode="json") for view in views]})


def _kept(external_id: str) -> str:
    return _without_nul(external_id_of(external_id))


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise Missing("no such record")
    return text
