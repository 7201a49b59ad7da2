"""Problem documents (RFC 9457): what a program gets for every error, also for those that happen before or beside the API's views."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults

MEDIA_TYPE = "application/problem+json"
API = "/api/"
Page = Callable[[], HttpResponse]


def problem(request: HttpRequest | None, status: int, detail: str, title: str = "", **extras: Any) -> JsonResponse:
    """One problem document as an answer, whatever the view would have rendered. It names the request, so that the caller can."""
    body = {
        "type": "about:blank",
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "request_id": getattr(request, "id", None),
        **extras,
    }
    return JsonResponse(body, status=status, content_type=MEDIA_TYPE, json_dumps_params={"ensure_ascii": False})


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: a host that isn't ours, too many fields."""
    return _answer(request, 400, "This request can't be read.", lambda: defaults.bad_request(request, exception))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403 outside the views that word it themselves."""
    return _answer(request, 403, "This may not be done.", lambda: defaults.permission_denied(request, exception))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: no address of this spelling."""
    found = "There is no operation at this address: see /api/v1/docs/."
    return _answer(request, 404, found, lambda: defaults.page_not_found(request, exception))


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault; the id is in our log."""
    return _answer(request, 500, "This is our fault; the request's id is in our log.", lambda: defaults.server_error(request))


def _answer(request: HttpRequest, status: int, detail: str, page: Page) -> HttpResponse:
    """Programs get a problem document, people a page."""
    return problem(request, status, detail) if request.path.startswith(API) else page()
