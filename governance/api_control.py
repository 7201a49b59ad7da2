"""Submissions, API keys and the audit trail by HTTP."""

from __future__ import annotations

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from governance import api_answers as answers
from governance import api_requests as requests
from governance.api import answer
from governance.api_authentication import ApiRequest, HasScope
from governance.api_keys import create_api_key, revoke_api_key
from governance.approvals import decide, find_submission, withdraw
from governance.findings import parse
from governance.models import ApiKey, AuditEntry, Decision, Submission, Workspace
from governance.paging import PAGING, page
from governance.releases import release
from governance.roles import Role, allow


class Submissions(APIView):
    permission_classes = [HasScope("documents:read")]

    @extend_schema(
        operation_id="submissions_list",
        parameters=[
            *PAGING,
            OpenApiParameter("state", str, enum=[state.value for state in Submission.State]),
            OpenApiParameter("kind", str, description="of what was submitted, such as campaign"),
            OpenApiParameter("key", str),
        ],
        responses=answers.SubmissionsPage,
    )
    def get(self, request: ApiRequest) -> Response:
        """What was submitted, newest first."""
        wanted = parse(requests.SubmissionsQuery, request.GET.dict())
        rows = _submissions(request.actor.workspace_id)
        asked = {"state": wanted.state, "document__kind": wanted.kind, "document__key": wanted.key}
        rows = rows.filter(**{name: value for name, value in asked.items() if value})
        return Response(page(rows, request, lambda row: answers.SubmissionAnswer.of(row).model_dump(mode="json"), ["-submitted_at", "-id"]))


class OneSubmission(APIView):
    permission_classes = [HasScope("documents:read")]

    @extend_schema(operation_id="submissions_read", responses=answers.SubmissionAnswer)
    def get(self, request: ApiRequest, submission_id: int) -> Response:
        """One submission with its bill of materials and what people said."""
        return answer(answers.SubmissionAnswer.of(find_submission(request.actor.workspace_id, submission_id)))


class Decide(APIView):
    permission_classes = [HasScope("documents:decide")]

    @extend_schema(operation_id="submissions_decide", request=requests.DecideRequest, responses=answers.SubmissionAnswer)
    def post(self, request: ApiRequest, submission_id: int) -> Response:
        """Approve or reject what others wrote. A key decides for the person who made it, and never on their own work."""
        wanted = parse(requests.DecideRequest, request.data)
        row = decide(
            request.actor, submission_id, bill_hash=wanted.bill_hash, verdict=wanted.verdict, comment=wanted.comment, now=timezone.now()
        )
        return answer(answers.SubmissionAnswer.of(row))


class ReleaseSubmission(APIView):
    permission_classes = [HasScope("documents:release")]

    @extend_schema(operation_id="submissions_release", request=None, responses=answers.ReleasesAnswer)
    def post(self, request: ApiRequest, submission_id: int) -> Response:
        """Put an approved bill of materials in force, all of it at once."""
        rows = release(request.actor, submission_id, now=timezone.now())
        return answer(answers.ReleasesAnswer(items=[answers.ReleaseAnswer.of(row) for row in rows]))


class Withdraw(APIView):
    permission_classes = [HasScope("documents:submit")]

    @extend_schema(operation_id="submissions_withdraw", request=None, responses=answers.SubmissionAnswer)
    def post(self, request: ApiRequest, submission_id: int) -> Response:
        """Take back an open submission, or an approval that was not released."""
        return answer(answers.SubmissionAnswer.of(withdraw(request.actor, submission_id, now=timezone.now())))


class ApiKeys(APIView):
    permission_classes = [HasScope("keys:manage")]

    @extend_schema(operation_id="api_keys_list", parameters=PAGING, responses=answers.ApiKeysPage)
    def get(self, request: ApiRequest) -> Response:
        """All keys of the workspace, newest first, without their secrets."""
        allow(request.actor, Role.ADMIN, "keys:manage")
        rows = ApiKey.objects.filter(workspace_id=request.actor.workspace_id).select_related("created_by")
        return Response(page(rows, request, lambda row: answers.ApiKeyAnswer.of(row).model_dump(mode="json"), ["-id"]))

    @extend_schema(operation_id="api_keys_create", request=requests.ApiKeyRequest, responses={201: answers.NewApiKeyAnswer})
    def post(self, request: ApiRequest) -> Response:
        """Make a key for the same person. Its text is in this answer and nowhere else."""
        wanted = parse(requests.ApiKeyRequest, request.data)
        row, text = create_api_key(request.actor, wanted.name, wanted.role, wanted.scopes, wanted.expires_at, timezone.now())
        return answer(answers.NewApiKeyAnswer(**answers.ApiKeyAnswer.of(row).model_dump(), key=text), status=201)


class OneApiKey(APIView):
    permission_classes = [HasScope("keys:manage")]

    @extend_schema(operation_id="api_keys_revoke", responses={200: answers.ApiKeyAnswer})
    def delete(self, request: ApiRequest, key_id: int) -> Response:
        """Revoke a key: it stops working at once and stays listed."""
        return answer(answers.ApiKeyAnswer.of(revoke_api_key(request.actor, key_id, now=timezone.now())))


class Audit(APIView):
    permission_classes = [HasScope("audit:read")]

    @extend_schema(
        operation_id="audit_list",
        parameters=[*PAGING, OpenApiParameter("subject", str), OpenApiParameter("action", str)],
        responses=answers.AuditPage,
    )
    def get(self, request: ApiRequest) -> Response:
        """Who did what, newest first; each entry's hash covers the one before."""
        wanted = parse(requests.AuditQuery, request.GET.dict())
        rows = AuditEntry.objects.filter(workspace_id=request.actor.workspace_id)
        rows = rows.filter(subject=wanted.subject) if wanted.subject else rows
        rows = rows.filter(action=wanted.action) if wanted.action else rows
        return Response(page(rows, request, lambda row: answers.AuditAnswer.of(row).model_dump(mode="json"), ["-n"]))


class Me(APIView):
    @extend_schema(operation_id="me", responses=answers.MeAnswer)
    def get(self, request: ApiRequest) -> Response:
        """Whom this key acts for, and what it may do."""
        return answer(answers.MeAnswer.of(request.actor, Workspace.objects.get(pk=request.actor.workspace_id).key))


def _submissions(workspace_id: int) -> QuerySet[Submission]:
    decisions = Prefetch("decisions", queryset=Decision.objects.select_related("by").order_by("at"))
    rows = Submission.objects.filter(workspace_id=workspace_id).select_related("document", "revision", "submitted_by")
    return rows.prefetch_related(decisions)
