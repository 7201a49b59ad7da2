"""What a device is known by at each platform, in the one form that is kept, or findings that say why not."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal
from urllib.parse import urlsplit

import orjson
from django.conf import settings

from governance.door import Finding, Invalid, shorten

Platform = Literal["fcm", "apns", "webpush"]
PLATFORMS: dict[str, str] = {"fcm": "Firebase app", "apns": "Apple device", "webpush": "browser"}  # in the words of pages
LONGEST = 2_048  # characters of a token or an endpoint
_FCM = re.compile(r"[!-~]{16,2048}")
_APNS = re.compile(r"(?:[0-9A-Fa-f]{2}){32,100}")
_NAMED = re.compile(r"\.[a-z][a-z0-9-]+\.?$")  # browsers' services have names on the Internet: no number, nothing of one's own network
_HERE = ("http://127.0.0.1:", "http://localhost:")  # a stand-in on the same machine, for trying things out


@dataclass(frozen=True, slots=True)
class DeviceAddress:
    """What a push message is addressed to. text: the token, or a browser's subscription as JSON of one spelling."""

    platform: str
    text: str = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """By which the same device is known again, in 64 hexadecimal digits: of the token; of a subscription, its address alone,
        because its keys may change."""
        return sha256(f"{self.platform}\0{_known_by(self.text)}".encode()).hexdigest()

    @property
    def ending(self) -> str:
        """Enough to tell two devices apart, and too little to write to one."""
        return masked(self.text)


def masked(text: str) -> str:
    """The last characters of a device's address: what may be shown of it."""
    return f"…{_known_by(text)[-6:]}"


def _known_by(text: str) -> str:
    return str(orjson.loads(text)["endpoint"]) if text.startswith("{") else text


def device_address(platform: str, token: str | None, subscription: Mapping[str, Any] | None) -> DeviceAddress:
    """The address of one device, checked. Raises Invalid; no finding shows a token."""
    if platform == "webpush":
        if token:
            raise Invalid([Finding("error", "/token", "a token", "nothing: a browser has a subscription")])
        return DeviceAddress(platform, _subscription(subscription))
    if subscription is not None:
        raise Invalid([Finding("error", "/subscription", "a subscription", "nothing: this platform has tokens")])
    form, expected = (
        (_FCM, "a registration token of Firebase: 16 to 2,048 characters without blanks")
        if platform == "fcm"
        else (_APNS, "a device token of Apple's in hexadecimal digits, 64 to 200 of them")
    )
    if not form.fullmatch(token or ""):
        raise Invalid([Finding("error", "/token", f"{len(token)} characters" if token else "nothing", expected)])
    assert token is not None
    return DeviceAddress(platform, token.lower() if platform == "apns" else token)


def _subscription(given: Mapping[str, Any] | None) -> str:
    """A browser's subscription (`PushSubscription.toJSON()`), in one spelling. Raises Invalid."""
    if given is None:
        raise Invalid([Finding("error", "/subscription", "nothing", "the subscription as the browser writes it: endpoint and keys")])
    endpoint, keys = given.get("endpoint"), given.get("keys")
    keys = keys if isinstance(keys, Mapping) else {}
    if faults := list(_faults(endpoint, keys)):
        raise Invalid(faults)
    kept = {"endpoint": endpoint, "keys": {"auth": keys["auth"], "p256dh": keys["p256dh"]}}
    return orjson.dumps(kept).decode()


def _faults(endpoint: object, keys: Mapping[str, Any]) -> Iterator[Finding]:
    if not isinstance(endpoint, str) or not _is_address(endpoint):
        found = f"{len(endpoint):,} characters" if isinstance(endpoint, str) else shorten(endpoint)
        yield Finding("error", "/subscription/endpoint", found, "the https address that the browser was given")
    if not (public := _bytes(keys.get("p256dh"))).startswith(b"\x04") or len(public) != 65:
        yield Finding("error", "/subscription/keys/p256dh", f"{len(public)} bytes", "the browser’s public key: 65 bytes in base64url")
    if len(secret := _bytes(keys.get("auth"))) != 16:
        yield Finding("error", "/subscription/keys/auth", f"{len(secret)} bytes", "the browser’s secret: 16 bytes in base64url")


def _is_address(text: str) -> bool:
    if not re.fullmatch(r"[!-~]{12,2048}", text):
        return False
    try:
        parts = urlsplit(text)
        if "@" in parts.netloc or not parts.hostname:
            return False
        here = text.startswith(_HERE) and settings.OMNI.env != "production"
        return here or (parts.scheme == "https" and _NAMED.search(parts.hostname) is not None)
    except ValueError:
        return False


def _bytes(text: object) -> bytes:
    """From base64url with or without padding; nothing where it isn't that."""
    try:
        return urlsafe_b64decode(str(text).rstrip("=") + "=" * (-len(str(text).rstrip("=")) % 4)) if isinstance(text, str) else b""
    except ValueError:
        return b""
