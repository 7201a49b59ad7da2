"""A message's own HTML as a page for a sandboxed frame: no scripts, no forms, nothing loaded unless asked for."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.html import escape

LOCKED = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:{images}; font-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox"
)
PLAIN = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Text</title>"
    "<pre style='font:14px/1.5 system-ui;white-space:pre-wrap;margin:16px'>{}</pre></html>"
)


def framed(request: HttpRequest, html: str, text: str = "") -> HttpResponse:
    """The page with its own policy. Inline styles belong to the mail; scripts never run; pictures from the web only with `?images=1`."""
    body = (
        html
        or f"<!doctype html><meta charset=utf-8><title>Text</title><pre style='font:14px/1.5 system-ui;white-space:pre-wrap;margin:16px'>{escape(text)}</pre>"
    )
    response = HttpResponse(body)
    response.csp = LOCKED.format(images=" https:" if request.GET.get("images") == "1" else "")  # type: ignore[attr-defined]
    response.headers["X-Robots-Tag"] = "noindex"
    return response
