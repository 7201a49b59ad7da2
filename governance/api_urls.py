"""Addresses of the governance API, below /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, path

from governance import api, api_control, api_looks

DOCUMENT = "documents/<slug:plural>/<slug:key>"
SUBMISSION = "submissions/<int:submission_id>"

urlpatterns: list[URLPattern] = [
    path("me", api_control.Me.as_view()),
    path("documents", api.Kinds.as_view()),
    path("documents/<slug:plural>", api.Documents.as_view()),
    path(DOCUMENT, api.OneDocument.as_view()),
    path(f"{DOCUMENT}/revisions", api.Revisions.as_view()),
    path(f"{DOCUMENT}/revisions/<int:number>", api.OneRevision.as_view()),
    path(f"{DOCUMENT}/diff", api_looks.Difference.as_view()),
    path(f"{DOCUMENT}/blame", api_looks.Blamed.as_view()),
    path(f"{DOCUMENT}/checks", api_looks.Checks.as_view()),
    path(f"{DOCUMENT}/bill", api_looks.BillOfMaterials.as_view()),
    path(f"{DOCUMENT}/approval", api_looks.Approved.as_view()),
    path(f"{DOCUMENT}/used-by", api_looks.UsedBy.as_view()),
    path(f"{DOCUMENT}/reach", api_looks.Reach.as_view()),
    path(f"{DOCUMENT}/releases", api_looks.Releases.as_view()),
    path(f"{DOCUMENT}/submit", api.Submit.as_view()),
    path(f"{DOCUMENT}/roll-back", api.RollBack.as_view()),
    path(f"{DOCUMENT}/recall", api.Recall.as_view()),
    path("submissions", api_control.Submissions.as_view()),
    path(SUBMISSION, api_control.OneSubmission.as_view()),
    path(f"{SUBMISSION}/decide", api_control.Decide.as_view()),
    path(f"{SUBMISSION}/release", api_control.ReleaseSubmission.as_view()),
    path(f"{SUBMISSION}/withdraw", api_control.Withdraw.as_view()),
    path("api-keys", api_control.ApiKeys.as_view()),
    path("api-keys/<int:key_id>", api_control.OneApiKey.as_view()),
    path("audit", api_control.Audit.as_view()),
]
