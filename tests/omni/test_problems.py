"""Whatever goes wrong below /api/, a program gets a problem document with the request's id (RFC 9457)."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client, override_settings
from django.urls import path
from django.utils import timezone

from governance import door as governance
from omni.urls import *  # noqa: F403  # the handlers, for the addresses below
from tests import factories as make
from tests.omni.test_serving import environment, get, manage, serving

MIB = 1024 * 1024


def _fails(request: Any) -> Any:
    raise ZeroDivisionError


urlpatterns = [path("api/v1/fails", _fails)]


@pytest.fixture
def client(db: None) -> Iterator[Client]:
    now = timezone.now()
    _, text = governance.create_api_key(make.person("cleo", now=now), "tests", governance.Role.ADMIN, list(governance.SCOPES), None, now)
    cache.clear()
    yield Client(headers={"Authorization": f"Bearer {text}"}, raise_request_exception=False)
    cache.clear()


def is_problem(answer: Any, status: int) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    told: dict[str, Any] = json.loads(answer.content)
    assert told["status"] == status and told["title"] and told["detail"]
    assert told["request_id"] == answer.headers["X-Request-Id"]
    return told


@pytest.mark.parametrize("address", ["", "nothing", "me/", "documents/templates/%00", "runs/x", "../v1/x"])
def test_an_address_that_is_none(client: Client, address: str) -> None:
    is_problem(client.get(f"/api/v1/{address}"), 404)


def test_a_page_that_is_none_stays_a_page(client: Client) -> None:
    assert client.get("/console-of-dreams/").headers["Content-Type"].startswith("text/html")


def test_a_host_that_is_not_ours(client: Client) -> None:
    with override_settings(ALLOWED_HOSTS=["omni.example"]):
        is_problem(client.get("/api/v1/me", headers={"Host": "evil.example"}), 400)


@pytest.mark.urls("tests.omni.test_problems")
def test_a_fault_of_ours_says_so_and_nothing_else(client: Client) -> None:
    told = is_problem(client.get("/api/v1/fails"), 500)
    assert "Zero" not in json.dumps(told)


@pytest.mark.parametrize(
    ("method", "address", "headers", "raw", "status"),
    [
        ("PATCH", "me", {}, b"{}", 405),
        ("GET", "me", {"Accept": "text/html"}, b"", 406),
        ("GET", "schema/", {"Accept": "text/html"}, b"", 406),
        ("POST", "events", {"Content-Type": "text/csv"}, b"a,b", 415),
        ("POST", "events", {"Content-Encoding": "gzip"}, b"{}", 415),
        ("POST", "events", {"Content-Length": str(6 * MIB)}, b"{}", 413),
        ("POST", "events", {"Content-Length": "²"}, b"{}", 413),
        ("POST", "events", {}, b"{", 400),
        ("POST", "events", {}, b"{}", 422),
        ("GET", "me", {"Authorization": "Bearer omni_no_key"}, b"", 401),
        ("GET", "documents/templates/none", {}, b"", 404),
    ],
)
def test_requests_that_no_view_takes(client: Client, method: str, address: str, headers: dict[str, str], raw: bytes, status: int) -> None:
    type = headers.get("Content-Type", "application/json")
    is_problem(client.generic(method, f"/api/v1/{address}", raw, content_type=type, headers=headers), status)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer omni_guess_guess"}, {"X-Forwarded-For": "203.0.113.9"}])
def test_strangers_are_slowed_down_by_their_address(db: None, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]) -> None:
    from rest_framework.settings import api_settings

    cache.clear()
    monkeypatch.setitem(api_settings.DEFAULT_THROTTLE_RATES, "api_key", "3/day")
    statuses = [Client().get("/api/v1/me", headers=headers).status_code for _ in range(3)]
    assert statuses == [401, 401, 401]
    if "X-Forwarded-For" in headers:
        headers = {"X-Forwarded-For": "203.0.113.10"}
    answer = Client().get("/api/v1/me", headers=headers)
    is_problem(answer, 429)
    assert int(answer.headers["Retry-After"]) > 0
    cache.clear()


def test_a_key_is_slowed_down_and_told_for_how_long(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from rest_framework.settings import api_settings

    monkeypatch.setitem(api_settings.DEFAULT_THROTTLE_RATES, "api_key", "2/day")
    assert [client.get("/api/v1/me").status_code for _ in range(2)] == [200, 200]
    answer = client.get("/api/v1/me")
    is_problem(answer, 429)
    assert int(answer.headers["Retry-After"]) > 0


def talk(address: str, head: str, *parts: bytes) -> bytes:
    """What a real server answers to exactly these bytes."""
    assert get(f"{address}/healthz")[0] == 200  # it listens
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as wire:
        wire.sendall(head.replace("\n", "\r\n").encode())
        for part in parts:
            wire.sendall(part)
        answer = b""
        while chunk := wire.recv(65_536):
            answer += chunk
        return answer


def unended(part: bytes) -> bytes:
    return f"{len(part):x}\r\n".encode() + part + b"\r\n"


def chunked(*parts: bytes) -> bytes:
    return b"".join(unended(part) for part in [*parts, b""])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address of an instance in a process of its own, and a key that may write events there."""
    folder = tmp_path_factory.mktemp("served")
    given = environment(folder)
    manage("migrate", "--verbosity", "0", given=given)
    manage("add_member", "cleo", "--role", "admin", given=given)
    key = manage("create_api_key", "tests", "--scope", "events:write", "--as", "cleo", given=given).stdout.split()[-1]
    with serving(given, folder / "log") as (_, address):
        yield address, key


@pytest.mark.sqlite
def test_bodies_are_bounded_however_they_arrive(served: tuple[str, str]) -> None:
    address, _ = served
    head = "POST /hooks/nobody HTTP/1.1\nHost: localhost\nConnection: close\nContent-Type: application/json\n"
    announced = talk(address, f"{head}Content-Length: {999 * MIB}\n\n")
    endless = talk(address, f"{head}Transfer-Encoding: chunked\n\n", *[unended(b"x" * MIB)] * 10, unended(b"x"))
    small = talk(address, f"{head}Transfer-Encoding: chunked\n\n", chunked(b"{", b"}"))
    assert announced.startswith(b"HTTP/1.1 413"), announced[:200]
    assert endless.startswith(b"HTTP/1.1 413"), endless[:200]
    assert small.startswith(b"HTTP/1.1 404"), small[:200]


@pytest.mark.sqlite
def test_a_chunked_body_is_read_like_any_other(served: tuple[str, str]) -> None:
    address, key = served
    head = f"POST /api/v1/events HTTP/1.1\nHost: localhost\nConnection: close\nAuthorization: Bearer {key}\n"
    answer = talk(address, f"{head}Content-Type: application/json\nTransfer-Encoding: chunked\n\n", chunked(b'{"unknown"', b": 1}"))
    assert b"/unknown" in answer, answer[:400]
