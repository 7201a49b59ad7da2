"""Documents by HTTP: what the console can do to a document the API can."""

from __future__ import annotations

import re
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance import api_answers as answers
from governance import api_requests as requests
from governance.api_authentication import ApiRequest, HasScope
from governance.approvals import submit
from governance.findings import Finding, Invalid, Stale, Unmatched, parse
from governance.kinds import kind_of_plural, kinds
from governance.models import Document, Revision
from governance.paging import PAGING, page
from governance.reading import (
    STATES,
    DocumentView,
    document,
    document_rows,
    document_views,
    filtered,
    revision,
    revision_rows,
    revision_view,
)
from governance.releases import recall, roll_back
from governance.revisions import save

READ = HasScope("documents:read")


def answer(model: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer of this shape."""
    return Response(model.model_dump(mode="json"), status=status, headers=headers)


class Kinds(APIView):
    permission_classes = [READ]

    @extend_schema(operation_id="kinds_list", responses=answers.KindsAnswer)
    def get(self, request: ApiRequest) -> Response:
        """Every kind of document, with the JSON Schema of its bodies."""
        return answer(answers.KindsAnswer(items=[answers.KindAnswer.of(kind) for kind in kinds()]))


class Documents(APIView):
    permission_classes = [READ]

    @extend_schema(
        operation_id="documents_list",
        parameters=[
            *PAGING,
            OpenApiParameter("q", str, description="a part of the title or key"),
            OpenApiParameter("state", str, enum=list(STATES)),
        ],
        responses=answers.DocumentsPage,
    )
    def get(self, request: ApiRequest, plural: str) -> Response:
        """The documents of a kind, by key."""
        wanted = parse(requests.DocumentsQuery, request.GET.dict())
        rows = filtered(document_rows(request.actor.workspace_id, kind_of_plural(plural).name), wanted.q, wanted.state or "")
        return Response(page(rows, request, _document, ["key"]))


class OneDocument(APIView):
    permission_classes = [HasScope("documents:read", PUT="documents:write")]

    @extend_schema(operation_id="documents_read", responses=answers.DocumentAnswer)
    def get(self, request: ApiRequest, plural: str, key: str) -> Response:
        """A document with its latest revision, whose number is the ETag."""
        return _answer(document(request.actor.workspace_id, kind_of_plural(plural).name, key))

    @extend_schema(
        operation_id="documents_save",
        request=requests.SaveRequest,
        responses={200: answers.DocumentAnswer, 201: answers.DocumentAnswer},
        parameters=[OpenApiParameter("If-Match", str, "header", description='the revision that was edited, e.g. `"7"`')],
    )
    def put(self, request: ApiRequest, plural: str, key: str) -> Response:
        """Save a revision. The same body again is the same revision; an edit of an older one is refused with the difference."""
        kind, wanted = kind_of_plural(plural).name, parse(requests.SaveRequest, request.data)
        matched, base = _base(request, kind, key, wanted.base)
        try:
            row = save(request.actor, kind, key, wanted.body, base=base, note=wanted.note, now=timezone.now())
        except Stale as stale:
            raise Unmatched(stale.reason, stale.difference) if matched else stale from None
        return _answer(document(request.actor.workspace_id, kind, key), status=201 if row.number == 1 and base is None else 200)


class Revisions(APIView):
    permission_classes = [READ]

    @extend_schema(operation_id="revisions_list", parameters=PAGING, responses=answers.RevisionsPage)
    def get(self, request: ApiRequest, plural: str, key: str) -> Response:
        """A document's revisions, newest first."""
        view = document(request.actor.workspace_id, kind_of_plural(plural).name, key)
        return Response(page(revision_rows(view.workspace_id, view.kind, key), request, _revision, ["-number"]))


class OneRevision(APIView):
    permission_classes = [READ]

    @extend_schema(operation_id="revisions_read", responses=answers.RevisionAnswer)
    def get(self, request: ApiRequest, plural: str, key: str, number: int) -> Response:
        """One revision, as it was saved."""
        view = revision(request.actor.workspace_id, kind_of_plural(plural).name, key, number)
        return answer(answers.RevisionAnswer.of(view))


class Submit(APIView):
    permission_classes = [HasScope("documents:submit")]

    @extend_schema(operation_id="documents_submit", request=requests.SubmitRequest, responses={201: answers.SubmissionAnswer})
    def post(self, request: ApiRequest, plural: str, key: str) -> Response:
        """Ask others to vouch for the latest revision and everything it uses."""
        kind, wanted = kind_of_plural(plural).name, parse(requests.SubmitRequest, request.data)
        row = submit(request.actor, kind, key, number=wanted.number, note=wanted.note, now=timezone.now())
        return answer(answers.SubmissionAnswer.of(row), status=201)


class RollBack(APIView):
    permission_classes = [HasScope("documents:release")]

    @extend_schema(operation_id="documents_roll_back", request=requests.PointerRequest, responses=answers.ReleaseAnswer)
    def post(self, request: ApiRequest, plural: str, key: str) -> Response:
        """Put an earlier released revision in force again."""
        kind, wanted = kind_of_plural(plural).name, parse(requests.PointerRequest, request.data)
        row = roll_back(request.actor, kind, key, number=wanted.number, reason=wanted.reason, now=timezone.now())
        return answer(answers.ReleaseAnswer.of(row))


class Recall(APIView):
    permission_classes = [HasScope("documents:release")]

    @extend_schema(operation_id="documents_recall", request=requests.PointerRequest, responses=answers.ReleaseAnswer)
    def post(self, request: ApiRequest, plural: str, key: str) -> Response:
        """Forbid a revision for good: nothing that pins it may send any more."""
        kind, wanted = kind_of_plural(plural).name, parse(requests.PointerRequest, request.data)
        row = recall(request.actor, kind, key, number=wanted.number, reason=wanted.reason, now=timezone.now())
        return answer(answers.ReleaseAnswer.of(row))


def _answer(view: DocumentView, status: int = 200) -> Response:
    return answer(answers.DocumentAnswer.of(view), status, {"ETag": f'"{view.latest.number}"'})


def _base(request: Request, kind: str, key: str, given: int | None) -> tuple[bool, int | None]:
    """Whether a precondition was sent as a header, and the revision that was edited."""
    match, none_match = request.headers.get("If-Match"), request.headers.get("If-None-Match")
    if none_match is not None:
        if none_match.strip() != "*" or match is not None:
            raise Invalid([Finding("error", "/If-None-Match", none_match[:40], "* alone, for a document that must not exist yet")])
        return True, None
    if match is None:
        return False, given
    if match.strip() == "*":
        return True, document(request.actor.workspace_id, kind, key).latest.number  # type: ignore[attr-defined]
    number = re.fullmatch(r'\s*(?:W/)?"?(\d{1,9})"?\s*', match)  # W/: what a proxy that compresses makes of our ETag
    if number is None or (given is not None and given != int(number[1])):
        raise Invalid(
            [Finding("error", "/If-Match", match[:40], "the ETag of the revision that was edited, and the same base if one is sent")]
        )
    return True, int(number[1])


def _document(row: Document) -> dict[str, Any]:
    return answers.DocumentAnswer.of(document_views([row])[0]).model_dump(mode="json")


def _revision(row: Revision) -> dict[str, Any]:
    return answers.RevisionAnswer.of(revision_view(row)).model_dump(mode="json")
