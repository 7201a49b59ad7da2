"""WhatsApp Cloud API."""

from __future__ import annotations

from tests.adapters.vendors.contract import Answered, Asked, as_json

NAME = "whatsapp_cloud"
CODES = {401: 190, 429: 130429, 503: 131016}


def matches(asked: Asked) -> bool:
    return asked.path.startswith("/v23.0/") and asked.path.endswith("/messages")


def answer(asked: Asked, number: int) -> Answered:
    said = asked.json()
    assert said["messaging_product"] == "whatsapp" and asked.headers["authorization"].startswith("Bearer ")
    if said["to"].endswith("0026"):
        return _refused(400, 131026)
    accepted = ((said["to"].lstrip("+"), said["biz_opaque_callback_data"]),)
    return as_json(200, {"messaging_product": "whatsapp", "messages": [{"id": f"wamid.{number}"}]}, accepted=accepted)


def error(status: int) -> Answered:
    return _refused(status, CODES.get(status, 131000))


def _refused(status: int, code: int) -> Answered:
    return as_json(status, {"error": {"message": f"(#{code}) no", "type": "OAuthException", "code": code}})
