"""What a service knows of people stands in their mail, whole or not at all; whoever it knows nothing of is skipped with the reason."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from audience import door as audience
from delivery import door as delivery
from delivery.models import Dispatch, OutboxMail
from governance import door as governance
from presentation.services import fetching
from tests import factories as make
from tests.presentation.standin import WAY, Asked, Reply, Service, as_json, service
from workflow import content, content_troubles, pipeline, worker
from workflow.links import link_target
from workflow.transactional import accept

pytestmark = pytest.mark.django_db(transaction=True)
BUTTON = {"type": "button", "id": "stay", "label": "Look", "href": "https://www.wayfare.example/rooms/{{ places[0].id }}"}
KNOWN = {
    "ada": [{"id": 7, "name": "Quay & Sons <1>"}, {"id": 8, "name": "Pine"}],
    "bob": [{"id": 9, "name": "Loft"}],
}


@dataclass
class Places:
    """A service that knows places for people; ill: what it answers instead."""

    there: Service
    ill: list[Reply] = field(default_factory=list)
    slow: float = 0.0

    def source(self, **changes: Any) -> dict[str, Any]:
        """The body of a content source that asks it about many people at once."""
        http = {"url": self.there.url("/near"), "ttl": 0, "batch": {"input": "who", "answers": "people"}, **changes.pop("http", {})}
        return {
            "title": "Places",
            "type": "http",
            "inputs": {"who": {"source": "profile.external_id", "sample": "bob"}},
            "http": {name: value for name, value in http.items() if value is not None},
            "response": {"places": {"path": "places", "type": "list"}},
            **changes,
        }


@pytest.fixture
def places(settings: Any) -> Iterator[Places]:
    settings.OMNI = settings.OMNI.model_copy(update={"content_networks": WAY})
    fetching.forget()

    def answer(asked: Asked) -> Reply:
        time.sleep(made.slow)
        if made.ill:
            return made.ill[0]
        if asked.body is None:
            who = asked.path.rpartition("/")[2]
            return as_json({"places": KNOWN[who]} if who in KNOWN else {}, 200 if who in KNOWN else 404)
        return as_json({"people": {who: {"places": KNOWN[who]} for who in asked.body["ids"] if who in KNOWN}})

    with service(answer) as there:
        made = Places(there)
        yield made
    fetching.forget()


def template(**changes: Any) -> dict[str, Any]:
    letter = make.letter("{{ places|length }} places for you", "First of all {{ places[0].name }}.")
    blocks = [letter["blocks"][0], BUTTON, letter["blocks"][2]]
    variables = {"places": {"source": "content.nearby.places", "type": "list", "sample": [{"id": 1, "name": "A sample"}]}}
    return make.template(**{"variables": variables, "locales": {"en": {**letter, "blocks": blocks}}, **changes})


def campaign(places: Places, now: datetime, **source: Any) -> str:
    for name in ("ada", "bob", "cyd"):
        make.profile(now=now, external_id=name, email=f"{name}@example.com")
    make.put("content_source", "nearby", places.source(**source), now=now, author="cleo")
    return make.spring_sale(now=now, template_changes=template())


def send_all(now: datetime) -> dict[str, OutboxMail]:
    worker.drain(now=lambda: now)
    return {mail.recipient.partition("@")[0]: mail for mail in OutboxMail.objects.all()}


def test_everybody_of_a_batch_is_asked_for_at_once_and_whoever_is_unknown_is_skipped(places: Places, now: datetime) -> None:
    run = pipeline.launch(make.person("ben", now=now), campaign(places, now), now=now)
    places.there.asked.clear()
    mails = send_all(now)
    assert {name: mail.subject for name, mail in mails.items()} == {"ada": "2 places for you", "bob": "1 places for you"}
    assert "Quay &amp; Sons &lt;1&gt;" in str(mails["ada"].html) and "Quay & Sons <1>." in str(mails["ada"].text)
    assert [asked.body for asked in places.there.asked] == [{"ids": ["ada", "bob", "cyd"]}]
    assert delivery.facts(run.workspace_id, run.dispatch_id).counts == {"sent": 2, "invalid": 1}


def test_a_link_with_content_leads_straight_to_where_it_leads(places: Places, now: datetime) -> None:
    run = pipeline.launch(make.person("ben", now=now), campaign(places, now), now=now)
    assert "https://www.wayfare.example/rooms/7" in str(send_all(now)["ada"].html)
    assert link_target(run.dispatch_id, 0, 0) is None


def test_what_was_launched_asks_as_it_was_approved(places: Places, now: datetime) -> None:
    run = pipeline.launch(make.person("ben", now=now), campaign(places, now), now=now)
    elsewhere = places.source(http={"url": "https://elsewhere.example.com/near"})
    make.put("content_source", "nearby", elsewhere, now=now, author="cleo")
    make.release("content_source", "nearby", now=now, author="cleo")
    assert sorted(send_all(now)) == ["ada", "bob"]
    first = governance.revision(run.workspace_id, "content_source", "nearby", 1)
    assert first.id in Dispatch.objects.get(pk=run.dispatch_id).pins
    with pytest.raises(governance.Refused, match="not what was approved"):
        governance.approval(run.workspace_id, "campaign", run.campaign_key, now=now)


def test_a_recalled_source_halts_what_is_frozen_with_it(places: Places, now: datetime) -> None:
    run = pipeline.launch(make.person("ben", now=now), campaign(places, now), now=now)
    governance.recall(make.person("ben", now=now), "content_source", "nearby", number=1, reason="wrong places", now=now)
    assert send_all(now) == {}
    assert delivery.facts(run.workspace_id, run.dispatch_id).counts == {"recalled": 2, "invalid": 1}


def test_a_fragment_reads_a_source_as_a_template_does(places: Places, now: datetime) -> None:
    for name in ("ada", "cyd"):
        make.profile(now=now, external_id=name, email=f"{name}@example.com")
    make.put("content_source", "nearby", places.source(), now=now, author="cleo")
    block = {"type": "text", "id": "one", "text": "Go to {{ place.name }}.", "repeat": {"over": "places", "as": "place", "least": 1}}
    shared = {
        "title": "Near",
        "default_locale": "en",
        "variables": {"places": {"source": "content.nearby.places", "type": "list", "sample": [{"name": "A sample"}]}},
        "locales": {"en": {"blocks": [block]}},
    }
    make.put("fragment", "near", shared, now=now)
    letter = make.letter("Hello", "Hello")
    letter["blocks"].insert(1, {"type": "fragment", "id": "near", "fragment": "near"})
    key = make.spring_sale(now=now, template_changes={"variables": {}, "locales": {"en": letter}})
    run = pipeline.launch(make.person("ben", now=now), key, now=now)
    mails = send_all(now)
    assert "Go to Quay & Sons <1>." in str(mails["ada"].text) and "Go to Pine." in str(mails["ada"].text)
    assert sorted(mails) == ["ada"]
    assert governance.released(run.workspace_id, "content_source", "nearby").id in Dispatch.objects.get(pk=run.dispatch_id).pins


def test_a_source_in_trouble_skips_or_stands_in_but_sends_nothing_broken(places: Places, now: datetime) -> None:
    fallback = {"places": {"path": "places", "type": "list", "fallback": [{"id": 0, "name": "Anywhere"}]}}
    run = pipeline.launch(make.person("ben", now=now), campaign(places, now, response=fallback, on_missing="fallback"), now=now)
    places.ill.append(as_json({}, 503))
    mails = send_all(now)
    assert len(mails) == 3 and all("First of all Anywhere." in str(mail.text) for mail in mails.values())
    assert delivery.facts(run.workspace_id, run.dispatch_id).counts == {"sent": 3}


def test_the_page_of_a_run_counts_what_was_not_there_and_why(places: Places, now: datetime) -> None:
    run = pipeline.launch(make.person("ben", now=now), campaign(places, now), now=now)
    send_all(now)
    client = Client()
    client.force_login(governance.User.objects.get(username="ben"))
    page = client.get(f"/console/runs/{run.pk}/").content.decode()
    assert "Content that wasn’t there" in page and "nearby: it has nothing here" in page and "fallbacks stood in" not in page
    for often in (1, 2):
        content_troubles.count(run.workspace_id, run.dispatch_id, {("nearby", "it answered 503"): (4, 3)}, now=now)
        found = content_troubles.troubles(run.workspace_id, run.dispatch_id)
        assert (found[0].why, found[0].times, found[0].left_without) == ("it answered 503", 4 * often, often)
    assert "fallbacks stood in for 6" in client.get(f"/console/runs/{run.pk}/").content.decode()


def test_reasons_without_number_are_counted_together(places: Places, now: datetime) -> None:
    home = make.workspace().pk
    content_troubles.count(home, 1, {("nearby", f"reason {n}"): (1, 0) for n in range(80)}, now=now)
    found = content_troubles.troubles(home, 1)
    assert (found[0].why, sum(each.times for each in found)) == ("other reasons", 80)


def test_the_templates_own_fallback_counts_as_one(places: Places, now: datetime) -> None:
    key = campaign(places, now)
    variables = {"places": {"source": "content.nearby.places", "type": "list", "fallback": [{"id": 0, "name": "Anywhere"}]}}
    make.put("template", "offer", template(variables=variables), now=now)
    make.release("campaign", key, now=now)
    places.ill.append((200, {"Content-Type": "text/html"}, b"<h1>Sorry</h1>"))
    pipeline.launch(make.person("ben", now=now), key, now=now)
    assert len(send_all(now)) == 3


def test_why_somebody_is_skipped_names_the_source_and_its_trouble(places: Places, now: datetime) -> None:
    key = campaign(places, now)
    ahead = pipeline.preview(make.workspace().pk, key, now=now)
    people = audience.load(make.workspace().pk, [int(each) for each in ahead.ids])
    told = {person.external_id: getattr(ahead.message(0, person), "detail", "") for person in people}
    assert told == {"ada": "", "bob": "", "cyd": "places has no value and no fallback (content source nearby: it has nothing here)"}
    places.ill.append(as_json({}, 503))
    assert getattr(ahead.message(0, people[0]), "detail", "").endswith("(content source nearby: it answered 503)")


def test_people_are_asked_for_one_by_one_where_a_source_knows_no_other_way(places: Places, now: datetime) -> None:
    pipeline.launch(
        make.person("ben", now=now), campaign(places, now, http={"url": places.there.url("/of/{{ who }}"), "batch": None}), now=now
    )
    places.there.asked.clear()
    mails = send_all(now)
    assert sorted(mails) == ["ada", "bob"] and sorted(asked.path for asked in places.there.asked) == ["/of/ada", "/of/bob", "/of/cyd"]


def test_a_slow_source_costs_a_batch_a_part_of_its_lease_and_no_more(places: Places, now: datetime, settings: Any) -> None:
    key = campaign(places, now, http={"timeout": 5.0, "url": places.there.url("/of/{{ who }}"), "batch": None})
    run = pipeline.launch(make.person("ben", now=now), key, now=now)
    settings.OMNI = settings.OMNI.model_copy(update={"lease_seconds": 2.0, "vendor_timeout": 0.2})
    places.slow = 1.5
    began = time.monotonic()
    assert send_all(now) == {}
    assert time.monotonic() - began < 1.4
    assert delivery.facts(run.workspace_id, run.dispatch_id).counts == {"invalid": 3}


def transactional(places: Places, now: datetime, **source: Any) -> pipeline.MessageRequest:
    make.put("content_source", "nearby", places.source(**source), now=now, author="cleo")
    body = template(message_class="transactional", topic=None)
    make.in_force("template", "nearby-now", body, now=now)
    to = {"external_id": "ada", "email": "ada@example.com"}
    return pipeline.MessageRequest.model_validate({"type": "nearby-now", "to": to, "data": {}})


def test_a_message_of_one_is_accepted_without_asking_and_asked_for_when_it_is_made(places: Places, now: datetime) -> None:
    wanted = transactional(places, now)
    accept(governance.system_actor(make.workspace().pk, label="tests"), wanted, idempotency_key=None, now=now)
    assert places.there.asked == []
    assert "First of all Quay" in str(send_all(now)["ada"].text) and len(places.there.asked) == 1


def test_a_page_shows_what_the_source_says_and_what_stood_in(places: Places, now: datetime) -> None:
    campaign(places, now, response={"places": {"path": "places", "type": "list"}})
    client = Client()
    client.force_login(make.person("ada", now=now) and governance.User.objects.get(username="ada"))
    seen = client.get("/console/templates/offer/preview/?person=ada").content.decode()
    assert "2 places for you" in seen and "content source" not in seen
    samples = client.get("/console/templates/offer/preview/").content.decode()
    assert "1 places for you" in samples and places.there.asked[-1].body == {"ids": ["bob"]}
    places.ill.append(as_json({}, 500))
    troubled = client.get("/console/templates/offer/preview/?person=ada").content.decode()
    assert "content source nearby: it answered 500" in troubled and "this person would be skipped" in troubled
    answer = client.post("/console/templates/offer/test/", {"person": "", "locale": ""})
    assert answer.status_code == 200


def test_the_source_itself_can_be_tried_for_somebody_or_with_samples(places: Places, now: datetime) -> None:
    campaign(places, now)
    client = Client()
    client.force_login(make.person("ada", now=now) and governance.User.objects.get(username="ada"))
    tried = client.get("/console/content-sources/nearby/preview/?person=ada").content.decode()
    assert "Quay &amp; Sons &lt;1&gt;" in tried and "Loft" not in tried
    assert "Loft" in client.get("/console/content-sources/nearby/preview/").content.decode()
    assert "it has nothing here" in client.get("/console/content-sources/nearby/preview/?person=cyd").content.decode()
    assert "We know nobody" in client.get("/console/content-sources/nearby/preview/?person=nobody&revision=1").content.decode()


def test_a_viewer_is_not_told_what_a_source_says_of_somebody(places: Places, now: datetime) -> None:
    key = campaign(places, now)
    client, home = Client(), make.workspace().pk
    client.force_login(make.person("vera", now=now) and governance.User.objects.get(username="vera"))
    asked, number = len(places.there.asked), audience.ids_of(home, ["ada"])["ada"]
    for page in ("content-sources/nearby/preview/?person=ada", "templates/offer/preview/?person=ada", f"campaigns/{key}/sample/{number}/"):
        answer = client.get(f"/console/{page}")
        assert answer.status_code == 200 and "Quay" not in answer.content.decode(), page
    assert "viewers aren’t told" in client.get("/console/templates/offer/preview/?person=ada").content.decode()
    assert len(places.there.asked) == asked


def test_a_program_sees_the_same(places: Places, now: datetime) -> None:
    campaign(places, now)
    places.ill.append(as_json({}, 500))
    _, text = governance.create_api_key(
        make.person("cleo", now=now), "tests", governance.Role.AUTHOR, ("documents:read", "profiles:read"), None, now
    )
    answer = Client().post(
        "/api/v1/templates/offer/preview",
        json.dumps({"external_id": "ada"}),
        content_type="application/json",
        headers={"Authorization": f"Bearer {text}"},
    )
    assert answer.json()["findings"][0]["found"] == "content source nearby: it answered 500"


def test_a_sent_message_is_shown_with_samples_for_what_the_source_said(places: Places, now: datetime) -> None:
    run = pipeline.launch(make.person("ben", now=now), campaign(places, now), now=now)
    send_all(now)
    asked, client = len(places.there.asked), Client()
    client.force_login(governance.User.objects.get(username="ben"))
    page = client.get(f"/console/messages/{delivery.message_id(run.dispatch_id, 0)}/content/").content.decode()
    assert "First of all A sample" in page and len(places.there.asked) == asked


def test_content_is_never_asked_for_within_a_transaction(places: Places, now: datetime) -> None:
    campaign(places, now)
    revision = governance.released(make.workspace().pk, "template", "offer")
    person = audience.find(make.workspace().pk, external_id="ada")
    assert person is not None
    with transaction.atomic(), pytest.raises(AssertionError, match="before a transaction"):
        content.sample(make.workspace().pk, revision.id, person)
