"""Operators see which index answers, for which catalogue it was built, and how far it is behind."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.conf import settings as django_settings
from django.test import Client

from audience import door as audience
from audience.backends import mapping
from audience.backends.elasticsearch import Cluster
from audience.index_feed import feed_index, rebuild
from governance.door import User
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.elasticsearch]


def home() -> int:
    return factories.workspace().pk


def health_page(now: datetime) -> str:
    factories.person("vera", now=now)
    client = Client()
    client.force_login(User.objects.get(username="vera"))
    return " ".join(client.get("/console/delivery/").content.decode().split())


def test_a_version_is_of_the_fields_and_nothing_else() -> None:
    one = mapping.version({"tier": "text", "spent": "number"})
    assert one.startswith(f"{mapping.FORMAT}-") and one == mapping.version({"spent": "number", "tier": "text"})
    assert len({one, mapping.version({"tier": "text"}), mapping.version({"tier": "list", "spent": "number"}), mapping.version({})}) == 4
    assert mapping.index_body({"tier": "text"})["mappings"]["_meta"]["version"] == mapping.version({"tier": "text"})


def test_without_an_index_there_is_nothing_to_see(now: datetime) -> None:
    assert audience.index_state(home(), now=now) is None
    assert "Audience index" not in health_page(now)


def test_the_health_page_tells_of_an_index_that_is_as_it_should_be(cluster: Cluster, now: datetime) -> None:
    factories.profiles(3, now=now)
    built = rebuild(cluster, home(), now=now)
    feed_index(cluster)
    state = audience.index_state(home(), now=now)
    assert state and (state.index, state.people, state.version, state.lag, state.waiting) == (built.index, 3, built.version, 0.0, 0)
    assert (state.trouble, state.note) == ("", "") and state.wanted == state.version
    page = health_page(now)
    assert f"<code>{built.index}</code>, 3 people" in page and f"<code>{built.version}</code>, as the catalogue calls for" in page
    assert "nothing waits" in page and "Needs attention" not in page


def test_an_index_of_an_older_catalogue_is_noticed(cluster: Cluster, now: datetime) -> None:
    built = rebuild(cluster, home(), now=now)
    factories.put("attribute", "tier", factories.attribute(), now=now)
    state = audience.index_state(home(), now=now)
    assert state and state.version == built.version != state.wanted == mapping.version({"tier": "text"})
    page = health_page(now)
    assert "The index was built for an older catalogue: rebuild it with reindex_audience" in page and state.wanted in page


def test_an_index_that_is_behind_says_by_how_much(cluster: Cluster, now: datetime) -> None:
    rebuild(cluster, home(), now=now)
    factories.profiles(2, now=now)
    state = audience.index_state(home(), now=now + timedelta(seconds=90))
    assert state and (state.lag, state.waiting, state.trouble) == (90.0, 2, "the index is 90 s behind, more than 60 s")
    page = health_page(now)  # by its own clock, which is long past this test's
    assert "2 changes to be told" in page and "The database answers for audiences: the index is" in page


def test_an_index_that_was_never_built_and_a_server_that_is_away_are_told(
    cluster: Cluster, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = audience.index_state(home(), now=now)
    assert state and state.index == "" and "run reindex_audience" in state.trouble
    away = django_settings.OMNI.model_copy(update={"elasticsearch_url": "http://127.0.0.1:9"})
    monkeypatch.setattr(django_settings, "OMNI", away)
    assert "Elasticsearch can’t be reached" in health_page(now).replace("&#x27;", "’")


def test_metrics_tell_how_far_the_index_is_behind(client: Client, now: datetime) -> None:
    assert "omni_audience_index_lag_seconds 0.0" in client.get("/metrics").content.decode()
    factories.profile(now=now)
    lag = client.get("/metrics").content.decode().partition("\nomni_audience_index_lag_seconds ")[2].split()[0]
    assert float(lag) > 3_600  # this test's clock is long past
