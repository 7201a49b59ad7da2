"""Firebase Cloud Messaging v1. Facts: the vendor's discovery document (revision 20261023) and error reference, read 2026-11."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

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
    Token,
    Unsendable,
    VendorRequest,
    VendorResponse,
    fate_of_status,
    json_object,
    part,
    retry_after,
    without_addresses,
)
from delivery.adapters.json_web_tokens import BadKey, private_key, signed

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
ASSERTION_SECONDS = 3_600
PAYLOAD_BYTES = 4_096  # of notification and data
LONGEST_LIFE = 2_419_200  # seconds: four weeks, the vendor's longest time to live
RESERVED = ("google.", "gcm.")  # data that begins so is refused, and so are these three names
RESERVED_NAMES = frozenset({"from", "message_type", "collapse_key"})
CODES: Mapping[str, tuple[FateKind, str]] = {  # error code → what it means and whether the token is dead
    "UNREGISTERED": ("permanent_address", "invalid"),
    "SENDER_ID_MISMATCH": ("permanent_address", ""),  # one wrong route would otherwise condemn every token
    "INVALID_ARGUMENT": ("permanent_message", ""),
    "QUOTA_EXCEEDED": ("throttled", ""),
    "THIRD_PARTY_AUTH_ERROR": ("misconfigured", ""),
}


class Fcm(Adapter):
    """Push to Android, iOS and browsers through Firebase: one message per request, 200 with the message's `name`.

    The address is the device's registration token. Reads title, body, link, image, collapse_key, badge and data; without options
    the subject is the title and the text the body. Our id and the link travel in `data` for the app. There is no idempotency
    key and there are no events: what got no answer stays in doubt until a person decides. A service account's key signs a
    request for an OAuth token that is good for an hour.
    """

    key = "fcm"
    title = "Firebase (FCM v1)"
    channels = frozenset({"push"})
    platforms = frozenset({"fcm"})
    base_url = "https://fcm.googleapis.com"
    tried = "lab"
    limits = Limits(recipients_per_request=1, concurrency=200, request_bytes=65_536)
    features = Features()
    secrets = ("service_account",)
    settings = ("project_id",)
    fates: ClassVar[Mapping[int, FateKind]] = {
        200: "accepted",
        400: "permanent_message",
        401: "misconfigured",
        403: "misconfigured",
        404: "misconfigured",
        408: "transient",
        413: "permanent_message",
        429: "throttled",
    }

    def token_request(self, account: Account, at: datetime) -> VendorRequest | None:
        """An assertion signed by the service account, exchanged at the address that its own key file names (RFC 7523)."""
        key_file = _key_file(account.secrets["service_account"])
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": _assertion(key_file, int(at.timestamp()))}
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        return VendorRequest("POST", key_file[2], headers, urlencode(form).encode(), idempotent=True)

    def read_token(self, response: VendorResponse) -> Token | Fate:
        """An access token; refusals are about the key, the rest may pass."""
        answer = json_object(response.body)
        value, seconds = answer.get("access_token"), answer.get("expires_in")
        if response.status == 200 and isinstance(value, str) and value and isinstance(seconds, int | float) and seconds > 0:
            return Token(value, float(seconds))
        if response.status in (400, 401, 403):
            return Fate("misconfigured", detail=f"the service account is refused: {without_addresses(answer.get('error'), 60)}")
        return Fate("transient", retry_after=retry_after(response.headers), detail=f"HTTP {response.status}")

    def build(self, request: OutgoingRequest, account: Account) -> VendorRequest:
        """One notification. Raises Unsupported for more than one or attachments, Unsendable for a payload that is too large."""
        message = push_words.only(request)
        said = push_words.push(message)
        data = {name: value for name, value in said.data.items() if name not in RESERVED_NAMES and not name.startswith(RESERVED)}
        if said.link:
            data["link"] = said.link
        notification = {"title": said.title, "body": said.body, "image": said.image}
        android: dict[str, Any] = {"collapse_key": said.collapse_key} if said.collapse_key else {}
        apns: dict[str, Any] = {"headers": {"apns-collapse-id": said.collapse_key[:64]}} if said.collapse_key else {}
        if request.valid_for is not None:
            android["ttl"] = f"{min(max(request.valid_for, 0), LONGEST_LIFE)}s"
            apns.setdefault("headers", {})["apns-expiration"] = str(int(request.at.timestamp()) + request.valid_for)
        if said.badge is not None:
            apns["payload"] = {"aps": {"badge": said.badge}}
        body = {
            "token": message.address,
            "notification": {name: value for name, value in notification.items() if value},
            "data": {**data, "message_id": message.message_id},
            "android": android,
            "apns": apns,
            "webpush": {"fcm_options": {"link": said.link}} if said.link.startswith("https://") else {},
        }
        if (size := len(orjson.dumps([body["notification"], body["data"]]))) > PAYLOAD_BYTES:
            raise Unsendable("permanent_message", f"a payload of {size:,} bytes; {PAYLOAD_BYTES:,} are taken")
        project = str(account.settings.get("project_id") or _key_file(account.secrets["service_account"])[3])
        url = f"{account.base_url}/v1/projects/{quote(project, safe='')}/messages:send"
        headers = {"authorization": f"Bearer {account.token}", "content-type": "application/json; charset=utf-8"}
        return VendorRequest("POST", url, headers, orjson.dumps({"message": {name: value for name, value in body.items() if value}}))

    def read(self, response: VendorResponse, message_ids: Sequence[str] = ()) -> Fate:
        """By the error code in the body where there is one, else by status. A success must name the message."""
        answer, status = json_object(response.body), response.status
        if status == 200:
            name = answer.get("name")
            if isinstance(name, str) and "/messages/" in name:
                return Fate("accepted", vendor_id=name[:120])
            return Fate("ambiguous", detail="HTTP 200 without a message's name")
        kind, suppress = fate_of_status(self.fates, status), ""
        code = _code(answer)
        if 400 <= status < 500 and code in CODES:
            kind, suppress = CODES[code]
        if code == "INVALID_ARGUMENT" and _about_the_token(answer):
            kind, suppress = "permanent_address", "invalid"
        return Fate(
            kind,
            retry_after=retry_after(response.headers),
            culprit=message_ids[0] if kind in ("permanent_address", "permanent_message") and len(message_ids) == 1 else None,
            suppress=suppress,
            detail=f"HTTP {status} {code}".strip(),
            code=code or str(status),
            stale_token=status == 401 and code != "THIRD_PARTY_AUTH_ERROR",
        )


@lru_cache(maxsize=64)
def _key_file(text: str) -> tuple[str, str, str, str]:
    """E-mail, private key, token address and project of a service account's key file. Raises Unsendable, which shows none of it."""
    given = json_object(text)
    found = tuple(str(given.get(name) or "") for name in ("client_email", "private_key", "token_uri", "project_id"))
    email, key, uri, project = found
    if not (email and key and uri.startswith(("https://", "http://127.0.0.1:", "http://localhost:"))):
        raise Unsendable("misconfigured", "the secret service_account is not a service account's key file (JSON)")
    return email, key, uri, project


