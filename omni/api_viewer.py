"""The API's reference page, served from here: the viewer is the only page that may run its own inline set-up script."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from drf_spectacular.views import SpectacularSwaggerSplitView


class ApiViewer(SpectacularSwaggerSplitView):
    """Swagger UI from the local sidecar, with its script in a file of its own and styles allowed inline on this page only."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        response.csp = (  # type: ignore[attr-defined]  # read by omni.middleware.ContentSecurityPolicy
            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
            "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
        )
        return response
