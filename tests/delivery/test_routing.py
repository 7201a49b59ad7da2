"""Several accounts for one channel: by country, by share, by price, and one that stands in when another can't."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest

from delivery import door as delivery
from delivery import limits
from delivery.adapters.base import Account, Fate
from delivery.adapters.registry import ADAPTERS
from delivery.models import Attempt, Dispatch, Message
from delivery.policies import Route
from delivery.prices import Prices
from delivery.route_document import VENDOR_ROUTE, PriceTable
from delivery.routing import choose, expected
from governance.door import CheckContext, Invalid, parse
from tests import factories
from tests.delivery.conftest import ROUTES, Street

DAY = date(2026, 3, 2)


def route(key: str, **changes: Any) -> Route:
    micros = changes.pop("micros", 0)
    return Route(
        key,
        "sms",
        ADAPTERS["twilio"],
        Account("https://twilio.test"),
        Prices(PriceTable(currency="USD", otherwise_micros=micros)),
        **{"weight": 100, **changes},
    )


def chosen(routes: list[Route], country: str = "GB", *, closed: Any = (), prefer: Any = "share", many: int = 300) -> Counter[str]:
    found = (choose(routes, country, f"1/{n}", closed=closed, prefer=prefer, day=DAY) for n in range(many))
    return Counter(one.key if one else "" for one in found)


def test_the_most_preferred_route_carries_all_and_less_preferred_ones_only_where_they_stand_in() -> None:
    routes = [route("first"), route("spare", weight=50, stands_in=True), route("idle", weight=70)]
    assert chosen(routes) == {"first": 300}
    assert chosen(routes, closed={"first"}) == {"spare": 300}
    assert chosen(routes, closed={"first", "spare"}) == {"first": 300}, "it waits for the preferred one"


def test_equal_routes_carry_their_shares_and_a_message_always_goes_by_the_same() -> None:
    routes = [route("a", share=100), route("b", share=300)]
    counts = chosen(routes, many=4_000)
    assert 0.22 < counts["a"] / 4_000 < 0.28
    assert chosen(routes) == chosen(routes) and chosen(routes, closed={"a"}) == {"b": 300}


def test_a_route_that_names_the_country_goes_first_and_carries_nobody_else() -> None:
    routes = [route("world"), route("germany", countries=frozenset({"DE"}), weight=10)]
    assert chosen(routes, "DE") == {"germany": 300} and chosen(routes, "GB") == {"world": 300} == chosen(routes, "")
    assert chosen(routes[1:], "GB") == {"": 300}


def test_the_cheapest_of_equal_routes_is_taken_where_the_policy_says_so() -> None:
    routes = [route("dear", micros=9_000), route("cheap", micros=4_000), route("cheap too", micros=4_000)]
    assert set(chosen(routes, prefer="cheapest")) == {"cheap", "cheap too"}
    assert expected(routes, "GB", 1, prefer="cheapest", day=DAY) == 4_000
    assert expected(routes, "GB", 1, prefer="share", day=DAY) == pytest.approx(17_000 / 3)


def test_prices_change_on_their_day() -> None:
    later = PriceTable(currency="USD", otherwise_micros=9_000)
    prices = Prices(PriceTable(currency="USD", otherwise_micros=8_000), ((date(2026, 4, 1), later),))
    assert [prices.of("GB", 1, day) for day in (DAY, date(2026, 3, 31), date(2026, 4, 1), date(2027, 1, 1))] == [8_000, 8_000, 9_000, 9_000]


# ── on the street ─────────────────────────────────────────────────────────────────────────────────────────────────


class Accounts(delivery.Connections):
    """The vendor behind several accounts of ours, told apart by their number; those in `dead` answer nobody, and of those in `away`
    nobody is there."""

    def __init__(self, street: Street) -> None:
        super().__init__(transport=self._exchange, wait=lambda seconds: street.clock.pass_(seconds=seconds))
        self.real, self.dead, self.away = street.vendor.transport(), set[str](), set[str]()
        self.carried, self.tried = Counter[str](), Counter[str]()

    def _exchange(self, request: Any) -> Any:
        account = request.url.split("/Accounts/")[1][2]
        if account in self.away:
            self.tried[account] += 1
            return Fate("transient", detail="no connection")
        if account in self.dead:
            return Fate("ambiguous", detail="no answer within 10 s")
        self.carried[account] += 1
        return self.real(request)


def two_accounts(street: Street, **second: Any) -> Accounts:
    for letter, changes in (("a", {}), ("b", second)):
        street.route("twilio", key=f"texts-{letter}", settings={"account_sid": "AC" + letter * 32}, **changes)
    street.vendors = Accounts(street)
    return street.vendors


@pytest.mark.django_db
def test_a_campaign_is_shared_by_equal_accounts(street: Street) -> None:
    accounts = two_accounts(street, share=100)
    dispatch = street.launch(street.numbers(120), channel="sms", batch_size=60)
    street.work()
    assert street.counts(dispatch) == {"sent": 120} and set(street.vendor.times().values()) == {1}
    assert 40 <= accounts.carried["a"] <= 80
    assert street.facts(dispatch).vendor == "several"


@pytest.mark.django_db
def test_when_the_first_account_dies_the_rest_goes_by_the_second_and_what_is_in_doubt_stays(street: Street) -> None:
    accounts = two_accounts(street, weight=50, stands_in=True)
    dispatch = street.launch(street.numbers(300), channel="sms", batch_size=50)
    street.work(pieces=3)
    accounts.dead.add("a")
    for _ in range(20):
        street.work()
        street.clock.pass_(seconds=1)

    counts = street.counts(dispatch)
    assert counts["sent"] + counts["in_doubt"] == 300 and 0 < counts["in_doubt"] <= 100
    assert accounts.carried["a"] == 150 and accounts.carried["b"] == 150 - counts["in_doubt"]
    assert set(Attempt.objects.filter(state=20).values_list("account", flat=True)) == {"texts-a"}
    assert set(street.vendor.times().values()) == {1}


@pytest.mark.django_db
def test_what_an_account_has_refused_goes_by_the_other_at_once_and_not_when_the_first_has_rested(street: Street) -> None:
    accounts = two_accounts(street, weight=50, stands_in=True)
    campaign, codes = street.launch(street.numbers(120), channel="sms", batch_size=120), street.message_type(channel="sms")
    accounts.away.add("a")
    street.work()
    street.decide(codes, street.numbers(3))
    street.work()
    assert (street.counts(campaign), street.counts(codes)) == ({"sent": 120}, {"sent": 3})
    assert accounts.carried["b"] == 123 and accounts.tried["a"] == 120, "each was refused once"


@pytest.mark.django_db
def test_a_probe_goes_by_the_account_that_is_silent_and_at_most_once_in_a_window(street: Street) -> None:
    factories.profile(now=street.clock(), external_id="our-own-phone", phone="+14155559999", country="GB")
    accounts = two_accounts(street, weight=50, stands_in=True, seed="our-own-phone")
    accounts.away.add("a")
    street.vendor.fault = lambda number: "drop" if number == 7 else "ok"
    campaign = street.launch(street.numbers(10), channel="sms", batch_size=10, template_revision_id=999)
    for _ in range(3):
        street.work()
    assert street.counts(campaign) == {"sent": 9, "in_doubt": 1}

    accounts.away.clear()
    street.clock.pass_(minutes=16)
    for _ in range(8):  # two hours' rounds, of which only every fourth is a new window
        street.reconcile()
        street.work()
        street.reconcile()
        street.clock.pass_(minutes=4)
    probes = Attempt.objects.filter(message_class="transactional")
    assert set(probes.values_list("account", flat=True)) == {"texts-b"} and probes.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("phone", [None, "+14155559999"])
def test_a_seed_that_gets_nothing_is_not_tried_every_few_seconds(street: Street, phone: str | None) -> None:
    factories.profile(now=street.clock(), external_id="our-own-phone", phone=phone, country="GB")
    street.route("twilio", seed="our-own-phone")
    street.vendor.fault = lambda number: "drop" if number == 0 else "ok"
    street.launch(street.numbers(1), channel="sms", template_revision_id=999)
    street.work()
    if phone:
        street.vendor.fault = lambda number: "400"  # the vendor refuses the seed's number for good
    street.clock.pass_(minutes=16)
    for _ in range(20):
        street.reconcile()
        street.work()
        street.clock.pass_(seconds=5)
    assert Message.objects.filter(dispatch_id__in=Dispatch.objects.filter(kind="probe").values("pk")).count() == 1


@pytest.mark.django_db
def test_where_no_other_route_serves_them_the_refused_wait_until_the_account_has_rested(street: Street) -> None:
    accounts = two_accounts(street, countries=["DE"], weight=50, stands_in=True)
    campaign = street.launch(street.numbers(20), channel="sms", batch_size=20)
    accounts.away.add("a")
    for _ in range(10):
        street.work()
    assert "sent" not in street.counts(campaign) and accounts.tried["a"] == 20 and not accounts.carried
    accounts.away.clear()
    street.clock.pass_(seconds=3)
    street.work()
    assert street.counts(campaign) == {"sent": 20}


@pytest.mark.django_db
def test_a_transactional_message_in_doubt_is_asked_about_at_the_account_that_was_posted_to(street: Street) -> None:
    accounts = two_accounts(street, weight=50, stands_in=True)
    codes = street.message_type(channel="sms")
    street.decide(codes, street.numbers(1))
    street.vendor.fault = lambda number: "accept_drop"
    street.work()
    assert street.counts(codes) == {"in_doubt": 1}
    street.vendor.fault = lambda number: "ok"
    limits.rest(street.workspace_id, "texts-a", seconds=90, trouble="out of reach", now=street.clock())
    street.clock.pass_(seconds=60)
    street.work()
    assert street.counts(codes) == {"in_doubt": 1} and accounts.carried["b"] == 0
    street.clock.pass_(seconds=60)
    street.work()
    assert street.counts(codes) == {"sent": 1} and street.vendor.times().total() == 1


@pytest.mark.django_db
def test_nobody_in_a_country_that_no_route_serves_gets_anything_and_the_run_says_why(street: Street) -> None:
    street.route("twilio", countries=["DE"])
    ids = street.numbers(2)
    dispatch = street.launch(ids, channel="sms")
    street.work()
    assert street.counts(dispatch) == {"no_route": 2}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"quotas": [{"count": 5, "of": "recipient_domain"}]}, "/quotas/0"),
        ({"quotas": [{"count": 5, "domains": ["gmail.com"]}]}, "/quotas/0"),
        ({"quotas": [{"count": 0}]}, "/quotas/0/count"),
        ({"countries": ["Germany"]}, "/countries/0"),
        ({"share": 0}, "/share"),
        ({"warm_up": {"began": "soon", "days": [1]}}, "/warm_up/began"),
        ({"warm_up": {"began": "2026-12-01", "days": []}}, "/warm_up/days"),
        ({"later_prices": [{"starts": "2027-01-01", "price": {"currency": "usd"}}]}, "/later_prices/0/price/currency"),
    ],
)
def test_a_wrong_limit_price_or_country_is_named(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(VENDOR_ROUTE.schema, {**ROUTES["twilio"], **changes})
    assert [finding.path for finding in refused.value.findings] == [path]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"quotas": [{"count": 5, "of": "sender_domain"}]}, "/quotas/0/of"),
        ({"quotas": [{"count": 5}, {"count": 9}]}, "/quotas/1"),
        ({"later_prices": [{"starts": "2027-01-01", "price": {"currency": "USD"}}]}, "/later_prices/0"),
        (
            {"price": {"currency": "EUR"}, "later_prices": [{"starts": "2027-01-01", "price": {"currency": "USD"}}]},
            "/later_prices/0/price/currency",
        ),
    ],
)
def test_limits_and_prices_that_contradict_each_other_are_found_by_the_checks(changes: dict[str, Any], path: str, now: Any) -> None:
    model = parse(VENDOR_ROUTE.schema, {**ROUTES["twilio"], **changes})
    context = CheckContext(1, "texts", None, lambda kind, key: None, now)
    assert path in [finding.path for finding in VENDOR_ROUTE.checks(context, model) if finding.level == "error"]
