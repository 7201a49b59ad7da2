"""WeChat official account: stable tokens, template messages that are sent once per openid and client_msg_id, customer messages."""

from __future__ import annotations

from tests.adapters.vendors.contract import Answered, Asked, as_json


class Vendor:
    """WeChat. Its token is good until it is spoiled."""

    NAME = "wechat"

    def __init__(self) -> None:
        self.token, self.issued = "", 0
        self.sent: dict[tuple[str, str], int] = {}

    def matches(self, asked: Asked) -> bool:
        return asked.path.startswith("/cgi-bin/")

    def answer(self, asked: Asked, number: int) -> Answered:
        if asked.path == "/cgi-bin/stable_token":
            return self._token(asked)
        if asked.query.get("access_token") != self.token or not self.token:
            return _said(40001)
        message = asked.json()
        to, ours = message["touser"], message.get("client_msg_id", "")
        if to.startswith("unsub"):
            return _said(43004)
        if asked.path.endswith("/custom/send"):
            return as_json(200, {"errcode": 0, "errmsg": "ok"}, accepted=((to, ours),))
        if (to, ours) in self.sent:
            return as_json(200, {"errcode": 0, "errmsg": "ok", "msgid": self.sent[to, ours]})
        said = {"errcode": 0, "errmsg": "ok", "msgid": number}
        return as_json(200, said, accepted=((to, ours),), then=lambda: self.sent.setdefault((to, ours), number))

    def error(self, status: int) -> Answered:
        code = {401: 40001, 429: 45009, 503: -1}.get(status)
        return _said(code) if code is not None else as_json(status, {"errcode": -1, "errmsg": "system error"})

    def spoil_tokens(self) -> None:
        self.token = ""

    def _token(self, asked: Asked) -> Answered:
        given = asked.json()
        assert given["grant_type"] == "client_credential" and given["force_refresh"] is False
        if given["secret"] != "s3cret":
            return _said(40125)
        if not self.token:
            self.issued += 1
            self.token = f"lab_{self.issued}"
        return as_json(200, {"access_token": self.token, "expires_in": 7200})


def _said(code: int) -> Answered:
    return as_json(200, {"errcode": code, "errmsg": "no"})
