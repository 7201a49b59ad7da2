"""Web push (RFC 8030) with VAPID (RFC 8292). Facts: the RFCs, read 2026-11."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any, ClassVar
from urllib.parse import urlsplit

import orjson
from cryptography.hazmat.primitives.asymmetric import ec

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
    retry_after,
)
from delivery.adapters.json_web_tokens import BadKey, base64url, from_base64url, private_key, signed
from delivery.adapters.webpush_encryption import LARGEST_TEXT, encrypted, public_bytes, subscription

SERVICES = (  # of the browsers; a subscription comes from a stranger and must not make us post anywhere else
    "fcm.googleapis.com",
    "push.services.mozilla.com",
    "push.apple.com",
    "notify.windows.com",
)
TTL = 86_400  # seconds a service keeps what it can't deliver, where the message doesn't say
LONGEST_TTL = 2_419_200
TOKEN_SECONDS = 1_800  # a signed token serves so long
TOKEN_LIFE = 43_200  # and is good until then; services take 24 hours at most


class WebPush(Adapter):
    """Notifications in browsers: one message per request to the subscription's own address, 201.

    The address is the subscription as the browser's `PushSubscription.toJSON()` writes it. Reads title, body, link, image,
    collapse_key, badge and data; without options the subject is the title and the text the body. The service worker receives them
    as JSON, with our id. Our id, or the collapse key, is the Topic: what wasn't delivered yet is replaced by a repeat. That is no
    promise to send once, and there are no events: what got no answer stays in doubt until a person decides.
    """

    key = "webpush"
    title = "Web push"
    channels = frozenset({"push"})
    platforms = frozenset({"webpush"})
    base_url = "https://fcm.googleapis.com"  # only named: each subscription has its own address
    tried = "lab"
    limits = Limits(recipients_per_request=1, concurrency=64, request_bytes=4_096)
    features = Features()
    secrets = ("vapid_private_key",)
    settings = ("subject", "push_services")
    required_settings: ClassVar[Mapping[str, str]] = {"subject": "how services reach you: mailto:you@example.com or an https address"}
    setting_forms: ClassVar[Mapping[str, str]] = {"push_services": "list"}
    fates: ClassVar[Mapping[int, FateKind]] = {
        200: "accepted",
        201: "accepted",
        202: "accepted",
        400: "permanent_message",
        401: "misconfigured",
        403: "misconfigured",
        404: "permanent_address",
        405: "misconfigured",
        408: "transient",
        410: "permanent_address",
        413: "permanent_message",
        429: "throttled",
    }

    def build(self, request: OutgoingRequest, account: Account) -> VendorRequest:
        """One notification, encrypted for its subscription. Raises Unsupported for more than one or attachments, Unsendable for an
        address that is no subscription of a known service, or a text that is too large."""
        message = push_words.only(request)
        said = push_words.push(message)
        to = subscription(message.address)
        if to is None:
            raise Unsendable("permanent_address", "not a push subscription", suppress="invalid")
        origin = _known_origin(to.endpoint, account.settings.get("push_services"))
        given: dict[str, Any] = {"title": said.title, "body": said.body, "link": said.link, "image": said.image, "data": said.data}
        text = orjson.dumps(
            {**{name: value for name, value in given.items() if value}, "badge": said.badge, "message_id": message.message_id}
        )
        if len(text) > LARGEST_TEXT:
            raise Unsendable("permanent_message", f"a text of {len(text):,} bytes; {LARGEST_TEXT:,} are taken")
        ttl = TTL if request.valid_for is None else min(max(request.valid_for, 0), LONGEST_TTL)
        key = _key(account.secrets["vapid_private_key"])
        headers = {
            "authorization": _vapid(key, origin, str(account.settings["subject"]), int(request.at.timestamp()) // TOKEN_SECONDS),
            "ttl": str(ttl),
            "topic": _topic(said.collapse_key) if said.collapse_key else message.message_id,
            "urgency": "normal",
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
        }
        return VendorRequest("POST", to.endpoint, headers, encrypted(text, to, key))

    def read(self, response: VendorResponse, message_ids: Sequence[str] = ()) -> Fate:
        """By status; the service names the message in Location."""
        kind = fate_of_status(self.fates, response.status)
        if kind == "accepted":
            return Fate(kind, vendor_id=response.headers.get("location", "").rpartition("/")[2][:120])
        return Fate(
            kind,
            retry_after=retry_after(response.headers),
            culprit=message_ids[0] if kind in ("permanent_address", "permanent_message") and len(message_ids) == 1 else None,
            suppress="invalid" if kind == "permanent_address" else "",
            detail=f"HTTP {response.status}",
            code=str(response.status),
        )


def public_key(secret: str) -> str:
    """The key that browsers subscribe with (`applicationServerKey`), of the private one. Raises Unsendable."""
    return base64url(public_bytes(_key(secret).public_key()))


@lru_cache(maxsize=64)
def _key(secret: str) -> ec.EllipticCurvePrivateKey:
    """A P-256 key in PEM, or its 32 bytes in base64url as most tools print it. Raises Unsendable."""
    try:
        if "-----BEGIN" in secret:
            key = private_key(secret)
            if isinstance(key, ec.EllipticCurvePrivateKey):
                return key
        else:
            return ec.derive_private_key(int.from_bytes(from_base64url(secret), "big"), ec.SECP256R1())
    except (BadKey, ValueError):
        pass
    raise Unsendable("misconfigured", "the secret vapid_private_key is not a P-256 key") from None


@lru_cache(maxsize=512)
def _vapid(key: ec.EllipticCurvePrivateKey, origin: str, subject: str, period: int) -> str:
    claims = {"aud": origin, "exp": period * TOKEN_SECONDS + TOKEN_LIFE, "sub": subject}
    return f"vapid t={signed(claims, key)}, k={base64url(public_bytes(key.public_key()))}"


def _known_origin(endpoint: str, listed: object) -> str:
    """Scheme and host of the endpoint. listed: hosts (with everything below them), or whole origins such as
    http://127.0.0.1:9900; else those of the browsers. Raises Unsendable."""
    parts = urlsplit(endpoint)
    try:
        origin, host = f"{parts.scheme}://{parts.netloc}", (parts.hostname or "").lower()
        secure = parts.scheme == "https" and parts.port in (None, 443) and "@" not in parts.netloc
    except ValueError:
        raise Unsendable("permanent_address", "not a push subscription") from None
    services = [str(one).lower() for one in listed] if isinstance(listed, list) and listed else list(SERVICES)
    if origin in services or (secure and any(host == one or host.endswith(f".{one}") for one in services)):
        return origin
    raise Unsendable("permanent_address", "not a subscription of a push service that this route knows")


def _topic(collapse_key: str) -> str:
    """At most 32 characters of base64url, as the header must be."""
    return urlsafe_b64encode(sha256(collapse_key.encode()).digest()[:24]).decode()
