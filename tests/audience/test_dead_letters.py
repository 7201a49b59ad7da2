"""What comes by a stream and can't be recorded waits with its findings, until somebody replays or drops it or its time is over."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from audience import door as audience
from audience.models import DeadLetter, Event
from governance.door import AuditEntry, User
from tests import factories
from tests.audience.streaming import Writer, consumer, events, people

pytestmark = [pytest.mark.django_db, pytest.mark.valkey]


@pytest.fixture
def writer(valkey_url: str, db: None) -> Iterator[Writer]:
    made = Writer(valkey_url)
    with made.read():
        yield made
    made.forget()


def command(*words: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("dead_letters", *words, stdout=out, stderr=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def browser(name: str) -> Client:
    factories.person(name, now=timezone.now())
    client = Client()
    client.force_login(User.objects.get(username=name))
    return client


def decide(name: str, **asked: Any) -> str:
    return browser(name).post("/console/dead-letters/decide/", asked, follow=True).content.decode()


def seen(name: str, path: str = "dead-letters/") -> str:
    """The page's words."""
    html = browser(name).get(f"/console/{path}").content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def letter() -> DeadLetter:
    return DeadLetter.objects.get()


def test_everything_that_can_be_wrong_is_kept_with_its_place(writer: Writer) -> None:
    factories.profile(external_id="ann", now=timezone.now())
    writer.raw("events", "{")
    writer.raw("events", None)
    writer.raw("events", b"\xff\x00")
    writer.raw("events", json.dumps({"id": "x" * 1_100_000}))
    writer.event("e1", "nobody")
    writer.event("e2", "ann", at="yesterday", extra=1)
    writer.event("e3", "ann", properties={"list": [1]})
    writer.event("e4", "ann", at=(timezone.now() + timedelta(hours=2)).isoformat())
    writer.raw("events", json.dumps({"id": "e5", "name": "visit", "external_id": "ann", "at": None})[:-1] + ', "id": "e6"}')
    writer.event("good", "ann")
    writer.raw("profiles", json.dumps({"external_id": "bea", "email": "no address", "attributes": {"strange": 1}}))
    consumer().drain()
    found = [
        (each.reason, sorted(fault["path"] for fault in each.findings), each.whole) for each in DeadLetter.objects.order_by("holds", "pk")
    ]
    assert found == [
        ("not-json", [""], True),
        ("not-json", [""], False),
        ("not-json", [""], False),
        ("too-large", [""], False),
        ("unknown-person", ["/external_id"], True),
        ("invalid", ["/at", "/extra"], True),
        ("invalid", ["/properties/list"], True),
        ("invalid", ["/at"], True),
        ("not-json", [""], True),
        ("invalid", ["/attributes/strange", "/email"], True),
    ]
    assert events() == ["good"]
    assert len(DeadLetter.objects.get(reason="too-large").body) == 10_000


def test_findings_repeat_no_address(writer: Writer) -> None:
    writer.raw("profiles", json.dumps({"external_id": 5, "email": ["ann@example.com"], "ann@example.com": 1}))
    consumer().drain()
    assert letter().findings and "ann@" not in json.dumps(letter().findings) and "ann@" in letter().body


def test_an_event_that_came_before_its_person_is_replayed_after_them(writer: Writer) -> None:
    number = writer.event("e1", "ann", properties={"total": 5})
    consumer().drain()
    status, said = command("replay", "--all")
    assert status == 2 and "0 replayed, 1 still" in said and letter().times == 2
    factories.profile(external_id="ann", now=timezone.now())
    assert command("replay", "--all") == (0, "1 replayed, 0 still can't be recorded\n")
    assert Event.objects.get().at.timestamp() * 1000 == pytest.approx(int(number.split("-")[0])), "when the stream took it"
    kept = letter()
    assert (kept.state, kept.body, kept.external_id, kept.findings) == ("replayed", "", "", [])
    assert audience.events_waiting() and command("replay", "--all")[1].startswith("0 replayed")
    assert AuditEntry.objects.get(action="dead_letters.replayed").data == {"letters": 1, "still_faulty": 0}


def test_what_was_recorded_meanwhile_is_replayed_without_doubling(writer: Writer) -> None:
    writer.event("e1", "ann")
    consumer().drain()
    factories.profile(external_id="ann", now=timezone.now())
    writer.event("e1", "ann")
    consumer().drain()
    assert command("replay", "--id", str(letter().pk))[0] == 0
    assert events() == ["e1"] and letter().state == "replayed"


def test_a_replayed_person_goes_over_what_came_meanwhile(writer: Writer) -> None:
    writer.person("ann", attributes={"tier": "gold"})
    consumer().drain()
    factories.put("attribute", "tier", factories.attribute(), now=timezone.now())
    writer.person("ann", attributes={"tier": "silver"})
    consumer().drain()
    command("replay", "--all")
    assert people() == {"ann": {"tier": "gold"}}


