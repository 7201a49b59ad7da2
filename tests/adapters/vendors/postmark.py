"""Postmark, single e-mails."""

from __future__ import annotations

from tests.adapters.vendors.contract import Answered, Asked, as_json

NAME = "postmark"
CODES = {401: 10, 422: 300, 429: 429, 503: 100}


def matches(asked: Asked) -> bool:
    return asked.path == "/email"


def answer(asked: Asked, number: int) -> Answered:
    assert asked.headers["x-postmark-server-token"]
    mail = asked.json()
    if "@" not in mail["To"]:
        return as_json(422, {"ErrorCode": 300, "Message": "Invalid 'To' address: 'nobody'."})
    accepted = ((mail["To"], mail["Metadata"]["message_id"]),)
    return as_json(200, {"To": mail["To"], "MessageID": f"0a129aee-{number}", "ErrorCode": 0, "Message": "OK"}, accepted=accepted)


def error(status: int) -> Answered:
    return as_json(status, {"ErrorCode": CODES.get(status, 0), "Message": "no"})
