"""Money after the fact: what the vendor says a message cost, what another channel would have cost, and the page that shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from delivery import door as delivery
from delivery.models import Attempt, Dispatch
from governance.door import User
from tests import factories
from tests.delivery.conftest import Street
from tests.workflow.test_api import Api

PRICE = {"currency": "USD", "per": "part", "otherwise_micros": 8_000, "countries": {"GB": 40_000}}


def export(folder: Path, rows: list[tuple[str, str]], header: str = "Sid,Price,PriceUnit") -> Path:
    path = folder / "twilio.csv"
    path.write_text("\n".join([header, *(f"{sid},{price},USD" for sid, price in rows)]) + "\n", encoding="utf-8")
    return path


@pytest.mark.django_db
def test_a_vendor_s_own_prices_are_kept_beside_the_book_s_and_a_second_import_changes_nothing(street: Street, tmp_path: Path) -> None:
    street.clock.at = timezone.now()
    street.route("twilio", price=PRICE)
    street.launch(street.numbers(3), channel="sms")
    street.work()
    ids = [one.vendor_id for one in street.vendor.accepted]
    file = export(tmp_path, [(ids[0], "-0.04000"), (ids[1], "-0.08000"), (ids[2], ""), ("SMforeign", "-1")])
    for _ in range(2):
        call_command("import_vendor_prices", str(file), "--route", "twilio")
    assert sorted(Attempt.objects.values_list("reported_micros", flat=True), key=lambda micros: micros or 0) == [None, 40_000, 80_000]
    assert set(Attempt.objects.values_list("cost_micros", flat=True)) == {40_000}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("header", "rows", "told"),
    [
        ("Name,Price", [("a", "1")], "sid"),
        ("Sid,Price,PriceUnit", [("SM1", "cheap")], "cheap"),
        ("Sid,Price,Unit", [("SM1", "1e99")], "1e99"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_nothing_is_taken_over(
    street: Street, tmp_path: Path, capsys: Any, header: str, rows: list[tuple[str, str]], told: str
) -> None:
    street.route("twilio", price=PRICE)
    with pytest.raises(SystemExit):
        call_command("import_vendor_prices", str(export(tmp_path, rows, header)), "--route", "twilio")
    assert told in capsys.readouterr().err


@pytest.mark.django_db
def test_what_a_cheaper_channel_would_have_cost_counts_those_who_allow_it(street: Street) -> None:
    street.route("twilio", price=PRICE)
    street.route("sendgrid", price={"currency": "USD", "otherwise_micros": 1_000})
    both = [
        factories.profile(
            now=street.clock(),
            phone=f"+1415555777{place}",
            email=f"both{place}@example.com",
            country="GB",
            consents=(("sms", "offers", "subscribed"), ("email", "offers", "subscribed" if place else "unsubscribed")),
        )
        for place in range(3)
    ]
    dispatch = street.launch([*both, *street.numbers(4)], channel="sms")
    [mail] = delivery.elsewhere(street.workspace_id, dispatch, now=street.clock())
    assert (mail.channel, mail.people, mail.there, mail.here, mail.cheaper) == ("email", 2, 2_000, 80_000, True)
    backwards = street.launch(both, occurrence="other")
    [texts] = delivery.elsewhere(street.workspace_id, backwards, now=street.clock())
    assert texts.people == 2 and not texts.cheaper


@pytest.mark.django_db
def test_the_page_of_routes_tells_parts_limits_and_prices(street: Street, client: Client) -> None:
    street.clock.at = timezone.now()
    street.route("twilio", price=PRICE, quotas=[{"count": 200, "per": "day"}], per_second=50)
    street.route("sendgrid", countries=["DE"])
    street.launch(street.numbers(3), channel="sms")
    street.work()
    street.person("vera")
    assert client.login(username="vera", password="vera-password")
    page: Any = client.get("/console/delivery/routes/").content.decode()
    for words in (
        "everything",
        "50 messages in a second",
        "200 messages in 24 hours",
        "3 used",
        "1.5 %",
        "$0.0400",
        "$0.0080",
        "to Germany only",
        "Can be used",
    ):
        assert words in page, words
    assert Dispatch.objects.count() == 1


def _priced(street: Street, count: int = 3) -> tuple[int, list[str]]:
    """A run of texts to Britain, and the vendor's ids."""
    street.route("twilio", price=PRICE)
    dispatch = street.launch(street.numbers(count), channel="sms", currency="USD")
    street.work()
    return dispatch, [one.vendor_id for one in street.vendor.accepted]


