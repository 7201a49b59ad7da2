"""What every request meets first: an id, limits on its body, and the content security policy of its answer."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from typing import cast

import structlog
from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.module_loading import import_string

from omni.bodies import length_of, most_of
from omni.problems import problem

log = structlog.get_logger(__name__)
Handler = Callable[[HttpRequest], HttpResponse]


class RequestId:
    """Gives each request an id, binds it to the log and answers it in `X-Request-Id`."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.id = uuid.uuid4().hex  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=request.id)  # type: ignore[attr-defined]
        response = self.get_response(request)
        response.headers["X-Request-Id"] = request.id  # type: ignore[attr-defined]
        return response


class ContentSecurityPolicy:
    """No inline script or style, nothing from other hosts. `request.csp_nonce` serves the few inline data blocks.

    A view may set `response.csp` to replace the policy (the message preview and the API viewer do).
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        nonce = secrets.token_urlsafe(16)
        request.csp_nonce = nonce  # type: ignore[attr-defined]
        response = self.get_response(request)
        policy = getattr(response, "csp", None) or (
            f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
            "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'; manifest-src 'self'"
        )
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
        return response


class ForPeople:
    """Style sheets, session, forgery protection, signed-in person and the like (`settings.FOR_PEOPLE`), for all but the addresses of
    programs, which show a key or a signature with each request. Passing through all of it takes half as long as answering does."""

    def __init__(self, get_response: Handler) -> None:
        self.straight = self.whole = get_response
        self._looks: list[Callable[..., HttpResponse | None]] = []
        for path in reversed(settings.FOR_PEOPLE):
            made = import_string(path)(self.whole)
            self.whole = cast(Handler, convert_exception_to_response(made))
            if hasattr(made, "process_view"):
                self._looks.insert(0, made.process_view)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not _is_of_a_program(request):
            return self.whole(request)
        request.get_host()  # raises DisallowedHost for an address that isn't ours
        return self.straight(request)

    def process_view(self, request: HttpRequest, view: object, arguments: object, named: object) -> HttpResponse | None:
        """What those ask who look at the view that is about to answer: Django asks only the outermost ones itself."""
        if _is_of_a_program(request):
            return None
        return next((answer for look in self._looks if (answer := look(request, view, arguments, named)) is not None), None)


def _is_of_a_program(request: HttpRequest) -> bool:
    return request.path.startswith(("/api/v1/", "/hooks/")) and not request.path.startswith(("/api/v1/docs", "/api/v1/schema"))


class DatabaseAway:
    """A database that is away is no fault of the request: 503 and when to ask again, not 500. What was begun is rolled back."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The answer to whatever a view raised because its database doesn't answer."""
        if not isinstance(error, OperationalError | InterfaceError):
            return None
        log.error("request.database_away", error=type(error).__name__)
        answer = (
            HttpResponse(render_to_string("500.html"), status=503)
            if request.path.startswith("/console/")
            else problem(request, 503, "nothing was changed; ask again in a moment", "The database doesn't answer")
        )
        answer.headers["Retry-After"] = "10"
        return answer


class BodyLimits:
    """Refuses bodies that are larger than the door accepts (omni.bodies has not even kept them), and compressed ones."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.headers.get("Content-Length", "")
        most, announced = most_of(request.path), length_of(length)
        if length and (announced is None or announced > most):
            return problem(request, 413, f"a body of at most {most // 1024 // 1024} MiB is expected", "Body too large")
        if request.headers.get("Content-Encoding", "identity").lower() not in {"identity", ""}:
            return problem(request, 415, "send the body without Content-Encoding", "Compressed bodies are not accepted")
        return self.get_response(request)
