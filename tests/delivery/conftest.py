"""A street with a vendor at its end: people, a route, a launch, and a worker that is told when to work."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

import pytest
from pyroaring import BitMap64

from audience import door as audience
from delivery import door as delivery
from rendering import door as rendering
from tests import factories
from tests.adapters import letters
from tests.delivery.relay import Relay, relaying
from tests.simulation.chaos import Killed
from tests.vendor_standin import StandIn

VENDORS = {"email": "sendgrid", "sms": "twilio"}
ROUTES: dict[str, dict[str, Any]] = {
    "sendgrid": {"title": "Mail", "channel": "email", "vendor": "sendgrid", "secrets": {"api_key": "SENDGRID_KEY"}},
    "twilio": {
        "title": "Texts",
        "channel": "sms",
        "vendor": "twilio",
        "settings": {"account_sid": "AC" + "a" * 32},
        "secrets": {"auth_token": "TWILIO_TOKEN"},
    },
    "fcm": {"title": "Phones", "channel": "push", "vendor": "fcm", "secrets": {"service_account": "FCM_KEY"}},
    "apns": {
        "title": "iPhones",
        "channel": "push",
        "vendor": "apns",
        "secrets": {"auth_key": "APNS_KEY"},
        "settings": {"key_id": "ABC123DEFG", "team_id": "TEAM123456", "topic": "com.example.app"},
    },
    "webpush": {
        "title": "Browsers",
        "channel": "push",
        "vendor": "webpush",
        "secrets": {"vapid_private_key": "VAPID_KEY"},
        "settings": {"subject": "mailto:push@example.com", "push_services": ["push.test"]},
    },
}


class Clock:
    """The time of a story; it moves when it is told to."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, **span: float) -> datetime:
        self.at += timedelta(**span)
        return self.at


class Street:
    """What a story does to delivery, at its door."""

    def __init__(self, clock: Clock, vendor: StandIn) -> None:
        self.clock, self.vendor = clock, vendor
        self.workspace_id = factories.workspace().pk
        self.vendors = delivery.Connections(transport=vendor.transport(), wait=lambda seconds: clock.pass_(seconds=seconds))
        self._programs: dict[str, delivery.Program] = {}
        self.sick: set[int] = set()  # profiles whose rendering fails
        self.lists = 0

    def person(self, name: str) -> Any:
        return factories.person(name, now=self.clock())

    def people(self, count: int, **changes: Any) -> list[int]:
        return factories.profiles(count, now=self.clock(), **changes)

    def numbers(self, count: int) -> list[int]:
        """People with telephone numbers who want texts."""
        self.lists += 1
        consents = (("sms", "offers", "subscribed"),)
        return [
            factories.profile(
                now=self.clock(), phone=f"+1415555{self.lists}{place:03d}", country="GB", zone="Europe/London", consents=consents
            )
            for place in range(count)
        ]

    def device(self, profile_id: int, token: str, platform: str = "fcm") -> str:
        """This person's app has registered, a moment after whatever happened before."""
        device = audience.DeviceAddress(platform, token)
        audience.register_device(self.workspace_id, profile_id, device, now=self.clock.pass_(seconds=1))
        return token

    def route(self, vendor: str, *, key: str = "", **changes: Any) -> str:
        """One account of this vendor, called like it unless a key is given."""
        key = key or vendor
        factories.put("vendor_route", key, {**ROUTES[vendor], **changes}, now=self.clock(), author="cleo")
        factories.release("vendor_route", key, now=self.clock(), author="cleo")
        return key

    def policy(self, **changes: Any) -> str:
        factories.in_force("sending_policy", "manners", factories.policy(**changes), now=self.clock())
        return "manners"

    def launch(self, ids: Sequence[int], **changes: Any) -> int:
        plan = delivery.DispatchPlan(
            **{
                "workspace_id": self.workspace_id,
                "campaign_key": "spring-sale",
                "occurrence": "manual",
                "campaign_revision_id": None,
                "template_revision_id": None,
                "bill_hash": "",
                "channel": "email",
                "message_class": "promotional",
                "topic": "offers",
                "ids": BitMap64(ids),
                "batch_size": 100,
                **changes,
            }
        )
        return delivery.plan(plan, now=self.clock())

    def message_type(self, **changes: Any) -> int:
        """A standing dispatch of transactional mail."""
        given = {
            "channel": "email",
            "message_class": "transactional",
            "template_revision_id": 1,
            "key": "receipt",
            "day": self.clock().date(),
        }
        of = delivery.Standing(workspace_id=self.workspace_id, kind="transactional", **{**given, **changes})
        return delivery.standing(of, now=self.clock())

    def decide(self, dispatch_id: int, ids: Sequence[int], **more: Any) -> list[int]:
        return delivery.decide(dispatch_id, [delivery.NewDecision(pk, {}, **more) for pk in ids], now=self.clock())

    def lease(self, worker: str = "w1") -> delivery.Work | None:
        return delivery.lease(lanes=("transactional", "promotional"), worker=worker, now=self.clock())

    def render(self, work: delivery.Work) -> list[delivery.Outgoing]:
        channel = work.dispatch.channel
        people = {person.id: person for person in audience.load(work.workspace_id, work.ids)}
        known = [entry for entry in work.entries if entry.profile_id in people]
        tokens = delivery.message_ids(work.dispatch.id, [entry.n for entry in known])
        recipients = [
            rendering.Recipient(n=entry.n, profile=people[entry.profile_id], token=token)
            for entry, token in zip(known, tokens, strict=True)
        ]
        made = rendering.fill(letters.compiled(channel), recipients)
        return [
            delivery.Outgoing(
                entry.n,
                people[entry.profile_id],
                filled if isinstance(filled, rendering.Filled) and entry.profile_id not in self.sick else None,
                self.program(channel),
            )
            for entry, filled in zip(known, made, strict=True)
        ]

    def program(self, channel: str) -> delivery.Program:
        if channel not in self._programs:
            email = channel == "email"
            sender = delivery.Sender("hello@example.com", "Wayfare") if email else delivery.Sender("+15550009999")
            self._programs[channel] = delivery.Program(0, "en", sender, "", letters.substituted() if email else None)
        return self._programs[channel]

    def send(self, work: delivery.Work) -> delivery.Outcome:
        return delivery.send(work, self.render(work), vendors=self.vendors, clock=self.clock)

    def work(self, pieces: int | None = None) -> list[delivery.Outcome]:
        """Lease and send until nothing is due, or so many pieces."""
        done: list[delivery.Outcome] = []
        while (pieces is None or len(done) < pieces) and (work := self.lease()) is not None:
            done.append(self.send(work))
            assert len(done) < 1_000, "the worker goes round in circles"
        return done

    def reconcile(self) -> delivery.Reconciled:
        return delivery.reconcile(now=self.clock(), vendors=self.vendors)

    def keep_house(self) -> None:
        delivery.housekeeping(self.clock())

    def counts(self, dispatch_id: int) -> dict[str, int]:
        return dict(delivery.facts(self.workspace_id, dispatch_id).counts)

    def facts(self, dispatch_id: int) -> delivery.DispatchView:
        return delivery.facts(self.workspace_id, dispatch_id)

    def why(self, dispatch_id: int, profile_id: int) -> tuple[str, str]:
        found = delivery.why(self.workspace_id, dispatch_id, profile_id)
        return found.state, found.reason

    def crash_after_admit(self, work: delivery.Work) -> None:
        """The worker dies when the vendor is about to be called: what it admitted stays in flight."""
        with pytest.raises(Killed):
            delivery.send(work, self.render(work), vendors=_Dying(), clock=self.clock)

    def crash_after_post(self, work: delivery.Work, *, windows: int = 1) -> None:
        """The worker dies when the vendor has answered so many windows, before the last of these answers are written down."""
        with pytest.raises(Killed):
            delivery.send(work, self.render(work), vendors=_Dying(self.vendors, windows), clock=self.clock)

    def hear(self, kind: str, accepted: Sequence[Any] | None = None) -> None:
        """The vendor's events about what it accepted arrive."""
        from delivery import evidence
        from delivery.adapters.base import Webhook
        from delivery.adapters.registry import adapter

        body = self.vendor.events(kind, self.vendor.accepted if accepted is None else accepted, self.clock())
        webhook = Webhook("https://omni.example.com/hooks/sendgrid", self.vendor.signed(body, self.clock()), body, self.clock())
        evidence.take(adapter("sendgrid").events(webhook), home=self.workspace_id, now=self.clock())


