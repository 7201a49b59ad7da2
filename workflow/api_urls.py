"""Addresses of the workflow API, below /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, path

from workflow import api, api_finding, api_templates

urlpatterns: list[URLPattern] = [
    path("events", api.Events.as_view()),
    path("messages", api.Messages.as_view()),
    path("messages/batch", api.MessageBatch.as_view()),
    path("messages/search", api_finding.MessageSearch.as_view()),
    path("messages/<str:message_id>", api.OneMessage.as_view()),
    path("campaigns/<slug:key>/outlook", api.CampaignOutlook.as_view()),
    path("campaigns/<slug:key>/runs", api.CampaignRuns.as_view()),
    path("templates/<slug:key>/preview", api_templates.TemplatePreview.as_view()),
    path("templates/<slug:key>/test", api_templates.TemplateTest.as_view()),
    path("in-doubt", api_finding.InDoubt.as_view()),
    path("in-doubt/<int:attempt_id>", api_finding.OneInDoubt.as_view()),
    path("runs", api.Runs.as_view()),
    path("runs/<int:run_id>", api.OneRun.as_view()),
    path("runs/<int:run_id>/pause", api.PauseRun.as_view()),
    path("runs/<int:run_id>/resume", api.ResumeRun.as_view()),
    path("runs/<int:run_id>/stop", api.StopRun.as_view()),
    path("runs/<int:run_id>/next-wave", api.OpenNextWave.as_view()),
    path("runs/<int:run_id>/budget", api.RunBudget.as_view()),
    path("runs/<int:run_id>/why/<path:external_id>", api.RunWhy.as_view()),
]
