"""The HTTP API's frame: where each room's doors are mounted, and the one place that words errors."""

from __future__ import annotations

from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.views import exception_handler

from governance.door import Conflict, DoorError, Invalid, Missing, Refused, Stale, Unmatched
from omni.problems import problem

log = structlog.get_logger(__name__)
STATUS = {Unmatched: 412, Invalid: 422, Refused: 403, Stale: 409, Conflict: 409, Missing: 404}  # the first that fits
TITLES = {422: "The request can't be accepted", 403: "Refused by policy", 404: "Not found"} | dict.fromkeys((409, 412), "Changed meanwhile")


def problem_details(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Any expected failure as a problem document (RFC 9457). Unexpected ones stay exceptions: they are our fault and get a 500."""
    request: Request | None = context.get("request")
    if isinstance(error, DoorError):
        return _problem(request, _status(error), error.reason, error.title if isinstance(error, Conflict) else "", **_extras(error))
    if isinstance(error, Http404 | PermissionDenied):
        answer = exception_handler(error, context)
        return _problem(request, answer.status_code if answer else 404, "There is nothing here for you.")
    if isinstance(error, exceptions.APIException):
        answer = exception_handler(error, context)
        headers = {name: value for name, value in (answer.headers.items() if answer else ()) if name in {"Retry-After", "WWW-Authenticate"}}
        response = _problem(request, error.status_code, _words(error.detail), **_extras(error))
        for name, value in headers.items():
            response[name] = value
        return response
    return None


def _status(error: DoorError) -> int:
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 400)


def _extras(error: Exception) -> dict[str, Any]:
    extras: dict[str, Any] = {}
    if findings := getattr(error, "findings", ()):
        extras["findings"] = [finding.as_dict() for finding in findings]
    if isinstance(error, Stale) and error.difference:
        extras["difference"] = list(error.difference)
    return extras


def _words(detail: Any) -> str:
    if isinstance(detail, list):
        return "; ".join(_words(part) for part in detail)
    if isinstance(detail, dict):
        return "; ".join(f"{name}: {_words(part)}" for name, part in detail.items())
    return str(detail)


def _problem(request: Request | None, status: int, detail: str, title: str = "", **extras: Any) -> HttpResponse:
    return problem(getattr(request, "_request", None), status, detail, title or TITLES.get(status, ""), **extras)