class _Dying(delivery.Connections):
    def __init__(self, real: delivery.Connections | None = None, windows: int = 1) -> None:
        super().__init__()
        self._real, self._left = real, windows

    def begin(self, *args: Any, **more: Any) -> Any:
        begun, self._left = self._real.begin(*args, **more) if self._real is not None else None, self._left - 1
        if begun is not None and self._left:
            return begun
        raise Killed


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
def vendor(clock: Clock) -> StandIn:
    return StandIn(now=clock)


@pytest.fixture
def street(
    request: pytest.FixtureRequest, clock: Clock, vendor: StandIn, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Street]:
    """Messages leave by the routes that a story releases, to a vendor of our own."""
    mark = request.node.get_closest_marker("django_db")
    request.getfixturevalue("transactional_db" if mark is not None and mark.kwargs.get("transaction") else "db")
    monkeypatch.setenv("OMNI_SECRET_SENDGRID_KEY", "SG.test")
    monkeypatch.setenv("OMNI_SECRET_TWILIO_TOKEN", "token")
    monkeypatch.setenv("OMNI_SECRET_FCM_KEY", json.dumps(letters.SERVICE_ACCOUNT))
    monkeypatch.setenv("OMNI_SECRET_APNS_KEY", letters.APNS.secrets["auth_key"])
    monkeypatch.setenv("OMNI_SECRET_VAPID_KEY", letters.WEBPUSH.secrets["vapid_private_key"])
    settings.OMNI = settings.OMNI.model_copy(
        update={
            "vendor": "routes",
            "sendgrid_base_url": "https://sendgrid.test",
            "twilio_base_url": "https://twilio.test",
            "vendor_base_urls": "fcm=https://fcm.test,apns=https://apns.test",
            "public_url": "https://omni.example.com",
        }
    )
    made = Street(clock, vendor)
    yield made
    made.vendors.close()


@pytest.fixture
def relayed(street: Street, settings: Any) -> Iterator[Any]:
    """Routes mail to a relay, over so many sessions."""
    settings.OMNI = settings.OMNI.model_copy(update={"env": "production"})
    street.vendors.close()
    street.vendors = delivery.Connections()
    with ExitStack() as relays:

        def to(relay: Relay, connections: int = 2) -> None:
            wire = relays.enter_context(relaying(relay))
            given = {"host": "localhost", "port": str(wire.port), "tls": "none", "connections": str(connections)}
            body = {"title": "Relay", "channel": "email", "vendor": "smtp", "settings": given, "secrets": {}}
            factories.put("vendor_route", "relay", body, now=street.clock(), author="cleo")
            factories.release("vendor_route", "relay", now=street.clock(), author="cleo")

        yield to
        street.vendors.close()
