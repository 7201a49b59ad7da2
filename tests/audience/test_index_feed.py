"""The index follows the database: nothing lost, nothing stale, and never asked when it can't be trusted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection

from audience import door as audience
from audience import index_feed
from audience.backends import mapping
from audience.backends.base import EngineUnavailable
from audience.backends.elasticsearch import Cluster, Index, connected, whole
from audience.door import SegmentBody
from audience.index_feed import feed_index, rebuild
from audience.models import Profile, ProfileFeed
from audience.rules.bound import Constant
from governance.door import create_workspace, parse
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.elasticsearch]
GERMANS = {"profile": "country", "op": "is", "value": "DE"}


def home() -> int:
    return factories.workspace().pk


def resolved(rule: dict[str, Any], now: datetime, **more: Any) -> tuple[set[int], str, str]:
    found = audience.resolve(home(), parse(SegmentBody, factories.segment(rule=rule)), as_of=now, **more)
    return set(found.ids), found.engine, found.note


def test_a_fed_index_answers_for_the_database(cluster: Cluster, now: datetime) -> None:
    rebuild(cluster, home(), now=now)
    ada, _ = factories.profile(now=now, country="DE"), factories.profile(now=now, country="FR")
    assert feed_index(cluster) == 2
    assert resolved(GERMANS, now) == ({ada}, "elasticsearch", "")
    assert audience.count(home(), parse(SegmentBody, factories.segment(rule=GERMANS)), as_of=now) == 1


def test_a_rule_with_events_is_shared_between_the_engines(cluster: Cluster, now: datetime) -> None:
    ada = factories.profile(now=now, country="DE")
    rebuild(cluster, home(), now=now)
    feed_index(cluster)
    assert resolved({"all": [GERMANS, {"event": "visit", "op": "never"}]}, now)[:2] == ({ada}, "elasticsearch + database")


def test_a_rule_of_which_the_index_knows_nothing_does_not_ask_for_it(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    away = django_settings.OMNI.model_copy(update={"elasticsearch_url": "http://127.0.0.1:9"})
    monkeypatch.setattr(django_settings, "OMNI", away)
    ada = factories.profile(now=now)
    assert resolved({"event": "visit", "op": "never"}, now) == ({ada}, "database", "")


def test_a_changed_person_moves_in_the_index(cluster: Cluster, now: datetime) -> None:
    ada = factories.profile(now=now, external_id="ada", country="DE")
    rebuild(cluster, home(), now=now)
    audience.upsert(home(), [audience.ProfileRow(external_id="ada", country="FR")], source="tests", now=now)
    feed_index(cluster)
    assert resolved(GERMANS, now)[0] == set()
    assert resolved({"none": [GERMANS]}, now)[:2] == ({ada}, "elasticsearch")


def test_an_erased_person_leaves_the_index(cluster: Cluster, now: datetime) -> None:
    factories.profile(now=now, external_id="ada", country="DE")
    rebuild(cluster, home(), now=now)
    audience.erase(factories.person("cleo", now=now), "ada", now=now)
    feed_index(cluster)
    assert resolved({"everyone": True}, now) == (set(), "elasticsearch", "")


def test_an_index_that_is_behind_is_not_asked_and_the_run_says_so(cluster: Cluster, now: datetime) -> None:
    rebuild(cluster, home(), now=now)
    ada = factories.profile(now=now, country="DE")
    later = now + timedelta(seconds=90)
    assert resolved(GERMANS, later) == ({ada}, "database", "the database answered: the index is 90 s behind, more than 60 s")
    assert resolved(GERMANS, later, max_lag=100) == (set(), "elasticsearch", "")


def test_a_moment_in_the_past_does_not_make_a_stale_index_look_fresh(cluster: Cluster, now: datetime) -> None:
    rebuild(cluster, home(), now=now)
    factories.profile(now=now)
    factories.profile(now=now + timedelta(hours=1))
    assert resolved(GERMANS, now - timedelta(days=1))[1] == "database"


def test_without_an_index_the_database_answers(cluster: Cluster, now: datetime) -> None:
    ada = factories.profile(now=now)
    ids, engine, note = resolved({"everyone": True}, now)
    assert (ids, engine) == ({ada}, "database") and "run reindex_audience" in note


def test_a_server_that_is_away_is_replaced_by_the_database(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    away = django_settings.OMNI.model_copy(update={"elasticsearch_url": "http://127.0.0.1:9"})
    monkeypatch.setattr(django_settings, "OMNI", away)
    ada = factories.profile(now=now)
    ids, engine, note = resolved({"everyone": True}, now)
    assert (ids, engine) == ({ada}, "database") and "can't be reached" in note


def test_changes_wait_while_the_server_is_away(now: datetime) -> None:
    factories.profile(now=now)
    with pytest.raises(EngineUnavailable):
        feed_index(connected("http://127.0.0.1:9", "away"))
    assert ProfileFeed.objects.count() == 1


@pytest.mark.parametrize("answer", [{"_shards": {"failed": 1}}, {"timed_out": True, "_shards": {"failed": 0}}])
def test_a_partial_answer_is_refused(answer: dict[str, Any]) -> None:
    with pytest.raises(EngineUnavailable, match="only in part"):
        whole(answer)


def test_an_attribute_the_index_does_not_know_is_asked_of_the_database(cluster: Cluster, now: datetime) -> None:
    rebuild(cluster, home(), now=now)
    factories.put("attribute", "tier", factories.attribute(), now=now)
    ada = factories.profile(now=now, attributes={"tier": "gold"})
    feed_index(cluster)
    gold = {"attribute": "tier", "op": "is", "value": "gold"}
    why = "the database answered for tier: the index was built for an older catalogue, run reindex_audience"
    assert resolved(gold, now) == ({ada}, "database", why)
    assert resolved({"all": [GERMANS, gold]}, now) == (set(), "elasticsearch + database", why)
    assert resolved(GERMANS, now)[1:] == ("elasticsearch", ""), "what the index does know, it answers"
    rebuild(cluster, home(), now=now + timedelta(seconds=1))
    assert resolved(gold, now) == ({ada}, "elasticsearch", "")


def test_an_attribute_that_changed_its_type_is_asked_of_the_database(cluster: Cluster, now: datetime) -> None:
    factories.put("attribute", "tier", factories.attribute(), now=now)
    rebuild(cluster, home(), now=now)
    factories.put("attribute", "tier", factories.attribute(type="number"), now=now)
    ada = factories.profile(now=now, attributes={"tier": 3})
    feed_index(cluster)
    ids, engine, note = resolved({"attribute": "tier", "op": "gt", "value": 2}, now)
    assert (ids, engine) == ({ada}, "database") and "older catalogue" in note


def test_very_long_texts_are_no_trouble_for_the_index(cluster: Cluster, now: datetime) -> None:
    factories.put("attribute", "story", factories.attribute(), now=now)
    ada = factories.profile(now=now, attributes={"story": "Once " + "ß" * 10_000})
    rebuild(cluster, home(), now=now)
    for condition in ({"op": "starts_with", "value": "ONCE ss"}, {"op": "exists"}, {"op": "is_not", "value": "once"}):
        assert resolved({"attribute": "story", **condition}, now)[:2] == ({ada}, "elasticsearch")


def test_a_shard_that_fails_makes_the_whole_answer_worthless(cluster: Cluster, now: datetime) -> None:
    factories.profile(now=now)
    name = rebuild(cluster, home(), now=now).index
    cluster.client.indices.create(index=f"{cluster.prefix}-broken", mappings={"properties": {}})  # knows no id to sort by
    both = Index(cluster.client, f"{name},{cluster.prefix}-broken", {})
    with pytest.raises(EngineUnavailable):
        both.ids(home(), Constant(True))


def test_another_workspace_s_people_are_never_among_the_answers(cluster: Cluster, now: datetime) -> None:
    ada = factories.profile(now=now)
    other = create_workspace("other", "Other").pk
    audience.upsert(other, [audience.ProfileRow(external_id="ben", country="DE")], source="tests", now=now)
    for workspace in (home(), other):
        rebuild(cluster, workspace, now=now)
    feed_index(cluster)
    assert resolved({"everyone": True}, now) == ({ada}, "elasticsearch", "")


# ── out of order ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_older_write_that_arrives_late_changes_nothing(cluster: Cluster, now: datetime) -> None:
    """Two consumers: the first took its row and read the person, then stalls; the second tells a newer state."""
    ada = factories.profile(now=now, external_id="ada", country="DE")
    name = rebuild(cluster, home(), now=now).index
    (row,) = ProfileFeed.objects.all()
    stale = Profile.objects.get(pk=ada)
    ProfileFeed.objects.all().delete()
    audience.upsert(home(), [audience.ProfileRow(external_id="ada", country="FR")], source="tests", now=now)
    feed_index(cluster)
    index_feed._bulk(cluster, [index_feed._write(name, ada, row.pk + 1, stale, {})])
    assert resolved(GERMANS, now)[0] == set()


def test_an_older_write_does_not_bring_an_erased_person_back(cluster: Cluster, now: datetime) -> None:
    ada = factories.profile(now=now, external_id="ada", country="DE")
    name = rebuild(cluster, home(), now=now).index
    (row,) = ProfileFeed.objects.all()
    stale = Profile.objects.get(pk=ada)
    audience.erase(factories.person("cleo", now=now), "ada", now=now)
    feed_index(cluster)
    index_feed._bulk(cluster, [index_feed._write(name, ada, row.pk + 1, stale, {})])
    assert resolved({"everyone": True}, now) == (set(), "elasticsearch", "")


def test_a_row_fed_twice_is_fed_once(cluster: Cluster, now: datetime) -> None:
    ada = factories.profile(now=now, country="DE")
    rebuild(cluster, home(), now=now)
    rows = list(ProfileFeed.objects.values_list("workspace_id", "profile_id", "id"))
    index_feed._tell(cluster, rows)
    index_feed._tell(cluster, rows)
    assert feed_index(cluster) == 1
    assert resolved(GERMANS, now)[0] == {ada}


# ── rebuilding ────────────────────────────────────────────────────────────────────────────────────────────────────


def while_rebuilding(cluster: Cluster, now: datetime, act: Callable[[], None]) -> None:
    """Rebuild, and let `act` happen when the first people have been read but nothing is in use yet."""
    happened: list[int] = []

    def progress(told: int) -> None:
        if not happened:
            happened.append(told)
            act()

    rebuild(cluster, home(), now=now + timedelta(minutes=1), progress=progress)
    assert happened


def test_a_change_during_a_rebuild_is_in_the_new_index(cluster: Cluster, now: datetime) -> None:
    rebuild(cluster, home(), now=now)
    factories.profile(now=now, external_id="ada", country="DE")
    added = []

    def act() -> None:
        audience.upsert(home(), [audience.ProfileRow(external_id="ada", country="FR")], source="tests", now=now)
        added.append(factories.profile(now=now, country="DE"))
        feed_index(cluster)

    while_rebuilding(cluster, now, act)
    assert ProfileFeed.objects.count() == 0
    assert resolved(GERMANS, now) == (set(added), "elasticsearch", "")


def test_a_person_erased_during_a_rebuild_stays_away(cluster: Cluster, now: datetime) -> None:
    rebuild(cluster, home(), now=now)
    factories.profile(now=now, external_id="ada")

    def act() -> None:
        audience.erase(factories.person("cleo", now=now), "ada", now=now)
        feed_index(cluster)

    while_rebuilding(cluster, now, act)
    assert resolved({"everyone": True}, now) == (set(), "elasticsearch", "")


def test_the_old_index_answers_until_the_new_one_is_complete(cluster: Cluster, now: datetime) -> None:
    ada = factories.profile(now=now, country="DE")
    rebuild(cluster, home(), now=now)
    feed_index(cluster)
    seen: list[tuple[set[int], str, str]] = []
    while_rebuilding(cluster, now, lambda: seen.append(resolved(GERMANS, now)))
    assert seen == [({ada}, "elasticsearch", "")]
    assert len(cluster.client.indices.get(index=f"{cluster.prefix}-*").body) == 1


def test_a_rebuild_that_broke_off_is_thrown_away_by_the_next(cluster: Cluster, now: datetime) -> None:
    factories.profile(now=now)

    def power_cut(told: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(cluster, home(), now=now, progress=power_cut)
    done = rebuild(cluster, home(), now=now + timedelta(seconds=1))
    assert list(cluster.client.indices.get(index=f"{cluster.prefix}-*").body) == [done.index]


def test_what_a_rebuild_left_that_died_after_its_index_was_put_in_use_is_swept_away(
    cluster: Cluster, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    rebuild(cluster, home(), now=now)
    sweeps, sweep = [], index_feed._sweep

    def dies_at_the_second(*given: Any) -> None:
        sweeps.append(given)
        if len(sweeps) == 2:
            raise KeyboardInterrupt
        sweep(*given)

    monkeypatch.setattr(index_feed, "_sweep", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        rebuild(cluster, home(), now=now + timedelta(seconds=1))
    assert len(indexes(cluster)) == 2
    monkeypatch.undo()
    assert indexes(cluster)[0] != rebuild(cluster, home(), now=now + timedelta(seconds=2)).index and len(indexes(cluster)) == 1


def indexes(cluster: Cluster) -> list[str]:
    return sorted(cluster.client.indices.get(index=f"{cluster.prefix}-*").body)


def test_a_second_rebuild_takes_over_and_the_first_ends(cluster: Cluster, now: datetime) -> None:
    ada = factories.profile(now=now, country="DE")
    second: list[str] = []

    def begins(told: int) -> None:
        second.append(rebuild(cluster, home(), now=now + timedelta(seconds=1)).index)

    with pytest.raises(EngineUnavailable):
        rebuild(cluster, home(), now=now, progress=begins)
    feed_index(cluster)
    assert indexes(cluster) == second and resolved(GERMANS, now) == ({ada}, "elasticsearch", "")


def test_a_rebuild_that_looked_before_another_was_done_leaves_what_is_in_use(
    cluster: Cluster, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The narrow moment: the later rebuild sees an index that is being built, which is put in use before it can be given up."""
    looked, look = list[str](), index_feed._behind

    def slowly(asked: Cluster, name: str) -> list[str]:
        seen = look(asked, name)
        if name.endswith("-building") and not looked:
            looked.append(name)
            done = rebuild(cluster, home(), now=now + timedelta(seconds=1)).index
            return [done]
        return seen

    monkeypatch.setattr(index_feed, "_behind", slowly)
    last = rebuild(cluster, home(), now=now + timedelta(seconds=2)).index
    assert indexes(cluster) == [last] and list(look(cluster, mapping.alias(cluster.prefix, home()))) == [last]


