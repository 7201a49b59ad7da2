"""WeChat official accounts. Facts: the vendor's documentation of template messages, customer messages and tokens, read 2026-11."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

import orjson

from delivery.adapters import push_words, wechat_events
from delivery.adapters.base import (
    Account,
    Adapter,
    EventKind,
    Fate,
    FateKind,
    Features,
    Limits,
    OutgoingRequest,
    Token,
    Unreadable,
    VendorEvent,
    VendorRequest,
    VendorResponse,
    Webhook,
    fate_of_status,
    json_object,
    moment_of,
    retry_after,
)

STALE = frozenset({40001, 40014, 41001, 42001})


@dataclass(frozen=True, slots=True)
class Said:
    """What an errcode means."""

    kind: FateKind
    meaning: str
    retry_after: float | None = None


CODES: Mapping[int, Said] = {
    -1: Said("transient", "the system is busy"),
    40001: Said("misconfigured", "the token is not valid or not the latest"),
    40003: Said("permanent_address", "no such person (openid) of this account"),
    40013: Said("misconfigured", "no such app id"),
    40014: Said("misconfigured", "the token is not valid"),
    40037: Said("permanent_message", "no such template"),
    40125: Said("misconfigured", "the app's secret is wrong"),
    40164: Said("misconfigured", "this server's address is not on the account's list"),
    40165: Said("permanent_message", "the mini program's page is not valid"),
    41001: Said("misconfigured", "the token is missing"),
    42001: Said("misconfigured", "the token has expired"),
    43004: Said("permanent_address", "the person doesn't follow the account"),
    43101: Said("permanent_address", "the person refuses messages"),
    43116: Said("misconfigured", "template messages are not open to this account"),
    45009: Said("throttled", "the day's quota is used up", retry_after=3_600.0),
    45011: Said("throttled", "too many calls a minute", retry_after=30.0),
    45015: Said("permanent_message", "more than 48 hours since the person wrote: only a template may go"),
    45047: Said("permanent_address", "the person got as many messages as the vendor allows without an answer"),
    47001: Said("permanent_message", "the message's form is not valid"),
    47003: Said("permanent_message", "the template's parameters are not valid"),
    48001: Said("misconfigured", "the account may not use this"),
    48004: Said("misconfigured", "the account's permission was taken away"),
    50002: Said("misconfigured", "the account is limited"),
    89503: Said("misconfigured", "this server's address waits for the administrator"),
}


class WeChat(Adapter):
    """Messages to followers of an official account: one per request, 200 always; the body's errcode 0 is the success.

    The address is the follower's openid. Reads template (its id), data (texts by the template's names) and url. Without a template
    the text goes as a customer message, which the vendor delivers only within 48 hours after the person wrote.

    A template message carries our id as `client_msg_id`: the vendor sends the same one to the same person once in ten minutes.
    That is not counted as an idempotency key: whoever takes over a lease may come later than ten minutes after the request, and a
    promise that has run out would be a second message. Within the ten minutes a repeat is harmless all the same.
    """

    key = "wechat"
    title = "WeChat official account"
    channels = frozenset({"wechat"})
    base_url = "https://api.weixin.qq.com"
    tried = "lab"
    limits = Limits(recipients_per_request=1, concurrency=16, request_bytes=65_536)
    features = Features()
    secrets = ("app_secret",)
    settings = ("app_id", "help_reply")
    required_settings: ClassVar[Mapping[str, str]] = {"app_id": "the account's app id, such as wx0123456789abcdef"}
    webhook_secret = greeting_secret = "callback_token"
    webhook_answer = ("success", "text/plain")
    event_kinds: ClassVar[tuple[EventKind, ...]] = (
        "delivered",
        "blocked",
        "failed",
        "unsubscribed",
        "resubscribed",
        "asked_help",
        "processed",
    )
    fates: ClassVar[Mapping[int, FateKind]] = {401: "misconfigured", 403: "misconfigured", 404: "misconfigured", 429: "throttled"}

    def token_request(self, account: Account, at: datetime) -> VendorRequest | None:
        """The stable token: asking again, here or in another process, gives the same one and retires none. It is never forced anew,
        because that would retire everybody else's."""
        body = {
            "grant_type": "client_credential",
            "appid": account.settings["app_id"],
            "secret": account.secrets["app_secret"],
            "force_refresh": False,
        }
        headers = {"content-type": "application/json"}
        return VendorRequest("POST", f"{account.base_url}/cgi-bin/stable_token", headers, orjson.dumps(body), idempotent=True)

    def read_token(self, response: VendorResponse) -> Token | Fate:
        """A token, or what the errcode means."""
        answer = json_object(response.body)
        value, seconds, code = answer.get("access_token"), answer.get("expires_in"), answer.get("errcode")
        if response.status == 200 and isinstance(value, str) and value and isinstance(seconds, int) and seconds > 0:
            return Token(value, float(seconds))
        if response.status == 200 and type(code) is int and code != 0:
            said = _said(code)
            kind: FateKind = "misconfigured" if said.kind.startswith("permanent") else said.kind
            return Fate(kind, retry_after=said.retry_after, detail=said.meaning, code=str(code))
        return Fate("transient", retry_after=retry_after(response.headers), detail=f"HTTP {response.status}")

    def build(self, request: OutgoingRequest, account: Account) -> VendorRequest:
        """One message. Raises Unsupported for more than one, or for attachments."""
        message = push_words.only(request)
        options = message.options
        if options.get("template"):
            data = options.get("data") or {}
            body: dict[str, Any] = {
                "touser": message.address,
                "template_id": str(options["template"]),
                "data": {str(name): {"value": str(value)} for name, value in data.items()} if isinstance(data, Mapping) else {},
                "client_msg_id": message.message_id,
            }
            if options.get("url"):
                body["url"] = str(options["url"])
            path = "template/send"
        else:
            body = {"touser": message.address, "msgtype": "text", "text": {"content": message.filled.text.decode()}}
            path = "custom/send"
        url = f"{account.base_url}/cgi-bin/message/{path}?{urlencode({'access_token': account.token})}"
        return VendorRequest("POST", url, {"content-type": "application/json; charset=utf-8"}, orjson.dumps(body))

    def read(self, response: VendorResponse, message_ids: Sequence[str] = ()) -> Fate:
        """By the errcode; another status than 200 comes from a gateway in between."""
        answer, status = json_object(response.body), response.status
        code, wait = answer.get("errcode"), retry_after(response.headers)
        if status != 200:
            return Fate(fate_of_status(self.fates, status), retry_after=wait, detail=f"HTTP {status}", code=str(status))
        if type(code) is not int:
            return Fate("ambiguous", detail="HTTP 200 without an errcode")
        if code == 0:
            msgid = answer.get("msgid", "")
            return Fate("accepted", vendor_id=str(msgid)[:120] if isinstance(msgid, int | str) else "")
        said = _said(code)
        return Fate(
            said.kind,
            retry_after=wait or said.retry_after,
            culprit=message_ids[0] if said.kind in ("permanent_address", "permanent_message") and len(message_ids) == 1 else None,
            detail=said.meaning,
            code=str(code),
            stale_token=code in STALE,
        )

    def signed_at(self, webhook: Webhook) -> datetime | None:
        """By the time that is signed with the call."""
        return moment_of(wechat_events.signed(webhook)[1])

    def verify(self, webhook: Webhook, account: Account) -> bool:
        """SHA-1 over token, time and nonce, within ten minutes. The vendor's signature does not cover the body."""
        return wechat_events.verify(webhook, account.secrets.get(self.webhook_secret, ""))

    def greet(self, webhook: Webhook, account: Account) -> str | None:
        """`echostr` given back."""
        return wechat_events.greet(webhook, account.secrets.get(self.greeting_secret, ""))

    def events(self, webhook: Webhook) -> Iterator[VendorEvent | Unreadable]:
        """Reports on template messages, who follows or no longer follows, and what followers ask for by one word."""
        return wechat_events.read(webhook)

    def answer(self, webhook: Webhook, text: str) -> tuple[str, str]:
        """A text to the follower who wrote, where there is one to send."""
        return (wechat_events.answer(webhook, text), "text/xml") if text else self.webhook_answer


def _said(code: int) -> Said:
    """By code, else by range: 48xxx, 50xxx, 61xxx and 89xxx are about the account, the rest about the message."""
    found = CODES.get(code)
    if found:
        return found
    about_us = code // 1_000 in (48, 50, 61, 89)
    return Said("misconfigured" if about_us else "permanent_message", f"errcode {code}")
