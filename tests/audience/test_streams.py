"""People and events come in by streams of a real Valkey: each is recorded once, in its order, whoever dies in between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from audience import door as audience
from audience.models import DeadLetter, Event, EventFeed, Profile, StreamTurn, SubscriptionEntry
from audience.streams.consuming import sources
from audience.streams.source import SourceAway
from governance.door import User
from tests import factories
from tests.audience.streaming import Writer, consumer, events, people
from workflow import bells

pytestmark = [pytest.mark.django_db, pytest.mark.valkey]


@pytest.fixture
def writer(valkey_url: str, db: None) -> Iterator[Writer]:
    """The catalogue knows `tier` and `stays`."""
    now = timezone.now()
    for name, type_ in {"tier": "text", "stays": "number"}.items():
        factories.put("attribute", name, factories.attribute(title=name, type=type_), now=now)
    made = Writer(valkey_url)
    with made.read():
        yield made
    made.forget()


def consume(*words: str) -> dict[str, int]:
    out = StringIO()
    call_command("consume_stream", "--drain", "--json", *words, stdout=out)
    told: dict[str, int] = json.loads(out.getvalue())
    return told


def test_people_and_what_they_did_come_in_by_streams(writer: Writer) -> None:
    writer.person("ann", country="FR", attributes={"tier": "gold"})
    writer.event("e1", "ann", properties={"city": "Lisbon"})
    assert consume() == {"recorded": 2, "repeated": 0, "dead_letters": 0}
    assert people() == {"ann": {"tier": "gold"}}
    assert Event.objects.get().properties == {"city": "Lisbon"}
    assert consume() == {"recorded": 0, "repeated": 0, "dead_letters": 0}


def test_an_event_counts_once_whether_it_comes_by_a_stream_or_by_the_api(writer: Writer) -> None:
    factories.profile(external_id="ann", now=timezone.now())
    audience.record(factories.workspace().pk, [audience.NewEvent("e1", "visit", "ann", timezone.now())], now=timezone.now())
    for number in ("e1", "e2", "e2"):
        writer.event(number, "ann")
    assert consume() == {"recorded": 1, "repeated": 2, "dead_letters": 0}
    assert events() == ["e1", "e2"] and EventFeed.objects.count() == 2


def test_an_event_without_an_instant_happened_when_the_stream_took_it(writer: Writer) -> None:
    factories.profile(external_id="ann", now=timezone.now())
    number = writer.event("e1", "ann")
    consume()
    assert Event.objects.get().at == datetime.fromtimestamp(int(number.split("-")[0]) / 1000, UTC)


@pytest.mark.django_db(transaction=True)
def test_workers_are_rung_for_what_may_trigger_something(writer: Writer) -> None:
    factories.profile(external_id="ann", now=timezone.now())
    writer.event("e1", "ann")
    bells.LOCAL.wait(0)
    consume()
    assert bells.LOCAL._rung.is_set() and audience.events_waiting()


def test_what_somebody_said_last_is_what_is_known(writer: Writer) -> None:
    """In one batch, over batches, and when one of them is wrong."""
    for stays in range(5):
        writer.person("ann", attributes={"stays": stays, **({"tier": "gold"} if stays == 1 else {})})
    writer.person("ann", attributes={"stays": "many"})
    reader = consumer(batch=2)
    reader.drain()
    assert people() == {"ann": {"stays": 4, "tier": "gold"}} and reader.counts.dead_letters == 1


def test_consents_say_what_recorded_them(writer: Writer) -> None:
    said = [{"channel": "email", "topic": "offers", "state": "subscribed"}]
    writer.person("ann", consents=said, recorder="kiosk")
    writer.person("bea", consents=said)
    writer.person("ann", consents=[{**said[0], "state": "unsubscribed"}], recorder="app")
    consume()
    assert list(SubscriptionEntry.objects.order_by("pk").values_list("source", "state")) == [
        ("kiosk", "subscribed"),
        ("app", "unsubscribed"),
    ]
    assert [each["path"] for each in DeadLetter.objects.get().findings] == ["/consents"]


def test_a_source_of_consents_that_is_too_long_is_found_by_its_place(writer: Writer) -> None:
    writer.person("ann", consents=[{"channel": "email", "topic": "offers", "state": "subscribed"}], recorder="x" * 200)
    writer.person("bea", attributes={"stays": 1})
    consume()
    assert people() == {"bea": {"stays": 1}}
    letter = DeadLetter.objects.get()
    assert letter.reason == "invalid" and letter.findings[0]["path"] == "/source"


# ── whoever dies in between ───────────────────────────────────────────────────────────────────────────────────────


def test_what_a_dead_consumer_held_is_taken_by_another(writer: Writer) -> None:
    factories.profile(external_id="ann", now=timezone.now())
    for number in range(6):
        writer.event(f"e{number}", "ann")
    _, dying = sources("default", reader="dying")
    assert len(dying.read(4)) == 4
    consumer("patient", claim_after=60.0).drain()
    assert events() == ["e4", "e5"]
    consumer("heir").drain()
    assert events() == [f"e{number}" for number in range(6)] and dying.backlog().waiting == 0


def test_a_consumer_that_died_between_commit_and_acknowledgement_doubles_nothing(writer: Writer) -> None:
    writer.person("ann", attributes={"stays": 1})
    writer.event("e1", "ann")
    writer.event("e2", "nobody")
    dying = consumer("dying")
    for source in dying.sources:
        source.done = lambda entries: None  # type: ignore[method-assign]  # killed here, each time
    dying.step()
    assert people() == {"ann": {"stays": 1}} and events() == ["e1"]
    heir = consumer("heir", clock=lambda: timezone.now() + timedelta(minutes=1))
    heir.drain()
    assert (heir.counts.recorded, heir.counts.repeated, heir.counts.dead_letters) == (0, 2, 1)
    assert events() == ["e1"] and DeadLetter.objects.get().times == 2


def test_people_are_read_by_one_consumer_at_a_time(writer: Writer) -> None:
    """So a late word about somebody never comes before an early one that another still has in hand."""
    first, second = consumer("first"), consumer("second")
    writer.person("ann", attributes={"stays": 1})
    assert first.step()
    writer.person("ann", attributes={"stays": 2})
    assert not second.step() and people() == {"ann": {"stays": 1}}
    first.drain()
    writer.person("ann", attributes={"stays": 3})
    second._next.clear()
    assert second.step() and people() == {"ann": {"stays": 3}}
    assert StreamTurn.objects.get().consumer == "second"


def test_the_turn_of_a_consumer_that_was_killed_ends_by_itself(writer: Writer) -> None:
    killed = consumer("killed")
    writer.person("ann", attributes={"stays": 1})
    killed.step()
    writer.person("ann", attributes={"stays": 2})
    assert not consumer("heir").step()
    assert consumer("heir", clock=lambda: timezone.now() + timedelta(seconds=6)).step()
    writer.person("ann", attributes={"stays": 3})
    assert not killed.step() and people() == {"ann": {"stays": 2}}


def test_one_entry_that_breaks_its_recording_never_holds_up_the_others(writer: Writer) -> None:
    factories.profile(external_id="ann", now=timezone.now())
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("CREATE FUNCTION boom() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'ann@example.com'; END$$")
            words = "FOR EACH ROW WHEN (NEW.event_id = 'e3') EXECUTE FUNCTION boom()"
        else:
            words = "WHEN NEW.event_id = 'e3' BEGIN SELECT RAISE(ABORT, 'ann@example.com'); END"
        cursor.execute(f"CREATE TRIGGER breaks BEFORE INSERT ON audience_event {words}")
    for number in range(7):
        writer.event(f"e{number}", "ann")
    consume()
    assert events() == ["e0", "e1", "e2", "e4", "e5", "e6"]
    letter = DeadLetter.objects.get()
    assert letter.reason == "broke" and "ann@" not in json.dumps(letter.findings)


# ── what stays in the stream ──────────────────────────────────────────────────────────────────────────────────────


def test_a_stream_is_trimmed_of_what_is_old_and_recorded_by_every_group(writer: Writer) -> None:
    factories.profile(external_id="ann", now=timezone.now())
    for number in range(5):
        writer.event(f"e{number}", "ann")
    writer.client.xgroup_create(writer.name("events"), "others", id="0")
    writer.client.xreadgroup("others", "slow", {writer.name("events"): ">"}, count=2)
    late = timezone.now() + timedelta(days=2)
    consumer("one", clock=lambda: late).drain()
    assert writer.client.xlen(writer.name("events")) == 5, "another group holds the first"
    writer.client.xgroup_destroy(writer.name("events"), "others")
    for clock, left in ((timezone.now, 5), (lambda: late, 0)):
        consumer("one", clock=clock).drain()
        assert writer.client.xlen(writer.name("events")) == left


# ── what operators see ────────────────────────────────────────────────────────────────────────────────────────────


def page(path: str, name: str = "vera") -> str:
    factories.person(name, now=timezone.now())
    client = Client()
    client.force_login(User.objects.get(username=name))
    return " ".join(client.get(f"/console/{path}").content.decode().split())


def metrics() -> str:
    return Client().get("/metrics").content.decode()


def test_operators_see_what_waits_and_when_nobody_reads(writer: Writer) -> None:
    for number in range(5):
        writer.event(f"e{number}", "nobody")
    _, events_stream = sources("default", reader="busy")
    events_stream.read(2)
    assert 'omni_stream_unread{holds="events",workspace="default"} 3.0' in metrics()
    assert 'omni_stream_unfinished{holds="events",workspace="default"} 2.0' in metrics()
    assert "Needs attention" not in page("delivery/")
    people_, late = audience.stream_states("default", now=timezone.now() + timedelta(minutes=5))
    assert (late.unread, late.unfinished) == (3, 2) and 300 <= late.age < 320 and "consume_stream" in late.trouble and not late.away
    assert people_.waiting == 0 and people_.trouble == ""
    consume()
    assert 'omni_stream_unread{holds="events",workspace="default"} 0.0' in metrics() and "omni_dead_letters_waiting 3.0" in metrics()
    assert "3 entries of streams could not be recorded" in page("delivery/")


def test_without_streams_there_is_nothing_to_see() -> None:
    assert audience.stream_states("default", now=timezone.now()) == []
    assert 'id="streams"' not in page("delivery/") and "omni_stream_known{" not in metrics()


def test_a_broker_that_is_away_is_said_and_waited_for(writer: Writer) -> None:
    with writer.read(stream_url="redis://hidden:secret@127.0.0.1:1/0"):
        states = audience.stream_states("default", now=timezone.now())
        assert [state.away for state in states] == [True, True]
        shown = page("delivery/")
        assert "the broker doesn’t answer" in shown and "Needs attention" in shown and "secret" not in shown
        assert 'omni_stream_known{holds="events",workspace="default"} 0.0' in metrics()
        with pytest.raises(SourceAway) as away:
            consumer().step()
        assert "secret" not in str(away.value)
        err = StringIO()
        with pytest.raises(SystemExit) as ended:
            call_command("consume_stream", "--drain", stderr=err)
        assert ended.value.code == 3
        assert "127.0.0.1:1 (ConnectionError)" in err.getvalue() and "secret" not in err.getvalue() and "hidden" not in err.getvalue()


def test_a_consumer_without_a_stream_says_what_is_missing(db: Any) -> None:
    err = StringIO()
    with pytest.raises(SystemExit):
        call_command("consume_stream", stderr=err)
    assert "OMNI_STREAM_URL" in err.getvalue() and "operator" not in err.getvalue() and not Profile.objects.exists()
