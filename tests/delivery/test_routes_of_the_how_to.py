"""Every route that the how-to shows can be written, released, and lacks nothing that its vendor asks for."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest
from ruamel.yaml import YAML

from delivery.adapters.registry import ADAPTERS
from delivery.route_document import VENDOR_ROUTE
from governance.door import CheckContext, parse
from omni.environment import BASE_DIR
from tests import factories
from tests.delivery.conftest import Street

HOW_TO = (BASE_DIR / "docs" / "how-to" / "vendors.md").read_text(encoding="utf-8")
SHOWN = [YAML(typ="safe").load(block.replace("…", "0" * 30)) for block in re.findall(r"```yaml\n(.*?)```", HOW_TO, re.S)]


def test_the_how_to_shows_a_route_for_every_vendor_outside() -> None:
    assert {route["vendor"] for route in SHOWN} == set(ADAPTERS) - {"outbox"}


def faults(route: dict[str, Any], now: datetime) -> list[str]:
    context = CheckContext(1, "shown", None, lambda kind, key: None, now)
    found = VENDOR_ROUTE.checks(context, parse(VENDOR_ROUTE.schema, route))
    return [finding.path for finding in found if finding.level == "error"]


@pytest.mark.django_db
@pytest.mark.parametrize("route", SHOWN, ids=[route["vendor"] for route in SHOWN])
def test_a_shown_route_can_be_saved_as_it_stands(street: Street, route: dict[str, Any]) -> None:
    factories.put("vendor_route", "shown", route, now=street.clock(), author="cleo")
    assert faults(route, street.clock()) == [] and set(route["secrets"]) <= set(ADAPTERS[route["vendor"]].every_secret())


@pytest.mark.parametrize(
    ("vendor", "pointers"),
    [
        ("ses", ["/secrets/access_key_id", "/secrets/secret_access_key", "/settings/region"]),
        ("mailgun", ["/secrets/api_key", "/settings/domain"]),
        ("whatsapp_cloud", ["/secrets/access_token", "/settings/phone_number_id"]),
        ("wechat", ["/secrets/app_secret", "/settings/app_id"]),
        ("apns", ["/secrets/auth_key", "/settings/key_id", "/settings/team_id", "/settings/topic"]),
        ("webpush", ["/secrets/vapid_private_key", "/settings/subject"]),
        ("webhook", ["/secrets/signing_secret", "/settings/url"]),
    ],
)
def test_what_a_vendor_needs_and_a_route_lacks_is_named_by_its_place(vendor: str, pointers: list[str], now: datetime) -> None:
    channel = sorted(ADAPTERS[vendor].channels)[0]
    assert faults({"title": "Bare", "channel": channel, "vendor": vendor}, now) == pointers