@pytest.mark.django_db
def test_the_vendor_is_asked_what_it_charged_once_for_each_text_a_day_later(street: Street) -> None:
    dispatch, ids = _priced(street)
    street.vendor.prices = {ids[0]: "-0.04000", ids[1]: "-0.07910"}

    assert delivery.fetch_next_prices(now=street.clock(), vendors=street.vendors) == 0, "none is a day old"
    street.clock.pass_(days=1, seconds=1)
    assert [delivery.fetch_next_prices(now=street.clock(), vendors=street.vendors) for _ in range(2)] == [3, 0], "two at once"
    street.clock.pass_(minutes=10)
    assert delivery.fetch_next_prices(now=street.clock(), vendors=street.vendors) == 0

    assert list(Attempt.objects.order_by("pk").values_list("reported_micros", flat=True)) == [40_000, 79_100, None]
    view = street.facts(dispatch)
    assert (view.priced, view.expected_of_priced_micros, view.reported_micros) == (2, 80_000, 119_100)


@pytest.mark.django_db
def test_no_more_than_a_few_are_asked_at_once_and_a_refusal_is_asked_again_later(street: Street) -> None:
    _priced(street, 25)
    street.clock.pass_(days=2)
    street.vendor.questions_answer = 429
    assert delivery.fetch_next_prices(now=street.clock(), vendors=street.vendors) == 0
    street.vendor.questions_answer, street.vendor.questions = 200, []
    street.clock.pass_(minutes=1)
    assert delivery.fetch_next_prices(now=street.clock(), vendors=street.vendors) == 0, "the account is left alone"
    asked = []
    for _ in range(3):
        street.clock.pass_(minutes=6)
        asked.append(delivery.fetch_next_prices(now=street.clock(), vendors=street.vendors))

    assert asked == [20, 5, 0] and len(set(street.vendor.questions)) == 25


@pytest.mark.django_db
def test_a_price_in_another_currency_is_not_compared(street: Street) -> None:
    _, ids = _priced(street, 1)
    street.vendor.prices, street.vendor.price_unit = {ids[0]: "-0.04"}, "EUR"
    street.clock.pass_(days=2)

    assert delivery.fetch_next_prices(now=street.clock(), vendors=street.vendors) == 1
    assert Attempt.objects.get().reported_micros is None


@pytest.mark.django_db
def test_a_month_is_billed_by_country_beside_what_the_vendor_charged(street: Street, client: Client) -> None:
    street.clock.pass_(hours=6)  # daytime in New York, too
    street.route("twilio", price=PRICE)
    far = factories.profile(
        now=street.clock(), phone="+14155550199", country="US", zone="America/New_York", consents=(("sms", "offers", "subscribed"),)
    )
    street.launch([*street.numbers(2), far], channel="sms", currency="USD")
    street.work()
    near = next(one for one in street.vendor.accepted if one.address != "+14155550199")
    street.vendor.prices = {near.vendor_id: "-0.05"}
    street.clock.pass_(days=2)
    delivery.fetch_next_prices(now=street.clock(), vendors=street.vendors)

    told = Api("runs:read").call("GET", f"bill?month={street.clock():%Y-%m}").json()["lines"]
    assert [(line["country"], line["messages"], line["expected"], line["priced"], line["reported"]) for line in told] == [
        ("GB", 2, 80_000, 1, 50_000),
        ("US", 1, 8_000, 0, 0),
    ]
    file = Api("runs:read").call("GET", f"bill.csv?month={street.clock():%Y-%m}").content.decode().splitlines()
    assert file[1] == "sms,twilio,GB,USD,2,0.080000,1,0.040000,0.050000,0.010000" and len(file) == 3
    assert Api("runs:read").call("GET", "bill?month=soon").status_code == 422
    client.force_login(User.objects.get(username="cleo"))
    page = client.get("/console/delivery/bill/", {"month": f"{street.clock():%Y-%m}"}).content.decode()
    assert "Bill of March 2026" in page and "$0.08" in page and "$0.05" in page
    assert '<span class="figure">$0.09</span>' in page and "In all" in page and "Not counted" not in page
    street.route("sendgrid")
    street.launch(street.people(4), campaign_key="digest")
    street.work()
    page = " ".join(client.get("/console/delivery/bill/", {"month": f"{street.clock():%Y-%m}"}).content.decode().split())
    assert "Not counted, because they cost nothing by our prices: 4 messages by Mail." in page
    assert '<span class="figure">$0.09</span>' in page
    assert client.get("/console/delivery/bill/", {"month": "2026-02"}).content.decode().count("Nothing in this month") == 1
