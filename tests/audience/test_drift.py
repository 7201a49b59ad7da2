"""The index is held against the database: whoever is missing, too many or different is found, without a word of theirs."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from django.core.management import call_command

from audience import door as audience
from audience import drift, index_feed
from audience.backends import index_documents
from audience.backends.elasticsearch import Cluster
from audience.index_feed import feed_index, rebuild
from audience.models import Profile, ProfileFeed
from governance.door import default_workspace
from tests import factories
from tests.audience.world import make_catalogue, people

pytestmark = [pytest.mark.django_db, pytest.mark.elasticsearch]


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "PAUSE", 0)


def home() -> int:
    return factories.workspace().pk


def compared(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    capsys.readouterr()
    try:
        call_command("audience_drift", *words)
        status = 0
    except SystemExit as ended:
        status = int(ended.code or 0)
    said = capsys.readouterr()
    return status, said.out + said.err


def in_json(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(compared(capsys, "--json", *words)[1])
    return found


def behind_the_feeds_back(**changes: object) -> None:
    """Changes that the feed hears nothing of."""
    Profile.objects.filter(external_id="ada").update(**changes)


def test_whatever_people_are_like_an_index_just_built_has_not_drifted(
    cluster: Cluster, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    """150 awkward people: signed zeros, folded letters, lists with repeats, values of another type than the catalogue's."""
    make_catalogue()
    people(default_workspace().pk, seed=7, size=150)
    rebuild(cluster, home(), now=now)
    status, said = compared(capsys, "--everyone")
    assert status == 0 and "No drift." in said, said


