"""Whoever knows a message's run says so when asking the ledger, so that a year of mail is a year of partitions nobody opens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from delivery import door as delivery
from delivery import partitions, tracking, vendor_health
from delivery.message_ids import MessageKey
from delivery.models import Attempt
from tests.delivery.conftest import Street

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]

PARTITION = re.compile(r"^(delivery_(?:message|attempt|vendorevent))_(?:[0-9]+|rest|unknown)$")
PLANNED = ("SELECT", "UPDATE", "DELETE", "INSERT", "WITH")


class Opened:
    """The partitions that each statement would open, by its text, where there is more than one of a table."""

    def __init__(self) -> None:
        self.wide: dict[str, dict[str, int]] = {}
        self.looked = 0
        self._asking = False

    def __call__(self, execute: Callable[..., Any], statement: str, parameters: Any, many: bool, context: Any) -> Any:
        if not self._asking and not many and "delivery_" in statement and statement.lstrip().startswith(PLANNED):
            self._asking = True
            try:
                self._look(statement, parameters)
            finally:
                self._asking = False
        return execute(statement, parameters, many, context)

    def _look(self, statement: str, parameters: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
            found = set(_relations(cursor.fetchone()[0][0]["Plan"]))
        self.looked += bool(found)
        tables: dict[str, int] = {}
        for name in found:
            if match := PARTITION.match(name):
                tables[match[1]] = tables.get(match[1], 0) + 1
        if max(tables.values(), default=0) > 1:
            self.wide[" ".join(statement.split())] = tables


def _relations(node: dict[str, Any]) -> Iterator[str]:
    if "Relation Name" in node:
        yield node["Relation Name"]
    for child in node.get("Plans", ()):
        yield from _relations(child)


@contextmanager
def opened() -> Iterator[Opened]:
    watched = Opened()
    with connection.execute_wrapper(watched):
        yield watched


@pytest.fixture
def year(street: Street) -> Street:
    """The next run lies in the fourth range of the ledger."""
    for newest in (500, 1_500, 2_500, 3_000):
        with connection.cursor() as cursor:
            cursor.execute("SELECT setval('delivery_dispatch_id_seq', %s)", [newest])
        partitions.prepare_next()
    assert partitions.ranges() == [0, 1_000, 2_000, 3_000]
    street.route("sendgrid")
    return street


def test_sending_and_hearing_open_the_partition_of_the_run(year: Street) -> None:
    people = year.people(6)
    year.vendor.fault = lambda number: "status_429" if number == 0 else "ok"
    with opened() as watched:
        dispatch = year.launch(people, batch_size=3)
        year.work()
        year.clock.pass_(minutes=5)
        year.work()
        for kind in ("delivered", "open", "click"):
            year.hear(kind)
    assert year.counts(dispatch) == {"delivered": 6} and watched.looked > 20
    assert watched.wide == {}


def test_what_looks_back_a_while_opens_the_partitions_of_that_while(year: Street) -> None:
    [person] = year.people(1)
    year.launch([person])
    year.work()
    with opened() as watched:
        year.hear("deferred")
        year.hear("blocked")
        vendor_health.spent(year.workspace_id, now=year.clock())
        vendor_health.troubles(year.workspace_id, now=year.clock())
        delivery.daily(year.workspace_id, since=year.clock() - timedelta(days=7))
    assert all(max(tables.values()) == 2 for tables in watched.wide.values()), "its own and the default one, which is empty"
    assert watched.looked > 8


def test_a_request_without_its_run_opens_every_partition(year: Street) -> None:
    with opened() as watched:
        Attempt.objects.filter(pk=1).first()
    assert list(watched.wide.values()) == [{"delivery_attempt": len(partitions.ranges()) + 1}]


def test_asking_about_a_message_opens_the_partition_of_its_run(year: Street) -> None:
    people = year.people(3)
    dispatch = year.launch(people)
    year.work()
    year.hear("delivered")
    token = delivery.message_ids(dispatch, [1])[0]
    with opened() as watched:
        delivery.why(year.workspace_id, dispatch, people[0])
        delivery.timeline(year.workspace_id, token)
        delivery.messages(year.workspace_id, message_id=token)
        delivery.messages(year.workspace_id, dispatch_id=dispatch, state="delivered")
        delivery.messages(year.workspace_id, dispatch_id=dispatch, state="sent")
        delivery.facts(year.workspace_id, dispatch)
        delivery.engagement(year.workspace_id, dispatch)
        delivery.briefs(year.workspace_id, [dispatch])
        tracking.reader(MessageKey(dispatch, 1))
    assert watched.wide == {} and watched.looked > 10
