"""Policies, routes and attributes are edited in a marketer's words; a form that was only looked at changes nothing."""

from __future__ import annotations

import re
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from governance.door import User, document
from tests import factories as make

pytestmark = pytest.mark.django_db

ROUTE = {
    "title": "Texts",
    "channel": "sms",
    "vendor": "twilio",
    "settings": {"account_sid": "AC1", "smart_encoded": True, "messaging_service_sid": "yes"},
    "secrets": {"auth_token": "TWILIO_TOKEN"},
    "per_second": 12.5,
    "price": {"currency": "EUR", "per": "part", "otherwise_micros": 75_000, "countries": {"DE": 1, "PT": 31_250}},
}
POLICY = {
    "title": "Manners",
    "caps": [{"count": 4, "hours": 168, "channel": "email"}, {"count": 9, "hours": 24}],
    "quiet_hours": {"start": "21:00", "end": "08:00", "channels": ["sms", "email"], "classes": ["service"]},
    "halt": {"bounced": 0.07, "complained": 0.0015},
}
MAPPING = {
    "title": "The shop's export",
    "delimiter": "semicolon",
    "consent_source": "sign-up form",
    "columns": {
        "Customer": "external_id",
        "Mobile/home": {"to": "phone", "region": "DE"},
        "Seen: last": {"to": "last_seen", "pattern": "%d.%m.%Y", "empty": ["00.00.0000", "n/a"]},
        "News": {"to": "consent:email:offers", "words": {"J": "yes", "N": "no"}},
        "internal": {"to": "-", "words": {}},
    },
}
BODIES = [
    ("vendor_route", "vendor-routes", ROUTE),
    ("vendor_route", "vendor-routes", {"title": "Mail", "channel": "email", "vendor": "outbox", "settings": {"categories": ["a, b", "c"]}}),
    ("vendor_route", "vendor-routes", {"title": "Mail", "channel": "email", "vendor": "outbox", "secrets": {}, "price": None}),
    ("sending_policy", "sending-policies", POLICY),
    ("sending_policy", "sending-policies", {"title": "Nothing said", "quiet_hours": {"start": "21:00", "end": "08:00"}}),
    ("approval_policy", "approval-policies", {"title": "Two", "drift": 0.125}),
    ("approval_policy", "approval-policies", {"title": "Always one", "approvals_above": None}),
    ("attribute", "attributes", {"title": "Stays", "type": "number", "unit": "stays"}),
    ("opt_in", "opt-ins", {"title": "News", "channel": "sms", "topics": ["news", "*"], "confirm_with": "please", "link_days": 7}),
    ("import_mapping", "import-mappings", MAPPING),
    ("import_mapping", "import-mappings", {"title": "Nothing yet", "columns": {}}),
]


