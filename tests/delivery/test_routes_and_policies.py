"""Routes and policies are documents: what is wrong in one is named, and a released change counts from the next last look."""

from __future__ import annotations

from typing import Any

import pytest

from delivery import door as delivery
from delivery.models import OutboxMail
from delivery.policy_document import SENDING_POLICY
from delivery.route_document import VENDOR_ROUTE
from governance import door as governance
from governance.door import CheckContext, Invalid, Missing, Refused, parse
from tests import factories
from tests.delivery.conftest import ROUTES, Street

POLICY = {"title": "Manners"}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"channel": "fax"}, "/channel"),
        ({"secrets": {"api_key": "SG.abcdefghijklmnopqrstuv"}}, "/secrets/api_key"),
        ({"weight": -1}, "/weight"),
        ({"per_second": 0.0}, "/per_second"),
        ({"price": {"currency": "usd"}}, "/price/currency"),
        ({"price": {"currency": "USD", "countries": {"Germany": 1}}}, "/price/countries/Germany"),
        ({"title": ""}, "/title"),
        ({"password": "x"}, "/password"),
    ],
)
def test_a_wrong_route_names_the_field(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(VENDOR_ROUTE.schema, {**ROUTES["sendgrid"], **changes})
    assert [finding.path for finding in refused.value.findings] == [path]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"vendor": "pigeon"}, "/vendor"),
        ({"vendor": "twilio"}, "/vendor"),
        ({"settings": {"colour": "red"}}, "/settings/colour"),
        ({"secrets": {}}, "/secrets/api_key"),
    ],
)
def test_a_route_that_cannot_work_is_found_by_its_checks(changes: dict[str, Any], path: str, now: Any) -> None:
    model = parse(VENDOR_ROUTE.schema, {**ROUTES["sendgrid"], **changes})
    context = CheckContext(1, "mail", None, lambda kind, key: None, now)
    assert path in [finding.path for finding in VENDOR_ROUTE.checks(context, model) if finding.level == "error"]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"caps": [{"count": 0, "hours": 24}]}, "/caps/0/count"),
        ({"caps": [{"count": 1, "hours": 24, "channel": "pigeon"}]}, "/caps/0/channel"),
        ({"quiet_hours": {"start": "9 pm", "end": "08:00"}}, "/quiet_hours/start"),
        ({"quiet_hours": {"start": "21:00", "end": "25:00"}}, "/quiet_hours/end"),
        ({"quiet_hours": {"start": "21:00", "end": "08:00", "zone": "Mars/Olympus"}}, "/quiet_hours/zone"),
        ({"max_per_request": 5_000}, "/max_per_request"),
        ({"halt": {"bounced": 5}}, "/halt/bounced"),
    ],
)
def test_a_wrong_policy_names_the_field(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(SENDING_POLICY.schema, {**POLICY, **changes})
    assert [finding.path for finding in refused.value.findings] == [path]


def test_quiet_hours_that_never_end_are_an_error(now: Any) -> None:
    model = parse(SENDING_POLICY.schema, {**POLICY, "quiet_hours": {"start": "08:00", "end": "08:00"}})
    context = CheckContext(1, "manners", None, lambda kind, key: None, now)
    assert [finding.path for finding in SENDING_POLICY.checks(context, model)] == ["/quiet_hours/end"]


@pytest.mark.django_db
def test_only_an_admin_writes_routes(street: Street) -> None:
    with pytest.raises(Refused):
        governance.save(street.person("ada"), "vendor_route", "mail", ROUTES["sendgrid"], base=None, now=street.clock())


@pytest.mark.django_db
def test_the_heaviest_route_of_the_channel_carries_what_names_none(street: Street) -> None:
    street.route("sendgrid", weight=1)
    factories.put(
        "vendor_route",
        "priced",
        {**ROUTES["sendgrid"], "weight": 2, "price": {"currency": "EUR", "otherwise_micros": 100, "countries": {"FR": 300}}},
        now=street.clock(),
        author="cleo",
    )
    factories.release("vendor_route", "priced", now=street.clock(), author="cleo")
    assert delivery.quote(street.workspace_id, "email", {"FR": 10, "DE": 5, "": 1}, now=street.clock()) == (3_800, "EUR")
    with pytest.raises(Missing):
        delivery.quote(street.workspace_id, "sms", {"FR": 1}, now=street.clock())


@pytest.mark.django_db
def test_parts_of_a_text_message_are_paid_each(street: Street) -> None:
    street.route("twilio", price={"currency": "USD", "per": "part", "otherwise_micros": 8_000})
    assert delivery.quote(street.workspace_id, "sms", {"US": 10}, 2, now=street.clock()) == (160_000, "USD")


@pytest.mark.django_db
def test_a_route_whose_secret_is_gone_holds_the_work_back(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(3))
    monkeypatch.delenv("OMNI_SECRET_SENDGRID_KEY")
    work = street.lease()
    assert work is not None
    from delivery import policies

    policies.at_epoch.cache_clear()
    policies._routes_at.cache_clear()
    outcome = street.send(work)
    assert "SENDGRID_KEY" in outcome.halted and street.counts(dispatch) == {"waiting": 3}

    monkeypatch.setenv("OMNI_SECRET_SENDGRID_KEY", "SG.back")
    street.clock.pass_(seconds=31)
    street.work()
    assert street.counts(dispatch) == {"sent": 3}


@pytest.mark.django_db
def test_what_waits_for_a_vendor_never_ends_in_the_outbox_and_says_so(street: Street, settings: Any) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(3))
    routes = settings.OMNI
    settings.OMNI = routes.model_copy(update={"vendor": "outbox"})  # started again, without the variable
    [outcome] = street.work(pieces=1)
    assert "OMNI_VENDOR keeps everything in the outbox here" in outcome.halted
    [(trouble, _)] = delivery.troubled(street.workspace_id, now=street.clock()).values()
    assert "decided for sendgrid" in trouble
    assert not OutboxMail.objects.exists() and street.counts(dispatch) == {"waiting": 3}

    settings.OMNI = routes
    street.clock.pass_(minutes=2)
    street.work()
    assert street.counts(dispatch) == {"sent": 3}
    assert delivery.troubled(street.workspace_id, now=street.clock()) == {}


def test_a_policy_released_during_a_send_counts_from_the_next_last_look(street: Street) -> None:
    street.route("sendgrid")
    street.policy()
    dispatch = street.launch(street.people(4), policy_key="manners", batch_size=2)
    work = street.lease()
    assert work is not None
    factories.in_force(
        "sending_policy",
        "manners",
        factories.policy(quiet_hours={"start": "00:00", "end": "23:59", "channels": ["email"], "then": "skip"}),
        now=street.clock(),
    )

    assert street.send(work).halted == "what was released, paused or switched has changed"
    street.work()

    assert street.counts(dispatch) == {"quiet_hours": 4}
