"""Where every door is."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView

from omni import health, metrics
from omni.api_viewer import ApiViewer

handler400 = "omni.problems.bad_request"
handler403 = "omni.problems.permission_denied"
handler404 = "omni.problems.page_not_found"
handler500 = "omni.problems.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(url="/console/", permanent=False)),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/docs/", ApiViewer.as_view(url_name="schema"), name="api-docs"),
    path("api/v1/", include("workflow.api_urls")),  # first whatever is asked most
    path("api/v1/", include("audience.api_urls")),
    path("api/v1/", include("delivery.api_urls")),
    path("api/v1/", include("governance.api_urls")),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", metrics.metrics),
    path("console/", include("omni.console_urls")),
    path("", include("delivery.public_urls")),
]
