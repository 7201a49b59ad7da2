"""Addresses of the delivery API, below /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, path

from delivery import api

urlpatterns: list[URLPattern] = [
    path("domains", api.Domains.as_view()),
    path("domains/<str:domain>", api.OneDomain.as_view()),
    path("domains/<str:domain>/check", api.CheckDomain.as_view()),
]