class _Form(HTMLParser):
    """What a browser would send of a page's editor if nothing was touched."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self._inside, self._area, self._select = False, "", ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        name = said.get("name", "")
        if tag == "form":
            self._inside = said.get("id") == "editor"
        elif not self._inside:
            return
        elif tag == "input" and name and (said.get("type") != "checkbox" or "checked" in said):
            self.sent[name] = said.get("value", "")
        elif tag == "textarea":
            self._area, self.sent[name] = name, ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and (self._select not in self.sent or "selected" in said):
            self.sent[self._select] = said.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._area:
            self.sent[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        self._area = "" if tag == "textarea" else self._area
        self._select = "" if tag == "select" else self._select


def _admin(now: datetime) -> Client:
    make.person("cleo", now=now)
    client = Client()
    client.force_login(User.objects.get(username="cleo"))
    return client


def _page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def _saved(client: Client, address: str, fields: dict[str, str], *, status: int = 302) -> str:
    answer = client.post(address, {**fields, "do": "save"})
    assert answer.status_code == status, answer.content.decode()
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize(("kind", "plural", "body"), BODIES)
def test_a_form_that_was_only_looked_at_changes_nothing(kind: str, plural: str, body: dict[str, Any], now: datetime) -> None:
    client, address = _admin(now), f"/console/{plural}/default/"
    make.put(kind, "default", body, author="cleo", now=now)
    _saved(client, address, _Form(_page(client, address)).sent)
    assert document(make.workspace().pk, kind, "default").latest.number == 1


def test_a_policy_is_edited_in_words_with_its_units(now: datetime) -> None:
    client, address = _admin(now), "/console/sending-policies/default/"
    make.put("sending_policy", "default", POLICY, author="cleo", now=now)
    page = _page(client, address)
    for words in (
        "Limit 1",
        "Messages at most",
        ">hours</span>",
        "When a person had enough",
        "Quiet from",
        "Kinds of message",
        "Promotional",
    ):
        assert words in page
    for raw in ("Caps", "one a line", "One a line", "As JSON", "Max per request", "0.07"):
        assert raw not in page
    sent = _Form(page).sent
    assert (sent["/halt/bounced:share?"], sent["/halt/complained:share?"]) == ("7", "0.15")
    sent |= {"/halt/bounced:share?": "0.4 %", "/quiet_hours/classes/0": "promotional"}
    _saved(client, address, sent)
    body = document(make.workspace().pk, "sending_policy", "default").latest.body
    assert body["halt"] == {"bounced": 0.004, "complained": 0.0015} and body["quiet_hours"]["classes"] == ["promotional"]


def test_the_days_of_a_warm_up_are_numbers_one_a_line(now: datetime) -> None:
    client, address = _admin(now), "/console/vendor-routes/texts/"
    make.put("vendor_route", "texts", {**ROUTE, "warm_up": {"began": "2026-12-01", "days": [50, 100]}}, author="cleo", now=now)
    page = _page(client, address)
    sent = _Form(page).sent
    assert "As JSON" not in page and sent["/warm_up/days:ints"] == "50\n100"
    said = _saved(client, address, sent | {"/warm_up/days:ints": "50\nmany"}, status=422)
    assert "many" in said
    _saved(client, address, sent | {"/warm_up/days:ints": "50\n\n1,200"})
    assert document(make.workspace().pk, "vendor_route", "texts").latest.body["warm_up"]["days"] == [50, 1_200]


def test_a_route_is_edited_in_rows_and_amounts(now: datetime) -> None:
    client, address = _admin(now), "/console/vendor-routes/texts/"
    make.put("vendor_route", "texts", ROUTE, author="cleo", now=now)
    page = _page(client, address)
    assert "As JSON" not in page and "millionths" not in page and "heaviest" not in page
    assert '<option value="twilio" selected>Twilio Messages</option>' in page
    sent = _Form(page).sent
    assert (sent["/price/otherwise_micros:micros?"], sent["/price/countries/0/value:micros"]) == ("0.075", "0.000001")

    grown = client.post(address, {**sent, "do": "add:/price/countries:object"}).content.decode()
    sent = _Form(grown).sent | {"/price/countries/2/name": "FR", "/price/countries/2/value:micros": "€0.08", "/settings/1/name": ""}
    said = _saved(client, address, sent, status=422)
    assert "Needs a name" in said
    sent |= {"/settings/1/name": "api_key_sid"}
    _saved(client, address, sent)
    body = document(make.workspace().pk, "vendor_route", "texts").latest.body
    assert body["price"]["countries"] == {"DE": 1, "FR": 80_000, "PT": 31_250}
    assert "api_key_sid" in body["settings"] and len(body["settings"]) == 3


def test_a_row_takes_the_form_that_its_name_is_known_for(now: datetime) -> None:
    client, address = _admin(now), "/console/vendor-routes/mail/"
    make.put(
        "vendor_route",
        "mail",
        {"title": "Mail", "channel": "email", "vendor": "sendgrid", "secrets": {"api_key": "KEY"}},
        author="cleo",
        now=now,
    )
    sent = _Form(_page(client, address)).sent
    rows = {
        "/settings/0/name": "categories",
        "/settings/0/value": "sale, spring",
        "/settings/1/name": "sandbox",
        "/settings/1/value": "Perhaps",
    }
    assert "Perhaps; expected yes or no" in _saved(client, address, sent | rows, status=422)
    _saved(client, address, sent | rows | {"/settings/1/value": "no"})
    assert document(make.workspace().pk, "vendor_route", "mail").latest.body["settings"] == {
        "categories": ["sale", "spring"],
        "sandbox": False,
    }


def test_a_fault_in_a_row_stands_beside_it(now: datetime) -> None:
    client, address = _admin(now), "/console/vendor-routes/texts/"
    make.put("vendor_route", "texts", ROUTE, author="cleo", now=now)
    sent = _Form(_page(client, address)).sent | {"/secrets/0/value": "not a name", "/price/otherwise_micros:micros?": "0,075"}
    said = _saved(client, address, sent, status=422)
    assert "Keys › Kept under the name: not a name; expected capital letters" in said
    assert 'id="f-secrets-0-value-error"' in said and 'value="not a name"' in said
    assert 'id="f-price-otherwise_micros-error"' in said and 'value="0,075"' in said


def test_a_new_document_is_asked_for_its_title_before_its_key(now: datetime) -> None:
    page = _page(_admin(now), "/console/new/vendor-routes/")
    assert 0 < page.index('id="f-title"') < page.index('id="f-key"') < page.index('id="f-channel"')


def test_the_preview_of_a_policy_says_it_in_words(now: datetime) -> None:
    make.put("sending_policy", "default", POLICY, author="cleo", now=now)
    page = _page(_admin(now), "/console/sending-policies/default/preview/")
    assert "Messages at most 4, within 168 hours, Channel E-mail" in page and "Bounced, more than 7 %" in page


def test_what_columns_become_is_edited_in_rows_with_how_their_texts_are_read_below(now: datetime) -> None:
    client, address = _admin(now), "/console/import-mappings/shop/"
    make.put("attribute", "birthday", make.attribute(title="Birthday", type="date"), now=now)
    make.put("import_mapping", "shop", {"title": "Shop", "columns": {"Mail": "email"}}, author="cleo", now=now)
    page = _page(client, address)
    assert "As JSON" not in page and '<option value="birthday">Birthday</option>' in page and "Do not import" in page
    sent = _Form(page).sent
    assert (sent["/columns/0/name"], sent["/columns/0/value/to"]) == ("Mail", "email")
    added = client.post(address, {**sent, "do": "add:/columns:object"}).content.decode()
    assert 'id="f-columns-1-name"' in added and "How its texts are read" in added and "<details open>" not in added
    worded = client.post(address, {**sent, "do": "add:/columns/0/value/words:object"}).content.decode()
    assert "<details open>" in worded and "Stands for" in worded
    sent = _Form(added).sent | {"/columns/1/name": "Born", "/columns/1/value/to": "birthday", "/columns/1/value/pattern:text?": "%Q"}
    wrong = _saved(client, address, sent, status=422)
    assert 'id="f-columns-1-value-pattern-error"' in wrong and "<details open>" in wrong and "Columns › Column 2 › Pattern" in wrong
    _saved(client, address, sent | {"/columns/1/value/pattern:text?": "%d.%m.%Y"})
    body = document(make.workspace().pk, "import_mapping", "shop").latest.model
    assert {name: (one.to, one.pattern) for name, one in body.columns.items()} == {
        "Mail": ("email", None),
        "Born": ("birthday", "%d.%m.%Y"),
    }
    read = _page(client, f"{address}preview/")
    assert "Column Born, Becomes Birthday, spelled %d.%m.%Y</div>" in " ".join(read.split())
    as_saved = _Form(_page(client, address)).sent
    twice = _saved(client, address, as_saved | {"/columns/1/name": as_saved["/columns/0/name"]}, status=422)
    assert "a name that no other row has" in twice


def test_topics_are_chosen_among_those_that_are_known_or_typed(now: datetime) -> None:
    client, address = _admin(now), "/console/opt-ins/news/"
    make.profile(now=now, consents=(("email", "weekly-news", "subscribed"),))
    make.put("template", "offer", make.template(topic="offers"), now=now)
    body = {"title": "News", "channel": "email", "topics": ["rare", "weekly-news"], "confirm_with": "please"}
    make.put("opt_in", "news", body, author="cleo", now=now)
    page = _page(client, address)
    assert "Weekly news" in page and "Every topic of the channel" in page and "One a line" not in page
    sent = _Form(page).sent
    assert (sent["/topics/0:text?"], sent["/topics/1"]) == ("rare", "weekly-news")
    offers = re.search(r'name="(/topics/\d+)" value="offers"', page)
    assert offers is not None
    added = _Form(client.post(address, {**sent, offers[1]: "offers", "do": "add:/topics:text"}).content.decode()).sent
    (typed,) = [name for name, value in added.items() if name.startswith("/topics/") and name.endswith("?") and value == ""]
    assert "Topics" in _saved(client, address, added | {typed: "No Key"}, status=422)
    _saved(client, address, added | {typed: "flash_sales"})
    saved = document(make.workspace().pk, "opt_in", "news").latest.body["topics"]
    assert saved == ["rare", "weekly-news", "offers", "flash_sales"]


def test_a_mapping_says_what_its_keys_mean_and_how_texts_are_read(now: datetime) -> None:
    client, address = _admin(now), "/console/import-mappings/shop/"
    make.profile(now=now, consents=(("email", "offers", "subscribed"),))
    columns = {
        "News": {"to": "consent:email:offers", "words": {"J": "yes", "N": "no"}},
        "Turnover": {"to": "external_id", "decimal": ",", "empty": ["00.00.0000"]},
        "internal": "-",
    }
    make.put("import_mapping", "shop", {"title": "Shop", "columns": columns}, author="cleo", now=now)
    page = " ".join(_page(client, address).split())
    assert 'id="f-columns-0-value-to-means" data-means>Consent to Offers by e-mail<' in page and "data-means>Do not import<" in page
    assert "J = yes, N = no</span>" in page and "empty when 00.00.0000, decimal comma</span>" in page
    assert 'aria-label="Remove News"' in page and '<option value="">Detect from the file</option>' in page
    named = {each for said in re.findall(r'aria-describedby="([^"]+)"', page) for each in said.split()}
    assert named <= set(re.findall(r'id="([^"]+)"', page)), "what is named as a description is there"


def test_the_message_that_asks_is_chosen_among_released_ones_that_may(now: datetime) -> None:
    client = _admin(now)
    make.spring_sale(now=now)  # and its letter "offer", which is no transactional one
    make.in_force("template", "please", make.template(title="Please confirm", message_class="transactional"), now=now)
    body = {"title": "News", "channel": "email", "topics": ["rare"], "confirm_with": "gone"}
    make.put("opt_in", "news", body, author="cleo", now=now)
    page = " ".join(_page(client, "/console/opt-ins/news/").split())
    asked = page.partition('name="/confirm_with"')[2].partition("</select>")[0]
    assert "Please confirm (by e-mail)</option>" in asked and 'value="gone" selected' in asked and 'value="offer"' not in asked
    assert "Other topic, by its key" in page and "perhaps it is spelled otherwise there" in page, "what the checks say stands at the field"
    started = " ".join(_page(client, "/console/new/opt-ins/").split())
    assert '<option value="">choose</option>' in started.partition('name="/confirm_with"')[2].partition("</select>")[0]
