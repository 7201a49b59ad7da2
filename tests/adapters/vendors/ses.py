"""Amazon SES v2."""

from __future__ import annotations

from tests.adapters.vendors.contract import Answered, Asked, as_json

NAME = "ses"
ERRORS = {401: "UnrecognizedClientException", 403: "AccessDeniedException", 429: "TooManyRequestsException"}


def matches(asked: Asked) -> bool:
    return asked.path == "/v2/email/outbound-emails"


def answer(asked: Asked, number: int) -> Answered:
    assert asked.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIA") and asked.headers["x-amz-date"]
    mail = asked.json()
    to = mail["Destination"]["ToAddresses"][0]
    if "@" not in to:
        return _refused(400, "BadRequestException", "Missing final '@domain'")
    tags = {tag["Name"]: tag["Value"] for tag in mail["EmailTags"]}
    return as_json(200, {"MessageId": f"0100017{number:x}-ses"}, accepted=((to, tags["message_id"]),))


def error(status: int) -> Answered:
    return _refused(403 if status == 401 else status, ERRORS.get(status, "InternalFailure"), "no")


def _refused(status: int, kind: str, message: str) -> Answered:
    made = as_json(status, {"message": message})
    return Answered(status, made.body, {**made.headers, "x-amzn-errortype": f"{kind}:http://internal.amazon.com/coral/"})
