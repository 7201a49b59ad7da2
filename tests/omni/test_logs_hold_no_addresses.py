"""Logs are an event name and fields, ids only: what resembles an address never reaches them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from omni import logs

ADDRESSES = ["ada@example.com", "Ada.Lovelace+omni@mail.example.co.uk", "+442079460123", "+1 (202) 555-0143", "jürgen@müller.example"]


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the process writes to its JSON log, from a configuration of its own that is put back afterwards."""
    root, stream = logging.getLogger(), io.StringIO()
    before, level, loggers = root.handlers[:], root.level, structlog.get_config()
    logs.configure({"format": "json"})
    structlog.configure(**loggers)  # whoever has logged before holds this very list of processors, and so must who captures logs
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield stream
    root.handlers[:], root.level = before, level


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_is_masked_wherever_it_stands(written: io.StringIO, address: str) -> None:
    log = structlog.get_logger("test")
    log.info("message.sent", message=7, email=address, note=f"to {address}", nested={"who": [address]}, other={"phone": address})
    logging.getLogger("somebody.else").warning("could not reach %s", address)
    lines = written.getvalue()
    assert "message.sent" in lines and '"message": 7' in lines
    assert address not in lines and address.split("@")[0] not in lines


def test_an_address_in_a_traceback_is_masked(written: io.StringIO) -> None:
    try:
        raise ValueError("no such person: ada@example.com")
    except ValueError:
        structlog.get_logger("test").exception("piece.failed", batch=3)
    assert "no such person" in written.getvalue() and "ada@example.com" not in written.getvalue()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("GET /u/AbCdEf123456_-xyz/ 404", "GET /u/[masked]/ 404"),
        ("key omni_ab12cd34_S3cretS3cretS3cret", "key [masked]"),
        ("postgresql://omni:hunter2@db.example.com/omni", "postgresql://omni:[masked]@db.example.com/omni"),
        ("2026-03-02T09:00:00+00:00 took 1.5 s, id 20261231235959, +5 %", "2026-03-02T09:00:00+00:00 took 1.5 s, id 20261231235959, +5 %"),
        ("batch 12 of dispatch 7 at 2026-03-02 09:00:00.123456+00:00", "batch 12 of dispatch 7 at 2026-03-02 09:00:00.123456+00:00"),
    ],
)
def test_bearer_links_keys_and_passwords_are_masked_and_ordinary_words_stay(text: str, kept: str) -> None:
    assert logs.masked_text(text) == kept


def test_each_line_is_one_json_object_with_its_event(written: io.StringIO) -> None:
    structlog.get_logger("test").info("batch.sent", batch=1, recipients=500)
    structlog.get_logger("test").warning("bell.reconnects", error="OperationalError")
    rows = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [row["event"] for row in rows] == ["batch.sent", "bell.reconnects"]
    assert all({"level", "logger", "timestamp"} <= row.keys() for row in rows)


@pytest.mark.django_db
def test_a_request_is_one_line_with_its_id_and_route_and_without_its_path(written: io.StringIO, client: Client) -> None:
    answer = client.get("/metrics", query_string="who=zoe@example.com")  # a name that no hexadecimal request id can contain
    rows = [json.loads(line) for line in written.getvalue().splitlines() if "request.answered" in line]
    (row,) = [row for row in rows if row["request"] == answer.headers["X-Request-Id"]]
    assert row["route"] == "metrics" and row["status"] == 200
    assert "zoe" not in written.getvalue()


@given(st.from_regex(r"[a-z][a-z0-9.]{0,20}[a-z0-9]@[a-z]{1,10}\.(com|org|example)", fullmatch=True), st.text(max_size=40))
def test_no_address_survives_among_any_words(address: str, words: str) -> None:
    assert address not in logs.masked_text(f"{words} {address} {words}")
