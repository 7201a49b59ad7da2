"""Workflow's console addresses: campaigns, launches, runs, and the previews that need the whole street."""

from __future__ import annotations

from django.urls import path

from governance.door import Pages, register_pages
from workflow import campaign_forms, overview
from workflow.views import campaigns, previews, runs, source_previews

app_name = "workflow"

register_pages(
    "campaign",
    Pages(
        icon="campaign",
        intro="A campaign says who hears what, when, and within which limits.",
        edit="workflow:campaign",
        new="workflow:new-campaign",
        list="workflow:campaigns",
        preview="workflow:campaign-preview",
        starter=campaign_forms.STARTER,
        estimate="workflow:estimate",
        spoken=overview.campaign_words,
        group="",
    ),
)

urlpatterns = [
    path("campaigns/", campaigns.campaigns, name="campaigns"),
    path("new/campaigns/", campaigns.new_campaign, name="new-campaign"),
    path("look/schedule/", campaigns.schedule_look, name="schedule-look"),
    path("look/audience/", campaigns.audience_look, name="audience-look"),
    path("campaigns/<slug:key>/", campaigns.campaign, name="campaign"),
    path("campaigns/<slug:key>/preview/", campaigns.preview, name="campaign-preview"),
    path("campaigns/<slug:key>/estimate/", campaigns.estimate, name="estimate"),
    path("campaigns/<slug:key>/sample/<int:profile_id>/", campaigns.sample_frame, name="sample"),
    path("campaigns/<slug:key>/launch/", campaigns.launch, name="launch"),
    path("runs/", runs.runs, name="runs"),
    path("runs/<int:run_id>/", runs.run, name="run"),
    path("runs/of/<int:dispatch_id>/", runs.run_of, name="run-of"),
    path("look/runs/<int:dispatch_id>/people/<int:profile_id>/", runs.why_in_audience, name="because"),
    path("look/messages/<str:token>/chain/", runs.chain, name="chain"),
    path("runs/<int:run_id>/live/", runs.live, name="run-live"),
    path("look/runs/<int:run_id>/elsewhere/", runs.elsewhere, name="elsewhere"),
    path("runs/<int:run_id>/act/", runs.act, name="act"),
    path("look/people/<int:profile_id>/", previews.would_get, name="would-get"),
    path("look/templates/people/", previews.look_people, name="look-people"),
    path("look/templates/frame/", previews.look_frame, name="look-frame"),
    path("look/templates/info/", previews.look_info, name="look-info"),
    path("look/templates/test/", previews.look_test, name="look-test"),
    path("templates/<slug:key>/preview/", previews.template_preview, name="template-preview"),
    path("fragments/<slug:key>/preview/", previews.fragment_preview, name="fragment-preview"),
    path("fragments/<slug:key>/frame/<int:number>/", previews.fragment_frame, name="fragment-frame"),
    path("themes/<slug:key>/preview/", previews.theme_preview, name="theme-preview"),
    path("themes/<slug:key>/frame/<int:number>/", previews.theme_frame, name="theme-frame"),
    path("templates/<slug:key>/test/", previews.template_test, name="template-test"),
    path("templates/<slug:key>/frame/<int:number>/", previews.template_frame, name="template-frame"),
    path("content-sources/<slug:key>/preview/", source_previews.source_preview, name="source-preview"),
]
