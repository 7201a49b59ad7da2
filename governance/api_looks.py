"""What can be known about a document by HTTP: differences, checks, its bill of materials, who approved, wrote and uses it."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from governance import api_answers as answers
from governance import api_requests as requests
from governance.api import READ, answer
from governance.api_authentication import ApiRequest
from governance.approved import approval
from governance.bills import bill
from governance.blame import blame
from governance.checking import check, check_bill
from governance.difference import difference
from governance.findings import Finding, Missing, parse
from governance.kinds import Ref, kind_of_plural
from governance.models import Release
from governance.paging import PAGING, page
from governance.reading import DocumentView, document, revision, users_of
from governance.revisions import prepare


class Difference(APIView):
    permission_classes = [READ]

    @extend_schema(
        operation_id="documents_diff",
        responses=answers.ChangesAnswer,
        parameters=[
            OpenApiParameter(name, {"type": "string", "pattern": requests.NUMBERED}, description="a number, `latest` or `released`")
            for name in ("before", "after")
        ],
    )
    def get(self, request: ApiRequest, plural: str, key: str) -> Response:
        """What changed between two revisions: by default from what is in force to the latest."""
        view = document(request.actor.workspace_id, kind_of_plural(plural).name, key)
        wanted = parse(requests.DiffQuery, request.GET.dict())
        before, after = _numbered(view, wanted.before), _numbered(view, wanted.after)
        old, new = revision(view.workspace_id, view.kind, key, before), revision(view.workspace_id, view.kind, key, after)
        changes = [answers.ChangeAnswer(**change.as_dict()) for change in difference(old.body, new.body)]
        return answer(answers.ChangesAnswer(before=before, after=after, changes=changes))


class Checks(APIView):
    permission_classes = [READ]

    @extend_schema(operation_id="documents_checks", responses=answers.FindingsAnswer)
    def get(self, request: ApiRequest, plural: str, key: str) -> Response:
        """What would stop the latest revision and everything it uses from being submitted, as things are now."""
        root, workspace_id = Ref(kind_of_plural(plural).name, key), request.actor.workspace_id
        materials = bill(workspace_id, root.kind, root.key, of="draft")
        return _findings(check_bill(request.actor, workspace_id, root, materials, now=timezone.now()))

    @extend_schema(operation_id="documents_check_body", request=requests.BodyRequest, responses=answers.FindingsAnswer)
    def post(self, request: ApiRequest, plural: str, key: str) -> Response:
        """What the checks would say about this body; nothing is saved."""
        ready = prepare(kind_of_plural(plural).name, key, parse(requests.BodyRequest, request.data).body)
        return _findings(check(request.actor, request.actor.workspace_id, ready.ref, ready.model, now=timezone.now()))


class BillOfMaterials(APIView):
    permission_classes = [READ]

    @extend_schema(
        operation_id="documents_bill",
        responses=answers.BillAnswer,
        parameters=[OpenApiParameter("of", str, enum=["draft", "released"], description="default draft")],
    )
    def get(self, request: ApiRequest, plural: str, key: str) -> Response:
        """The document and everything it uses, with the hash that people approve."""
        wanted = parse(requests.BillQuery, request.GET.dict())
        return answer(answers.BillAnswer.of(bill(request.actor.workspace_id, kind_of_plural(plural).name, key, of=wanted.of)))


class Approved(APIView):
    permission_classes = [READ]

    @extend_schema(operation_id="documents_approval", responses=answers.ApprovalAnswer)
    def get(self, request: ApiRequest, plural: str, key: str) -> Response:
        """Who approved exactly what is in force; 403 with every document that differs where nobody did."""
        found = approval(request.actor.workspace_id, kind_of_plural(plural).name, key, now=timezone.now())
        return answer(answers.ApprovalAnswer.of(found))


class Blamed(APIView):
    permission_classes = [READ]

    @extend_schema(operation_id="documents_blame", responses=answers.BlameAnswer)
    def get(self, request: ApiRequest, plural: str, key: str) -> Response:
        """Each field of the latest revision with the revision and the author that it comes from."""
        found = blame(request.actor.workspace_id, kind_of_plural(plural).name, key)
        items = [answers.BlamedAnswer(path=each.path, number=each.number, author=each.author) for each in found]
        return answer(answers.BlameAnswer(items=items))


class UsedBy(APIView):
    permission_classes = [READ]

    @extend_schema(operation_id="documents_used_by", responses=answers.UsersAnswer)
    def get(self, request: ApiRequest, plural: str, key: str) -> Response:
        """The documents whose latest revision uses this one."""
        view = document(request.actor.workspace_id, kind_of_plural(plural).name, key)
        users = users_of(view.workspace_id, view.kind, key)
        return answer(answers.UsersAnswer(items=[{"kind": user.kind, "key": user.key} for user in users]))


class Reach(APIView):
    permission_classes = [READ]

    @extend_schema(operation_id="documents_reach", responses=answers.ReachAnswer)
    def get(self, request: ApiRequest, plural: str, key: str) -> Response:
        """How many people the latest revision would reach now; null for kinds that reach nobody."""
        kind = kind_of_plural(plural)
        view = document(request.actor.workspace_id, kind.name, key)
        return answer(answers.ReachAnswer(reach=kind.reach(view.workspace_id, view.latest.model, timezone.now()) if kind.reach else None))


class Releases(APIView):
    permission_classes = [READ]

    @extend_schema(operation_id="documents_releases", parameters=PAGING, responses=answers.ReleasesPage)
    def get(self, request: ApiRequest, plural: str, key: str) -> Response:
        """Every release, roll back and recall, newest first: who, when and why."""
        view = document(request.actor.workspace_id, kind_of_plural(plural).name, key)
        rows = Release.objects.filter(workspace_id=view.workspace_id, document_id=view.id).select_related("document", "revision", "by")
        return Response(page(rows, request, lambda row: answers.ReleaseAnswer.of(row).model_dump(mode="json"), ["-id"]))


def _numbered(view: DocumentView, wanted: str) -> int:
    if wanted == "latest":
        return view.latest.number
    if wanted != "released":
        return int(wanted)
    if view.released is None:
        raise Missing(f"{view.kind} {view.key} has no released revision: say which with before= and after=")
    return view.released.number


def _findings(findings: list[Finding]) -> Response:
    return answer(answers.FindingsAnswer(items=[answers.FindingAnswer.of(finding) for finding in findings]))
