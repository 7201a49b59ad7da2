"""One day, drawn from a seed: who does what next, what goes wrong, and the laws asked after every few acts."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import orjson
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import QuerySet
from django.db.transaction import TransactionManagementError
from django.test import override_settings
from django.utils import timezone

from audience import door as audience
from delivery import door as delivery
from delivery.adapters.base import VendorRequest
from delivery.models import Attempt, Dispatch, Switch
from governance import door as governance
from governance.door import Actor, DoorError, Submission
from tests import factories as make
from tests.simulation import laws
from tests.simulation.chaos import Chaos, Killed
from tests.simulation.town import DAWN, SPARE_SID, Town
from tests.simulation.vendors import Line, Vendors
from workflow import pipeline, schedules
from workflow.worker import TICK_EVERY, Worker

WORKERS, KEEP_TIME, DEEPEST = 3, 2, 2
_send_batch = pipeline.send_batch
# The last: a database that was away for the end of a savepoint leaves a transaction in which nothing can be asked any more.
AWAY = (OperationalError, InterfaceError, TransactionManagementError)


class Day:
    """A seed's day. `live` raises laws.Broken, with the story so far."""

    def __init__(self, town: Town, seed: int, *, acts: int) -> None:
        self.town, self.seed, self.acts = town, seed, acts
        self.draw = random.Random(seed)
        self.now, self.story = DAWN, list[str]()
        self.known, self.depth, self.hasty, self.withdrawing = laws.Known(), 0, 0, False
        self.chaos = Chaos(self.draw, self.meanwhile)
        self.vendors = Vendors(self.draw, self.clock, town.hooks, self.hastily, self.handed, self.pass_)
        self.busy = set[int]()
        self.asked: list[tuple[str, dict[str, Any], datetime]] = []
        self.numbers = 0

    # ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def clock(self) -> datetime:
        """Every look at it finds another moment, so that what came first can be told."""
        self.now += timedelta(milliseconds=1)
        return self.now

    def monotonic(self) -> float:
        """The clock that nobody can set."""
        return (self.now - DAWN).total_seconds() + 1_000

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    # ── the day ───────────────────────────────────────────────────────────────────────────────────────────────────

    def live(self) -> list[str]:
        """The whole day; answers its story."""
        random.seed(self.seed)  # the database's own RANDOM() is Python's
        self.town.begin()
        with self._played():
            with self.chaos.calm():
                self.known.approved = set(Submission.objects.values_list("bill_hash", flat=True))
            self.workers = [self._worker(place) for place in range(WORKERS)]
            try:
                for number in range(self.acts):
                    self.act()
                    if number % 10 == 9:
                        self.judge()
                self.settle()
            except Exception as fault:
                told = "\n".join(self.story[-60:])
                raise laws.Broken(f"seed {self.seed}: {type(fault).__name__}: {fault}\n{told}") from fault
        return self.story

    @contextmanager
    def _played(self) -> Iterator[None]:
        """Clock, network and database of this day."""
        ours = {
            "vendor": "routes",
            "sendgrid_base_url": "https://sendgrid.test",
            "twilio_base_url": "https://twilio.test",
            "public_url": "https://omni.example.com",
        }
        time = SimpleNamespace(monotonic=self.monotonic, sleep=self.pass_)
        with (
            override_settings(OMNI=settings.OMNI.model_copy(update=ours)),
            mock.patch.object(timezone, "now", self.clock),
            mock.patch("delivery.leases.time", time),
            mock.patch("delivery.walks.time", time),
            mock.patch("delivery.permits.time", time),
            mock.patch("workflow.worker.time", time),
            mock.patch("workflow.pipeline.send_batch", self._sends),
            mock.patch("delivery.instance._turn", self._alone),
            self.chaos.playing(),
        ):
            yield

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Where a lock on a file is held: others would wait, and who is played by the same thread can't."""
        depth, self.depth = self.depth, DEEPEST
        try:
            yield
        finally:
            self.depth = depth

    def act(self) -> None:
        """Somebody does something."""
        chosen: Callable[[], object] = self.draw.choices([act for _, act in self._acts], [weight for weight, _ in self._acts])[0]
        self.tell(chosen.__name__)
        chosen()

    @property
    def _acts(self) -> list[tuple[int, Callable[[], object]]]:
        if self.withdrawing:
            return [
                (3, self.opt_out),
                (4, self.pause_or_resume),
                (3, self.switch),
                (2, self.text_in),
                (2, self.time_passes),
                (2, self.work),
            ]
        short = [(30, self.work), (8, self.time_passes), (10, self.events_arrive), (4, self.opt_out), (3, self.ask), (3, self.sign_up)]
        short += [(3, self.pause_or_resume), (2, self.switch), (1, self.text_in), (2, self.decide_a_doubt), (1, self.open_wave)]
        if self.depth:
            return short
        rare = [(3, self.vendor_trouble), (2, self.feed_stops_or_starts), (1, self.recall_and_release), (1, self.erase), (3, self.launch)]
        return short + rare + [(1, self.stop), (1, self.storm)]

    def meanwhile(self) -> None:
        """Between two statements of one process, or while it waits, others may act."""
        if self.depth >= DEEPEST or self.draw.random() > 0.01:
            return
        self._nested()

    def hastily(self) -> None:
        """The same, more often, while a request is on its way."""
        if self.depth < DEEPEST and self.draw.random() < 0.25:
            self.hasty += 1
            self._nested()
            self.hasty -= 1

    def _sends(self, work: delivery.Work, **more: Any) -> delivery.Outcome:
        """Between a lease and its last look people leave, pause and switch off; time passes, and another worker takes the same."""
        if self.depth < DEEPEST and self.draw.random() < 0.15:
            self.withdrawing = True
            try:
                self._nested()
            finally:
                self.withdrawing = False
        return _send_batch(work, **more)

    def _nested(self) -> None:
        self.depth += 1
        arm, self.chaos.arm = self.chaos.arm, None
        commits, self.chaos.commits = self.chaos.commits, []
        try:
            for _ in range(self.draw.randint(1, 3)):
                self.act()
        finally:
            self.depth -= 1
            self.chaos.arm, self.chaos.commits = arm, commits

    @contextmanager
    def careless(self) -> Iterator[None]:
        """A request or command that may be refused, or struck: whoever made it sees an error and goes home."""
        try:
            with self.chaos.threatened(deadly=True):
                yield
        except DoorError as refused:
            self.tell(f"refused: {refused.reason}")
        except (Killed, *AWAY) as struck:
            self.tell(f"struck: {type(struck).__name__}")

    def tell(self, words: str) -> None:
        self.story.append(f"{self.now:%d %H:%M:%S.%f} {'  ' * self.depth}{words}")

    # ── workers ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _worker(self, place: int) -> Worker:
        worker = Worker(f"w{place}", clock=self.clock, keeps_time=place < KEEP_TIME)
        worker.vendors = Line(self.vendors.exchange, wait=self.pass_, stopping=worker.is_over)
        return worker

    def work(self) -> None:
        """A worker does a few pieces; it may die, lose the database, or be told to stop."""
        free = [place for place in range(WORKERS) if place not in self.busy]
        if not free:
            return
        place = self.draw.choice(free)
        self.busy.add(place)
        if self.draw.random() < 0.05:
            self.workers[place].stop()
        try:
            for _ in range(self.draw.randint(1, 3)):
                if self._step(place) is False:
                    break
        finally:
            self.busy.discard(place)
            if self.workers[place].stopping.is_set():
                self.workers[place] = self._worker(place)

    def _step(self, place: int) -> bool:
        struck = len(self.chaos.struck)
        try:
            with self.chaos.threatened(deadly=True):
                return self.workers[place].step()
        except Killed:
            self.workers[place] = self._worker(place)
            delivery.doubt_instance()  # a new process compares the stories anew
        except AWAY:
            delivery.doubt_instance()  # as the worker's own loop does
        self.tell(f"w{place}: {self.chaos.struck[struck:]}")
        return False

    def handed(self, request: VendorRequest) -> None:
        """A request leaves the house: was its last look right?"""
        with self.chaos.calm():
            vendor = "sendgrid" if "sendgrid" in request.url else "twilio"
            tokens = list(_tokens(request))
            self.tell(f"→ {vendor} {[(key.dispatch_id, key.n) for key in map(delivery.read_message_id, tokens) if key]}")
            laws.on_handing_over(tokens, vendor, self.known)
            if vendor == "twilio":
                laws.by_its_account(tokens, "texts-spare" if SPARE_SID in request.url else "texts")

    # ── time and vendors ──────────────────────────────────────────────────────────────────────────────────────────

    def time_passes(self) -> None:
        spans = [1, 5, 11] if self.hasty else [1, 5, 20, 45, 61, 61, 300, 1_000, 3_600, 10_000, 90_000]
        self.pass_(self.draw.choice(spans))

    def vendor_trouble(self) -> None:
        self.vendors.troubled = self.draw.randint(1, 6)

    def feed_stops_or_starts(self) -> None:
        self.vendors.feeding = not self.vendors.feeding

    def events_arrive(self) -> None:
        with self.careless():
            told = len(self.vendors.told)
            self.vendors.tell()
            self._learn(told)

    def _learn(self, told: int) -> None:
        """What the vendor was answered 200 for is known here."""
        with self.chaos.calm():
            for post in self.vendors.told[told:]:
                who = self._who(post.accepted.message_id)
                channel = "email" if post.accepted.vendor == "sendgrid" else "sms"
                if post.kind in ("bounce", "undelivered", "spamreport"):
                    self.known.dead[who, channel] = self.clock()

    def _who(self, token: str) -> int:
        key = delivery.read_message_id(token)
        assert key is not None
        from delivery.models import Message

        return Message.objects.values_list("profile_id", flat=True).get(dispatch_id=key.dispatch_id, n=key.n)

    # ── people ────────────────────────────────────────────────────────────────────────────────────────────────────

    def opt_out(self) -> None:
        channel = self.draw.choice(["email", "sms"])
        person = self.draw.choice(self.town.people)
        with self.careless():
            said = {"channel": channel, "topic": "*", "state": "unsubscribed", "source": "town"}
            audience.set_consent(self.town.workspace_id, [person], **said, now=self.clock())
            self.known.left.setdefault((person, channel), self.clock())

    def text_in(self) -> None:
        place = self.draw.randrange(len(self.town.people))
        with self.careless():
            if self.vendors.text_in(f"+1415555{place:04d}", "STOP"):
                self.known.dead.setdefault((self.town.people[place], "sms"), self.clock())

    def ask(self) -> None:
        """An application asks for a message, sometimes again with the same key, sometimes with another request under that key."""
        self.asked = [one for one in self.asked if self.now - one[2] < laws.KEYS_LAST - timedelta(hours=1)]
        if self.asked and self.draw.random() < 0.4:
            key, body, _ = self.draw.choice(self.asked)
            body = {**body, "expires_in": 7_000} if self.draw.random() < 0.2 else body
        else:
            name = self.draw.choice(self.town.names)
            place = self.town.names.index(name)
            self.numbers += 1
            key = f"key-{self.numbers}"
            to = {"external_id": name, "email": f"{name}@example.com", "phone": f"+1415555{place:04d}"}
            body = {"type": self.draw.choice(["receipt", "code"]), "to": to}
            if self.draw.random() < 0.3:
                body["fallback"] = [{"type": "receipt" if body["type"] == "code" else "code", "after": self.draw.choice([15, 400])}]
            self.asked.append((key, body, self.now))
        with self.careless():
            wanted = pipeline.MessageRequest.model_validate(body)
            answer = pipeline.send_now(self._program, wanted, idempotency_key=key, now=self.clock())
            if self.known.keys.setdefault(key, (answer.message_id, self.now))[0] != answer.message_id:
                raise laws.Broken(f"7: the key {key} was answered with two messages")

    def sign_up(self, times: int = 1) -> None:
        name = self.draw.choice(self.town.names)
        events = []
        for _ in range(times):
            self.numbers += 1
            person = audience.find(self.town.workspace_id, external_id=name)
            if person is not None:
                events.append(audience.NewEvent(f"event-{self.numbers}", "signed-up", person.id, self.now, {}))
        with self.careless():
            audience.record(self.town.workspace_id, events, now=self.clock())

    def storm(self) -> None:
        """A loop somewhere else."""
        self.sign_up(14)

    def erase(self) -> None:
        name = self.draw.choice(self.town.names)
        with self.careless():
            number = audience.erase(self.town.cleo, name, now=self.clock())
            self.known.erased[number] = self.clock()

    # ── the people at the console ─────────────────────────────────────────────────────────────────────────────────

    @property
    def _program(self) -> Actor:
        return governance.system_actor(self.town.workspace_id, label="town")

    def _campaign(self, *states: str) -> int | None:
        found = Dispatch.objects.filter(kind="campaign", state__in=states).values_list("pk", flat=True)
        return self.draw.choice(sorted(found)) if found else None

    def launch(self) -> None:
        with self.careless():
            pipeline.launch(self.town.ben, "by-hand", now=self.clock())

    def pause_or_resume(self) -> None:
        with self.careless():
            dispatch = self._campaign("running", "paused")
            if dispatch is None:
                return
            if self.draw.random() < 0.5:
                delivery.pause(self.town.ben, dispatch, now=self.clock())
                self.known.halted[dispatch] = self.clock()
            else:
                with self._lifting(self.known.halted, dispatch, Dispatch.objects.filter(pk=dispatch).exclude(state="running")):
                    if (budget := Dispatch.objects.values_list("budget_micros", flat=True).get(pk=dispatch)) is not None:
                        delivery.raise_budget(self.town.ben, dispatch, budget + self.draw.choice([1, 1_500]), now=self.clock())
                    delivery.resume(self.town.ben, dispatch, now=self.clock())

    def stop(self) -> None:
        with self.careless():
            dispatch = self._campaign("running", "paused")
            if dispatch is not None:
                delivery.stop(self.town.ben, dispatch, now=self.clock())
                self.known.halted[dispatch] = self.clock()

    def open_wave(self) -> None:
        with self.careless():
            if (dispatch := self._campaign("running")) is not None:
                delivery.open_next_wave(self.town.ben, dispatch, now=self.clock())

    def switch(self) -> None:
        scope, key = self.draw.choice([("workspace", ""), ("vendor", "sendgrid"), ("vendor", "twilio"), ("campaign", "morning")])
        with self.careless():
            if self.draw.random() < 0.4:
                delivery.kill(self.town.ben, scope, key, True, reason="drill", now=self.clock())  # type: ignore[arg-type]
                self.known.switched[scope, key] = self.clock()
            else:
                with self._lifting(self.known.switched, (scope, key), Switch.objects.filter(scope=scope, key=key, on=True)):
                    delivery.kill(self.town.ben, scope, key, False, reason="over", now=self.clock())  # type: ignore[arg-type]

    @contextmanager
    def _lifting(self, halts: dict[Any, datetime], what: Any, written: QuerySet[Any]) -> Iterator[None]:
        """A halt is taken back. Another may be answered before this is, and then the later commit counts: what is written in the end."""
        halts.pop(what, None)
        try:
            yield
        finally:
            with self.chaos.calm():
                if not written.exists():
                    halts.pop(what, None)

    def decide_a_doubt(self) -> None:
        """Somebody who asked the vendor decides rightly."""
        has = {one.message_id for one in self.vendors.accepted}
        with self.careless():
            for attempt in delivery.in_doubt(self.town.workspace_id)[:1]:
                verdict = "sent" if has.intersection(self._tokens_of(attempt)) else self.draw.choice(["resend", "give_up"])
                delivery.resolve_in_doubt(self.town.ben, attempt.pk, verdict, now=self.clock())  # type: ignore[arg-type]

    def _tokens_of(self, attempt: Attempt) -> list[str]:
        from delivery.models import Message

        rows = Message.objects.filter(dispatch_id=attempt.dispatch_id, attempt_id=attempt.pk)
        return delivery.message_ids(attempt.dispatch_id, rows.values_list("n", flat=True))

    def recall_and_release(self) -> None:
        """A text turns out to be wrong: recalled, corrected, approved, in force."""
        with self.careless():
            view = governance.document(self.town.workspace_id, "template", "offer")
            number = view.latest.number
            governance.recall(self.town.ben, "template", "offer", number=number, reason="wrong", now=self.clock())
            self.known.recalled[view.latest.id] = self.clock()
            body = make.template(locales={"en": make.letter(subject=f"Hello for the {number + 1}. time")})
            make.put("template", "offer", body, now=self.clock())
            for key in ("morning", "by-hand"):
                with suppress(governance.Stale):
                    self._release(key)

    def _release(self, key: str) -> None:
        view = governance.document(self.town.workspace_id, "campaign", key)
        asked = governance.submit(self.town.ada, "campaign", key, number=view.latest.number, now=self.clock())
        governance.decide(self.town.ben, asked.pk, bill_hash=asked.bill_hash, verdict="approve", comment="Good.", now=self.clock())
        self.known.approved.add(asked.bill_hash)
        governance.release(self.town.ben, asked.pk, now=self.clock())

    # ── judging ───────────────────────────────────────────────────────────────────────────────────────────────────

    def judge(self) -> None:
        with self.chaos.calm():
            laws.at_any_time(self.vendors.accepted, self.known, now=self.now)

    def settle(self) -> None:
        """Everything works again and time passes: what is not in doubt has an end."""
        self.tell("everything settles")
        self.chaos.quiet += 1
        self.vendors.troubled, self.vendors.feeding, self.depth = 0, True, DEEPEST
        for thrown in delivery.switches(self.town.workspace_id):
            delivery.kill(self.town.ben, thrown.scope, thrown.key, False, reason="over", now=self.clock())  # type: ignore[arg-type]
        self.known.switched.clear()
        self.pass_(2 * TICK_EVERY)  # it may have kept time a moment ago, before the last release
        self.workers[0].step()
        assert not schedules.due(self.town.workspace_id, now=self.now), "a planned instant was not dealt with"
        with mock.patch("workflow.pipeline.tick"):  # nothing new is launched
            self._nights()
        self.judge()
        laws.at_the_end(self.vendors.accepted, self.town.workspace_id)

    def _nights(self) -> None:
        """Long enough for every quiet hour, rest and doubt to end."""
        for seconds in [2_500] * 6 + [4 * 3_600] * 8:
            if not (self.vendors.owed or laws.anything_open()):
                return
            for dispatch in Dispatch.objects.filter(state="paused").values_list("pk", flat=True):
                self.known.halted.pop(dispatch, None)
                act = delivery.resume if seconds == 2_500 else delivery.stop  # one that halts again and again is given up
                act(self.town.ben, dispatch, now=self.clock())
            self.pass_(seconds)
            for _ in range(200):
                if not self.workers[0].step():
                    break
            for _ in range(100):
                told = len(self.vendors.told)
                if not self.vendors.tell():
                    break
                self._learn(told)
            else:
                raise laws.Broken(f"a webhook is refused again and again: {self.vendors.owed[:3]}")


def _tokens(request: VendorRequest) -> Iterator[str]:
    if "sendgrid" in request.url:
        for one in orjson.loads(request.body)["personalizations"]:
            yield one["custom_args"]["message_id"]
    else:
        callback = parse_qs(request.body.decode())["StatusCallback"][0]
        yield parse_qs(urlsplit(callback).query)["message_id"][0]
