"""A test message to the person who asks for one: by the real route, outside the ledger, under every brake that still counts."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from delivery import policies
from delivery.adapters.base import Fate, OutgoingMessage, OutgoingRequest, Sender, Unsendable, VendorRequest, VendorResponse
from delivery.connections import Connections
from delivery.control import switches
from delivery.eligibility import allowed
from delivery.instance import held
from delivery.tokens import TOKENS
from governance.door import Actor, Missing, Refused, Role, allow, audit
from rendering.door import Filled, Preview

MARK = "[Test] "


def trial_ids(about: int | None) -> str:
    """How the ids of tests start that show this person's data; None: sample values only."""
    return f"test-{about or 0}-"


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a test message. vendor: who took it; detail: what the vendor said where it didn't."""

    accepted: bool
    vendor: str
    detail: str = ""


class _Marked(Filled):
    """A previewed message as adapters read messages, marked as a test. Its links lead nowhere and nobody can leave by it."""

    def __init__(self, made: Preview, *, titled: bool) -> None:
        self.n, self.locale, self.values, self._made, self._titled = 0, made.locale, (), made, titled

    @property
    def subject(self) -> str:
        return MARK + self._made.subject if self._titled else ""

    @property
    def html(self) -> bytes | None:
        return self._made.html.encode() if self._made.html else None

    @property
    def text(self) -> bytes:
        return self._made.text.encode() if self._titled else (MARK + self._made.text).encode()

    @property
    def headers(self) -> dict[str, str]:
        return {}


def send_test(
    actor: Actor,
    made: Preview,
    *,
    channel: str,
    address: str,
    sender: Sender,
    subject: str,
    now: datetime,
    reply_to: str = "",
    about: int | None = None,
    platform: str = "",
    known_by: str = "",
) -> Trial:
    """Hand one marked message to the channel's route at once. subject: what the audit names ("template:welcome").
    about: the profile whose data it shows, if any. platform: of push, the kind of device; known_by: of push, the address by which its owner
    is listed where only the listed are reached.

    Refused below author, while a kill switch or a hold is on, and outside production for addresses that aren't allow-listed
    (the local outbox takes any). Raises Missing where the channel has no route. It is in no run and no cap counts it.
    """
    allow(actor, Role.AUTHOR, "messages:send")
    routes = policies.routes(actor.workspace_id, "", channel)
    route = next((one for one in routes if platform in one.adapter.platforms), None) if platform else routes[0]
    if route is None:
        raise Missing(f"a released vendor route for {channel} that writes to {platform} devices")
    _refuse(actor, known_by or address, route)
    filled = _Marked(made, titled=channel in ("email", "push"))
    message = OutgoingMessage(trial_ids(about) + secrets.token_urlsafe(9), address, filled, options=made.options)
    request = OutgoingRequest(0, channel, sender, [message], reply_to=reply_to, at=now)
    audit(actor, "template.tested", subject=subject, data={"channel": channel, "vendor": route.adapter.key}, now=now)
    with Connections() as vendors:
        fate = _exchange(actor.workspace_id, route, request, vendors, now)
    return Trial(fate.kind == "accepted", route.adapter.title, fate.detail)


def _exchange(workspace_id: int, route: policies.Route, request: OutgoingRequest, vendors: Connections, now: datetime) -> Fate:
    """What became of the one request."""

    def ask(built: VendorRequest) -> VendorResponse | Fate:
        return vendors.post(workspace_id, route.key, [built], limits=route.adapter.limits, now=now)[0]

    account = TOKENS.ready(workspace_id, route.adapter, route.account, ask, now=now)
    if isinstance(account, Fate):
        return account
    try:
        answer = ask(route.adapter.build(request, account))
    except Unsendable as unsendable:
        return unsendable.fate
    ids = [message.message_id for message in request.messages]
    fate = route.adapter.read(answer, ids) if isinstance(answer, VendorResponse) else answer
    if fate.stale_token:
        TOKENS.forget(workspace_id, route.adapter, account)
    return fate


def _refuse(actor: Actor, address: str, route: policies.Route) -> None:
    scopes = {("workspace", ""), ("vendor", route.adapter.key)}
    for switch in switches(actor.workspace_id):
        if (switch.scope, switch.key) in scopes:
            raise Refused(f"a kill switch is on: {switch.reason}")
    if waiting := held():
        raise Refused(f"this installation is held: {waiting[0][1]}")
    listed = settings.OMNI.allowed_recipients
    if route.adapter.key != policies.OUTBOX and settings.OMNI.env != "production" and not allowed(address, listed):
        raise Refused("outside production only allow-listed addresses are written to, and yours isn't one of them")
