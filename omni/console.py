"""The console's shell: what every page shows around its own content."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    """Template context of the shell: the nonce, and later navigation counts and the global strip."""
    return {"csp_nonce": getattr(request, "csp_nonce", "")}
