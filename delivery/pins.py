"""What a sent message was pinned to, so that it can be reconstructed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from delivery.models import Decision, Dispatch, Message


@dataclass(frozen=True, slots=True)
class SentMessage:
    """Whose it is, which variant, what its variables read besides the profile ({} once that was cleared), and the revisions it was
    frozen with."""

    workspace_id: int
    profile_id: int
    variant: int
    experiment: Mapping[str, Any] | None
    template_revision_id: int | None
    payload: Mapping[str, Any]
    pins: tuple[int, ...] = ()


def sent_message(dispatch_id: int, n: int) -> SentMessage | None:
    """The pins of one message of the ledger; None where there is no such message."""
    dispatch = Dispatch.objects.only("workspace_id", "experiment", "template_revision_id", "kind", "pins").filter(pk=dispatch_id).first()
    message = Message.objects.filter(dispatch_id=dispatch_id, n=n).values_list("profile_id", "variant").first()
    if dispatch is None or message is None:
        return None
    payload = None
    if dispatch.kind != "campaign":
        payload = Decision.objects.filter(dispatch_id=dispatch_id, n=n).values_list("payload", flat=True).first()
    return SentMessage(
        dispatch.workspace_id,
        message[0],
        message[1],
        dispatch.experiment,
        dispatch.template_revision_id,
        payload or {},
        tuple(dispatch.pins),
    )
