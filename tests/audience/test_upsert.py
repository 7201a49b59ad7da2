"""People come in by rows: created, merged, unchanged; bad rows are named and never stop the others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from audience import door as audience
from audience.models import Event, EventFeed, Profile, ProfileFeed
from governance import door as governance

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> int:
    """A workspace whose catalogue knows a name, a number of stays and interests."""
    space = governance.default_workspace()
    user = governance.User.objects.create_user("ana")
    governance.Membership.objects.create(workspace=space, user=user, role="author")
    actor = governance.actor_for(user, space.pk, "console")
    for name, kind in {"first_name": "text", "stays": "number", "interests": "list", "joined": "date"}.items():
        governance.save(actor, "attribute", name, {"title": name, "type": kind}, base=None, now=NOW)
    return space.pk


def row(external_id: str = "ada", **given: object) -> audience.ProfileRow:
    return audience.ProfileRow(external_id, **given)  # type: ignore[arg-type]


def upsert(workspace: int, *rows: audience.ProfileRow) -> audience.UpsertOutcome:
    return audience.upsert(workspace, rows, source="test", now=NOW)


def test_the_same_row_twice_changes_nothing_the_second_time(workspace: int) -> None:
    ada = row(email="Ada@Example.com", attributes={"first_name": "Ada", "stays": 3, "interests": ["Art"]})
    first, second = upsert(workspace, ada), upsert(workspace, ada)
    assert (first.created, second.created, second.unchanged) == (1, 0, 1)
    assert ProfileFeed.objects.count() == 1


def test_given_fields_replace_and_others_stay(workspace: int) -> None:
    upsert(workspace, row(email="ada@example.com", country="FR", attributes={"first_name": "Ada", "stays": 3}))
    outcome = upsert(workspace, row(locale="fr_FR", attributes={"stays": None}))
    person = audience.find(workspace, external_id="ada")
    assert outcome.updated == 1 and person is not None
    assert (person.email, person.country, person.locale, person.attributes) == ("ada@example.com", "FR", "fr-FR", {"first_name": "Ada"})


def test_an_empty_field_clears_and_text_is_folded_for_rules(workspace: int) -> None:
    upsert(workspace, row(email="ada@example.com", attributes={"first_name": "STRASSE", "interests": ["Ärger"]}))
    upsert(workspace, row(email=""))
    stored = Profile.objects.get(external_id="ada")
    assert stored.email is None and stored.email_key is None
    assert stored.folded == {"first_name": "strasse", "interests": ["ärger"]}
    assert stored.attributes["first_name"] == "STRASSE"


def test_a_bad_row_names_every_field_and_the_rest_come_in(workspace: int) -> None:
    bad = audience.ProfileRow("eve", email="a@b,c@d", phone="911", locale="xx-YY", attributes={"stays": "many", "unheard": 1}, line=2)
    outcome = upsert(workspace, row("ada"), bad, row("bob"))
    assert outcome.created == 2
    assert [finding.path for finding in outcome.rejected[0].findings] == [
        "/email",
        "/phone",
        "/locale",
        "/attributes/stays",
        "/attributes/unheard",
    ]
    assert "a@b" not in str(outcome.rejected[0])


def test_two_rows_about_one_person_are_merged_in_their_order(workspace: int) -> None:
    outcome = upsert(workspace, row(country="FR", attributes={"stays": 1}), row(attributes={"stays": 2}))
    person = audience.find(workspace, external_id="ada")
    assert (outcome.created, outcome.unchanged) == (1, 1)
    assert person is not None and person.country == "FR" and person.attributes == {"stays": 2}


def test_everybody_but_the_first_of_an_address_is_a_repeat(workspace: int) -> None:
    upsert(workspace, row("a", email="x@example.com"), row("b", email="X@example.com"), row("c", email="y@example.com"))
    people = {person.external_id: person.id for person in audience.search(workspace, "")}
    from pyroaring import BitMap64

    assert audience.same_address(workspace, BitMap64(people.values()), channel="email") == BitMap64([people["b"]])


def event(event_id: str = "e1", **given: object) -> audience.NewEvent:
    values: dict[str, object] = {"name": "booked", "profile": "ada", "at": NOW, "properties": {"city": "Rome"}, **given}
    return audience.NewEvent(event_id, **values)  # type: ignore[arg-type]


def test_an_event_id_counts_once_and_triggers_once(workspace: int) -> None:
    upsert(workspace, row())
    first = audience.record(workspace, [event(), event()], now=NOW)
    second = audience.record(workspace, [event(properties={"city": "Paris"})], now=NOW)
    assert (first.accepted, first.duplicates, second.accepted, second.duplicates) == (1, 1, 0, 1)
    assert EventFeed.objects.count() == 1 and Event.objects.get().properties == {"city": "Rome"}


def test_events_are_refused_one_by_one_with_their_field(workspace: int) -> None:
    upsert(workspace, row())
    given = [event("1"), event("2", profile="nobody"), event("3", at=NOW + timedelta(hours=2)), event("4", properties={"a": [1]})]
    recorded = audience.record(workspace, given, now=NOW)
    assert recorded.accepted == 1
    assert [(each.place, each.findings[0].path) for each in recorded.rejected] == [(1, "/external_id"), (2, "/at"), (3, "/properties/a")]


def test_taken_events_leave_the_feed_and_old_ones_never_enter_it(workspace: int) -> None:
    upsert(workspace, row())
    audience.record(workspace, [event("new"), event("old", at=NOW - timedelta(days=400)), event("m", name="message.opened")], now=NOW)
    assert [taken.event_id for taken in audience.take_events(10)] == ["new"]
    assert audience.take_events(10) == []


def test_consent_is_asked_by_class_of_message(workspace: int) -> None:
    upsert(workspace, *(row(name) for name in "abcd"))
    ids = audience.ids_of(workspace, list("abcd"))

    def say(who: str, topic: str, state: str) -> None:
        audience.set_consent(workspace, [ids[who]], channel="email", topic=topic, state=state, source="t", now=NOW)  # type: ignore[arg-type]

    say("a", "offers", "subscribed")
    say("b", "offers", "subscribed")
    say("b", "*", "unsubscribed")
    say("c", "offers", "unsubscribed")
    asked = {
        kind: {
            name
            for name, key in ids.items()
            if key in audience.consenting(workspace, list(ids.values()), channel="email", topic="offers", message_class=kind)
        }
        for kind in ("promotional", "service", "transactional")
    }
    assert asked == {"promotional": {"a"}, "service": {"a", "d"}, "transactional": {"a", "b", "c", "d"}}


def test_an_erased_person_is_gone_everywhere_but_keeps_the_number(workspace: int) -> None:
    upsert(workspace, row(email="ada@example.com", attributes={"first_name": "Ada"}))
    audience.record(workspace, [event()], now=NOW)
    number = audience.erase(governance.system_actor(workspace), "ada", now=NOW)
    assert audience.load(workspace, [number]) == [] and Event.objects.count() == 0
    stored = Profile.objects.get(pk=number)
    assert (stored.email, stored.attributes, stored.external_id) == (None, {}, f"erased-{number}")
