"""The sample people are the same for everybody, plausible, and belong to nobody."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import phonenumbers
import pytest

from audience import door as audience
from samples.people import SamplePerson, generate
from samples.places import COUNTRIES

DAY = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def people() -> list[SamplePerson]:
    return list(generate(3_000, seed=7, as_of=DAY))


def test_one_seed_and_day_always_give_the_same_people(people: list[SamplePerson]) -> None:
    assert list(generate(3_000, seed=7, as_of=DAY)) == people
    assert list(generate(50, seed=8, as_of=DAY)) != people[:50]


def test_more_people_begin_with_the_same_ones(people: list[SamplePerson]) -> None:
    assert list(generate(100, seed=7, as_of=DAY)) == people[:100]


def test_addresses_are_in_domains_that_belong_to_nobody(people: list[SamplePerson]) -> None:
    domains = {person.email.rpartition("@")[2].lower() for person in people if person.email}
    assert domains == {"example.com", "example.org", "example.net"}
    assert all(audience.email_address(person.email) for person in people if person.email)


def test_numbers_are_valid_and_of_the_persons_country(people: list[SamplePerson]) -> None:
    for person in people:
        if person.phone:
            number = phonenumbers.parse(person.phone)
            assert phonenumbers.is_valid_number(number)
            assert phonenumbers.region_code_for_number(number) == person.country


def test_zone_and_locale_fit_the_country(people: list[SamplePerson]) -> None:
    known = {country.code: country for country in COUNTRIES}
    for person in people:
        assert person.zone in known[person.country].zones
        assert person.locale in known[person.country].locales
        assert audience.locale_tag(person.locale) and audience.zone_name(person.zone) == person.zone


def test_countries_weigh_as_the_table_says(people: list[SamplePerson]) -> None:
    seen = Counter(person.country for person in people)
    assert len(seen) >= 25
    assert seen["US"] > seen["DE"] > seen["NZ"]


def test_what_happened_happened_in_the_last_half_year_and_after_signing_up(people: list[SamplePerson]) -> None:
    for person in people:
        for event in person.events:
            assert (DAY - event.at).days <= 181 and event.at < DAY
            assert event.at.date().isoformat() >= person.attributes["signup_date"]
        assert len({event.event_id for event in person.events}) == len(person.events)


def test_the_sample_holds_the_exceptions_that_a_send_must_handle(people: list[SamplePerson]) -> None:
    addresses = Counter(person.email.casefold() for person in people if person.email)
    assert any(count > 1 for count in addresses.values())
    assert any(person.email is None for person in people)
    assert any(person.phone is None for person in people)
    assert any(person.suppressed for person in people)
    said = {(consent.channel, consent.topic, consent.state) for person in people for consent in person.consents}
    assert {("email", "offers", "subscribed"), ("email", "offers", "unsubscribed"), ("email", "*", "unsubscribed")} <= said
    assert any("last_stay_date" not in person.attributes for person in people)
