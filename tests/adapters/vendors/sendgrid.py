"""SendGrid v3 mail/send."""

from __future__ import annotations

from tests.adapters.vendors.contract import Answered, Asked, as_json

NAME = "sendgrid"


def matches(asked: Asked) -> bool:
    return asked.path == "/v3/mail/send"


def answer(asked: Asked, number: int) -> Answered:
    mail = asked.json()
    people = [(one["to"][0]["email"], one["custom_args"]["message_id"]) for one in mail["personalizations"]]
    for place, (address, _) in enumerate(people):
        if "@" not in address:
            field = f"personalizations.{place}.to.0.email"
            return as_json(400, {"errors": [{"message": "Does not contain a valid address.", "field": field}]})
    return Answered(202, b"", {"x-message-id": f"sg{number}"}, tuple(people))


def error(status: int) -> Answered:
    return as_json(status, {"errors": [{"message": "no", "field": None}]})