def test_another_workspace_s_indexes_are_not_swept_away(cluster: Cluster, now: datetime) -> None:
    other = create_workspace("other", "Other").pk
    kept = [rebuild(cluster, workspace, now=now).index for workspace in (home(), other)]
    last = rebuild(cluster, home(), now=now + timedelta(seconds=1)).index
    assert indexes(cluster) == sorted([last, kept[1]])


def test_the_feed_looks_again_when_an_index_is_swept_away_under_it(
    cluster: Cluster, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = factories.profile(now=now, country="DE")
    rebuild(cluster, home(), now=now)
    gone, looks, look = f"{mapping.alias(cluster.prefix, home())}-gone", list[int](), index_feed._indexes

    def looking(asked: Cluster, workspace_id: int) -> dict[str, Any]:
        looks.append(1)
        return {gone: {}} if len(looks) == 1 else look(asked, workspace_id)

    monkeypatch.setattr(index_feed, "_indexes", looking)
    assert feed_index(cluster) == 1
    assert len(looks) == 2 and resolved(GERMANS, now) == ({ada}, "elasticsearch", "")


def test_a_write_to_an_index_that_is_gone_fails_and_does_not_make_one(cluster: Cluster, now: datetime) -> None:
    ada = Profile.objects.get(pk=factories.profile(now=now))
    rebuild(cluster, home(), now=now)
    gone = f"{mapping.alias(cluster.prefix, home())}-gone"
    with pytest.raises(EngineUnavailable, match="index_not_found"):
        index_feed._bulk(cluster, [index_feed._write(gone, ada.pk, 5, ada, {})])


def test_the_command_rebuilds_and_says_how_many(cluster: Cluster, now: datetime, capsys: pytest.CaptureFixture[str]) -> None:
    factories.profiles(3, now=now)
    call_command("reindex_audience")
    call_command("feed_audience")
    told = capsys.readouterr().out
    assert f"3 people, mapping {mapping.version({})}" in told and "3 changes told" in told


def test_without_elasticsearch_the_feed_is_emptied(now: datetime) -> None:
    factories.profiles(3, now=now)
    assert audience.IndexKeeper().keep() == 3 and not ProfileFeed.objects.exists()


def test_the_worker_leaves_a_server_that_is_away_alone(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    away = django_settings.OMNI.model_copy(update={"elasticsearch_url": "http://127.0.0.1:9"})
    monkeypatch.setattr(django_settings, "OMNI", away)
    factories.profile(now=now)
    keeper = audience.IndexKeeper()
    assert keeper.keep() == 0 and keeper._resting_until > 0 and keeper.keep() == 0
    assert ProfileFeed.objects.count() == 1


def test_the_command_without_elasticsearch_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("reindex_audience")
    assert ended.value.code == 3 and "OMNI_ELASTICSEARCH_URL" in capsys.readouterr().err


# ── writers and consumers at the same time ────────────────────────────────────────────────────────────────────────


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_change_that_commits_late_is_not_lost(cluster: Cluster, now: datetime) -> None:
    """A writer holds its transaction open while later changes are written and fed; its row has the lower number."""
    ada, ben = factories.profile(now=now, country="FR"), factories.profile(now=now, country="DE")
    rebuild(cluster, home(), now=now)
    ProfileFeed.objects.all().delete()
    with psycopg.connect(**connection.get_connection_params()) as slow:
        slow.execute("UPDATE audience_profile SET country = 'DE' WHERE id = %s", [ada])
        slow.execute("INSERT INTO audience_profilefeed (workspace_id, profile_id, at) VALUES (%s, %s, %s)", [home(), ada, now])
        ProfileFeed.objects.create(workspace_id=home(), profile_id=ben, at=now)
        assert feed_index(cluster) == 1
        slow.commit()
    assert feed_index(cluster) == 1
    assert resolved(GERMANS, now)[:2] == ({ada, ben}, "elasticsearch")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_consumers_share_the_feed_and_neither_waits(cluster: Cluster, now: datetime) -> None:
    factories.profiles(4, now=now, country="DE")
    rebuild(cluster, home(), now=now)
    taken = "DELETE FROM audience_profilefeed WHERE id IN (SELECT id FROM audience_profilefeed ORDER BY id LIMIT 3 FOR UPDATE SKIP LOCKED)"
    with psycopg.connect(**connection.get_connection_params()) as other:
        assert other.execute(taken).rowcount == 3
        assert feed_index(cluster) == 1
        other.rollback()  # it died: its rows wait again
    assert feed_index(cluster) == 3