@lru_cache(maxsize=64)
def _assertion(key_file: tuple[str, str, str, str], issued: int) -> str:
    email, key, uri, _ = key_file
    claims = {"iss": email, "scope": SCOPE, "aud": uri, "iat": issued, "exp": issued + ASSERTION_SECONDS}
    try:
        return signed(claims, private_key(key))
    except BadKey as fault:
        raise Unsendable("misconfigured", f"the service account's private key is {fault}") from None


def _code(answer: Mapping[str, Any]) -> str:
    """FCM's own code where the answer has one, else the status word that all of the vendor's services use."""
    details = part(answer, "error", "details")
    for item in details if isinstance(details, list) else []:
        if isinstance(code := part(item, "errorCode"), str):
            return code[:60]
    word = part(answer, "error", "status")
    return word[:60] if isinstance(word, str) else ""


def _about_the_token(answer: Mapping[str, Any]) -> bool:
    """Whether an invalid argument is the device's token: named as a field, or in the words that the vendor uses for it."""
    details = part(answer, "error", "details")
    for item in details if isinstance(details, list) else []:
        violations = part(item, "fieldViolations")
        if isinstance(violations, list) and any(part(one, "field") == "message.token" for one in violations):
            return True
    words = part(answer, "error", "message")
    return isinstance(words, str) and "registration token" in words.lower()
