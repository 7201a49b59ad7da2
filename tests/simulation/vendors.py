"""The vendors of a day and the way to them: answers get lost, time passes while they are waited for, and events come late,
twice and in any order, signed as in life."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any
from urllib.parse import urlencode

from django.test import Client
from twilio.request_validator import RequestValidator

from delivery.adapters.base import Fate, VendorRequest, VendorResponse
from delivery.connections import Connections
from tests.simulation.chaos import Killed
from tests.simulation.town import ACCOUNT_SID, SECRETS
from tests.vendor_standin import Accepted, StandIn

FAULTS = ("drop", "accept_drop", "429", "500", "accept_500", "garbage", "400:0", "400", "401", "no_connection", "dies", "accept_dies")
HEAP = timedelta(seconds=60)
SLOWEST = 12.0  # seconds; longer than the time-out of a request


class Line(Connections):
    """One worker's way to the vendors."""

    def __init__(self, exchange: Callable[[VendorRequest], VendorResponse | Fate], **more: Any) -> None:
        """exchange: asked for one request after the other; what comes between two of them is the day's to say."""
        super().__init__(transport=exchange, **more)


@dataclass
class Post:
    """One webhook call that a vendor still owes."""

    ready: datetime
    accepted: Accepted
    kind: str
    name: str = ""
    passed_over: datetime | None = None  # when it was ready and others were told


@dataclass
class Vendors:
    """Both vendors: what they have accepted, how they misbehave now, and what they still have to tell."""

    draw: random.Random
    clock: Callable[[], datetime]
    hooks: StandIn
    meanwhile: Callable[[], None]
    handed: Callable[[VendorRequest], None]
    pass_: Callable[[float], None]
    troubled: int = 0  # so many of the next requests may go wrong
    feeding: bool = True
    owed: list[Post] = field(default_factory=list)
    told: list[Post] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.house = StandIn(now=self.clock)
        self._client = Client()

    @property
    def accepted(self) -> list[Accepted]:
        """All that was taken, in order."""
        return self.house.accepted

    def exchange(self, request: VendorRequest) -> VendorResponse | Fate:
        """One request over the network."""
        asking = request.method == "GET"
        fault = "ok"
        if self.troubled and not asking:
            self.troubled -= 1
            fault = self.draw.choice(FAULTS)
        if not asking:
            self.handed(request)
        self.meanwhile()
        if fault == "dies":
            raise Killed
        if fault == "no_connection":
            return Fate("transient", detail="no connection")
        answer = self._answered(request, "ok" if fault == "accept_dies" else fault)
        self.meanwhile()
        if fault == "accept_dies":
            raise Killed
        if answer is None:
            self.pass_(10.0)
            return Fate("ambiguous", detail="no answer")
        return VendorResponse(*answer)

    def _answered(self, request: VendorRequest, fault: str) -> Any:
        self.house.fault = lambda number: fault
        before = len(self.accepted)
        answer = self.house.answer(request.method, request.url, request.body)
        for one in self.accepted[before:]:
            self._owe(one)
        if self.draw.random() < 0.1:
            self.pass_(self.draw.uniform(0.1, SLOWEST))
        return answer

    def _owe(self, one: Accepted) -> None:
        mail = one.vendor == "sendgrid"
        kinds = ["processed", "delivered"] if mail else ["sent", "delivered"]
        fate = self.draw.random()
        if fate < 0.06:
            kinds[1] = "bounce" if mail else "undelivered"
        elif fate < 0.1 and mail:
            kinds.append("spamreport")
        for kind in kinds:
            self.owed.append(Post(self.clock() + timedelta(seconds=self.draw.uniform(0.1, 400)), one, kind))

    # ── events ────────────────────────────────────────────────────────────────────────────────────────────────────

    def tell(self) -> int:
        """Post some of what is ready, shuffled, some of it twice; what isn't answered well stays owed. How many posts there were.

        What was held back comes out in a heap that lasts a minute at most: whoever was passed over longer ago is told now, before others.
        A vendor that keeps back the events of one message alone for longer is one that nothing is promised of.
        """
        now = self.clock()
        ready = [post for post in self.owed if post.ready <= now] if self.feeding else []
        if not ready:
            return 0
        due = [post for post in ready if post.passed_over is not None and now - post.passed_over >= HEAP]
        rest = [post for post in ready if not any(post is one for one in due)]
        some = due + self.draw.sample(rest, min(len(rest), self.draw.randint(1, 8)))
        for post in rest:
            if not any(post is one for one in some):
                post.passed_over = post.passed_over or now
        mails = [post for post in some if post.accepted.vendor == "sendgrid"]
        done = list(mails) if mails and self._mails(mails) else []
        done += takewhile(self._text, (post for post in some if post.accepted.vendor == "twilio"))
        self.told += done
        again = [post for post in done if self.draw.random() < 0.15]
        self.owed = [post for post in self.owed if not any(post is one for one in done)] + again
        return len(some)

    def _mails(self, posts: list[Post]) -> bool:
        now = self.clock()
        kinds = {"bounce": {"type": "bounce", "status": "5.1.1"}}
        events = [
            {
                "event": post.kind,
                "email": post.accepted.address,
                "timestamp": int(post.ready.timestamp()),
                "sg_event_id": f"{post.kind}-{post.accepted.seq}",
                "sg_message_id": f"{post.accepted.vendor_id}.filter.0",
                "message_id": post.accepted.message_id,
                **kinds.get(post.kind, {}),
            }
            for post in posts
        ]
        body = json.dumps(events).encode()
        answer = self._client.post("/hooks/sendgrid", body, content_type="application/json", headers=self.hooks.signed(body, now))
        return answer.status_code == 200

    def _text(self, post: Post) -> bool:
        fields = {"MessageSid": post.accepted.vendor_id, "MessageStatus": post.kind, "AccountSid": post.accepted.account}
        if post.kind == "undelivered":
            fields["ErrorCode"] = "30005"
        return self._twilio(f"/hooks/twilio?message_id={post.accepted.message_id}", fields)

    def text_in(self, phone: str, words: str) -> bool:
        """Somebody writes to our number."""
        sid = f"SM{self.draw.getrandbits(128):032x}"
        return self._twilio(
            "/hooks/twilio", {"MessageSid": sid, "From": phone, "To": "+15550009999", "Body": words, "AccountSid": ACCOUNT_SID}
        )

    def _twilio(self, path: str, fields: dict[str, str]) -> bool:
        signature = RequestValidator(SECRETS["TWILIO_TOKEN"]).compute_signature(f"https://omni.example.com{path}", fields)
        answer = self._client.post(
            path, urlencode(fields), content_type="application/x-www-form-urlencoded", headers={"X-Twilio-Signature": signature}
        )
        return answer.status_code in (200, 204)
