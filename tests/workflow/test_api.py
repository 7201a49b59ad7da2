"""Events, transactional messages, launches and runs by HTTP: each answer says what happened, each refusal what was expected."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from delivery import door as delivery
from delivery.models import Decision, OutboxMail
from governance import door as governance
from tests import factories as make
from tests.together import together
from workflow import pipeline, worker

pytestmark = pytest.mark.django_db(transaction=True)
RESET = {
    "message_class": "transactional",
    "topic": None,
    "variables": {"code": {"source": "data.code", "type": "text", "sample": "123456"}},
    "locales": {"en": {"subject": "Your code is {{ code }}", "blocks": [{"type": "text", "id": "code", "text": "It is {{ code }}."}]}},
}


class Api:
    """A program with a key."""

    def __init__(self, *scopes: str, name: str = "cleo") -> None:
        actor = make.person(name, now=timezone.now())
        _, self.key = governance.create_api_key(
            actor, name="tests", role="admin" if name == "cleo" else "approver", scopes=list(scopes), expires_at=None, now=timezone.now()
        )

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        client = Client()
        return client.generic(
            method,
            f"/api/v1/{path}",
            body if isinstance(body, str | bytes) else __import__("json").dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.key}", **{name.replace("_", "-"): value for name, value in headers.items()}},
        )


@pytest.fixture
def reset() -> str:
    """A released transactional message type."""
    make.in_force("template", "reset", make.template(**RESET), now=timezone.now())
    return "reset"


def wanted(**changes: Any) -> dict[str, Any]:
    return {"type": "reset", "to": {"external_id": "ada", "email": "ada@example.com"}, "data": {"code": "424242"}, **changes}


def test_a_message_is_accepted_at_once_and_can_be_followed_to_the_mailbox(reset: str) -> None:
    api = Api("messages:send", "messages:read")
    answer = api.call("POST", "messages", wanted())
    assert answer.status_code == 202 and answer.json()["state"] == "accepted"
    worker.drain()
    followed = api.call("GET", answer.headers["Location"].removeprefix("/api/v1/"))
    assert followed.json()["state"] == "sent"
    assert OutboxMail.objects.get().subject == "Your code is 424242"


def test_the_same_key_and_body_send_once_and_another_body_is_a_conflict(reset: str) -> None:
    api = Api("messages:send")
    first, second = (api.call("POST", "messages", wanted(), Idempotency_Key="k1") for _ in range(2))
    other = api.call("POST", "messages", wanted(data={"code": "1"}), Idempotency_Key="k1")
    assert first.json()["id"] == second.json()["id"] and second.headers["Idempotent-Replayed"] == "true"
    assert other.status_code == 409 and "Idempotency-Key" in other.json()["detail"]
    assert other.json()["title"] == "Used before with another request"
    worker.drain()
    assert OutboxMail.objects.count() == 1


@pytest.mark.postgres
def test_fifty_callers_with_one_key_have_one_effect(reset: str) -> None:
    api = Api("messages:send")
    ids = together([lambda: api.call("POST", "messages", wanted(), Idempotency_Key="k1").json()["id"]] * 50)
    assert len(ids) == 50 and len(set(ids)) == 1 and Decision.objects.count() == 1


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_an_unusable_key_is_refused_before_anything_happens(reset: str, key: str) -> None:
    answer = Api("messages:send").call("POST", "messages", wanted(), Idempotency_Key=key)
    assert answer.status_code == 422 and not Decision.objects.exists()


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"to": {"external_id": "ada"}}, "/to/email"),
        ({"to": {"external_id": "ada", "email": "a@b"}}, "/to/email"),
        ({"to": {"external_id": ""}}, "/to/external_id"),
        ({"data": {}}, "/data/code"),
        ({"send_at": "tomorrow"}, "/send_at"),
        ({"surprise": 1}, "/surprise"),
        ({"type": "../etc"}, "/type"),
    ],
)
def test_a_faulty_message_names_its_field_and_leaves_nothing(reset: str, changes: dict[str, Any], path: str) -> None:
    answer = Api("messages:send").call("POST", "messages", wanted(**changes))
    assert answer.status_code == 422
    assert path in [finding["path"] for finding in answer.json()["findings"]]
    assert not Decision.objects.exists()


def test_an_unknown_type_and_a_wrong_datum_are_told_where_they_are(reset: str) -> None:
    api = Api("messages:send")
    answer = api.call("POST", "messages", wanted(type="rest"))
    [finding] = answer.json()["findings"]
    assert (answer.status_code, finding["path"], finding["found"]) == (422, "/type", "rest") and "did you mean reset?" in finding[
        "expected"
    ]
    [finding] = api.call("POST", "messages", wanted(data={})).json()["findings"]
    assert finding["path"] == "/data/code"


def test_a_promotional_template_is_no_transactional_message(now: datetime) -> None:
    make.put("attribute", "first_name", make.attribute(), now=now)
    make.in_force("template", "offer", make.template(), now=now)
    answer = Api("messages:send").call("POST", "messages", wanted(type="offer"))
    assert answer.status_code == 403 and "promotional" in answer.json()["detail"]


def test_a_message_tells_when_it_is_due_only_while_it_waits(reset: str) -> None:
    api = Api("messages:send", "messages:read")
    later = (timezone.now() + timedelta(hours=1)).isoformat()
    waits = api.call("POST", "messages", wanted(send_at=later)).headers["Location"].removeprefix("/api/v1/")
    goes = api.call("POST", "messages", wanted()).headers["Location"].removeprefix("/api/v1/")
    [stop] = api.call("GET", waits).json()["timeline"]
    assert datetime.fromisoformat(stop["due_at"]) == datetime.fromisoformat(later)
    assert delivery.lease(lanes=("transactional",), worker="somebody", now=timezone.now()) is not None
    [stop] = api.call("GET", goes).json()["timeline"]
    assert "due_at" not in stop, "a lease's end is nobody's due date"


def test_a_message_can_be_taken_back_until_its_last_look(reset: str) -> None:
    api = Api("messages:send", "messages:read")
    path = api.call("POST", "messages", wanted()).headers["Location"].removeprefix("/api/v1/")
    assert api.call("DELETE", path).status_code == 204
    worker.drain()
    assert OutboxMail.objects.count() == 0 and api.call("GET", path).json()["reason"] == "cancelled"


def test_taking_back_what_was_sent_is_a_problem_that_says_so(reset: str) -> None:
    api = Api("messages:send")
    path = api.call("POST", "messages", wanted()).headers["Location"].removeprefix("/api/v1/")
    worker.drain()
    answer = api.call("DELETE", path)
    assert answer.status_code == 409 and "too late" in answer.json()["detail"] and answer.json()["title"] == "Too late"


def event(event_id: str = "e1", **changes: Any) -> dict[str, Any]:
    return {"id": event_id, "name": "signed_up", "external_id": "ada", "properties": {"plan": "pro"}, **changes}


def test_events_come_single_and_in_batches_and_each_id_counts_once() -> None:
    make.profile(now=timezone.now(), external_id="ada")
    api = Api("events:write")
    assert api.call("POST", "events", event()).json() == {"accepted": 1, "duplicates": 0, "rejected": []}
    batch = api.call("POST", "events", {"events": [event("e1"), event("e2"), event("e3", external_id="nobody")]})
    assert batch.status_code == 202
    answer = batch.json()
    assert (answer["accepted"], answer["duplicates"]) == (1, 1)
    assert answer["rejected"][0]["findings"][0]["path"] == "/events/2/external_id"


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ('{"id": "a", "id": "b"}', 400, "twice"),
        ("[" * 100_000 + "]" * 100_000, 400, "deep"),
        ('{"n": ' + "9" * 5_000 + "}", 400, "number"),
        ('{"name": "a\\u0000b"}', 400, "U+0000"),
        ("not json", 400, "JSON"),
        (b"\xff\xfe{\x00}\x00", 400, "UTF-8"),
    ],
)
def test_a_body_that_two_parsers_could_read_differently_is_refused(body: str | bytes, status: int, words: str) -> None:
    answer = Api("events:write").call("POST", "events", body)
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"


def test_a_key_without_the_scope_is_told_which_one_it_needs() -> None:
    answer = Api("events:write").call("GET", "runs")
    assert answer.status_code == 403 and "runs:read" in answer.json()["detail"]


def test_nobody_gets_in_without_a_key() -> None:
    assert Client().get("/api/v1/runs").status_code == 401


def test_a_launch_by_api_repeats_the_number_of_people(now: datetime) -> None:
    make.profiles(4, now=timezone.now())
    make.spring_sale(now=timezone.now())
    api = Api("runs:launch", "runs:read")
    outlook = api.call("GET", "campaigns/spring-sale/outlook").json()
    assert outlook["count"] == 4 and outlook["audience"]
    assert api.call("POST", "campaigns/spring-sale/runs", {}).status_code == 422
    assert api.call("POST", "campaigns/spring-sale/runs", {"count": 5}).status_code == 403
    launched = api.call("POST", "campaigns/spring-sale/runs", {"count": 4})
    assert launched.status_code == 201
    run = launched.headers["Location"].removeprefix("/api/v1/")
    assert api.call("POST", f"{run}/pause").json()["state"] == "paused"
    assert api.call("POST", f"{run}/resume").json()["state"] == "running"
    worker.drain()
    assert api.call("GET", run).json()["counts"] == {"sent": 4}
    assert api.call("GET", f"{run}/why/nobody").status_code == 404


def test_why_tells_the_pinned_rule_with_what_is_known_of_the_person(now: datetime) -> None:
    make.profile(now=now, external_id="ada", country="GB")
    make.profile(now=now, external_id="eva", country="PT")
    rule = {"all": [{"profile": "country", "op": "is", "value": "GB"}, {"reachable": "email"}]}
    key = make.spring_sale(now=now)
    make.in_force("segment", "everyone", make.segment(rule=rule), now=now)
    make.release("campaign", key, now=now)
    run = pipeline.launch(make.person("ben", now=now), key, now=now)
    worker.drain(now=lambda: now)

    api = Api("runs:read")
    told = api.call("GET", f"runs/{run.pk}/why/ada").json()
    assert told["state"] == "sent" and told["audience"]["segment"] == "everyone" and told["audience"]["revision"] == 2
    assert told["audience"]["rule"]["matched"] and [each["decided"] for each in told["audience"]["rule"]["children"]] == [True, True]
    told = api.call("GET", f"runs/{run.pk}/why/eva").json()
    country, reachable = told["audience"]["rule"]["children"]
    assert (told["state"], country["matched"], country["decided"], country["facts"]) == ("not_considered", False, True, {"value": "PT"})
    assert reachable["matched"] and not reachable["decided"]


def test_runs_of_another_workspace_do_not_exist(now: datetime) -> None:
    assert Api("runs:read").call("GET", "runs/999999").status_code == 404
    assert Api("runs:read").call("GET", "runs/" + "9" * 17).status_code == 404


@pytest.mark.parametrize("path", ["/api/v1/surprise", "/api/v1/runs//why/ada", "/api/v1/runs/x"])
def test_an_address_that_leads_nowhere_is_a_problem_document(path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 404 and answer["Content-Type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer["X-Request-Id"]
    assert Client().get("/surprise")["Content-Type"].startswith("text/html")


def test_of_a_batch_each_message_is_told_by_its_place_and_a_bad_one_holds_up_no_other(reset: str) -> None:
    api = Api("messages:send", "messages:read")
    batch = [
        wanted(idempotency_key="k1"),
        wanted(to={"external_id": "bob"}),
        {"type": "rest"},
        wanted(idempotency_key="k1"),
        wanted(data={}),
    ]
    answer = api.call("POST", "messages/batch", {"messages": batch})
    assert answer.status_code == 202
    told = answer.json()
    assert [one["state"] for one in told["messages"]] == ["accepted", "refused", "refused", "accepted", "refused"], told
    assert (told["accepted"], told["refused"]) == (2, 3)
    assert told["messages"][3]["replayed"] and told["messages"][3]["id"] == told["messages"][0]["id"]
    assert [one["findings"][0]["path"] for one in told["messages"] if one["findings"]] == [
        "/messages/1/to/email",
        "/messages/2/to",
        "/messages/4/data/code",
    ]
    worker.drain()
    assert OutboxMail.objects.count() == 1


def test_a_batch_is_bounded_and_not_empty(reset: str) -> None:
    api = Api("messages:send")
    for many in (0, 501):
        answer = api.call("POST", "messages/batch", {"messages": [wanted()] * many})
        assert answer.status_code == 422 and answer.json()["findings"][0]["path"] == "/messages"


def test_what_followed_a_message_is_told_with_it(reset: str) -> None:
    api = Api("messages:send", "messages:read")
    later = make.template(**{**RESET, "title": "Again"})
    make.in_force("template", "again", later, now=timezone.now())
    answer = api.call("POST", "messages", wanted(fallback=[{"type": "again", "after": 60}]))
    worker.drain()
    pipeline.fall_back(now=timezone.now() + timedelta(seconds=61))
    assert api.call("GET", f"messages/{answer.json()['id']}").json()["fallbacks"] == []  # the outbox never says more: it arrived
