"""The console's stylesheet as one file: written as a sheet per component, sent as one answer that a browser keeps for good.

`static/css/console.css` imports the component sheets, which is how they are read and edited. A browser that followed those
imports would ask two dozen questions before it could paint anything.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

FOLDER = Path(settings.BASE_DIR) / "static" / "css"
IMPORT = re.compile(r'@import url\("([\w./-]+)"\) layer\((\w+)\);')
VERSION_LENGTH = 12  # hexadecimal digits of the content's SHA-256


@require_safe
@gzip_page
def stylesheet(request: HttpRequest, version: str) -> HttpResponse:
    """The whole sheet. Kept for good under its own version's address; an older page's address gets today's sheet, not kept."""
    current, sheet = _sheet()
    kept = "public, max-age=31536000, immutable" if version == current else "no-cache"
    return HttpResponse(sheet, content_type="text/css; charset=utf-8", headers={"Cache-Control": kept})


def address() -> str:
    """Where the sheet is, with its version in the address."""
    return reverse("console:stylesheet", args=[_sheet()[0]])


def _sheet() -> tuple[str, str]:
    return _joined(max(path.stat().st_mtime_ns for path in FOLDER.rglob("*.css")))  # an edited sheet shows at once


@lru_cache(maxsize=1)
def _joined(newest: int) -> tuple[str, str]:
    sheet = IMPORT.sub(_layered, (FOLDER / "console.css").read_text("utf-8"))
    return hashlib.sha256(sheet.encode()).hexdigest()[:VERSION_LENGTH], sheet


def _layered(found: re.Match[str]) -> str:
    return f"@layer {found[2]} {{\n{(FOLDER / found[1]).read_text('utf-8')}\n}}"
