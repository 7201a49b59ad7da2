"""People come in by rows: created, merged, unchanged; bad rows are named and never stop the others."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audience import door as audience
from audience.models import Profile, ProfileFeed
from governance import door as governance
from governance.door import Actor, Finding
from tests.tables import over


def row(external_id: str = "ada", **given: Any) -> audience.ProfileRow:
    return audience.ProfileRow(external_id, **given)


def taken(outcome: audience.UpsertOutcome) -> tuple[int, int, int, int]:
    return outcome.created, outcome.updated, outcome.unchanged, len(outcome.rejected)


@pytest.fixture
def upsert(workspace_id: int, now: datetime) -> Any:
    return lambda *rows: audience.upsert(workspace_id, rows, source="test", now=now)


def findings(outcome: audience.UpsertOutcome) -> list[str]:
    return [finding.path for rejected in outcome.rejected for finding in rejected.findings]


def test_the_same_row_twice_changes_nothing_the_second_time(upsert: Any, workspace_id: int, now: datetime) -> None:
    ada = row(email="Ada@Example.com", attributes={"first_name": "Ada", "stays": 3, "interests": ["Art"]})
    assert [taken(upsert(ada)), taken(upsert(ada))] == [(1, 0, 0, 0), (0, 0, 1, 0)]
    later = audience.upsert(workspace_id, [row(attributes={"stays": 4})], source="test", now=now + timedelta(days=1))
    stored = Profile.objects.get()
    assert later.updated == 1 and (stored.created_at, stored.updated_at) == (now, now + timedelta(days=1))
    assert list(ProfileFeed.objects.values_list("profile_id", flat=True)) == [stored.pk, stored.pk]


def test_given_fields_replace_and_others_stay(upsert: Any, workspace_id: int) -> None:
    upsert(row(email="ada@example.com", country="FR", attributes={"first_name": "Ada", "stays": 3}))
    assert taken(upsert(row(locale="fr_FR", attributes={"stays": None}))) == (0, 1, 0, 0)
    person = audience.find(workspace_id, external_id="ada")
    assert person is not None
    assert (person.email, person.country, person.locale, person.attributes) == ("ada@example.com", "FR", "fr-FR", {"first_name": "Ada"})


def test_an_empty_field_clears_and_text_is_folded_for_rules(upsert: Any) -> None:
    upsert(row(email="ada@example.com", attributes={"first_name": "STRASSE", "interests": ["Ärger"], "stays": 2.0}))
    upsert(row(email=""))
    stored = Profile.objects.get(external_id="ada")
    assert stored.email is None and stored.email_key is None
    assert stored.folded == {"first_name": "strasse", "interests": ["ärger"], "stays": 2}
    assert stored.attributes == {"first_name": "STRASSE", "interests": ["Ärger"], "stays": 2}


def test_a_change_of_case_only_is_a_change_to_people_who_read_it(upsert: Any) -> None:
    upsert(row(attributes={"first_name": "ada"}, email="ada@example.com"))
    assert taken(upsert(row(attributes={"first_name": "Ada"}, email="Ada@example.com"))) == (0, 1, 0, 0)


def test_a_bad_row_names_every_field_and_the_rest_come_in(upsert: Any) -> None:
    bad = row(
        "eve", email="a@b,c@d", phone="911", locale="xx-YY", zone="+01:00", country="UK", attributes={"stays": "many", "unheard": 1}, line=2
    )
    outcome = upsert(row("ada"), bad, row("bob"))
    assert taken(outcome) == (2, 0, 0, 1) and outcome.rejected[0].line == 2
    assert findings(outcome) == ["/email", "/phone", "/locale", "/country", "/zone", "/attributes/stays", "/attributes/unheard"]


@over(
    ("name", "value", "words"),
    [
        ("stays", "3", "a number"),
        ("stays", True, "a number"),
        ("stays", 2**53 + 1, "between -2^53 and 2^53"),
        ("stays", float("nan"), "between -2^53 and 2^53"),
        ("vip", "yes", "true or false"),
        ("city", 7, "text"),
        ("city", "x" * 32_767, "at most 32 KiB"),
        ("city", "ß" * 16_384, "at most 32 KiB"),
        ("city", "a\0", "U+0000"),
        ("city", "\ud800", "U+D800"),
        ("birthday", "2026-02-30", "found a day that doesn't exist, expected a day such as"),
        ("birthday", "2026-13-01", "found a day that doesn't exist, expected a day such as"),
        ("birthday", "2026-W01-1", "a day such as"),
        ("birthday", "2026-01-31T09:00:00Z", "a day such as"),
        ("seen", "2026-01-31", "an instant with its offset"),
        ("seen", "2026-01-31T09:00:00", "an instant with its offset"),
        ("seen", "2026-02-30T09:00:00Z", "found a day that doesn't exist, expected an instant"),
        ("seen", "2026-01-31T25:00:00Z", "found a time of day that doesn't exist, expected an instant"),
        ("seen", "2026-01-31T09:60:00+01:00", "found a time of day that doesn't exist, expected an instant"),
        ("interests", "art", "a list"),
        ("interests", ["art", 7], "text"),
        ("interests", ["a"] * 1_001, "at most 1,000"),
        ("interests", ["x" * 20_000] * 2, "32 KiB in all"),
        ("first_name", {"is": "Ada"}, "text"),
    ],
)
def test_a_value_of_another_type_or_size_is_refused_in_words(upsert: Any, name: str, value: Any, words: str) -> None:
    outcome = upsert(row(attributes={name: value}))
    assert findings(outcome) == [f"/attributes/{name}"]
    assert words in str(outcome.rejected[0].findings[0])


def test_findings_never_repeat_addresses_or_personal_values(upsert: Any) -> None:
    secret = {"first_name": ["Ada Lovelace"], "vip": "ada@example.com", "city": 33612345678}
    outcome = upsert(
        row("ada@example.com\0", email="ada@lovelace,x@y.example", phone="+33 6 12 34 56 789", country="ada@example.com", attributes=secret)
    )
    told = " ".join(str(finding) for finding in outcome.rejected[0].findings)
    assert not any(secret in told for secret in ("lovelace", "Lovelace", "ada@", "3612", "34 56", "3456"))


@over("external_id", ["", "  ", "x" * 201, "a\nb", "a\0", "erased-1", 7, None])
def test_an_external_id_is_printable_text_of_its_own(upsert: Any, external_id: Any) -> None:
    assert findings(upsert(row(external_id))) == ["/external_id"]


def test_ids_that_look_the_same_are_the_same(upsert: Any, workspace_id: int) -> None:
    assert taken(upsert(row("e\u0301va"), row(" \u00e9va "))) == (1, 0, 1, 0)
    assert audience.find(workspace_id, external_id="e\u0301va") == audience.find(workspace_id, external_id="éva ") is not None


def test_two_rows_about_one_person_are_merged_in_their_order(upsert: Any, workspace_id: int) -> None:
    agreed, refused = (("email", "offers", state) for state in ("subscribed", "unsubscribed"))
    first, second = row(country="FR", attributes={"stays": 1}, consents=(agreed,)), row(attributes={"stays": 2}, consents=(refused,))
    assert taken(upsert(first, second)) == (1, 0, 1, 0)
    person = audience.find(workspace_id, external_id="ada")
    assert person is not None and person.country == "FR" and person.attributes == {"stays": 2}
    assert [said.state for said in audience.consents(workspace_id, person.id)] == ["unsubscribed"]


def test_a_catalogue_larger_than_a_person_may_be_is_counted_with_what_is_kept(ada: Actor, upsert: Any, now: datetime) -> None:
    for number in range(205):
        governance.save(ada, "attribute", f"a{number}", {"title": "A", "type": "number"}, base=None, now=now)
    assert taken(upsert(row(attributes={f"a{number}": 1 for number in range(190)}))) == (1, 0, 0, 0)
    outcome = upsert(row(attributes={f"a{number}": 1 for number in range(190, 205)}), row("ben", attributes={"stays": 1}))
    assert taken(outcome) == (1, 0, 0, 1)
    assert outcome.rejected[0].findings == (
        Finding("error", "/attributes", "205 attributes", "at most 200 attributes, those that are kept already included"),
    )


def test_rows_of_one_workspace_never_touch_another(upsert: Any, workspace_id: int, now: datetime) -> None:
    upsert(row(email="ada@example.com", attributes={"stays": 1}))
    other = governance.create_workspace("other", "Other").pk
    outcome = audience.upsert(other, [row(country="FR"), row("ben", attributes={"stays": 1})], source="test", now=now)
    assert taken(outcome) == (1, 0, 0, 1), "the other workspace has no such attribute"
    assert audience.find(workspace_id, external_id="ada") != audience.find(other, external_id="ada") is not None


def test_the_database_itself_refuses_a_second_profile_of_one_id(upsert: Any, workspace_id: int, now: datetime) -> None:
    upsert(row())
    with pytest.raises(IntegrityError), transaction.atomic():
        Profile.objects.create(workspace_id=workspace_id, external_id="ada", created_at=now, updated_at=now)


def test_nothing_of_a_chunk_stays_if_its_last_step_fails(workspace_id: int, now: datetime) -> None:
    consented = row(consents=(("email", "offers", "subscribed"),))
    with pytest.raises(governance.Invalid):
        audience.upsert(workspace_id, [consented], source="", now=now)
    assert not Profile.objects.exists() and not ProfileFeed.objects.exists()
