"""Twilio Messages, SMS and WhatsApp."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from tests.adapters.vendors.contract import Answered, Asked, as_json

NAME = "twilio"
CODES = {401: 20003, 429: 20429, 500: 20500, 503: 20503}


def matches(asked: Asked) -> bool:
    return asked.path.startswith("/2010-04-01/Accounts/") and asked.method == "POST"


def answer(asked: Asked, number: int) -> Answered:
    form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
    to, sender = form["To"], form.get("From", "")
    if to.startswith("whatsapp:") != sender.startswith("whatsapp:"):
        return _refused(400, 21910)
    if len(to.removeprefix("whatsapp:")) < 8:
        return _refused(400, 21211)
    token = parse_qs(urlsplit(form["StatusCallback"]).query)["message_id"][0]
    return as_json(201, {"sid": f"SM{number:032x}", "status": "queued"}, accepted=((to, token),))


def error(status: int) -> Answered:
    return _refused(status, CODES.get(status, 20001))


def _refused(status: int, code: int) -> Answered:
    return as_json(status, {"code": code, "message": "no", "status": status})
