"""`manage.py check`: an adapter that a package brings and that can't be used is named, and the other vendors go on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from django.apps import AppConfig
from django.core.checks import CheckMessage, Warning, register

from delivery.adapters.registry import BROKEN, GROUP

log = structlog.get_logger(__name__)


@register("omni")
def adapters_are_whole(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """One finding per entry point of `omni.adapters` that was left out."""
    return [
        Warning(  # an error would stop every command, and the other vendors with it
            f"The adapter {one.entry} (entry point of {GROUP}) is left out: {one.why}.",
            hint="Mend or uninstall its package; docs/how-to/add-a-vendor.md says what an adapter must be.",
            id="delivery.W001",
        )
        for one in BROKEN
    ]


def tell() -> None:
    """The same in the log, when a process starts."""
    for one in BROKEN:
        log.error("adapter.left_out", entry=one.entry, why=one.why)
