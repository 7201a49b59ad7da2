"""A saved template by HTTP, as the console's preview page has it: seen by somebody, sent to oneself."""

from __future__ import annotations

from dataclasses import asdict

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from audience import door as audience
from governance import door as governance
from governance.door import ApiRequest, Finding, HasScope, Invalid, Role, allow, parse
from workflow import api_bodies as bodies
from workflow import trials
from workflow.requests import LookRequest, TrialRequest


class TemplatePreview(APIView):
    permission_classes = [HasScope("documents:read")]

    @extend_schema(operation_id="templates_preview", request=LookRequest, responses=bodies.PreviewAnswer)
    def post(self, request: ApiRequest, key: str) -> Response:
        """What a person would get, or with samples nobody in particular; with `external_id` the key needs `profiles:read`, too."""
        wanted = parse(LookRequest, request.data)
        workspace_id = request.actor.workspace_id
        if wanted.revision is None:
            shown = governance.document(workspace_id, "template", key).latest
        else:
            shown = governance.revision(workspace_id, "template", key, wanted.revision)
        _, made = trials.look(shown, _person(request, wanted.external_id), wanted.locale)
        told = {**asdict(made), "findings": [finding.as_dict() for finding in made.findings], "revision": shown.number}
        return Response(bodies.PreviewAnswer(**told).model_dump(mode="json"))


class TemplateTest(APIView):
    permission_classes = [HasScope("messages:send")]

    @extend_schema(operation_id="templates_test", request=TrialRequest, responses=bodies.TrialAnswer)
    def post(self, request: ApiRequest, key: str) -> Response:
        """Send the saved draft, marked as a test, to the person who made the key. It is in no run and no cap counts it."""
        wanted = parse(TrialRequest, request.data)
        view = governance.document(request.actor.workspace_id, "template", key)
        person = _person(request, wanted.external_id)
        content, made = trials.look(view.latest, person, wanted.locale)
        maker = governance.User.objects.get(pk=request.actor.user_id or 0)
        outcome, _ = trials.send_to_oneself(request.actor, content, made, person, email=maker.email, phone=wanted.phone, now=timezone.now())
        return Response(bodies.TrialAnswer(**asdict(outcome)).model_dump(mode="json"))


def _person(request: ApiRequest, external_id: str) -> audience.Person | None:
    if not external_id:
        return None
    allow(request.actor, Role.VIEWER, "profiles:read")
    person = audience.find(request.actor.workspace_id, external_id=external_id)
    if person is None:
        raise Invalid([Finding("error", "/external_id", "an id that nobody has", "somebody who has a profile")])
    return audience.shown_one(request.actor, person)
