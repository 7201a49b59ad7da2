"""Who a segment is, how many, who for example, and why: the same answer at every door."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from pyroaring import BitMap64

from audience import door as audience
from audience.door import SegmentBody
from governance.door import Invalid, Missing, create_workspace, parse, submit
from tests import factories
from tests.audience.world import make_catalogue, people
from tests.laws.rules_drawn import rules

pytestmark = pytest.mark.django_db


def body(rule: Any) -> SegmentBody:
    return parse(SegmentBody, factories.segment(rule=rule))


def home() -> int:
    return factories.workspace().pk


def attribute(name: str, kind: str, now: datetime, **more: Any) -> None:
    factories.put("attribute", name, factories.attribute(type=kind, title=f"The {name}", **more), now=now)


def released(key: str, rule: Any, now: datetime) -> None:
    factories.put("segment", key, factories.segment(rule=rule), now=now)
    factories.release("segment", key, now=now)


def ids(rule: Any, now: datetime) -> set[int]:
    found = audience.resolve(home(), body(rule), as_of=now)
    assert found.count == len(found.ids) == audience.count(home(), body(rule), as_of=now)
    return set(found.ids)


def did(profile: int, name: str, at: datetime, now: datetime, **properties: Any) -> None:
    event = audience.NewEvent(f"{name}-{profile}-{at.isoformat()}", name, profile, at, properties)
    assert audience.record(home(), [event], now=now).accepted == 1


def test_everyone_is_everyone_of_this_workspace(now: datetime) -> None:
    ada, ben = factories.profiles(2, now=now)
    assert ids({"everyone": True}, now) == {ada, ben}
    elsewhere = create_workspace("other", "Other").pk
    assert audience.count(elsewhere, body({"everyone": True}), as_of=now) == 0


def test_erased_people_are_in_no_segment(now: datetime) -> None:
    ada, ben = factories.profile(now=now, external_id="ada"), factories.profile(now=now)
    audience.erase(factories.person("cleo", now=now), "ada", now=now)
    assert ids({"everyone": True}, now) == {ben}
    assert ids({"none": [{"profile": "country", "op": "is", "value": "FR"}]}, now) == {ben}
    assert ada not in audience.matching(home(), {"everyone": True}, [ada, ben], as_of=now)


def test_text_is_compared_without_case_and_in_one_unicode_form(now: datetime) -> None:
    attribute("city", "text", now)
    ada = factories.profile(now=now, attributes={"city": "STRASSE E\u0301toile"})
    assert ids({"attribute": "city", "op": "is", "value": "straße étoile"}, now) == {ada}


def test_wildcards_are_ordinary_characters(now: datetime) -> None:
    attribute("code", "text", now)
    percent = factories.profile(now=now, attributes={"code": "50%_off*"})
    factories.profile(now=now, attributes={"code": "50 coins off"})
    for op, value in (("contains", "%"), ("contains", "_off*"), ("starts_with", "50%"), ("is", "50%_OFF*")):
        assert ids({"attribute": "code", "op": op, "value": value}, now) == {percent}
    assert ids({"attribute": "code", "op": "contains", "value": "*"}, now) == {percent}


def test_what_is_missing_matches_no_comparison_but_every_is_not(now: datetime) -> None:
    attribute("spent", "number", now)
    known, unknown = factories.profile(now=now, attributes={"spent": 5}), factories.profile(now=now)
    assert ids({"attribute": "spent", "op": "lt", "value": 10}, now) == {known}
    assert ids({"attribute": "spent", "op": "is_not", "value": 7}, now) == {known, unknown}
    assert ids({"attribute": "spent", "op": "missing"}, now) == {unknown}


def test_relative_days_count_from_the_moment_of_asking(now: datetime) -> None:
    attribute("born", "date", now)
    ada = factories.profile(now=now, attributes={"born": "2026-02-28"})
    last_two_days = {"attribute": "born", "op": "in_last", "value": {"amount": 2, "unit": "days"}}
    assert ids(last_two_days, now) == {ada}  # 2 March: 28 February, 1 and 2 March
    assert ids(last_two_days, now + timedelta(days=1)) == set()
    assert ids({"attribute": "born", "op": "more_than_ago", "value": {"amount": 2, "unit": "days"}}, now + timedelta(days=1)) == {ada}


def test_events_are_counted_in_their_window_with_their_properties(now: datetime) -> None:
    often, once, never = factories.profiles(3, now=now)
    for days, total in ((1, 60), (2, 80), (40, 90)):
        did(often, "purchase", now - timedelta(days=days), now, total=total)
    did(once, "purchase", now - timedelta(days=3), now, total=70)
    within = {"last": 30, "unit": "days"}
    assert ids({"event": "purchase", "count": 2, "within": within}, now) == {often}
    assert ids({"event": "purchase", "op": "exactly", "count": 1, "within": within}, now) == {once}
    assert ids({"event": "purchase", "op": "never"}, now) == {never}
    assert ids({"event": "purchase", "op": "at_most", "count": 1, "within": within}, now) == {once, never}
    assert ids({"event": "purchase", "where": [{"property": "total", "op": "gt", "value": 75}]}, now) == {often}


def test_consent_asks_for_the_topic_and_against_the_whole_channel(now: datetime) -> None:
    yes = factories.profile(now=now)
    factories.profile(now=now, consents=(("email", "offers", "subscribed"), ("email", "*", "unsubscribed")))
    factories.profile(now=now, consents=())
    assert ids({"consent": {"channel": "email", "topic": "offers"}}, now) == {yes}


def test_reachable_asks_for_an_address(now: datetime) -> None:
    mail = factories.profile(now=now)
    text = factories.profile(now=now, email=None, phone="+4915112345678")
    assert ids({"reachable": "email"}, now) == {mail} and ids({"reachable": "sms"}, now) == {text}


def test_a_released_segment_is_read_as_released_and_a_preview_as_drafted(now: datetime) -> None:
    german, french = factories.profile(now=now, country="DE"), factories.profile(now=now, country="FR")
    released("home", {"profile": "country", "op": "is", "value": "DE"}, now)
    factories.put("segment", "home", factories.segment(rule={"profile": "country", "op": "is", "value": "FR"}), now=now)
    assert set(audience.resolve(home(), "home", as_of=now).ids) == {german}
    assert set(audience.resolve(home(), body({"segment": "home"}), as_of=now).ids) == {german}
    assert set(audience.resolve(home(), body({"segment": "home"}), as_of=now, drafts=True).ids) == {french}


def test_a_segment_that_was_never_released_can_not_be_resolved(now: datetime) -> None:
    factories.put("segment", "draft", factories.segment(), now=now)
    with pytest.raises(Missing):
        audience.resolve(home(), "draft", as_of=now)
    with pytest.raises(Invalid, match="/rule/segment"):
        audience.resolve(home(), body({"segment": "draft"}), as_of=now)


def test_an_unknown_attribute_is_an_error_and_never_an_empty_audience(now: datetime) -> None:
    with pytest.raises(Invalid, match="/rule/attribute"):
        audience.count(home(), body({"attribute": "tier", "op": "is", "value": "gold"}), as_of=now)


def test_the_sample_is_the_same_at_every_look_and_says_why(now: datetime) -> None:
    factories.profiles(30, now=now, country="DE")
    rule = body({"all": [{"profile": "country", "op": "is", "value": "DE"}, {"none": [{"reachable": "sms"}]}]})
    first = audience.sample(home(), rule, 5, as_of=now)
    assert [one.person.id for one in first] == [one.person.id for one in audience.sample(home(), rule, 5, as_of=now)]
    assert len(first) == 5 and first[0].why == ("whose country is “DE”", "not: who can be reached by SMS")
    assert [one.person.id for one in first[:3]] == [one.person.id for one in audience.sample(home(), rule, 3, as_of=now)]


def test_the_sample_does_not_begin_with_the_oldest_people(now: datetime) -> None:
    everyone = factories.profiles(200, now=now)
    drawn = {one.person.id for one in audience.sample(home(), body({"everyone": True}), 20, as_of=now)}
    assert drawn != set(everyone[:20]) and max(drawn) > everyone[100]


# ── why ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_explanation_names_the_condition_that_decided(now: datetime) -> None:
    attribute("tier", "text", now)
    ada = factories.profile(now=now, country="DE", attributes={"tier": "Silver"})
    rule = body({"all": [{"profile": "country", "op": "is", "value": "DE"}, {"attribute": "tier", "op": "is", "value": "gold"}]})
    told = audience.explain(home(), rule, ada, as_of=now)
    assert not told.matched
    (decided,) = told.deciding()
    assert (decided.path, decided.sentence) == ("/rule/all/1", "whose The tier is “gold”")
    assert decided.facts == {"value": "Silver"}


def test_an_explanation_walks_into_other_segments(now: datetime) -> None:
    ada = factories.profile(now=now, country="DE")
    released("germans", {"any": [{"profile": "country", "op": "is", "value": "DE"}, {"reachable": "sms"}]}, now)
    told = audience.explain(home(), body({"none": [{"segment": "germans"}]}), ada, as_of=now)
    assert not told.matched and [one.sentence for one in told.deciding()] == ["whose country is “DE”"]


def test_an_explanation_counts_events_and_tells_consent(now: datetime) -> None:
    ada = factories.profile(now=now)
    did(ada, "visit", now - timedelta(days=1), now)
    rule = body({"any": [{"event": "visit", "count": 2}, {"consent": {"channel": "email", "topic": "offers"}}]})
    visits, offers = audience.explain(home(), rule, ada, as_of=now).children
    assert visits.facts == {"times": 1, "last": now - timedelta(days=1)} and not visits.matched
    assert offers.facts == {"offers": "subscribed"} and offers.decided


def test_an_explanation_shows_no_address_and_no_sensitive_value(now: datetime) -> None:
    attribute("illness", "text", now, sensitivity="sensitive")
    ada = factories.profile(now=now, attributes={"illness": "gout"})
    rule = body({"any": [{"attribute": "illness", "op": "exists"}, {"profile": "email", "op": "exists"}]})
    told = audience.explain(home(), rule, ada, as_of=now)
    assert [one.facts["value"] for one in told.children] == ["known, not shown"] * 2


def test_nobody_can_be_explained_who_is_not_there(now: datetime) -> None:
    with pytest.raises(Missing):
        audience.explain(home(), body({"everyone": True}), 12345, as_of=now)


def test_explanations_and_rechecks_agree_with_the_audience(now: datetime) -> None:
    make_catalogue()
    crowd = [person.pk for person in people(home(), seed=3, size=40) if person.gone_at is None]
    released("one", {"profile": "country", "op": "is", "value": "DE"}, now)
    released("two", {"any": [{"segment": "one"}, {"attribute": "vip", "op": "is", "value": True}]}, now)

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(rules)
    def holds(rule: dict[str, Any]) -> None:
        segment = body(rule)
        expected = set(audience.resolve(home(), segment, as_of=now).ids)
        assert set(audience.matching(home(), segment, crowd[::2], as_of=now)) == expected & set(crowd[::2])
        for person in crowd[:4]:
            told = audience.explain(home(), segment, person, as_of=now)
            assert told.matched == (person in expected)
            assert told.deciding() and told.decided
        for one in audience.sample(home(), segment, 3, as_of=now):
            assert one.person.id in expected and one.why

    holds()


# ── rechecks and triggers ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_recheck_looks_only_at_the_given_people(now: datetime) -> None:
    ada, ben, _ = factories.profiles(3, now=now)
    assert audience.matching(home(), {"everyone": True}, BitMap64([ada, ben, 10**12]), as_of=now) == BitMap64([ada, ben])


def test_a_trigger_s_rule_may_ask_about_the_event(now: datetime) -> None:
    ada = factories.profile(now=now, country="DE")
    rule = {"all": [{"profile": "country", "op": "is", "value": "DE"}, {"trigger": {"property": "city", "op": "is", "value": "ROMA"}}]}
    assert audience.matching(home(), rule, [ada], as_of=now, event={"city": "Roma"}) == BitMap64([ada])
    assert not audience.matching(home(), rule, [ada], as_of=now, event={"city": "Paris"})
    assert not audience.matching(home(), rule, [ada], as_of=now, event={})


def test_without_an_event_a_trigger_s_condition_is_refused(now: datetime) -> None:
    with pytest.raises(Invalid, match="/rule/trigger"):
        audience.matching(home(), {"trigger": {"property": "city", "op": "missing"}}, [1], as_of=now)


# ── snapshots and approval ────────────────────────────────────────────────────────────────────────────────────────


def test_a_snapshot_keeps_who_was_in(now: datetime) -> None:
    ada, ben = factories.profiles(2, now=now)
    released("all", {"everyone": True}, now)
    kept = audience.take_snapshot(home(), "all", as_of=now)
    factories.profile(now=now)
    assert audience.snapshot_ids(kept) == BitMap64([ada, ben])
    assert (kept.count, kept.engine, kept.note) == (2, "database", "")


def test_every_released_segment_is_kept_once_a_day_and_tells_how_it_grew(now: datetime) -> None:
    ada, _ = factories.profiles(2, now=now)
    released("all", {"everyone": True}, now)
    released("britons", {"profile": "country", "op": "is", "value": "GB"}, now)
    factories.put("segment", "draft", factories.segment(), now=now)

    def keep_all(at: datetime) -> int:
        keeper, taken = audience.SnapshotKeeper(), 0
        while keeper.keep(now=at):
            taken += 1
        return taken

    assert keep_all(now) == 2
    assert keep_all(now + timedelta(hours=3)) == 0, "once a day, whichever worker asks"
    assert audience.growth(home(), "all") == audience.Growth([(now.date(), 2)])
    assert audience.growth(home(), "draft") == audience.Growth([])

    factories.profiles(3, now=now, country="PT")
    audience.erase(factories.person("cleo", now=now), audience.load(home(), [ada])[0].external_id, now=now)
    tomorrow = now + timedelta(days=1)
    assert keep_all(tomorrow) == 2
    assert audience.growth(home(), "all") == audience.Growth([(now.date(), 2), (tomorrow.date(), 4)], entered=3, left=1)
    assert audience.growth(home(), "britons") == audience.Growth([(now.date(), 2), (tomorrow.date(), 1)], entered=0, left=1)

    much_later = now + timedelta(days=60)
    keep_all(much_later)
    told = audience.growth(home(), "all")
    assert [count for _, count in told.days] == [2, 4, 4] and told.entered is None, "who was in so long ago is no longer kept"


def test_an_approver_is_told_how_many_people_a_draft_reaches(now: datetime) -> None:
    factories.profiles(3, now=now)
    factories.put("segment", "all", factories.segment(), now=now)
    assert submit(factories.person("ada", now=now), "segment", "all", number=1, note="", now=now).reach == 3
