"""A segment's pages: what it shares, who a release would move, and what sort of people it has."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from audience import door as audience
from audience.models import Snapshot
from governance import door as governance
from governance.door import User
from tests import factories

pytestmark = pytest.mark.django_db
BRITONS = {"profile": "country", "op": "is", "value": "GB"}
GERMANS = {"profile": "country", "op": "is", "value": "DE"}


def page(who: str, address: str, *, now: datetime, status: int = 200, part: bool = False, target: str = "") -> str:
    factories.person(who, now=now)
    client = Client()
    client.force_login(User.objects.get(username=who))
    answer = client.get(address, headers={"HX-Request": "true", "HX-Target": target} if part else {})
    assert answer.status_code == status, answer.content[:2_000]
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<(svg|script|style)\b.*?</\1>", " ", answer.content.decode(), flags=re.S)).split())


def home() -> int:
    return factories.workspace().pk


def released(key: str, rule: Any, now: datetime) -> None:
    factories.in_force("segment", key, factories.segment(title=key.capitalize(), rule=rule), now=now)


@pytest.fixture
def crowd(db: None, now: datetime) -> None:
    """Three Britons, one of them with a phone, two Germans and somebody from nowhere; Britons and everybody with a phone are released."""
    factories.put("attribute", "tier", factories.attribute(title="Tier"), now=now)
    factories.put("attribute", "illness", factories.attribute(title="Illness", sensitivity="sensitive"), now=now)
    factories.profile(now=now, country="GB", phone="+447400123451", email="bea@example.com", attributes={"tier": "Gold", "illness": "gout"})
    factories.profile(now=now, country="GB", email="bob@example.com", attributes={"tier": "gold"})
    factories.profile(now=now, country="GB", email="bill@example.com")
    factories.profiles(2, now=now, country="DE", domain="example.de", attributes={"tier": "silver"})
    factories.profile(now=now, country=None, email="nemo@example.com")
    released("britons", BRITONS, now)
    released("texted", {"reachable": "sms"}, now)
    released("everyone", {"everyone": True}, now)


# ── what it shares ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_segment_s_page_tells_what_it_shares_with_every_other(crowd: None, now: datetime) -> None:
    said = page("vera", "/console/segments/britons/overlap/", now=now, part=True)
    assert "Everyone 3 100 % 50.0 % of 6" in said and "Texted 1 33.3 % 100 % of 1" in said
    assert "Britons" not in said


def test_a_draft_that_can_not_be_counted_says_why(crowd: None, now: datetime) -> None:
    factories.put("segment", "britons", factories.segment(rule={"attribute": "shoe_size", "op": "is", "value": "9"}), now=now)
    for part in ("overlap", "change"):
        assert "/rule/attribute" in page("vera", f"/console/segments/britons/{part}/", now=now, part=True)
    factories.put("segment", "odd", factories.segment(rule={"attribute": "shoe_size", "op": "is", "value": "9"}), now=now)
    assert "can’t be counted" in page("vera", "/console/segments/odd/explore/", now=now, part=True)


def test_segments_are_compared_each_with_each(crowd: None, now: datetime) -> None:
    said = page("vera", "/console/compare/segments/", now=now)
    assert "In at least one 6 In every one 1" in said
    britons, everyone, texted = (said.split(f" {title} just now ")[1] for title in ("Britons", "Everyone", "Texted"))
    assert britons.startswith("3 – 3 100 % 1 33.3 %")
    assert everyone.startswith("6 3 50.0 % – 1 16.7 %")
    assert texted.startswith("1 1 100 % 1 100 % –")
    two = page("vera", "/console/compare/segments/?of=texted&of=britons&of=nothing", now=now)
    assert "In at least one 3 In every one 1" in two
    assert "Choose two segments or more" in page("vera", "/console/compare/segments/?of=texted", now=now)


def test_too_many_segments_for_one_matrix_are_refused_in_words(crowd: None, now: datetime) -> None:
    for number in range(10):
        released(f"more-{number}", BRITONS, now)
    asked = "&".join(f"of=more-{number}" for number in range(10))
    said = page("vera", f"/console/compare/segments/?{asked}&of=britons&of=texted&of=everyone", now=now)
    assert "13 segments are chosen, and a matrix holds 12" in said


# ── if it were released ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_draft_s_page_tells_who_would_enter_and_leave_and_why(crowd: None, now: datetime) -> None:
    assert "If this were released" not in page("vera", "/console/segments/britons/preview/", now=now)
    factories.put("segment", "britons", factories.segment(rule={"any": [GERMANS, {"all": [BRITONS, {"reachable": "sms"}]}]}), now=now)
    assert "If this were released" in page("vera", "/console/segments/britons/preview/", now=now)
    said = page("ada", "/console/segments/britons/change/", now=now, part=True)
    assert "Today 3" in said and "Would enter 2" in said and "Would leave 2" in said and "After release 3" in said
    entering, leaving = said.split("Some who would leave")
    assert "@example.de" in entering and "whose country is “DE”" in entering
    assert "bob@example.com" in leaving and "not: who can be reached by SMS" in leaving and "bea@example.com" not in said


def test_a_draft_that_finds_the_same_people_says_so(crowd: None, now: datetime) -> None:
    factories.put("segment", "britons", factories.segment(rule={"any": [BRITONS, BRITONS]}), now=now)
    assert "Nobody would enter or leave" in page("vera", "/console/segments/britons/change/", now=now, part=True)


def test_before_the_first_release_everybody_would_be_new(crowd: None, now: datetime) -> None:
    factories.put("segment", "germans", factories.segment(rule=GERMANS), now=now)
    assert "everybody whom the draft finds would be new" in page("vera", "/console/segments/germans/change/", now=now, part=True)


# ── what a reviewer is asked ──────────────────────────────────────────────────────────────────────────────────────


def asked_for(key: str, now: datetime) -> str:
    """The page on which somebody decides on the last draft of a segment."""
    number = governance.document(home(), "segment", key).latest.number
    return f"/console/approvals/{governance.submit(factories.person('ada', now=now), 'segment', key, number=number, now=now).pk}/"


def moved_at(address: str, key: str, now: datetime) -> str:
    """Where the page of a request has whom one of its segments brings in and loses."""
    factories.person("ben", now=now)
    client = Client()
    client.force_login(User.objects.get(username="ben"))
    return next(iter(re.findall(rf'hx-get="(/console/segments/{key}/change/of/\d+/)"', client.get(address).content.decode())), "")


def test_a_reviewer_sees_who_would_enter_and_leave_as_it_was_submitted(crowd: None, now: datetime) -> None:
    factories.put("segment", "britons", factories.segment(rule={"any": [GERMANS, {"all": [BRITONS, {"reachable": "sms"}]}]}), now=now)
    part = moved_at(asked_for("britons", now), "britons", now)
    factories.put("segment", "britons", factories.segment(rule={"everyone": True}), now=now)
    said = page("ben", part, now=now, part=True)
    assert "Today 3" in said and "Would enter 2" in said and "Would leave 2" in said and "After release 3" in said
    assert "bob@example.com" in said and "not: who can be reached by SMS" in said and "bea@example.com" not in said
    masked = page("vera", part, now=now, part=True)
    assert "Would enter 2" in masked and "b…@example.com" in masked and "bob@" not in masked


def test_a_segment_that_goes_along_is_read_as_it_was_submitted_too(crowd: None, now: datetime) -> None:
    released("guests", {"segment": "britons"}, now)
    factories.put("segment", "britons", factories.segment(rule=GERMANS), now=now)
    factories.put("segment", "guests", factories.segment(rule={"all": [{"segment": "britons"}, {"everyone": True}]}), now=now)
    address = asked_for("guests", now)
    factories.put("segment", "britons", factories.segment(rule={"everyone": True}), now=now)
    for key in ("guests", "britons"):
        said = page("ben", moved_at(address, key, now), now=now, part=True)
        assert "Today 3" in said and "Would enter 2" in said and "After release 2" in said


def test_a_reviewer_of_a_new_segment_sees_how_many_are_new_and_some_of_them(crowd: None, now: datetime) -> None:
    factories.put("segment", "germans", factories.segment(rule=GERMANS), now=now)
    said = page("ben", moved_at(asked_for("germans", now), "germans", now), now=now, part=True)
    assert "the 2 people whom it finds now would all be new" in said and "@example.de" in said


def test_what_is_in_force_or_not_asked_for_moves_nobody(crowd: None, now: datetime) -> None:
    factories.put("segment", "britons", factories.segment(rule=GERMANS), now=now)
    address = asked_for("britons", now)
    part = moved_at(address, "britons", now)
    page("ben", part.replace("britons", "texted"), now=now, part=True, status=422)
    page("ben", part.replace("britons", "texted"), now=now, status=404)
    governance.withdraw(factories.person("ada", now=now), int(address.split("/")[3]), now=now)
    assert not moved_at(address, "britons", now)


TIERED = {"any": [{"attribute": "tier", "op": "in", "value": ["gold", "silver"]}, {"reachable": "sms"}]}


def leaving(rule: Any, now: datetime, *, who: str = "ben") -> str:
    """What the page says of those who would leave the segment "tiered" by another rule."""
    factories.put("segment", "tiered", factories.segment(title="Tiered", rule=rule), now=now)
    return page(who, "/console/segments/tiered/change/", now=now, part=True).partition("Some who would leave")[2]


def test_who_would_leave_is_told_what_brought_each_in(crowd: None, now: datetime) -> None:
    released("tiered", TIERED, now)
    said = leaving({"any": [{"attribute": "tier", "op": "is", "value": "gold"}, {"reachable": "sms"}]}, now)
    assert said.startswith(" 2 of 2 All of these: Was in by Tier: silver, which no longer counts.") and "Why" not in said
    said = leaving({"any": [{"attribute": "tier", "op": "is", "value": "bronze"}, GERMANS]}, now)
    assert "bea@example.com United Kingdom" in said and "Was in by Tier: Gold and who can be reached by SMS, which no longer count" in said
    assert "Was in by Tier: gold, which no longer counts" in said, "bob has no phone"


def test_who_would_leave_is_told_what_everybody_must_fulfil_now(crowd: None, now: datetime) -> None:
    released("tiered", TIERED, now)
    said = leaving({"all": [TIERED, GERMANS]}, now)
    assert "not: whose country is “DE” (Country: GB)" in said and "no longer counts" not in said
    assert "Left out now: who can be reached by SMS" in leaving({"all": [TIERED, {"none": [{"reachable": "sms"}]}]}, now)


def test_what_a_viewer_may_not_see_stays_untold_in_why_somebody_would_leave(crowd: None, now: datetime) -> None:
    released("tiered", {"any": [{"attribute": "illness", "op": "exists"}, GERMANS]}, now)
    assert "Illness: gout" in leaving(GERMANS, now, who="cleo")
    assert "gout" not in (said := leaving(GERMANS, now, who="vera")) and "whose Illness is known" in said


def test_a_reviewer_sees_what_else_would_change_with_its_people_today_and_after(crowd: None, now: datetime) -> None:
    factories.spring_sale(now=now)
    released("guests", {"segment": "britons"}, now)
    released("texting-guests", {"all": [{"segment": "guests"}, {"reachable": "sms"}]}, now)
    factories.in_force("campaign", "spring-sale", factories.campaign(title="Spring sale", segment="guests"), now=now)
    factories.put("segment", "drafted", factories.segment(title="Drafted", rule={"segment": "britons"}), now=now)
    factories.put("segment", "britons", factories.segment(title="Britons", rule=GERMANS), now=now)
    address = asked_for("britons", now)
    part = moved_at(address, "britons", now)
    assert "Also affected" in page("ben", address, now=now) and "Also affected" in page("ben", part, now=now, part=True)
    said = page("vera", f"{part}affected/", now=now, part=True)
    assert "Guests Segment 3 2" in said and "Texting-guests Segment, by “Guests” 1 0" in said
    assert "Spring sale Campaign, by “Guests” 3 2" in said and "Drafted Segment Not in force yet" in said
    page("vera", f"{part.replace('britons', 'texted')}affected/", now=now, status=404)


def test_of_what_goes_along_nothing_is_told_as_also_affected(crowd: None, now: datetime) -> None:
    factories.put("segment", "britons", factories.segment(rule=GERMANS), now=now)
    factories.put("segment", "guests", factories.segment(rule={"segment": "britons"}), now=now)
    address = asked_for("guests", now)
    assert "Also affected" not in page("ben", moved_at(address, "britons", now), now=now, part=True)


def test_a_request_for_a_segment_has_one_headline(crowd: None, now: datetime) -> None:
    factories.put("segment", "britons", factories.segment(rule=GERMANS), now=now)
    address = asked_for("britons", now)
    part = moved_at(address, "britons", now)
    assert "3 → 2 people 3 leave, 2 enter." in page("ben", part, now=now, part=True)
    assert "→" not in page("ben", part, now=now), "beside the card only where a page around it has the place"
    assert page("ben", f"{address}reach/", now=now, part=True) == "The draft finds as many as when it was submitted."
    factories.profiles(1, now=now, country="DE")
    assert page("ben", f"{address}reach/", now=now, part=True).startswith(
        "The draft finds 3 people now; 2 when it was submitted, 50 % more now."
    )


# ── beside the builder ────────────────────────────────────────────────────────────────────────────────────────────


def look(part: str, rule: dict[str, str], *, now: datetime, key: str = "") -> str:
    """What stands beside the builder for the fields of a rule, saved or not."""
    factories.person("vera", now=now)
    client = Client()
    client.force_login(User.objects.get(username="vera"))
    answer = client.post(f"/console/look/segments/{part}/?key={key}", {f"/rule/of/0/{name}": value for name, value in rule.items()})
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<svg.*?</svg>", " ", answer.content.decode(), flags=re.S)).split())


def test_the_builder_tells_what_an_unsaved_rule_shares_and_whom_it_would_move(crowd: None, now: datetime) -> None:
    rule = {"subject": "profile:country", "op": "in", "values": "GB\nDE"}
    said = look("overlap", rule, now=now, key="britons")
    assert "Everyone 5 100 % of this one, 83.3 % of the 6 there" in said and "Britons" not in said
    assert "Britons 3 60.0 % of this one" in look("overlap", rule, now=now)
    said = look("change", rule, now=now, key="britons")
    assert "Today 3 Would enter 2 Would leave 0 After release 5" in said and "c…@example.de" in said
    said = look("change", {"subject": "profile:country", "op": "is", "value": "DE"}, now=now, key="britons")
    assert "b…@example.com" in said and "bob@" not in said
    assert "everybody whom the rule finds would be new" in look("change", rule, now=now)


def test_a_rule_that_is_not_complete_says_so_beside_the_builder(crowd: None, now: datetime) -> None:
    for part in ("overlap", "change"):
        said = look(part, {"subject": "profile:country", "op": "is", "value": "Narnia"}, now=now, key="britons")
        assert said.startswith("Condition 1 (Country) : Narnia; expected") and "/rule" not in said
    assert "segment" in look("change", {"subject": "everyone"}, now=now, key="there-is-none").casefold()


def beside(part: str, fields: dict[str, str], *, now: datetime, key: str = "britons") -> str:
    """The answer to one of the looks beside the builder, as HTML."""
    factories.person("vera", now=now)
    client = Client()
    client.force_login(User.objects.get(username="vera"))
    answer = client.post(f"/console/look/segments/{part}?key={key}", fields)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def nested(*conditions: dict[str, str]) -> dict[str, str]:
    """The fields of a rule with one condition and, as its second, a group with these."""
    fields = {"/rule/word": "all", "/rule/of/0/subject": "everyone", "/rule/of/1/word": "any", "/rule/of/1/of:empty": "list"}
    return fields | {f"/rule/of/1/of/{at}/{name}": value for at, each in enumerate(conditions) for name, value in each.items()}


NOT_YET = {"subject": "profile:country", "op": "is", "value": ""}


@pytest.mark.parametrize("part", ["change/", "overlap/"])
def test_what_is_to_be_finished_is_named_as_the_builder_counts_and_led_to(crowd: None, part: str, now: datetime) -> None:
    said = beside(part, nested(NOT_YET), now=now)
    assert 'Finish <a href="#f-rule-of-1-of-0-value" data-finish="f-rule-of-1-of-0">condition 2.1</a> first.' in said
    assert ">condition 2.1</a>, " in (many := beside(part, nested(*[NOT_YET] * 5), now=now)) and "</a> and 2 more first." in many
    said = beside(part, nested(), now=now)
    assert '<a href="#f-rule-of-1-of" data-finish="f-rule-of-1">Group 2</a> is empty. An empty group would match everyone' in said


def test_the_last_count_stays_while_the_rule_is_unfinished(crowd: None, now: datetime) -> None:
    counted = beside("", nested({**NOT_YET, "value": "GB"}), now=now)
    assert 'name="look_before" value="3"' in counted and 'data-short="3 people"' in counted
    said = beside("", nested(NOT_YET) | {"look_before": "1322"}, now=now)
    assert "1,322</span>" in said and 'data-short="1,322 before"' in said and ">Condition 2.1</a> needs a value." in said
    assert 'name="look_before" value="1322"' in said and "/rule" not in said
    for senseless in ("", "-3", "many", "9" * 40):
        assert "before" not in beside("", nested(NOT_YET) | {"look_before": senseless}, now=now)


def test_beside_the_number_of_a_draft_stands_that_of_what_is_in_force(crowd: None, now: datetime) -> None:
    shown = beside("", nested({"subject": "profile:country", "op": "in", "value": "GB\nDE"}), now=now)
    assert "3 released → 5 in this draft" in shown and 'name="look_in_force" value="3"' in shown
    shown = beside("", nested(NOT_YET) | {"look_in_force": "3"}, now=now)
    assert 'name="look_in_force" value="3"' in shown, "kept while the rule is unfinished"
    assert "released →" not in beside("", {"base": "1"}, now=now), "nothing is changed"
    assert "released →" not in beside("", nested({**NOT_YET, "value": "DE"}), now=now, key="")


def test_who_may_only_read_sees_what_the_saved_rule_finds(crowd: None, now: datetime) -> None:
    page_sends = {"base": "1"}  # a browser leaves out the fields that are closed
    assert 'data-short="3 people"' in beside("", page_sends, now=now)
    assert "Texted" in (shared := beside("overlap/", page_sends, now=now)) and "data-unfinished" not in shared
    assert "After release" in beside("change/", page_sends, now=now)
    assert "data-unfinished" in beside("", page_sends, now=now, key="there-is-none")


def builder(rule: dict[str, str], *, who: str = "ada", now: datetime) -> str:
    """The builder's form after a look, for the fields of a rule with one condition."""
    factories.person(who, now=now)
    client = Client()
    client.force_login(User.objects.get(username=who))
    fields = {"do": "look", **{f"/rule/of/0/{name}": value for name, value in rule.items()}}
    answer = client.post("/console/new/segments/", fields, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_value_that_was_typed_stays_when_a_condition_takes_several(crowd: None, now: datetime) -> None:
    shown = builder({"subject": "attribute:tier", "op": "in", "value": "gold"}, now=now)
    assert ">gold</textarea>" in shown
    assert "dict_values" not in builder({"subject": "attribute:tier", "op": "in"}, now=now)


def test_fields_suggest_values_except_for_those_who_may_not_see_them(crowd: None, now: datetime) -> None:
    factories.put("attribute", "stays", factories.attribute(title="Stays", type="number", unit="nights"), now=now)
    assert 'data-values="attribute:tier"' in builder({"subject": "attribute:tier", "op": "is"}, now=now)
    hidden = {"subject": "attribute:illness", "op": "is"}
    assert 'data-values="attribute:illness"' not in (shown := builder(hidden, now=now)) and "shown to admins only" in shown
    assert 'data-values="attribute:illness"' in builder(hidden, who="cleo", now=now)
    assert "number, in nights" in builder({"subject": "attribute:stays", "op": "gte"}, now=now)
    assert "data-values=" not in builder({"subject": "profile:email", "op": "is"}, now=now)


# ── the explorer ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_explorer_breaks_a_segment_down_by_an_attribute(crowd: None, now: datetime) -> None:
    said = page("vera", "/console/segments/everyone/explore/?by=attribute:tier", now=now, part=True)
    assert "6 people, 100 % of 6" in said and "By revision 1, which is in force" in said
    assert "By Tier not known of 2 people, 33.3 %" in said
    assert "Gold 2 33.3 % silver 2 33.3 %" in said.replace("Silver", "silver")
    assert "United Kingdom 3 50.0 %" in said and "Germany 2 33.3 %" in said and "not known 1 16.7 %" in said


def test_the_explorer_s_page_asks_for_its_numbers_or_has_them_without_scripts(crowd: None, now: datetime) -> None:
    shell = page("vera", "/console/segments/britons/explore/?by=attribute:tier", now=now)
    assert "Explore Britons" in shell and "By Tier" not in shell
    whole = page("vera", "/console/segments/britons/explore/?by=attribute:tier&whole=1", now=now)
    assert "Explore Britons" in whole and "By Tier" in whole


def test_another_segment_is_picked_on_the_page(crowd: None, now: datetime) -> None:
    factories.person("vera", now=now)
    client = Client()
    client.force_login(User.objects.get(username="vera"))
    answer = client.get("/console/segments/britons/explore/?segment=texted&by=attribute:tier")
    assert (answer.status_code, answer["Location"]) == (302, "/console/segments/texted/explore/?by=attribute%3Atier")
    assert client.get("/console/segments/britons/explore/?segment=nothing").status_code == 200


def test_a_released_segment_is_explored_as_released_and_a_new_one_as_drafted(crowd: None, now: datetime) -> None:
    factories.put("segment", "britons", factories.segment(rule=GERMANS), now=now)
    said = page("vera", "/console/segments/britons/explore/", now=now, part=True)
    assert "3 people, 50.0 % of 6" in said and "the draft may find others" in said
    factories.put("segment", "germans", factories.segment(rule=GERMANS), now=now)
    said = page("vera", "/console/segments/germans/explore/", now=now, part=True)
    assert "2 people, 33.3 % of 6" in said and "no revision is in force yet" in said


def test_sensitive_attributes_are_for_admins_only(crowd: None, now: datetime) -> None:
    address = "/console/segments/britons/explore/"
    assert "Illness (admins only)" in page("vera", address, now=now)
    for who in ("vera", "ada", "ben"):
        for ask in ("", "&whole=1"):
            said = page(who, f"{address}?by=attribute:illness{ask}", now=now, status=403)
            assert "shown to admins only" in said and "gout" not in said
        said = page(who, f"{address}?by=attribute:illness", now=now, part=True, status=422)
        assert "shown to admins only" in said and "gout" not in said
    said = page("cleo", f"{address}?by=attribute:illness&whole=1", now=now)
    assert "gout 1" in said and "admins only" not in said


def test_a_part_of_a_sensitive_attribute_is_as_sensitive(crowd: None, now: datetime) -> None:
    fields = [{"name": "diagnosis", "type": "text"}]
    body = factories.attribute(title="Health", type="object", fields=fields, sensitivity="sensitive")
    factories.put("attribute", "health", body, now=now)
    factories.profile(now=now, country="GB", attributes={"health": {"diagnosis": "Measles"}})
    address = "/console/segments/britons/explore/?by=attribute:health.diagnosis&whole=1"
    assert "measles" not in page("ben", address, now=now, status=403).casefold()
    assert "By Health (diagnosis)" in (said := page("cleo", address, now=now)) and "Measles 1" in said


def test_no_address_is_ever_a_value(crowd: None, now: datetime) -> None:
    said = page("cleo", "/console/segments/everyone/explore/?by=profile:email", now=now, part=True)
    assert "yes 6 100 %" in said and "@" not in said


@pytest.mark.parametrize("by", ["attribute:shoe_size", "profile:email_key", "nonsense", "attribute:tier' OR 1=1", ":" * 300])
def test_what_there_is_not_is_not_found(crowd: None, by: str, now: datetime) -> None:
    assert "broken down by" in page("vera", f"/console/segments/britons/explore/?by={by}", now=now, status=404)


def test_the_explorer_shows_how_a_segment_grew_and_who_came_and_went(crowd: None, now: datetime) -> None:
    keeper, today = audience.SnapshotKeeper(), timezone.now()
    yesterday = today - timedelta(days=1)
    while keeper.keep(now=yesterday):
        pass
    factories.profile(now=now, country="GB", email="newcomer@example.com")
    bob = audience.find(home(), address="bob@example.com")
    assert bob is not None
    audience.upsert(home(), [audience.ProfileRow(external_id=bob.external_id, country="FR")], source="tests", now=now)
    while keeper.keep(now=today):
        pass
    said = page("ada", "/console/segments/britons/explore/", now=now)
    assert "In it first 3 Came in 1 Left 1 In it last 3" in said
    assert "newcomer@example.com" in said and "bob@example.com" in said
    said = page("vera", "/console/segments/britons/explore/", now=now)
    assert "n…@example.com" in said and "b…@example.com" in said and "newcomer@" not in said and "bob@" not in said
    grown = page("vera", "/console/segments/britons/explore/?whole=1&days=90", now=now, part=True, target="growth")
    assert "In it first 3 Came in 1" in grown and "Where they live" not in grown, "what the numbers are isn't counted for it"
    days = f"since={today:%Y-%m-%d}&until={yesterday:%Y-%m-%d}"
    assert "Came in 1 Left 1" in page("vera", f"/console/segments/britons/explore/?{days}", now=now)
    assert "no snapshot of 2020-01-01" in page("vera", "/console/segments/britons/explore/?since=2020-01-01", now=now)
    page("vera", "/console/segments/britons/explore/?since=yesterday", now=now, status=422)
    Snapshot.objects.filter(day=yesterday.date()).update(bitmap=b"")
    assert "Came in" not in page("vera", "/console/segments/britons/explore/", now=now)


def test_nobody_is_nothing_to_break_down(crowd: None, now: datetime) -> None:
    released("nobody", {"none": [{"everyone": True}]}, now)
    assert "nothing to break down" in page("vera", "/console/segments/nobody/explore/", now=now, part=True)


# ── keys and titles ───────────────────────────────────────────────────────────────────────────────────────────────


def test_segments_and_events_are_told_by_title_with_the_key_in_small(crowd: None, now: datetime) -> None:
    factories.put("event_type", "stays", {"title": "Completed a stay", "name": "stay_completed"}, now=now)
    rule = {"all": [{"segment": "britons"}, {"none": [{"event": "stay_completed"}, {"event": "cart_left"}]}]}
    factories.put("segment", "quiet", factories.segment(title="Quiet", rule=rule), now=now)
    said = page("vera", "/console/segments/quiet/preview/", now=now)
    in_words = "in the segment “Britons”, except those who did “Completed a stay” at least once or who did “cart left” at least once."
    assert f"People {in_words}" in said
    assert "Segment Britons : britons · event Completed a stay: stay_completed · event cart left: cart_left" in said
    assert "whose country is" in said and "in the segment “Britons”" in page("vera", "/console/segments/", now=now)
    looked = beside("", {"base": "1"}, now=now, key="quiet")
    assert in_words in looked and "<code>stay_completed</code>" in looked


def test_the_builder_and_the_sentence_call_an_operator_alike(crowd: None, now: datetime) -> None:
    factories.put("attribute", "interests", factories.attribute(title="Interests", type="list"), now=now)
    rule = {"subject": "attribute:interests", "op": "in", "values": "chess\ngo"}
    assert '<option value="in" selected>contains one of</option>' in builder(rule, now=now)
    looked = beside("", {f"/rule/of/0/{name}": value for name, value in rule.items()}, now=now, key="")
    assert "whose Interests contains one of “chess” or “go”" in looked