def test_replaying_and_dropping_want_to_know_which(writer: Writer) -> None:
    for number in range(3):
        writer.event(f"e{number}", "nobody")
    writer.raw("events", "{")
    consumer().drain()
    assert command("drop")[0] == command("replay")[0] == 2
    assert "4 dead letters" in command("list")[1] and "found an id that nobody has" in command("list")[1]
    assert "1 dead letters" in command("list", "--reason", "not-json")[1]
    assert command("drop", "--all", "--reason", "unknown-person") == (0, "3 dropped\n")
    assert set(DeadLetter.objects.values_list("state", "body")) == {("dropped", ""), ("waiting", "{")}
    future = (timezone.now() + timedelta(minutes=1)).isoformat()
    assert command("drop", "--since", future) == (0, "0 dropped\n")
    assert "3 dead letters" in command("list", "--state", "dropped")[1]


def test_what_is_kept_of_a_person_goes_with_them(writer: Writer) -> None:
    now = timezone.now()
    factories.profile(external_id="ann", email="ann@example.com", now=now)
    for body in ({"id": "e1", "name": "visit", "external_id": "ann", "at": "x"}, {"id": "e2", "name": "visit", "external_id": "bea"}):
        writer.raw("events", json.dumps(body))
    writer.raw("profiles", '{"email": "ann@example.com"')
    writer.raw("profiles", '{"email": "bea@example.com"')
    consumer().drain()
    assert DeadLetter.objects.count() == 4
    audience.erase(factories.person("cleo", now=now), "ann", now=now)
    assert all("ann" not in each.body + each.external_id for each in DeadLetter.objects.all()) and DeadLetter.objects.count() == 2


def test_what_waits_under_another_id_of_a_person_is_theirs_too(writer: Writer) -> None:
    now = timezone.now()
    factories.profile(external_id="ann", now=now)
    cleo = factories.person("cleo", now=now)
    audience.add_other_id(cleo, "ann", "anon-1", now=now)
    writer.event("e1", "anon-1", at="yesterday")
    writer.event("e2", "anon-1")
    consumer().drain()
    assert events() == ["e2"], "an event of another id is theirs"
    assert ["yesterday" in each["text"] for each in audience.everything_of(cleo, "ann", now=now)["not_recorded"]] == [True]
    audience.erase(cleo, "ann", now=now)
    assert not DeadLetter.objects.exists()


def test_what_nobody_comes_to_is_forgotten_and_later_gone(writer: Writer) -> None:
    writer.event("e1", "nobody")
    consumer().drain()
    now = timezone.now()
    audience.DeadLetterKeeper().keep(now=now + timedelta(days=29))
    assert letter().state == "waiting"
    audience.DeadLetterKeeper().keep(now=now + timedelta(days=31))
    assert (letter().state, letter().body, letter().external_id) == ("expired", "", "")
    audience.DeadLetterKeeper().keep(now=now + timedelta(days=62))
    assert not DeadLetter.objects.exists()


# ── the page ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_authors_see_what_is_wrong_and_replay_it_and_only_admins_see_what_stands_in_it(writer: Writer) -> None:
    writer.event("e1", "ann", properties={"city": "Zanzibar"})
    writer.raw("events", '{"no": "Zanzibar"')
    consumer().drain()
    one = DeadLetter.objects.get(reason="unknown-person")
    listed = seen("vera")
    assert "2 entries wait" in listed and "an id that nobody has" in listed and "Zanzibar" not in listed and "Replay 2" not in listed
    assert "Replay 2" in seen("ada") and "Replay 1" in seen("ada", "dead-letters/?reason=unknown-person")
    assert "Zanzibar" not in seen("ada", f"dead-letters/{one.pk}/") and "Zanzibar" in seen("cleo", f"dead-letters/{one.pk}/")
    assert browser("vera").post("/console/dead-letters/decide/", {"verdict": "drop"}).status_code == 403
    assert "1 entry can’t be recorded yet" in decide("ada", id=one.pk, verdict="replay")
    factories.profile(external_id="ann", now=timezone.now())
    assert "somebody with this id" in seen("ada", f"dead-letters/{one.pk}/")
    assert "1 entry replayed" in decide("ada", id=one.pk, verdict="replay") and events() == ["e1"]
    assert "1 entry dropped" in decide("ada", reason="not-json", verdict="drop")
    assert {each.state for each in DeadLetter.objects.all()} == {"replayed", "dropped"}
    assert "No dead letter" in seen("vera") and "Dropped" in seen("vera", "dead-letters/?state=any")
    assert AuditEntry.objects.filter(action__startswith="dead_letters.").count() == 2


def test_a_viewer_sees_no_address_and_no_value(writer: Writer) -> None:
    writer.event("e1", "ann@example.com", at="personal words")
    consumer().drain()
    for path in ("dead-letters/", f"dead-letters/{letter().pk}/"):
        assert "ann@example.com" in seen("ada", path) and "personal words" in seen("ada", path)
        told = seen("vera", path)
        assert "ann@" not in told and "personal words" not in told and "an ISO 8601 instant" in told


def test_filters_narrow_what_a_button_is_about(writer: Writer) -> None:
    writer.event("e1", "ann")
    writer.event("e2", "bea")
    consumer().drain()
    for external_id in ("ann", "bea"):
        factories.profile(external_id=external_id, now=timezone.now())
    decide("ada", person="bea", verdict="replay")
    assert events() == ["e2"]
    assert "nothing" not in seen("vera", "dead-letters/?state=nonsense&holds=x&reason=y").casefold()
