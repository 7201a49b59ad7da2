"""What a content source may say, and what templates may read of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from governance import door as governance
from governance.door import Actor, Invalid, parse
from presentation.parts import Variable
from presentation.services.documents import ContentSourceBody
from presentation.services.paths import value_at
from tests.presentation.letters import block, email, source
from tests.tables import over

PLACES = {"places": [{"title": "Quay", "near": {"km": 2}}, {"title": "Pine"}], "a:b": 1, "12": "twelve"}


def service(**changes: Any) -> dict[str, Any]:
    return source(http={**source()["http"], **changes})


def faults(body: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        parse(ContentSourceBody, body)
    return {finding.path: finding.expected for finding in refused.value.findings}


def test_a_source_says_what_it_is_asked_with_where_and_what_templates_may_read() -> None:
    body = parse(ContentSourceBody, source())
    assert body.http is not None and (body.http.timeout, body.http.ttl, body.on_missing) == (2.0, 300, "skip")
    assert body.input_types == {"city": "text"}


@over(
    "changes, path, words",
    [
        (source(type="ftp"), "/type", "http"),
        (source(http=None), "/http", "the service"),
        (source(response={}), "/response", ""),
        (source(response={"Best": {"path": "."}}), "/response/Best", "lower-case"),
        (source(response={"best": {}}), "/response/best/path", "required"),
        (source(response={"best": {"path": "places[*]"}}), "/response/best/path", "places[0].title"),
        (source(response={"best": {"path": "a.b.c.d.e.f.g.h.i"}}), "/response/best/path", "8 steps"),
        (source(response={"best": {"path": ".", "type": "number", "fallback": "many"}}), "/response/best/fallback", "a number"),
        (source(on_missing="fallback"), "/response/best/fallback", "on_missing"),
        (source(inputs={"near": {"source": "content.other.places"}}), "/inputs/near/source", "no other source"),
        (source(inputs={"near": {"source": "somewhere"}}), "/inputs/near/source", "profile.FIELD"),
        (service(url="https://{{ city }}.example.com/"), "/http/url", "the host written out"),
        (service(url="https://example.com{{ city }}"), "/http/url", "a / or ?"),
        (service(url="{{ city }}"), "/http/url", "begins with https://"),
        (service(url="ftp://example.com/{{ city }}"), "/http/url", "begins with https://"),
        (service(url="https://user@example.com/{{ city }}"), "/http/url", "no user"),
        (service(url="https://example.com/#{{ city }}"), "/http/url", "without #"),
        (service(url="https://example.com/ {{ city }}"), "/http/url", "without blanks"),
        (service(url="https://2130706433/{{ city }}"), "/http/url", "a host name"),
        (service(url="https://example.com:0/{{ city }}"), "/http/url", "a port"),
        (service(url="https://example.com/{{ nobody }}"), "/http/url", "a declared variable: city"),
        (service(url="https://example.com/{{ unsubscribe_url }}"), "/http/url", "one of the inputs: city"),
        (service(url="https://example.com/{% if x %}"), "/http/url", "only {{ expressions }}"),
        (service(url="http://example.com/{{ city }}"), "/http/url", "a secret doesn't travel"),
        (service(secret="places token"), "/http/secret", "PLACES_TOKEN"),
        (service(header="Host"), "/http/header", "of the service's own"),
        (service(timeout=6.0), "/http/timeout", ""),
        (service(ttl=-1), "/http/ttl", ""),
        (service(batch={"input": "town"}), "/http/batch/input", "one of the inputs: city"),
        (service(batch={"input": "city"}), "/http/url", "for many people"),
        (service(batch={"input": "city", "answers": "x[*]"}), "/http/batch/answers", "places[0].title"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(changes: dict[str, Any], path: str, words: str) -> None:
    found = faults(changes)
    assert path in found and words in found[path], found


@over(
    "path, value",
    [
        ("", PLACES),
        (".", PLACES),
        ("places[0].title", "Quay"),
        ("places.1.title", "Pine"),
        ("places[0].near.km", 2),
        ("places[7].title", None),
        ("places.title", None),
        ("a:b", 1),
        ("12", "twelve"),
        ("nothing.at.all", None),
    ],
)
def test_a_path_is_names_and_places(path: str, value: object) -> None:
    assert value_at(PLACES, path) == value


def saved(actor: Actor, kind: str, key: str, body: dict[str, Any], now: datetime) -> dict[str, str]:
    governance.save(actor, kind, key, body, base=None, now=now)
    findings = governance.document(actor.workspace_id, kind, key).latest.findings
    return {finding.path: f"{finding.level}: {finding.expected}" for finding in findings}


def test_a_template_reads_fields_of_a_source_which_is_in_its_bill(administrator: Actor, now: datetime) -> None:
    saved(administrator, "content_source", "nearby", source(), now)
    variables = {"places": {"source": "content.nearby.places", "type": "list", "sample": []}}
    body = email(block("text", text="{{ places|length }} places"), variables=variables)
    governance.save(administrator, "template", "letter", body, base=None, now=now)
    items = governance.bill(administrator.workspace_id, "template", "letter", of="draft").items
    assert [(item.kind, item.key) for item in items] == [("attribute", "city"), ("content_source", "nearby"), ("template", "letter")]


def test_a_link_whose_clicks_cannot_be_counted_is_noted(administrator: Actor, now: datetime) -> None:
    saved(administrator, "content_source", "nearby", source(), now)
    variables = {"places": {"source": "content.nearby.places", "type": "list", "sample": [{"id": 1}]}}
    repeated = {"href": "https://shop.example.com/{{ place.id }}", "repeat": {"over": "places", "as": "place"}}
    body = email(block("button", **repeated), block("button", id="all", href="https://shop.example.com/all"), variables=variables)
    found = saved(administrator, "template", "letter", body, now)
    assert found["/locales/en/blocks/0/href"].startswith("note: a link that names what is known without it")
    assert "/locales/en/blocks/1/href" not in found


def test_a_field_that_a_source_has_not_is_told_with_those_it_has(administrator: Actor, now: datetime) -> None:
    saved(administrator, "content_source", "nearby", source(), now)
    variables = {
        "places": {"source": "content.nearby.placse", "type": "list"},
        "best": {"source": "content.nearby.best", "type": "number"},
        "gone": {"source": "content.elsewhere.best"},
    }
    body = email(block("text", text="{{ places|length }} {{ best }} {{ gone }}"), variables=variables)
    found = saved(administrator, "template", "letter", body, now)
    assert found["/variables/places/source"] == "error: one of best, places, perhaps places"
    assert found["/variables/best/type"] == "warning: text: so the catalogue says"
    assert found["/variables/gone/source"].startswith("error")


@over("path", ["content.nearby", "content.nearby.places.0", "content..x"])
def test_a_variable_names_a_source_and_one_field(path: str) -> None:
    with pytest.raises(Invalid):
        parse(Variable, {"source": path})


def test_addresses_in_plain_and_what_says_much_about_people_are_warned_of(administrator: Actor, now: datetime) -> None:
    body = source(
        inputs={"who": {"source": "profile.email"}, "spare": {"source": "profile.zone"}},
        http={"url": "http://places.example.com/{{ who }}"},
    )
    found = saved(administrator, "content_source", "nearby", body, now)
    assert found["/http/url"].startswith("warning") and found["/inputs/who/source"].startswith("warning")
    assert found["/inputs/spare"].startswith("note") and found["/http/secret"].startswith("note")


def test_a_key_written_out_is_refused(administrator: Actor, now: datetime) -> None:
    url = "https://places.example.com/?api_key=c0ffee11aa22bb33cc44dd55ee66ff77"
    with pytest.raises(Invalid, match="looks like"):
        governance.save(administrator, "content_source", "nearby", source(http={"url": url}, inputs={}), base=None, now=now)
