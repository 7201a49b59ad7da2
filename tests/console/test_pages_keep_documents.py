"""A page that is opened and sent as it is changes nothing, whatever its document says: asked of the real pages, as a browser sends them.

Documents are drawn, then spoilt: names that nobody knows, operators that don't fit or don't exist, values of another type.
"""

from __future__ import annotations

import json
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from audience.rules.values import Operator
from governance.canonical import canonical, normal
from governance.door import User, document, read_yaml
from governance.submitted import submitted
from tests import factories as make
from tests.audience.world import make_catalogue
from tests.console.test_schema_forms import BODIES
from tests.laws.rules_drawn import rules
from tests.presentation.letters import source
from tests.presentation.test_themes_and_fragments import LEGAL, THEME

pytestmark = pytest.mark.django_db
EXAMPLES = int(os.environ.get("OMNI_LAW_EXAMPLES", "200"))
law = settings(max_examples=max(10, EXAMPLES // 10), deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
Body = dict[str, Any]


@pytest.fixture
def cleo(now: datetime) -> Client:
    """An administrator at the console of a workspace in which some names are known."""
    make_catalogue()
    make.put("template", "offer", make.template(), now=now)
    make.put("segment", "everyone", make.segment(), now=now)
    make.put("campaign", "spring", make.campaign(), now=now)
    make.person("cleo", now=now)
    client = Client()
    client.force_login(User.objects.get(username="cleo"))
    return client


def as_form(cleo: Client, plural: str, body: Body) -> str:
    """The page after the text of this document was turned into a form."""
    answer = cleo.post(f"/console/new/{plural}/", {"source": json.dumps(body, ensure_ascii=False), "do": "as-form"})
    assert answer.status_code == 200, answer.content.decode()[:2_000]
    return answer.content.decode()


def sent_back(cleo: Client, plural: str, page: str) -> Body:
    """The document that the page's form says when it is sent as it is."""
    answer = cleo.post(f"/console/new/{plural}/", {**dict(submitted(page)), "do": "as-json"})
    assert answer.status_code == 200, answer.content.decode()[:2_000]
    found: Body = json.loads(dict(submitted(answer.content.decode()))["source"])
    return found


def is_form(page: str) -> bool:
    return 'name="source"' not in page


def comes_back(cleo: Client, plural: str, body: Body) -> bool:
    """Whether the document was shown as a form; either way the page says all of it and nothing else."""
    page = as_form(cleo, plural, body)
    assert canonical(normal(sent_back(cleo, plural, page))) == canonical(normal(body))
    return is_form(page)


ODD = st.sampled_from(
    [
        "nosuch",
        "a.b.c",
        "",
        "5",
        "true",
        '"5"',
        " x ",
        "a\nb",
        "a,b",
        5,
        1.5,
        0,
        True,
        None,
        [],
        ["5", "a,b"],
        {"amount": 3, "unit": "days"},
    ]
)
OPERATORS = st.sampled_from([*get_args(Operator), "starts_wth", "at_least", "never", "followed"])
NAMES = st.sampled_from(["nosuch", "tier", "spent", "born", "spring", "everyone", "address.nosuch", "churn"])
NAMING = (
    "attribute",
    "profile",
    "event",
    "measure",
    "message",
    "record",
    "segment",
    "list",
    "campaign",
    "field",
    "property",
    "role",
    "reachable",
)


@st.composite
def spoilt(draw: st.DrawFn, node: Any) -> Any:
    """The same with some of its names, operators and values put wrong."""
    if isinstance(node, list):
        return [draw(spoilt(each)) for each in node]
    if not isinstance(node, dict):
        return node
    made = {name: draw(spoilt(inner)) for name, inner in node.items()}
    for name in made:
        if draw(st.integers(0, 5)):
            continue
        if name == "op":
            made[name] = draw(OPERATORS)
        elif name in ("value", "count", "last", "amount", "unit", "how", "of", "channel", "topic", "state", "zone", "percent", "salt"):
            made[name] = draw(ODD)
        elif name in NAMING:
            made[name] = draw(NAMES)
    return made


def test_a_rule_comes_back_as_it_was_and_in_fields(cleo: Client) -> None:
    @law
    @given(rules)
    def holds(rule: Body) -> None:
        page = as_form(cleo, "segments", make.segment(rule=rule))
        assert is_form(page)
        assert all(
            re.search(r"e-|9007199254740992", raw) for raw in re.findall(r'raw:json" value="([^"]*)"', page)
        )  # but for numbers that nobody would type
        assert comes_back(cleo, "segments", make.segment(rule=rule))

    holds()


def test_a_rule_of_unknown_names_operators_and_values_comes_back_as_it_was(cleo: Client) -> None:
    @law
    @given(rules.flatmap(spoilt))
    def holds(rule: Body) -> None:
        assert comes_back(cleo, "segments", make.segment(rule=rule))

    holds()


SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "documents"
DEVELOPED: list[tuple[str, Any]] = [
    *(("campaigns", read_yaml(path.read_bytes())) for path in sorted((SAMPLES / "campaigns").glob("*.yaml"))),
    *(("templates", read_yaml(path.read_bytes())) for path in sorted((SAMPLES / "templates").glob("*.yaml"))),
    *((plural, body) for _, plural, body in BODIES),
    ("templates", make.text_message()),
    ("templates", make.push_message()),
    ("campaigns", make.campaign(trigger={"type": "once", "at": "2026-12-01T09:00"}, budget={"micros": 5_000_000}, ramp=[0.1, 1])),
    (
        "campaigns",
        make.campaign(trigger={"type": "event", "event": "paid", "where": {"trigger": {"property": "n", "op": "gt", "value": 5}}}),
    ),
    ("record-types", make.record_type(fields=[{"name": "nights", "type": "number"}], roles=["guest"])),
    ("event-types", {"title": "Paid", "name": "paid", "keep_days": 30}),
    ("senders", {"title": "Shop", "channel": "email", "address": "hello@shop.example", "name": "Shop"}),
    ("fragments", make.fragment()),
    ("fragments", LEGAL),
    ("themes", THEME),
    ("themes", {**THEME, "font": "no-font", "brand": {"name": "Harbour", "logo": None}}),
    ("content-sources", source()),
    ("segments", make.segment(description="")),
    ("campaigns", make.campaign(description="", route=None, policy=None, budget=None, variants=[])),
    ("templates", make.template(topic=None, reply_to=None)),
    ("attributes", make.attribute(description="", unit="", computed=None)),
]


@st.composite
def spoilt_anywhere(draw: st.DrawFn, said: Any) -> Any:
    """The same body with a few of its values put wrong, or said to be nothing."""
    if isinstance(said, dict):
        return {name: draw(spoilt_anywhere(inner)) for name, inner in said.items()}
    if isinstance(said, list):
        return [draw(spoilt_anywhere(each)) for each in said]
    return draw(ODD) if draw(st.integers(0, 11)) == 0 else said


def test_documents_of_every_kind_come_back_as_they_were(cleo: Client) -> None:
    for plural, body in DEVELOPED:
        assert comes_back(cleo, plural, body), (plural, body["title"])


def test_documents_of_every_kind_with_values_put_wrong_come_back_as_they_were(cleo: Client) -> None:
    @law
    @given(st.sampled_from(DEVELOPED).flatmap(lambda one: st.tuples(st.just(one[0]), spoilt_anywhere(one[1]))))
    def holds(one: tuple[str, Body]) -> None:
        comes_back(cleo, *one)

    holds()


def test_what_nobody_knows_stays_chosen_and_is_said_to_be_unknown(cleo: Client, now: datetime) -> None:
    rule: Body = {"all": [{"attribute": "nosuch", "op": "is", "value": "DE"}, {"segment": "no-segment"}, {"list": "no-list"}]}
    rule["all"] += [
        {"message": "opened", "campaign": "no-campaign"},
        {"attribute": "spent", "op": "in_last", "value": {"amount": 3, "unit": "days"}},
    ]
    make.put("segment", "odd", make.segment(rule=rule), now=now)
    make.put("campaign", "odd", make.campaign(segment="no-segment", template="no-template"), now=now)
    for plural, kept in (
        ("segments", ["nosuch", "no-segment", "no-list", "no-campaign"]),
        ("campaigns", ["no-segment", "no-template"]),
    ):
        address, kind = f"/console/{plural}/odd/", plural.removesuffix("s")
        page = cleo.get(address).content.decode()
        for name in kept:
            assert re.search(rf'<option value="[a-z:]*{name}" selected>{name} \(not known here\)</option>', page), name
        before = document(make.workspace().pk, kind, "odd").latest
        assert cleo.post(address, {**dict(submitted(page)), "do": "save"}).status_code == 302
        assert document(make.workspace().pk, kind, "odd").latest.number == before.number
        assert cleo.post(address, {**dict(submitted(page)), "/title": "Another", "do": "save"}).status_code == 302
        assert document(make.workspace().pk, kind, "odd").latest.body == {**before.body, "title": "Another"}
    assert "is in the last (doesn’t fit here)" in cleo.get("/console/segments/odd/").content.decode()


def test_an_operator_left_over_from_another_subject_gives_way(cleo: Client) -> None:
    page = as_form(cleo, "segments", make.segment(rule={"attribute": "spent", "op": "in_last", "value": {"amount": 3, "unit": "days"}}))
    sent = {**dict(submitted(page)), "/rule/of/0/subject": "profile:country"}
    assert sent_back(cleo, "segments", cleo.post("/console/new/segments/", {**sent, "do": "look"}).content.decode())["rule"] == {
        "profile": "country",
        "op": "is",
        "value": "",
    }


@pytest.mark.parametrize("notation", ["yaml", "json"])
def test_a_text_is_saved_as_it_is_written_or_refused(cleo: Client, now: datetime, notation: str) -> None:
    address, wrong = "/console/new/segments/", make.segment(rule={"profile": "country", "op": "starts_wth", "value": "DE"})
    text = json.dumps(wrong) if notation == "json" else "title: Odd\nrule:\n  profile: country\n  op: starts_wth\n  value: DE\n"
    refused = cleo.post(address, {"key": "odd", "source": text, "do": "save"})
    assert refused.status_code == 422 and "/rule/op" in refused.content.decode() and "starts_wth" in refused.content.decode()
    refused = cleo.post(address, {"key": "odd", "source": text.replace("starts_wth", "gt"), "do": "save"})
    assert refused.status_code == 422 and "/rule/value" in refused.content.decode()  # as the API and apply say
    text = text.replace("starts_wth", "gt").replace('"DE"', "5").replace("DE", "5")  # which rules may say, but not of a country
    assert cleo.post(address, {"key": "odd", "source": text, "do": "save"}).status_code == 302
    saved = document(make.workspace().pk, "segment", "odd").latest
    assert saved.body["rule"] == {"profile": "country", "op": "gt", "value": 5}
    assert any(finding.path == "/rule/op" for finding in saved.findings)


def test_a_condition_on_the_messages_of_no_campaign_is_objected_to(cleo: Client, now: datetime) -> None:
    never = {"message": "opened", "campaign": "sprng", "op": "never"}
    make.put("segment", "odd", make.segment(rule={"any": [never, {"message": "sent", "campaign": "offer"}]}), now=now)
    findings = document(make.workspace().pk, "segment", "odd").latest.findings
    assert [(finding.path, finding.expected) for finding in findings] == [
        ("/rule/any/0/campaign", "the key of a campaign or of a message type, perhaps spring")
    ]


def test_a_page_that_can_not_show_a_document_shows_its_text(cleo: Client) -> None:
    page = as_form(cleo, "campaigns", make.campaign(trigger={"type": "by-moonlight"}))
    assert not is_form(page) and "something that the form can’t show" in page and "by-moonlight" in page
