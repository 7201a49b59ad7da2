"""Governance's console addresses. The generic document pages come last: a room's own page of a kind goes before them."""

from __future__ import annotations

from django.urls import path

from governance.pages import Pages, register_pages
from governance.views import documents, lists, people, reviews, settings

app_name = "governance"

register_pages(
    "approval_policy",
    Pages(
        icon="policy",
        many="Approval policy",
        intro="How many people must vouch, and how far an audience may drift.",
        starter={"title": "Approval policy"},
    ),
)

urlpatterns = [
    path("approvals/", reviews.inbox, name="inbox"),
    path("approvals/<int:submission_id>/", reviews.review, name="review"),
    path("approvals/<int:submission_id>/reach/", reviews.reach, name="reach"),
    path("approvals/<int:submission_id>/reach/<slug:plural>/<slug:key>/", reviews.reach_of, name="review-reach"),
    path("approvals/<int:submission_id>/decide/", reviews.decide, name="decide"),
    path("people/", people.people, name="people"),
    path("people/add/", people.add_person, name="add-person"),
    path("people/<int:user_id>/role/", people.set_role, name="set-role"),
    path("people/<int:user_id>/remove/", people.remove_person, name="remove-person"),
    path("welcome/<str:uid>/<str:token>/", people.welcome, name="welcome"),
    path("api-keys/", people.keys, name="keys"),
    path("api-keys/create/", people.create_key, name="create-key"),
    path("api-keys/<int:key_id>/revoke/", people.revoke_key, name="revoke-key"),
    path("settings/", settings.settings_page, name="settings"),
    path("audit/", settings.audit_page, name="audit"),
    path("audit/verify/", settings.audit_verify, name="audit-verify"),
    path("views/<int:view_id>/forget/", lists.drop_view, name="drop-view"),
    path("views/<slug:plural>/", lists.keep_view, name="keep-view"),
    path("new/<slug:plural>/", documents.new, name="new"),
    path("<slug:plural>/", lists.documents, name="documents"),
    path("<slug:plural>/<slug:key>/", documents.edit_page, name="edit"),
    path("<slug:plural>/<slug:key>/preview/", documents.preview, name="preview"),
    path("<slug:plural>/<slug:key>/checks/", documents.checks, name="checks"),
    path("<slug:plural>/<slug:key>/history/", documents.history, name="history"),
    path("<slug:plural>/<slug:key>/approvals/", documents.approvals_tab, name="approvals"),
    path("<slug:plural>/<slug:key>/goes-along/", documents.goes_along, name="goes-along"),
    path("<slug:plural>/<slug:key>/submit/", documents.submit, name="submit"),
    path("<slug:plural>/<slug:key>/withdraw/", documents.withdraw, name="withdraw"),
    path("<slug:plural>/<slug:key>/release/", documents.release, name="release"),
    path("<slug:plural>/<slug:key>/history/<int:number>/roll-back/", documents.roll_back, name="roll-back"),
    path("<slug:plural>/<slug:key>/history/<int:number>/recall/", documents.recall, name="recall"),
]
