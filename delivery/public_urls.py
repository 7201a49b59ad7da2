"""Addresses without sign-in: vendors' webhooks, and what stands in messages."""

from __future__ import annotations

from django.urls import path, re_path

from delivery import confirm_page, public_pages, webhooks

urlpatterns = [
    path("hooks/<slug:vendor>", webhooks.receive, name="hook"),
    path("hooks/<slug:vendor>/<slug:workspace_key>", webhooks.receive, name="workspace-hook"),
    re_path(r"^t/(?P<token>[^/]{1,200})/(?P<k>[^/]{1,20})$", public_pages.follow, name="link"),
    re_path(r"^o/(?P<token>[^/]{1,200})\.gif$", public_pages.pixel, name="pixel"),
    re_path(r"^p/(?P<token>[^/]{1,200})$", public_pages.preferences, name="preferences"),
    re_path(r"^c/(?P<token>[^/]{1,200})$", confirm_page.confirm, name="confirm"),
    re_path(r"^u/(?P<token>[^/]{1,200})$", public_pages.unsubscribe, name="unsubscribe"),
]
