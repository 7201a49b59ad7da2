"""Vendors that want a short-lived token: fetched once, renewed in time, and a stale one costs no message."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from delivery import door as delivery
from delivery import tokens
from delivery.adapters.base import Account, Fate, VendorRequest, VendorResponse
from delivery.adapters.fcm import Fcm
from delivery.adapters.registry import ADAPTERS, adapter
from tests import factories
from tests.adapters import letters
from tests.adapters.vendors import everybody
from tests.adapters.vendors.server import Vendors

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FCM = adapter("fcm")


class Bank:
    """Who issues tokens: each is good for an hour."""

    def __init__(self) -> None:
        self.issued, self.status, self.gate = 0, 200, threading.Event()
        self.gate.set()

    def __call__(self, request: VendorRequest) -> VendorResponse | Fate:
        self.gate.wait(5)
        self.issued += 1
        return VendorResponse(self.status, {}, json.dumps({"access_token": f"ya29.{self.issued}", "expires_in": 3_600}).encode())


@pytest.fixture
def bank() -> Bank:
    return Bank()


@pytest.fixture
def kept() -> tokens.Tokens:
    return tokens.Tokens()


def ready(kept: tokens.Tokens, bank: Bank, account: Account = letters.FCM, **later: float) -> Account:
    found = kept.ready(1, FCM, replace(account, token=""), bank, now=NOW + timedelta(**later))
    assert isinstance(found, Account)
    return found


def test_a_token_serves_until_shortly_before_its_end(kept: tokens.Tokens, bank: Bank) -> None:
    assert [ready(kept, bank, minutes=minutes).token for minutes in (0, 30, 55)] == ["ya29.1"] * 3
    assert ready(kept, bank, minutes=57).token == "ya29.2"


def test_threads_that_need_one_at_once_share_one(kept: tokens.Tokens, bank: Bank) -> None:
    bank.gate.clear()
    found = list[str]()
    threads = [threading.Thread(target=lambda: found.append(ready(kept, bank).token)) for _ in range(20)]
    for thread in threads:
        thread.start()
    bank.gate.set()
    for thread in threads:
        thread.join()
    assert found == ["ya29.1"] * 20 and bank.issued == 1


def test_other_credentials_have_a_token_of_their_own(kept: tokens.Tokens, bank: Bank) -> None:
    rotated = json.dumps({**letters.SERVICE_ACCOUNT, "client_email": "new@omni.iam.gserviceaccount.com"})
    assert ready(kept, bank).token == "ya29.1"
    assert ready(kept, bank, replace(letters.FCM, secrets={"service_account": rotated})).token == "ya29.2"
    assert ready(kept, bank).token == "ya29.1"


def test_only_the_token_that_was_called_stale_is_dropped(kept: tokens.Tokens, bank: Bank) -> None:
    first = ready(kept, bank)
    kept.forget(1, FCM, first)
    second = ready(kept, bank)
    kept.forget(1, FCM, first)
    assert ready(kept, bank).token == second.token == "ya29.2"


@pytest.mark.parametrize(("status", "kind"), [(400, "misconfigured"), (401, "misconfigured"), (429, "transient"), (500, "transient")])
def test_without_a_token_nothing_is_in_doubt(kept: tokens.Tokens, bank: Bank, status: int, kind: str) -> None:
    bank.status = status
    found = kept.ready(1, FCM, letters.FCM, bank, now=NOW)
    assert isinstance(found, Fate) and found.kind == kind


def test_silence_about_a_token_leaves_nothing_in_doubt(kept: tokens.Tokens) -> None:
    found = kept.ready(1, FCM, letters.FCM, lambda request: Fate("ambiguous", detail="no answer"), now=NOW)
    assert isinstance(found, Fate) and found.kind == "transient"


@pytest.mark.parametrize("secret", ["", "{}", "not json", json.dumps({**letters.SERVICE_ACCOUNT, "private_key": "-----BEGIN"})])
def test_a_secret_that_is_no_key_file_needs_a_person(kept: tokens.Tokens, bank: Bank, secret: str) -> None:
    found = kept.ready(1, FCM, replace(letters.FCM, secrets={"service_account": secret}), bank, now=NOW)
    assert isinstance(found, Fate) and found.kind == "misconfigured" and bank.issued == 0 and "BEGIN" not in found.detail


def test_no_token_is_ever_logged_or_shown(kept: tokens.Tokens, bank: Bank, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        account = ready(kept, bank)
    assert account.token == "ya29.1" and "ya29" not in caplog.text + repr(account) + repr(kept.__dict__)


# ── on the street ─────────────────────────────────────────────────────────────────────────────────────────────────


class TextsByToken(Fcm):
    """Texts through a vendor that wants a token, so that the send path meets one."""

    key, channels = "texts_by_token", frozenset({"sms"})


@pytest.fixture
def tokened(street: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendors]:
    """The street, with that vendor at its end on a real socket."""
    vendors = Vendors(everybody.contracts())
    key_file = json.dumps({**letters.SERVICE_ACCOUNT, "token_uri": f"{vendors.url}/token"})
    monkeypatch.setitem(ADAPTERS, TextsByToken.key, TextsByToken())
    monkeypatch.setenv("OMNI_SECRET_KEY_FILE", key_file)
    monkeypatch.setattr("delivery.walks.TOKENS", tokens.Tokens())
    settings.OMNI = settings.OMNI.model_copy(update={"vendor_base_urls": f"{TextsByToken.key}={vendors.url}"})
    street.vendors = delivery.Connections()
    route = {"title": "Texts", "channel": "sms", "vendor": TextsByToken.key, "secrets": {"service_account": "KEY_FILE"}}
    factories.put("vendor_route", "texts", route, now=street.clock(), author="cleo")
    factories.release("vendor_route", "texts", now=street.clock(), author="cleo")
    yield vendors
    vendors.close()


@pytest.mark.django_db
def test_a_token_that_goes_stale_in_the_middle_costs_no_message(street: Any, tokened: Vendors) -> None:
    contract: Any = next(one for one in tokened.contracts if one.NAME == "fcm")
    first = street.launch(street.numbers(3), channel="sms")
    street.work()
    contract.spoil_tokens()
    second = street.launch(street.numbers(3), channel="sms", occurrence="again")
    street.work()
    assert (street.counts(first)["sent"], street.counts(second)["sent"]) == (3, 3)
    assert len({message_id for _, _, message_id in tokened.accepted}) == len(tokened.accepted) == 6 and contract.issued == 2


@pytest.mark.django_db
def test_without_a_token_nothing_is_posted_and_the_account_rests(street: Any, tokened: Vendors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNI_SECRET_KEY_FILE", "{}")
    dispatch = street.launch(street.numbers(2), channel="sms")
    outcome = street.work(1)[0]
    assert tokened.asked == [] and "service_account" in outcome.halted and street.counts(dispatch).get("sent", 0) == 0
