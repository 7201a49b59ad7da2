"""Kill switches and suppressed addresses by HTTP: the same rights and the same audit trail as in the console."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from delivery import suppression
from delivery.addresses import EVERY_CHANNEL, PHONE_CHANNELS, address_hash
from delivery.api_bodies import (
    SuppressedAnswer,
    SuppressionBody,
    SuppressionLookUp,
    SuppressionRequest,
    SwitchBody,
    SwitchesAnswer,
    SwitchRequest,
)
from delivery.control import kill, switches
from delivery.models import Suppression
from delivery.standstill import standstill
from governance.door import ApiRequest, HasScope, Role, allow, parse


class Switches(APIView):
    permission_classes = [HasScope("runs:read", POST="runs:launch")]

    @extend_schema(operation_id="switches_list", responses=SwitchesAnswer)
    def get(self, request: ApiRequest) -> Response:
        """The kill switches that are on."""
        return Response(_switches(request.actor.workspace_id))

    @extend_schema(operation_id="switches_throw", request=SwitchRequest, responses=SwitchesAnswer)
    def post(self, request: ApiRequest) -> Response:
        """Throw a kill switch, or release it (which needs an approver). Once this is answered nothing of it is handed to a vendor
        any more; the answer takes a second at most."""
        wanted = parse(SwitchRequest, request.data)
        kill(request.actor, wanted.scope, wanted.key, wanted.on, reason=wanted.reason, now=timezone.now())
        if wanted.on:
            standstill(request.actor.workspace_id, scope=wanted.scope, key=wanted.key)
        return Response(_switches(request.actor.workspace_id))


class Suppressions(APIView):
    permission_classes = [HasScope("profiles:write")]

    @extend_schema(operation_id="suppressions_add", request=SuppressionRequest, responses={201: SuppressedAnswer})
    def post(self, request: ApiRequest) -> Response:
        """Never write to an address again on this channel. Who, when and why is audited; the address is kept as a keyed hash only."""
        wanted = parse(SuppressionRequest, request.data)
        channel = wanted.channel or _channel(wanted.address)
        suppression.never_write_to(request.actor, channel, wanted.address, reason=wanted.reason, now=timezone.now())
        return Response(_known(request.actor.workspace_id, wanted.address), status=201)


class LookUpSuppression(APIView):
    permission_classes = [HasScope("profiles:read")]

    @extend_schema(operation_id="suppressions_look_up", request=SuppressionLookUp, responses=SuppressedAnswer)
    def post(self, request: ApiRequest) -> Response:
        """Whether an address is suppressed, on which channels and why. By POST, so that no address stands in a log of URLs."""
        return Response(_known(request.actor.workspace_id, parse(SuppressionLookUp, request.data).address))


class LiftSuppression(APIView):
    permission_classes = [HasScope("profiles:write")]

    @extend_schema(operation_id="suppressions_lift", request=SuppressionRequest, responses=SuppressedAnswer)
    def post(self, request: ApiRequest) -> Response:
        """Allow an address again. Needs an approver and a reason."""
        allow(request.actor, Role.APPROVER, "profiles:write")
        wanted = parse(SuppressionRequest, request.data)
        channel = wanted.channel or _channel(wanted.address)
        suppression.unsuppress(request.actor, channel, wanted.address, reason=wanted.reason, now=timezone.now())
        return Response(_known(request.actor.workspace_id, wanted.address))


def _switches(workspace_id: int) -> dict[str, object]:
    found = [SwitchBody(scope=row.scope, key=row.key, reason=row.reason, at=row.at) for row in switches(workspace_id)]
    return SwitchesAnswer(items=found).model_dump(mode="json")


def _channel(address: str) -> str:
    return "email" if "@" in address else "sms"


def _known(workspace_id: int, address: str) -> dict[str, object]:
    """A number hashes alike on all its channels."""
    channel = _channel(address)
    hashed = address_hash(workspace_id, channel, suppression.normal(channel, address))
    beside = Q(channel__in=[EVERY_CHANNEL, *(["email"] if channel == "email" else PHONE_CHANNELS)])
    rows = Suppression.objects.filter(beside, workspace_id=workspace_id, address_hash=hashed).order_by("channel")
    found = [SuppressionBody(channel=row.channel, reason=row.reason, source=row.source, at=row.at) for row in rows]
    return SuppressedAnswer(suppressed=bool(found), items=found).model_dump(mode="json")
