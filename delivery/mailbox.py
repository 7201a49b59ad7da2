"""The outbox vendor's other side: what is posted to `outbox://` becomes rows of the mailbox page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from audience.door import masked
from delivery.adapters.base import VendorRequest, VendorResponse
from delivery.message_ids import read_message_id
from delivery.models import OutboxMail

ROWS_AT_ONCE = 200


def receive(workspace_id: int, requests: Sequence[VendorRequest], *, now: datetime) -> list[VendorResponse]:
    """Keep all messages of these requests in a few statements; one that was received before is kept once."""
    rows = [_mail(workspace_id, request, mail, now) for request in map(_body, requests) for mail in request["messages"]]
    OutboxMail.objects.bulk_create(rows, batch_size=ROWS_AT_ONCE, ignore_conflicts=True)
    return [VendorResponse(202)] * len(requests)


def _body(request: VendorRequest) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(request.body)
    return body


def _mail(workspace_id: int, request: dict[str, Any], mail: dict[str, Any], now: datetime) -> OutboxMail:
    ours = read_message_id(mail["message_id"])
    return OutboxMail(
        workspace_id=workspace_id,
        message_id=mail["message_id"],
        dispatch_id=ours.dispatch_id if ours else None,
        n=ours.n if ours else None,
        attempt_id=request["attempt"],
        channel=request["channel"],
        recipient=masked(mail["to"]) if request["channel"] == "push" else mail["to"],
        sender=request["from"],
        sender_name=request["from_name"],
        reply_to=request["reply_to"],
        subject=mail["subject"] or "",
        html=mail["html"],
        text=mail["text"] or "",
        locale=mail["locale"] or "",
        headers={**mail["headers"], **_options(mail["options"]), **_files(mail["attachments"])},
        at=now,
    )


def _options(options: Mapping[str, Any]) -> dict[str, str]:
    """What a push message has beside title and body, as the page shows it."""
    data = options.get("data", {})
    shown = {name.replace("_", "-").title(): text for name, text in options.items() if name != "data"}
    return shown | {f"Data: {name}": text for name, text in data.items()}


def _files(attachments: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Attachments as the page shows them: their names, kinds and sizes; the files themselves aren't kept."""
    shown = (f"{one['name']} ({one['content_type']}, {one['bytes']:,} bytes)" for one in attachments)
    return {f"X-Attachment-{place}": text for place, text in enumerate(shown, 1)}
