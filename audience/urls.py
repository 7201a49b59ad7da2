"""Console addresses of audience."""

from __future__ import annotations

from django.urls import URLPattern

app_name = "audience"
urlpatterns: list[URLPattern] = []