def test_a_catalogue_of_very_many_attributes_is_compared_whole(cluster: Cluster, now: datetime, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(100):
        factories.put("attribute", f"a{number:03}", factories.attribute(), now=now)
    factories.profile(now=now, external_id="ada", attributes={f"a{number:03}": f"v{number}" for number in range(100)})
    rebuild(cluster, home(), now=now)
    feed_index(cluster)
    assert compared(capsys)[0] == 0
    behind_the_feeds_back(folded={f"a{number:03}": f"v{number % 99}" for number in range(100)})
    assert in_json(capsys)["fields"] == {"text.a099": 1}


def test_who_differs_is_counted_by_field_and_no_value_is_told(cluster: Cluster, now: datetime, capsys: pytest.CaptureFixture[str]) -> None:
    factories.put("attribute", "tier", factories.attribute(), now=now)
    factories.profiles(5, now=now)
    factories.profile(now=now, external_id="ada", country="DE", attributes={"tier": "gold"})
    rebuild(cluster, home(), now=now)
    feed_index(cluster)
    behind_the_feeds_back(country="FR", folded={"tier": "silver"}, email_key=None)
    status, said = compared(capsys)
    assert status == 1 and "6 compared" in said and "Drift: 0 missing, 0 that the database hasn't got, 1 different" in said
    assert all(f"  {name}: 1" in said for name in ("country", "text.tier", "email_key"))
    assert not any(word in said for word in ("ada", "FR", "DE", "gold", "silver", "example.com"))


def test_the_missing_and_the_ghosts_are_found_whatever_the_sample(
    cluster: Cluster, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    ada, ben = factories.profile(now=now, external_id="ada"), factories.profile(now=now)
    never = factories.profile(now=now)
    rebuild(cluster, home(), now=now)
    ProfileFeed.objects.all().delete()
    behind_the_feeds_back(gone_at=now)
    Profile.objects.filter(pk=never).delete()
    added = factories.profile(now=now)
    ProfileFeed.objects.all().delete()
    assert (ada, ben, added) and in_json(capsys, "--sample", "0") | {"seed": 0, "version": ""} == {
        "people": 2, "indexed": 3, "compared": 0, "missing": 1, "extra": 2, "different": 0, "fields": {}, "waiting": 0, "queued": 0,
        "seed": 0, "version": "", "older_catalogue": False,
    }  # fmt: skip


def test_what_waits_in_the_feed_is_not_drift(cluster: Cluster, now: datetime, capsys: pytest.CaptureFixture[str]) -> None:
    factories.profile(now=now, external_id="ada", country="DE")
    rebuild(cluster, home(), now=now)
    feed_index(cluster)
    audience.upsert(home(), [audience.ProfileRow(external_id="ada", country="FR")], source="tests", now=now)
    factories.profile(now=now)
    status, said = compared(capsys)
    assert status == 0 and "2 changes wait in the feed" in said and "0 compared" in said


def test_a_change_that_arrives_while_it_is_compared_is_not_drift(
    cluster: Cluster, now: datetime, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.profile(now=now, external_id="ada", country="DE")
    rebuild(cluster, home(), now=now)
    feed_index(cluster)
    looks, look = list[int](), index_documents.indexed

    def slowly(*given: object) -> object:
        seen = look(*given)  # type: ignore[arg-type]
        if not looks:
            audience.upsert(home(), [audience.ProfileRow(external_id="ada", country="FR")], source="tests", now=now)
            feed_index(cluster)
        looks.append(1)
        return seen

    monkeypatch.setattr(drift, "indexed", slowly)
    assert compared(capsys)[0] == 0 and len(looks) == 2


def test_repair_queues_everybody_who_differs_and_then_nobody_does(
    cluster: Cluster, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    factories.profile(now=now, external_id="ada", country="DE")
    ghost = factories.profile(now=now)
    rebuild(cluster, home(), now=now)
    feed_index(cluster)
    Profile.objects.filter(pk=ghost).delete()
    factories.profile(now=now)
    ProfileFeed.objects.all().delete()
    behind_the_feeds_back(country="FR")
    status, said = compared(capsys, "--repair")
    assert status == 1 and "3 people were queued" in said and "reindex" not in said
    assert feed_index(cluster) == 3
    assert compared(capsys, "--everyone")[0] == 0


def test_an_index_fed_by_a_later_copy_of_the_database_can_only_be_rebuilt(
    cluster: Cluster, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    ada = factories.profile(now=now, external_id="ada", country="DE")
    built = rebuild(cluster, home(), now=now)
    feed_index(cluster)
    later = Profile.objects.get(pk=ada)
    later.country = "FR"
    index_feed._bulk(cluster, [index_feed._write(built.index, ada, 10**12, later, {})])
    status, said = compared(capsys, "--repair")
    assert status == 1 and "later versions of 1 of them" in said and "only reindex_audience helps" in said


def test_an_index_of_an_older_catalogue_is_no_drift_but_said(cluster: Cluster, now: datetime, capsys: pytest.CaptureFixture[str]) -> None:
    rebuild(cluster, home(), now=now)
    factories.put("attribute", "tier", factories.attribute(), now=now)
    factories.profile(now=now, attributes={"tier": "gold"})
    feed_index(cluster)
    status, said = compared(capsys)
    assert status == 0 and "No drift." in said and "built for an older catalogue" in said


def test_one_seed_draws_one_sample(cluster: Cluster, now: datetime, capsys: pytest.CaptureFixture[str]) -> None:
    numbers = factories.profiles(40, now=now)
    rebuild(cluster, home(), now=now)
    ProfileFeed.objects.all().delete()
    Profile.objects.filter(pk__in=numbers[::2]).update(country="FR")
    found = [in_json(capsys, "--sample", "10", "--seed", seed)["different"] for seed in ("5", "5")]
    assert found[0] == found[1] and 0 < int(str(found[0])) <= 10


@pytest.mark.parametrize("words", [(), ("--repair",)])
def test_without_an_index_there_is_nothing_to_compare(
    cluster: Cluster, now: datetime, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    status, said = compared(capsys, *words)
    assert status == 3 and "there is no index yet: run reindex_audience" in said


def test_a_sample_is_a_number_of_people(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = compared(capsys, "--sample", "-1")
    assert status == 2 and "--sample: found -1" in said
