"""Console addresses of presentation."""

from __future__ import annotations

from django.urls import URLPattern

app_name = "presentation"
urlpatterns: list[URLPattern] = []
