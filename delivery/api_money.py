"""What messages cost, by HTTP."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from delivery import bills
from delivery.api_bodies import BillAnswer, BillLineBody
from governance.door import ApiRequest, HasScope

MONTH = OpenApiParameter("month", str, "query", required=True, description="such as 2026-11, in UTC")


class Bill(APIView):
    permission_classes = [HasScope("runs:read")]

    @extend_schema(operation_id="bill_read", parameters=[MONTH], responses=BillAnswer)
    def get(self, request: ApiRequest) -> Response:
        """A month's money by channel, account and country, beside what the vendors charged."""
        month = request.query_params.get("month", "")
        lines = _lines(request, month)
        told = [BillLineBody(**{name: getattr(line, name) for name in bills.COLUMNS}) for line in lines]
        return Response(BillAnswer(month=month, lines=told).model_dump(mode="json"))


class BillAsCsv(APIView):
    permission_classes = [HasScope("runs:read")]

    @extend_schema(operation_id="bill_csv", parameters=[MONTH], responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: ApiRequest) -> HttpResponse:
        """The same as a CSV file with a header; money in units of each line's currency."""
        return HttpResponse(bills.as_csv(_lines(request, request.query_params.get("month", ""))), content_type="text/csv; charset=utf-8")


def _lines(request: ApiRequest, month: str) -> list[bills.BillLine]:
    since, until = bills.month_of(month)
    return bills.bill(request.actor.workspace_id, since=since, until=until)
