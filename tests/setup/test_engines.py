"""The engines of a test run are real, shared, and reachable; everything else is not."""

from __future__ import annotations

import json
import socket
import urllib.request

import psycopg
import pytest
import redis

from tests.network import NetworkForbidden


def test_each_test_gets_an_empty_postgresql_database_of_its_own(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)
        assert connection.info.server_version >= 150000


@pytest.mark.valkey
def test_valkey_answers(valkey_url: str) -> None:
    with redis.from_url(valkey_url) as client:
        assert client.ping()


@pytest.mark.elasticsearch
def test_elasticsearch_is_a_healthy_node(elasticsearch_url: str) -> None:
    with urllib.request.urlopen(f"{elasticsearch_url}/_cluster/health", timeout=10) as answer:
        assert json.load(answer)["number_of_nodes"] == 1


@pytest.mark.browser
def test_the_browser_shows_a_page_and_no_other_machine(browser) -> None:
    page = browser.new_page()
    page.set_content("<title>Hello</title>")
    assert page.title() == "Hello"
    with pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):
        page.goto("http://example.com/")
    page.close()


def test_a_test_cannot_reach_another_machine() -> None:
    with pytest.raises(NetworkForbidden):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(NetworkForbidden):
        socket.getaddrinfo("example.com", 443)
