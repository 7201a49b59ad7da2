"""A service of somebody's own that checks the signature as the Standard Webhooks specification says."""

from __future__ import annotations

import base64
import hashlib
import hmac

from tests.adapters.vendors.contract import Answered, Asked

NAME = "webhook"
SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four.").decode()


def matches(asked: Asked) -> bool:
    return "webhook-id" in asked.headers


def answer(asked: Asked, number: int) -> Answered:
    name, moment = asked.headers["webhook-id"], asked.headers["webhook-timestamp"]
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    made = hmac.new(key, b".".join([name.encode(), moment.encode(), asked.body]), hashlib.sha256).digest()
    if asked.headers["webhook-signature"] != "v1," + base64.b64encode(made).decode():
        return Answered(401)
    return Answered(204, accepted=((asked.json()["data"]["to"], name),))


def error(status: int) -> Answered:
    return Answered(status)
