"""A message's own HTML as a page for a sandboxed frame: no scripts, no forms, nothing loaded unless asked for."""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse
from django.utils.html import escape

NOTHING = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
PIXEL = re.compile(r"""(\ssrc=["'])[^"']*/o/[\w-]{1,40}\.gif(["'])""")
PICTURE = re.compile(r"""(\ssrc=["'])https?://[^"']*(["'])""")
SCHEME = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)")
LOCKED = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:{images}; font-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox{links}"
)
FOLLOWED = " allow-popups allow-popups-to-escape-sandbox"  # links open beside the console, in pages that are their own
PLAIN = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Text</title>"
    "<pre style='font:14px/1.5 system-ui;white-space:pre-wrap;margin:16px'>{}</pre></html>"
)


def framed(request: HttpRequest, html: str, text: str = "", *, scheme: str = "", links: bool = False) -> HttpResponse:
    """The page with its own policy. Inline styles belong to the mail; scripts never run; pictures from the web only with `?images=1`.

    links: they can be followed, as a reader would; else they are only looked at.
    scheme: dark or light shows the mail as a reader with that preference sees it, whatever this browser prefers.
    The counting pixel is never asked for: looking at a message here is not the reader's opening it.
    """
    pictures = request.GET.get("images") == "1"
    wanted = scheme or request.GET.get("scheme", "")
    if wanted in {"dark", "light"}:
        html = SCHEME.sub(lambda found: "(min-width: 0)" if found[1] == wanted else "(max-width: 0)", html)
    html = PIXEL.sub(rf"\1{NOTHING}\2", html)
    html = html if pictures else PICTURE.sub(rf"\1{NOTHING}\2", html)
    response = HttpResponse(html or PLAIN.format(escape(text)))
    response.csp = LOCKED.format(images=" https:" if pictures else "", links=FOLLOWED if links else "")  # type: ignore[attr-defined]
    response.headers["X-Robots-Tag"] = "noindex"
    return response
