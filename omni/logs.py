"""Logs: one line per event, a name and fields, ids only.

Rooms write `structlog.get_logger(__name__).info("batch.sent", batch=7)`. Whatever looks like an address, a link that works
for its bearer, or a secret is masked before it is written, wherever it came from: a log can be shown to anybody who may know
that something happened, without showing to whom.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

MASK = "[masked]"
PRIVATE_FIELDS = frozenset(
    "address addresses email emails phone to cc bcc password secret api_key authorization cookie body payload".split()
)
_EMAIL = re.compile(r"[\w.!#$%&'*+?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w.:-])\+\d[\d ().-]{6,18}\d(?![\w-])")
_BEARER_LINK = re.compile(r"(/[tuo]/)[A-Za-z0-9_-]{8,}")
_API_KEY = re.compile(r"\bomni_[A-Za-z0-9]{4,}_[A-Za-z0-9_-]{8,}")
_URL_PASSWORD = re.compile(r"(://[^/:@\s]*:)[^@/\s]+@")
QUIET = {
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "elastic_transport": logging.ERROR,  # an index that is away is told once, by whoever asked it
    "uvicorn": logging.WARNING,
    "uvicorn.error": logging.WARNING,
}

_listeners: list[Callable[[str, str], None]] = []


def listen(listener: Callable[[str, str], None]) -> None:
    """Call `listener(event, level)` for each event that is logged (the metrics count them)."""
    if listener not in _listeners:
        _listeners.append(listener)


def configure(wanted: Mapping[str, Any]) -> None:
    """Django's LOGGING_CONFIG: structlog and the standard library write alike. wanted: {"format": "json" | "console"}."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        structlog.processors.UnicodeDecoder(),
        mask,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, _announce, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            # What other packages log has no event name: its text is the event, masked once more after formatting.
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(allow=["status_code"]), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, mask, *_renderers(str(wanted["format"]))],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in ("django", "django.server", "uvicorn", "uvicorn.error", "uvicorn.access", "celery"):
        logging.getLogger(name).handlers[:] = []
        logging.getLogger(name).propagate = True
    for name, level in QUIET.items():
        logging.getLogger(name).setLevel(level)
    # A line per request is for collectors; on a developer's console the pages' polling would bury everything else.
    logging.getLogger("omni.metrics").setLevel(logging.INFO if wanted["format"] == "json" else logging.WARNING)


def _renderers(form: str) -> list[Processor]:
    if form == "json":
        return [structlog.processors.EventRenamer("event"), structlog.processors.JSONRenderer(sort_keys=True)]
    return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]


def _announce(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    for listener in _listeners:
        listener(str(event.get("event", "")), str(event.get("level", "")))
    return event


def mask(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace private fields, and whatever in other values resembles an address, a bearer link or a key."""
    return _masked_mapping(event)


def _masked_mapping(event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if isinstance(name, str) and name.lower() in PRIVATE_FIELDS:
            event[name] = MASK
        elif not isinstance(value, bool | int | float | None.__class__) and name not in {"_record", "_from_structlog"}:
            event[name] = _masked(value)
    return event


def _masked(value: object) -> object:
    if isinstance(value, str):
        return masked_text(value)
    if isinstance(value, bool | int | float | None.__class__):
        return value
    if isinstance(value, Mapping):
        return _masked_mapping(dict(value))
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(item) for item in value]
    return masked_text(str(value))


def masked_text(text: str) -> str:
    """The text without e-mail addresses, phone numbers, message links, API keys and passwords in URLs."""
    if "@" in text:
        text = _URL_PASSWORD.sub(rf"\1{MASK}@", text)
        text = _EMAIL.sub(MASK, text)
    if "+" in text:
        text = _PHONE.sub(MASK, text)
    if "/" in text:
        text = _BEARER_LINK.sub(rf"\1{MASK}", text)
    return _API_KEY.sub(MASK, text) if "omni_" in text else text
