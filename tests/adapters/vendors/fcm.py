"""FCM v1, with the token service beside it."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

from delivery.adapters.json_web_tokens import from_base64url
from tests.adapters.vendors.contract import Answered, Asked, as_json

CODES = {
    400: "INVALID_ARGUMENT",
    401: "THIRD_PARTY_AUTH_ERROR",
    403: "SENDER_ID_MISMATCH",
    404: "UNREGISTERED",
    429: "QUOTA_EXCEEDED",
    503: "UNAVAILABLE",
}


class Vendor:
    """FCM. Its tokens are good until they are spoiled."""

    NAME = "fcm"

    def __init__(self) -> None:
        self.good, self.issued = set[str](), 0

    def matches(self, asked: Asked) -> bool:
        return asked.path == "/token" or asked.path.endswith("/messages:send")

    def answer(self, asked: Asked, number: int) -> Answered:
        if asked.path == "/token":
            return self._token(asked)
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.good:
            return as_json(401, {"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "invalid credentials"}})
        message = asked.json()["message"]
        if message["token"].startswith("unregistered"):
            return self.error(404)
        assert all(isinstance(value, str) for value in message["data"].values())
        accepted = ((message["token"], message["data"]["message_id"]),)
        return as_json(200, {"name": f"projects/omni/messages/0:{number}%abc"}, accepted=accepted)

    def error(self, status: int) -> Answered:
        detail = {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": CODES.get(status, "INTERNAL")}
        said = {"code": status, "message": "no", "status": CODES.get(status, "INTERNAL"), "details": [detail]}
        return as_json(status, {"error": said})

    def spoil_tokens(self) -> None:
        self.good.clear()

    def _token(self, asked: Asked) -> Answered:
        """The assertion's claims are believed; its signature is tests/adapters/test_push.py's to check."""
        form = dict(parse_qsl(asked.body.decode()))
        claims = json.loads(from_base64url(form["assertion"].split(".")[1]))
        assert form["grant_type"].endswith(":jwt-bearer") and claims["aud"].endswith("/token") and claims["exp"] > claims["iat"]
        self.issued += 1
        self.good.add(f"ya29.{self.issued}")
        return as_json(200, {"access_token": f"ya29.{self.issued}", "expires_in": 3599, "token_type": "Bearer"})
