"""What templates may say of records and of the parts of attributes, checked against what there is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from governance.door import Actor, Invalid, save
from rendering.door import Failed, Filled, Recipient, compile, fill
from tests import factories
from tests.presentation.letters import Person, block, content, email
from tests.tables import over

pytestmark = pytest.mark.django_db
STAYS = {"source": "record.booking", "type": "list", "fallback": [], "sample": [{"city": "Rome", "nights": 2}]}
VARIABLES = {
    "stays": STAYS,
    "next_city": {"source": "record.booking.city", "fallback": "the sea", "sample": "Rome"},
    "next_day": {"source": "record.booking.arrival", "type": "date", "fallback": "2026-04-01"},
    "street": {"source": "attribute.address.street", "fallback": "your street"},
    "home": {"source": "attribute.address", "type": "object", "sample": {"street": "Quay Street"}},
    "made": {"source": "attribute.churn.at", "type": "datetime", "fallback": "2026-01-01T00:00:00Z"},
}


@pytest.fixture
def findings(author: Actor, now: datetime) -> Any:
    save(author, "record_type", "booking", factories.record_type(), base=None, now=now)
    parts = [{"name": "street", "type": "text"}, {"name": "since", "type": "date"}]
    save(author, "attribute", "address", factories.attribute(type="object", fields=parts, sensitivity="personal"), base=None, now=now)
    save(author, "attribute", "churn", factories.attribute(type="score"), base=None, now=now)
    count = iter(range(100))

    def found(text: str, href: str = "https://shop.example.com/", **changed: Any) -> dict[str, tuple[str, str]]:
        variables = {name: {**variable, **changed.get(name, {})} for name, variable in VARIABLES.items()}
        body = email(block("text", text=text), block("button", label="Go", href=href), variables=variables)
        revision = save(author, "template", f"letter-{next(count)}", body, base=None, now=now)
        worth = [each for each in revision.findings if each["level"] != "note" and "preheader" not in each["path"]]
        return {each["path"]: (each["level"], each["expected"]) for each in worth}

    return found


def test_what_there_is_may_be_named(findings: Any) -> None:
    said = (
        "{{ stays[0].city }} {{ stays|each('city')|join(', ') }} {{ stays|length }} {{ stays[0].external_id|default('') }} {{ next_city }}"
    )
    assert findings(said + " {{ next_day|date }} {{ street }} {{ home.street|default('') }} {{ made|date }}") == {}


@over(
    ("text", "expected"),
    [
        ("{{ stays[0].town }}", "one of external_id, city, nights, arrival"),
        ("{{ stays[1].citi|default('') }}", "one of external_id, city, nights, arrival, perhaps city"),
        ("{{ stays|each('citi')|join }}", "one of external_id, city, nights, arrival, perhaps city"),
        ("{{ stays.city }}", "which of them, such as stays[0].city"),
        ("{{ home.stret|default('') }}", "one of street, since, perhaps street"),
    ],
)
def test_what_there_is_not_is_an_error_where_it_stands(findings: Any, text: str, expected: str) -> None:
    assert findings(text)["/locales/en/blocks/0/text"] == ("error", expected)


@over(
    ("changed", "path", "level"),
    [
        ({"next_city": {"source": "record.booking.town"}}, "/variables/next_city/source", "error"),
        ({"next_city": {"source": "record.stay.city"}}, "/variables/next_city/source", "error"),
        ({"street": {"source": "attribute.address.town"}}, "/variables/street/source", "error"),
        ({"street": {"source": "attribute.first_name.town"}}, "/variables/street/source", "error"),
        ({"next_day": {"type": "text"}}, "/variables/next_day/type", "warning"),
        ({"made": {"type": "text"}}, "/variables/made/type", "warning"),
    ],
)
def test_a_source_that_is_not_there_or_of_another_type_is_told(findings: Any, changed: Any, path: str, level: str) -> None:
    assert findings("Hello", **changed)[path][0] == level


@over(
    ("changed", "path"),
    [
        ({"stays": {"type": "text", "sample": None, "fallback": None}}, "/variables/stays/type"),
        ({"stays": {"source": "record.booking.city.x"}}, "/variables/stays/source"),
        ({"street": {"source": "attribute.address.street.x"}}, "/variables/street/source"),
    ],
)
def test_a_source_that_can_not_be_one_refuses_the_save(findings: Any, changed: Any, path: str) -> None:
    with pytest.raises(Invalid) as refused:
        findings("Hello", **changed)
    assert [each.path for each in refused.value.findings] == [path]


def test_a_part_of_a_personal_attribute_in_a_link_to_others_is_told(findings: Any) -> None:
    link = findings("Hi", href="https://other.test/?s={{ street }}&c={{ next_city }}")
    assert link == {"/locales/en/blocks/1/href": ("warning", "no personal data to another domain")}


def test_whoever_lacks_a_record_gets_the_fallback_or_is_skipped() -> None:
    body = email(block("text", text="{{ next_city }}: {{ stays[0].nights|number }} nights from {{ next_day|date }}"), variables=VARIABLES)
    whole = compile(content(body), base_url="https://m.example.com")
    assert whole.record_types == {"booking"}
    booking = {"external_id": "b-1", "city": "Rome", "nights": 3, "arrival": datetime(2026, 5, 1).date()}
    people = [
        Person(records={"booking": [booking, {}]}),
        Person(records={"booking": [{"nights": 1}]}),
        Person(records={"booking": []}),
        Person(),
    ]
    made = fill(whole, [Recipient(n, person, {}, token="t") for n, person in enumerate(people)])
    texts = [each.text.decode().split("\n")[0] if isinstance(each, Filled) else each.detail for each in made]
    assert texts[:2] == ["Rome: 3 nights from May 1, 2026", "the sea: 1 nights from Apr 1, 2026"]
    assert all(isinstance(each, Failed) for each in made[2:])


def test_a_letter_that_names_no_records_loads_none() -> None:
    body = email(block("text", text="Hello"), variables=VARIABLES)
    assert compile(content(body), base_url="https://m.example.com").record_types == frozenset()
    linked = email(block("button", href="https://shop.example.com/{{ next_city }}"), variables=VARIABLES)
    assert compile(content(linked), base_url="https://m.example.com").record_types == {"booking"}
