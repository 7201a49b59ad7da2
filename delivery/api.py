"""Mail domains by HTTP: the same checks as the console's page."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from delivery.api_bodies import DomainAnswer, DomainsAnswer
from delivery.domains import kept
from governance.door import ApiRequest, HasScope


class Domains(APIView):
    permission_classes = [HasScope("documents:read")]

    @extend_schema(operation_id="domains_list", responses=DomainsAnswer)
    def get(self, request: ApiRequest) -> Response:
        """Every domain that mail is written from, with what is known of its SPF, DKIM, DMARC, alignment and one-click unsubscribing."""
        found = kept.domains(request.actor.workspace_id, now=timezone.now())
        return Response(DomainsAnswer(items=[DomainAnswer.of(view) for view in found]).model_dump(mode="json"))


class OneDomain(APIView):
    permission_classes = [HasScope("documents:read")]

    @extend_schema(operation_id="domains_read", responses=DomainAnswer)
    def get(self, request: ApiRequest, domain: str) -> Response:
        """One domain, as DNS was last heard: nobody is asked now."""
        view = kept.domain(request.actor.workspace_id, domain, now=timezone.now())
        return Response(DomainAnswer.of(view).model_dump(mode="json"))


class CheckDomain(APIView):
    permission_classes = [HasScope("documents:write")]

    @extend_schema(operation_id="domains_check", request=None, responses=DomainAnswer)
    def post(self, request: ApiRequest, domain: str) -> Response:
        """Ask the name servers now, for a few seconds at most. Refused within 30 seconds of the last time."""
        view = kept.check_again(request.actor, domain, now=timezone.now())
        return Response(DomainAnswer.of(view).model_dump(mode="json"))
