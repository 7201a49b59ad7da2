"""What the push channels make of one message: the same options at every vendor.

Options: title and body (else subject and text), link (opened on a tap), image (https), collapse_key (a newer message with the same
key takes the older one's place), badge (a number on the app's icon), data (texts for the app).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from delivery.adapters.base import OutgoingMessage, OutgoingRequest, Unsupported


@dataclass(frozen=True, slots=True)
class Push:
    """One notification, channel-neutral. badge None: left as it is."""

    title: str
    body: str
    link: str
    image: str
    collapse_key: str
    badge: int | None
    data: Mapping[str, str]


def only(request: OutgoingRequest) -> OutgoingMessage:
    """The one message of a request to a vendor that takes one. Raises Unsupported for more, and for attachments."""
    if len(request.messages) != 1:
        raise Unsupported(f"{len(request.messages)} messages in one request")
    message = request.messages[0]
    if message.attachments:
        raise Unsupported("attachments")
    return message


def push(message: OutgoingMessage) -> Push:
    """The notification of this message; options of another type than they should be are left out."""
    options = message.options
    badge, data = options.get("badge"), options.get("data")
    return Push(
        title=_text(options.get("title")) or message.filled.subject,
        body=_text(options.get("body")) or message.filled.text.decode(),
        link=_text(options.get("link")),
        image=_text(options.get("image")),
        collapse_key=_text(options.get("collapse_key")),
        badge=badge if isinstance(badge, int) and not isinstance(badge, bool) and badge >= 0 else None,
        data={str(name): value if isinstance(value, str) else str(value) for name, value in data.items()} if isinstance(data, dict) else {},
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
