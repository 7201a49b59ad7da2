"""Apple Push, HTTP/2 only."""

from __future__ import annotations

from tests.adapters.vendors.contract import Answered, Asked, as_json

NAME = "apns"
REASONS = {401: "InvalidProviderToken", 429: "TooManyRequests", 500: "InternalServerError", 503: "ServiceUnavailable"}


def matches(asked: Asked) -> bool:
    return asked.path.startswith("/3/device/")


def answer(asked: Asked, number: int) -> Answered:
    token, headers = asked.path.rpartition("/")[2], asked.headers
    assert headers["version"] == "2" and headers["authorization"].startswith("bearer ") and headers["apns-topic"]
    if token.startswith("unregistered"):
        return as_json(410, {"reason": "Unregistered", "timestamp": 1772442000000})
    return Answered(200, b"", {"apns-id": headers["apns-id"]}, ((token, asked.json()["message_id"]),))


def error(status: int) -> Answered:
    return as_json(403 if status == 401 else status, {"reason": REASONS.get(status, "BadMessageId")})
