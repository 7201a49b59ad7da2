"""What is wrong is said in the words of the editor in which it is mended, and its field is marked."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from audience import rule_places
from audience.names import Names
from governance import door as governance
from governance.door import User
from presentation import template_places
from tests import factories as make
from workflow import campaign_places

pytestmark = pytest.mark.django_db

RULE = {
    "word": "all",
    "of": [{"subject": "everyone"}, {"word": "any", "of": [{"subject": "profile:country"}, {"subject": "attribute:stays"}]}],
}


@pytest.mark.parametrize(
    ("path", "field", "words"),
    [
        ("/rule/all/1/any/0/value", "/rule/of/1/of/0/value", "Condition 2.1 (Country)"),
        ("/rule/all/1/any/1/value/amount", "/rule/of/1/of/1/value", "Condition 2.2 (Stays so far)"),
        ("/rule/all/1/any", "/rule/of/1", "Group 2"),
        ("/rule/all", "/rule", "People for whom"),
        ("/title", "/title", "Title"),
    ],
)
def test_a_rules_fault_names_its_condition_as_the_builder_counts(path: str, field: str, words: str) -> None:
    form = {"rule": RULE}
    assert rule_places.place(path, form) == field
    assert rule_places.label(field, form, Names({"stays": "Stays so far"})) == words


def test_a_rule_of_one_condition_shows_its_fault_in_the_group_that_it_is_drawn_in() -> None:
    form = {"rule": {"word": "", "of": [{"subject": "event", "event": "paid", "where": [{}]}]}}
    assert rule_places.place("/rule/within/last", form) == "/rule/of/0/last"
    assert rule_places.place("/rule/where/0/value", form) == "/rule/of/0/where/0"
    assert rule_places.label("/rule/of/0/where/0", form, Names()) == "Condition 1 (paid), part 1"


def test_a_templates_fault_names_its_field_and_language() -> None:
    columns = {"type": "columns", "columns": [[], [{"type": "button"}]]}
    form = {"shown": "en", "variables": [{"name": "city"}], "locales": {"en": {"blocks": [{"type": "text"}, columns]}, "pt-BR": {}}}
    assert template_places.label("/locales/en/subject", form) == "Subject (English)"
    assert template_places.label("/locales/pt-BR/preheader", form) == "Preheader (Brazilian Portuguese)"
    assert template_places.label("/locales/en/blocks/1/columns/1/0/href", form) == "Block 2.2.1 (Button), leads to (English)"
    assert template_places.label(template_places.place("/variables/city/source", form), form) == "Variable 1 (city), comes from"


def test_a_campaigns_fault_names_its_variant_or_limit() -> None:
    form = {"variants": [{"key": "a"}, {"key": "b"}]}
    assert campaign_places.label("/variants/1/template", form) == "Variant 2 (b), template"
    assert campaign_places.label(campaign_places.place("/ramp/0", form), form) == "Waves"
    assert campaign_places.label(campaign_places.place("/budget/currency", form), form) == "Currency"


def _marked(page: str) -> list[str]:
    return re.findall(r'<(?:input|select|textarea)[^>]* id="([^"]+)"[^>]*aria-invalid="true"', page)


def _refused(name: str, address: str, *, now: datetime, **posted: str) -> str:
    make.person(name, now=now)
    client = Client()
    client.force_login(User.objects.get(username=name))
    answer = client.post(address, posted)
    assert answer.status_code == 422
    return " ".join(answer.content.decode().split())


def test_an_empty_value_is_named_and_only_its_field_is_marked(now: datetime) -> None:
    rule = {"/rule/word": "all", "/rule/of/0/subject": "everyone", "/rule/of/1/subject": "profile:country", "/rule/of/1/op": "is"}
    said = _refused("ada", "/console/new/segments/", now=now, **rule, **{"/title": "T", "/rule/of/1/value": "", "do": "save"})
    assert '<a href="#f-rule-of-1-value">Condition 2 (Country): choose a value</a>' in said
    assert _marked(said) == ["f-rule-of-1-value"]


def test_a_fault_in_a_language_that_is_not_shown_is_brought_to_view(now: datetime) -> None:
    body: dict[str, Any] = {"/title": "T", "/channel": "sms", "/message_class": "transactional", "/default_locale": "en", "/shown": "en"}
    texts = {"/sender:empty": "object", "/locales/en/text": "Hello", "/locales/de:json": '{"text": "Hallo {{ frist_name }}"}'}
    said = _refused("ada", "/console/new/templates/", now=now, **body, **texts, do="save")
    assert "Text (German): line 1: frist_name isn" in said
    assert _marked(said) == ["f-locales-de-text"]


def test_a_variant_without_a_template_and_a_limit_that_is_no_number_are_marked(now: datetime) -> None:
    variants = {"/content": "variants", "/variants/0/key": "a", "/variants/0/weight:number": "1", "/variants/0/template": ""}
    limits = {"/trigger/type": "event", "/trigger/event": "paid", "/trigger/delay_minutes:int?": "soon", "/soak_minutes:int?": "long"}
    said = _refused("ada", "/console/new/campaigns/", now=now, **variants, **limits, **{"/title": "T", "/segment": "all", "do": "save"})
    assert "Variant 1 (a), template: choose a template" in said and "Watch each wave for: long; expected" in said
    assert _marked(said) == ["f-variants-0-template", "f-trigger-delay_minutes", "f-soak_minutes"]


def test_a_rejection_without_words_asks_for_them(now: datetime) -> None:
    make.profiles(1, now=now)
    key = make.spring_sale(now=now)
    make.put("segment", "everyone", make.segment(title="Nearly everyone"), now=now)
    number = governance.document(make.workspace().pk, "campaign", key).latest.number
    submission = governance.submit(make.person("ada", now=now), "campaign", key, number=number, now=now)
    asked = {"verdict": "reject", "comment": "", "bill_hash": submission.bill_hash}
    said = _refused("ben", f"/console/approvals/{submission.pk}/decide/", now=now, **asked)
    assert "Say what must change before it can be approved." in said and "Comment: found" not in said
    assert _marked(said) == ["f-comment"]


def test_the_template_editor_keeps_the_readers_choice_of_light_or_dark(now: datetime) -> None:
    make.person("ada", now=now)
    client = Client()
    client.force_login(User.objects.get(username="ada"))
    assert re.search(r'<html lang="en" data-theme="[a-z]*">', client.get("/console/new/templates/").content.decode())


def test_the_looks_beside_an_editor_name_its_fields(now: datetime) -> None:
    make.person("ada", now=now)
    client = Client()
    client.force_login(User.objects.get(username="ada"))
    letter = {"/title": "T", "/channel": "sms", "/sender:empty": "object", "/locales/en/text": "", "/default_locale": "en", "/shown": "en"}
    said = client.post("/console/look/templates/info/", {**letter, "/message_class": "transactional"}).content.decode()
    assert "as soon as these are filled in: Text (English)." in said
    rule = {"/title": "T", "/rule/word": "all", "/rule/of/0/subject": "event", "/rule/of/0/event": "paid", "/rule/of/0/count": "many"}
    assert "Condition 1 (paid)" in client.post("/console/look/segments/", rule).content.decode()
