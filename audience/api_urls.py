"""Addresses of the audience API, below /api/v1/. An external id may hold a slash."""

from __future__ import annotations

from django.urls import URLPattern, path

from audience import api, api_identity, api_segments, record_api

PROFILE = "profiles/<path:external_id>"

urlpatterns: list[URLPattern] = [
    path("profiles", api.Profiles.as_view()),
    path(f"{PROFILE}/consents/history", api.ConsentHistory.as_view()),
    path(f"{PROFILE}/consents", api.Consents.as_view()),
    path(f"{PROFILE}/devices", api.Devices.as_view()),
    path(f"{PROFILE}/everything", api.Everything.as_view()),
    path(f"{PROFILE}/events", api.ProfileEvents.as_view()),
    path(f"{PROFILE}/other-ids", api_identity.OtherIds.as_view()),
    path(f"{PROFILE}/merge", api_identity.Merge.as_view()),
    path("duplicates", api_identity.Duplicates.as_view()),
    path("segments/overlap", api_segments.SegmentsShared.as_view()),
    path("segments/<slug:key>/count", api_segments.SegmentCount.as_view()),
    path("segments/<slug:key>/people", api_segments.SegmentPeople.as_view()),
    path("segments/<slug:key>/explain/<path:external_id>", api_segments.SegmentExplained.as_view()),
    path(f"{PROFILE}/records", record_api.ProfileRecords.as_view()),
    path(PROFILE, api.OneProfile.as_view()),
    path("records/<slug:type>", record_api.Records.as_view()),
    path("records/<slug:type>/<path:external_id>", record_api.OneRecord.as_view()),
]
