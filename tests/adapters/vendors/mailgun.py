"""Mailgun v3: takes a form apart and puts each person's message together, as the vendor does."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import HTTP

from tests.adapters.vendors.contract import Answered, Asked, as_json

NAME = "mailgun"


@dataclass(frozen=True, slots=True)
class Mail:
    """What one person gets. headers: those of the form's h: fields."""

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    headers: dict[str, str]
    files: tuple[str, ...]


def matches(asked: Asked) -> bool:
    return asked.path.startswith("/v3/") and asked.path.endswith("/messages")


def answer(asked: Asked, number: int) -> Answered:
    assert asked.headers["authorization"].startswith("Basic ")
    mails = delivered(asked.headers["content-type"], asked.body)
    if any("@" not in one.to for one in mails):
        return as_json(400, {"message": "'to' parameter is not a valid address. please check documentation"})
    accepted = tuple((one.to, one.message_id) for one in mails)
    return as_json(200, {"id": f"<{number}@mg.example.com>", "message": "Queued. Thank you."}, accepted=accepted)


def error(status: int) -> Answered:
    return Answered(401, b"Forbidden") if status == 401 else as_json(status, {"message": "no"})


def delivered(content_type: str, body: bytes) -> list[Mail]:
    """Every message of a form. An address that stands there twice gets one, as at the vendor."""
    form = message_from_bytes(b"content-type: " + content_type.encode() + b"\r\n\r\n" + body, policy=HTTP)
    fields: list[tuple[str, str]] = []
    files: list[str] = []
    for part in form.iter_parts():  # type: ignore[attr-defined]
        name, file = part.get_param("name", header="content-disposition"), part.get_filename()
        files += [file] if file else []
        fields += [] if file else [(str(name), part.get_payload(decode=True).decode())]
    given = dict(fields)
    variables = json.loads(given.get("recipient-variables", "{}"))
    return [_mail(to, given, variables.get(to, {}), tuple(files)) for to in dict.fromkeys(value for name, value in fields if name == "to")]


def _mail(to: str, given: dict[str, str], own: dict[str, str], files: tuple[str, ...]) -> Mail:
    def put(text: str) -> str:
        return re.sub(r"%recipient\.([A-Za-z0-9_:.-]+)%", lambda found: own.get(found.group(1), ""), text)

    headers = {name[2:]: put(value) for name, value in given.items() if name.startswith("h:")}
    return Mail(to, put(given["subject"]), put(given["text"]), put(given.get("html", "")), put(given["v:message_id"]), headers, files)
