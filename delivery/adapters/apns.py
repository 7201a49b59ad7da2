"""Apple Push Notification service. Facts: Apple's developer documentation on sending and on responses, read 2026-11."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import quote
from uuid import UUID, uuid5

import orjson

from delivery.adapters import push_words
from delivery.adapters.base import (
    Account,
    Adapter,
    Fate,
    FateKind,
    Features,
    Limits,
    OutgoingRequest,
    Unsendable,
    VendorRequest,
    VendorResponse,
    fate_of_status,
    json_object,
    retry_after,
)
from delivery.adapters.json_web_tokens import BadKey, private_key, signed

OURS = UUID("6f4a2d6e-0c57-5f0b-9f5b-1d3c5a0e8b11")  # the name space of ids that Apple wants as UUIDs
PAYLOAD_BYTES = 4_096
TOKEN_SECONDS = 1_800  # Apple takes tokens up to an hour old and refuses new ones more often than every 20 minutes
REASONS: Mapping[str, tuple[FateKind, str]] = {  # reason → what it means and whether the token is dead
    "Unregistered": ("permanent_address", "invalid"),
    "ExpiredToken": ("permanent_address", "invalid"),
    "BadDeviceToken": ("permanent_address", ""),  # also said of every token where sandbox and production are mixed up
    "DeviceTokenNotForTopic": ("permanent_address", ""),
    "BadTopic": ("misconfigured", ""),
    "MissingTopic": ("misconfigured", ""),
    "TopicDisallowed": ("misconfigured", ""),
    "InvalidPushType": ("misconfigured", ""),
    "IdleTimeout": ("transient", ""),
}


class Apns(Adapter):
    """Push to iPhones, iPads and Macs: one message per HTTP/2 stream, 200 with the `apns-id` that we gave.

    The address is the device's token. Reads title, body, link, image, collapse_key, badge and data; without options the subject is
    the title and the text the body. Our id travels in the payload for the app, and as the collapse id unless the message names
    one, so that a repeat takes the place of the first on the device. That is no promise to send once, and there are no events:
    what got no answer stays in doubt until a person decides. Requests are signed here, with a token for half an hour.
    """

    key = "apns"
    title = "Apple Push (APNs)"
    channels = frozenset({"push"})
    platforms = frozenset({"apns"})
    base_url = "https://api.push.apple.com"
    tried = "lab"
    limits = Limits(recipients_per_request=1, concurrency=200, request_bytes=PAYLOAD_BYTES)
    features = Features()
    secrets = ("auth_key",)
    settings = ("key_id", "team_id", "topic", "sandbox")
    required_settings: ClassVar[Mapping[str, str]] = {
        "key_id": "the ten characters that name the key",
        "team_id": "the ten characters that name the team",
        "topic": "the app's bundle id, such as com.example.app",
    }
    setting_forms: ClassVar[Mapping[str, str]] = {"sandbox": "yes or no"}
    fates: ClassVar[Mapping[int, FateKind]] = {
        200: "accepted",
        400: "permanent_message",
        403: "misconfigured",
        404: "misconfigured",
        405: "misconfigured",
        410: "permanent_address",
        413: "permanent_message",
        429: "throttled",
    }

    def home(self, settings: Mapping[str, Any]) -> str:
        """Apps built for testing have tokens of another world."""
        return "https://api.sandbox.push.apple.com" if settings.get("sandbox") else self.base_url

    def build(self, request: OutgoingRequest, account: Account) -> VendorRequest:
        """One notification. Raises Unsupported for more than one or attachments, Unsendable for a payload that is too large."""
        message = push_words.only(request)
        said = push_words.push(message)
        aps: dict[str, Any] = {"alert": {name: text for name, text in (("title", said.title), ("body", said.body)) if text}}
        if said.badge is not None:
            aps["badge"] = said.badge
        if said.image:
            aps["mutable-content"] = 1  # the app fetches the picture
        ours = {"link": said.link, "image": said.image, "message_id": message.message_id}
        body = orjson.dumps({**said.data, **{name: text for name, text in ours.items() if text}, "aps": aps})
        if len(body) > PAYLOAD_BYTES:
            raise Unsendable("permanent_message", f"a payload of {len(body):,} bytes; {PAYLOAD_BYTES:,} are taken")
        headers = {
            "authorization": f"bearer {_token(account, int(request.at.timestamp()) // TOKEN_SECONDS * TOKEN_SECONDS)}",
            "apns-topic": str(account.settings["topic"]),
            "apns-push-type": "alert",
            "apns-id": str(uuid5(OURS, message.message_id)),
            "apns-collapse-id": (said.collapse_key or message.message_id).encode()[:64].decode("ascii", "replace").replace("\ufffd", "_"),
            "content-type": "application/json",
        }
        if request.valid_for is not None:
            headers["apns-expiration"] = str(int(request.at.timestamp()) + request.valid_for)
        return VendorRequest("POST", f"{account.base_url}/3/device/{quote(message.address, safe='')}", headers, body, http2=True)

    def read(self, response: VendorResponse, message_ids: Sequence[str] = ()) -> Fate:
        """By the reason in the body where there is one, else by status. A success must name the notification."""
        status = response.status
        if status == 200:
            named = response.headers.get("apns-id", "")[:120]
            return Fate("accepted", vendor_id=named) if named else Fate("ambiguous", detail="HTTP 200 without an apns-id")
        reason = json_object(response.body).get("reason")
        reason = reason[:60] if isinstance(reason, str) else ""
        kind, suppress = fate_of_status(self.fates, status), "invalid" if status == 410 else ""
        if 400 <= status < 500 and reason in REASONS:
            kind, suppress = REASONS[reason]
        return Fate(
            kind,
            retry_after=retry_after(response.headers),
            culprit=message_ids[0] if kind in ("permanent_address", "permanent_message") and len(message_ids) == 1 else None,
            suppress=suppress,
            detail=f"HTTP {status} {reason}".strip(),
            code=reason or str(status),
        )


def _token(account: Account, issued: int) -> str:
    key_id, team_id = str(account.settings["key_id"]), str(account.settings["team_id"])
    return _signed(account.secrets["auth_key"], key_id, team_id, issued)


@lru_cache(maxsize=64)
def _signed(pem: str, key_id: str, team_id: str, issued: int) -> str:
    try:
        return signed({"iss": team_id, "iat": issued}, private_key(pem), key_id=key_id)
    except BadKey as fault:
        raise Unsendable("misconfigured", f"the secret auth_key is {fault}") from None
