"""What every request meets first: an id, limits on its body, and the content security policy of its answer."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse, JsonResponse

Handler = Callable[[HttpRequest], HttpResponse]
MAX_BODY = 5 * 1024 * 1024  # bytes; uploads by file have their own door
MAX_WEBHOOK = 10 * 1024 * 1024  # vendors put thousands of events into one call


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


class BodyLimits:
    """Refuses bodies that say they are larger than any door accepts, before they are read, and compressed ones."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.headers.get("Content-Length", "")
        most = MAX_WEBHOOK if request.path.startswith("/hooks/") else MAX_BODY
        if length and (not length.isdigit() or int(length) > most):
            return _problem(413, "Body too large", f"a body of at most {most // 1024 // 1024} MiB is expected")
        if request.headers.get("Content-Encoding", "identity").lower() not in {"identity", ""}:
            return _problem(415, "Compressed bodies are not accepted", "send the body without Content-Encoding")
        return self.get_response(request)


def _problem(status: int, title: str, detail: str) -> JsonResponse:
    return JsonResponse(
        {"type": "about:blank", "title": title, "status": status, "detail": detail}, status=status, content_type="application/problem+json"
    )
