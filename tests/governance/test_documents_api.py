from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance import door as governance
from governance.door import Actor, Role
from governance.models import ApiKey
from tests.governance.office import AUDIENCE, Office

pytestmark = pytest.mark.urls("tests.governance.urls")


class Api:
    """A program with a key."""

    def __init__(self, office: Office, maker: Actor, role: Role, scopes: list[str] | None = None) -> None:
        key = ApiKey.objects.count()
        operator = Actor(office.workspace_id, maker.user_id, Role.ADMIN, "console", label=str(maker))
        _row, text = governance.create_api_key(operator, f"key {key}", role, scopes or list(governance.SCOPES), None, office.now())
        self.client = Client(headers={"Authorization": f"Bearer {text}"}, raise_request_exception=True)

    def call(
        self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, type: str = "application/json", headers: Any = None
    ) -> Any:
        data = raw if raw is not None else json.dumps(body).encode() if body is not None else b""
        answer = self.client.generic(method, f"/api/v1/{path}", data, content_type=type, headers=headers)
        return answer.status_code, answer.json() if answer.content else None, answer

    def get(self, path: str) -> Any:
        return self.call("GET", path)[:2]

    def post(self, path: str, body: Any = None) -> Any:
        return self.call("POST", path, body)[:2]

    def put(self, path: str, body: Any, **headers: str) -> Any:
        return self.call("PUT", path, body, headers=headers)[:2]


@pytest.fixture
def ada(office: Office) -> Api:
    return Api(office, office.ada, Role.AUTHOR)


@pytest.fixture
def ben(office: Office) -> Api:
    return Api(office, office.ben, Role.APPROVER)


def test_a_document_goes_from_nothing_to_released_by_http(office: Office, ada: Api, ben: Api) -> None:
    AUDIENCE["everyone"] = 12
    assert ada.put("documents/pages/welcome", {"body": {"title": "Welcome", "text": "Hi"}})[0] == 201
    status, saved = ada.put("documents/plans/spring", {"body": {"title": "Spring", "page": "welcome"}, "note": "first"})
    assert (status, saved["state"], saved["latest"]["number"], saved["latest"]["author"]) == (201, "draft", 1, "ada")

    status, submission = ada.post("documents/plans/spring/submit", {"number": 1})
    assert (status, submission["reach"], submission["approvals_needed"]) == (201, 12, 1)
    decision = {"bill_hash": submission["bill_hash"], "verdict": "approve", "comment": "Good."}
    status, decided = ben.post(f"submissions/{submission['id']}/decide", decision)
    assert (status, decided["state"], decided["decisions"][0]["by"]) == (200, "approved", "ben")
    status, released = ben.post(f"submissions/{submission['id']}/release")
    assert (status, {item["key"] for item in released["items"]}) == (200, {"welcome", "spring"})
    status, approval = ada.get("documents/plans/spring/approval")
    assert (status, approval["deciders"], approval["reach"]) == (200, ["ben"], 12)


def test_what_a_document_went_through_can_be_read(office: Office, ada: Api) -> None:
    AUDIENCE["everyone"] = 12
    office.save(office.ada, "page", "welcome", text="Hi")
    office.publish("plan", "spring", page="welcome")
    office.publish("plan", "spring", page="welcome", share=0.5)
    governance.roll_back(office.ben, "plan", "spring", number=1, reason="too few", now=office.now())
    moves = ada.get("documents/plans/spring/releases?limit=2")[1]["items"]
    assert [(move["action"], move["number"], move["by"], move["reason"]) for move in moves] == [
        ("rollback", 1, "ben", "too few"),
        ("release", 2, "ben", ""),
    ]
    assert ada.get("documents/plans/spring/reach") == (200, {"reach": 12})
    assert ada.get("documents/pages/welcome/reach") == (200, {"reach": None})
    assert [row["key"] for row in ada.get("submissions?kind=plan&key=spring&state=released")[1]["items"]] == ["spring", "spring"]
    assert ada.get("submissions?kind=page")[1]["items"] == []


def test_a_list_of_documents_is_searched_as_on_its_page(office: Office, ada: Api) -> None:
    office.save(office.ada, "page", "other", text="Hi")
    office.publish("page", "welcome", text="Hi")
    assert [row["key"] for row in ada.get("documents/pages?state=draft")[1]["items"]] == ["other"]
    assert [row["key"] for row in ada.get("documents/pages?q=wel&state=released")[1]["items"]] == ["welcome"]
    assert ada.get("documents/pages?stat=draft")[0] == 422


def test_the_checks_are_those_that_stop_a_submission(office: Office, ada: Api) -> None:
    office.save(office.ada, "page", "welcome", text="TODO")
    office.save(office.ada, "plan", "spring", page="welcome")
    found = ada.get("documents/plans/spring/checks")[1]["items"]
    assert [(each["level"], each["path"]) for each in found] == [("error", "page:welcome#/text")]
    assert ada.post("documents/plans/spring/submit", {"number": 1})[1]["findings"] == found


def test_a_key_is_no_way_round_the_second_person(office: Office) -> None:
    author, approver = Api(office, office.ben, Role.APPROVER), Api(office, office.ben, Role.APPROVER)
    author.put("documents/pages/welcome", {"body": {"title": "Welcome"}})
    _, submission = author.post("documents/pages/welcome/submit", {"number": 1})
    decision = {"bill_hash": submission["bill_hash"], "verdict": "approve"}
    status, problem = approver.post(f"submissions/{submission['id']}/decide", decision)
    assert status == 403
    assert "second person" in problem["detail"] and problem["findings"][0]["path"] == "page:welcome"


def test_an_edit_of_an_older_revision_answers_with_what_it_missed(office: Office, ada: Api) -> None:
    office.save(office.abe, "page", "welcome", text="Hi")
    office.save(office.abe, "page", "welcome", text="Hello")
    status, problem = ada.put("documents/pages/welcome", {"body": {"title": "Mine"}, "base": 1})
    assert (status, problem["title"]) == (409, "Changed meanwhile")
    assert problem["difference"] == [{"path": "/text", "op": "changed", "before": "Hi", "after": "Hello"}]
    status, problem = ada.put("documents/pages/welcome", {"body": {"title": "Mine"}}, **{"If-Match": '"1"'})
    assert status == 412 and problem["difference"]


def test_an_etag_read_is_an_if_match_written(office: Office, ada: Api) -> None:
    office.save(office.abe, "page", "welcome", text="Hi")
    tag = ada.call("GET", "documents/pages/welcome")[2].headers["ETag"]
    assert tag == '"1"'
    status, answer = ada.put("documents/pages/welcome", {"body": {"title": "Mine"}}, **{"If-Match": tag})
    assert (status, answer["latest"]["number"]) == (200, 2)
    weakened = {"If-Match": 'W/"2"'}  # by a proxy that compresses
    assert ada.put("documents/pages/welcome", {"body": {"title": "Once more"}}, **weakened)[0] == 200
    assert ada.put("documents/pages/welcome", {"body": {"title": "Again"}}, **{"If-Match": "*"})[0] == 200
    assert ada.put("documents/pages/welcome", {"body": {"title": "New"}}, **{"If-None-Match": "*"})[0] == 412
    assert ada.put("documents/pages/other", {"body": {"title": "New"}}, **{"If-None-Match": "*"})[0] == 201


@pytest.mark.parametrize("header", [{"If-Match": "latest"}, {"If-Match": '"1", "2"'}, {"If-None-Match": '"1"'}, {"If-Match": "9" * 40}])
def test_a_precondition_nobody_understands_is_refused(office: Office, ada: Api, header: dict[str, str]) -> None:
    office.save(office.abe, "page", "welcome", text="Hi")
    status, problem = ada.put("documents/pages/welcome", {"body": {"title": "Mine"}}, **header)
    assert status == 422 and problem["findings"][0]["path"] == f"/{next(iter(header))}"


def test_the_same_body_again_is_the_same_revision(office: Office, ada: Api) -> None:
    body = {"body": {"title": "Welcome", "text": "Hi"}}
    assert ada.put("documents/pages/welcome", body)[1]["latest"]["number"] == 1
    assert ada.put("documents/pages/welcome", body)[1]["latest"]["number"] == 1


def test_every_fault_of_a_body_is_a_finding_with_its_pointer(office: Office, ada: Api) -> None:
    status, problem = ada.put("documents/plans/spring", {"body": {"title": "", "share": "all", "x": 1}})
    assert status == 422
    assert {finding["path"] for finding in problem["findings"]} == {"/title", "/share", "/x", "/page"}
    status, problem = ada.put("documents/plans/spring", {"boddy": {}, "base": "1"})
    assert {finding["path"] for finding in problem["findings"]} == {"/boddy", "/base", "/body"}


@pytest.mark.parametrize(
    ("raw", "type", "status"),
    [
        (b'{"body":{},"body":{}}', "application/json", 400),
        (b'{"body":{"title":NaN}}', "application/json", 400),
        (b"[" * 10_000, "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"a=1", "application/x-www-form-urlencoded", 415),
        (b"{}", "application/json; charset=utf-16", 415),
        (b"", "application/json", 422),
        (b"[]", "application/json", 422),
        (b'"text"', "application/json", 422),
        (b"null", "application/json", 422),
    ],
)
def test_bodies_that_are_no_request_get_a_clear_answer(office: Office, ada: Api, raw: bytes, type: str, status: int) -> None:
    answered, problem, _ = ada.call("PUT", "documents/pages/welcome", raw=raw, type=type)
    assert answered == status and problem["detail"]
    assert office.latest("page", "welcome") is None


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["title", "uses", "blocks", "a/b", ""]), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=ANY, title=ANY)
def test_no_body_breaks_the_door(office: Office, ada: Api, body: Any, title: Any) -> None:
    for wanted in (body, {"body": body}, {"body": {"title": title, "uses": body}, "base": 1}):
        status, answer = ada.put("documents/pages/welcome", wanted)
        assert status in (200, 201, 400, 404, 409, 422)
        assert status < 400 or answer["detail"]


def test_history_differences_checks_and_uses_can_be_read(office: Office, ada: Api) -> None:
    office.publish("page", "footer", text="Bye")
    office.save(office.ada, "page", "footer", text="TODO")
    office.save(office.ada, "page", "welcome", text="Hi", uses=["footer"])
    assert [item["number"] for item in ada.get("documents/pages/footer/revisions")[1]["items"]] == [2, 1]
    assert ada.get("documents/pages/footer/revisions/1")[1]["body"]["text"] == "Bye"
    changes = ada.get("documents/pages/footer/diff")[1]
    assert (changes["before"], changes["after"], changes["changes"][0]["path"]) == (1, 2, "/text")
    assert ada.get("documents/pages/footer/diff?before=2&after=1")[1]["changes"][0]["after"] == "Bye"
    assert ada.get("documents/pages/footer/checks")[1]["items"][0]["path"] == "/text"
    assert ada.post("documents/pages/footer/checks", {"body": {"title": "x"}})[1]["items"][0]["level"] == "warning"
    assert ada.get("documents/pages/footer/used-by")[1]["items"] == [{"kind": "page", "key": "welcome"}]
    assert [item["key"] for item in ada.get("documents/pages/welcome/bill")[1]["items"]] == ["footer", "welcome"]
    assert ada.get("documents/pages/footer/bill?of=released")[1]["items"][0]["number"] == 1


def test_every_kind_shows_the_schema_of_its_bodies(office: Office, ada: Api) -> None:
    status, answer = ada.get("documents")
    kinds = {kind["name"]: kind for kind in answer["items"]}
    assert status == 200 and kinds["page"]["body"]["properties"]["title"]["maxLength"] == 120
    assert set(kinds) >= {"approval_policy", "page", "plan"}


def test_the_author_of_each_field_is_known(office: Office, ada: Api) -> None:
    office.save(office.ada, "page", "welcome", text="Hi")
    office.save(office.abe, "page", "welcome", text="Hello")
    items = ada.get("documents/pages/welcome/blame")[1]["items"]
    assert {(item["path"], item["author"], item["number"]) for item in items} == {("/title", "ada", 1), ("/text", "abe", 2)}
    assert ada.get("documents/pages/nothing/blame")[0] == 404


def test_lists_go_by_cursor(office: Office, ada: Api) -> None:
    for number in range(5):
        office.save(office.ada, "page", f"page-{number}", text="Hi")
    _, first = ada.get("documents/pages?limit=2")
    _, second = ada.get(f"documents/pages?limit=2&cursor={first['next']}")
    assert [item["key"] for item in first["items"] + second["items"]] == ["page-0", "page-1", "page-2", "page-3"]
    assert ada.get("documents/pages?limit=0")[0] == 422


def test_a_roll_back_and_a_recall_by_http(office: Office, ben: Api) -> None:
    office.publish("page", "welcome", text="Hi")
    office.publish("page", "welcome", text="Hello")
    status, moved = ben.post("documents/pages/welcome/roll-back", {"number": 1, "reason": "typo"})
    assert (status, moved["action"], moved["number"]) == (200, "rollback", 1)
    assert ben.post("documents/pages/welcome/recall", {"number": 2, "reason": "typo"})[0] == 200
    assert ben.post("documents/pages/welcome/recall", {"number": 2, "reason": "typo"})[0] == 403
    assert ben.post("documents/pages/welcome/roll-back", {"number": 1})[1]["findings"][0]["path"] == "/reason"


def test_a_submission_can_be_listed_read_and_withdrawn(office: Office, ada: Api) -> None:
    office.save(office.ada, "page", "welcome", text="Hi")
    submission = office.submit(office.ada, "page", "welcome")
    assert ada.get("submissions?state=open")[1]["items"][0]["id"] == submission.pk
    assert ada.get("submissions?state=approved")[1]["items"] == []
    assert ada.get("submissions?state=lost")[0] == 422
    assert ada.get(f"submissions/{submission.pk}")[1]["bill"][0]["key"] == "welcome"
    assert ada.post(f"submissions/{submission.pk}/withdraw")[1]["state"] == "withdrawn"


def test_keys_are_made_listed_and_revoked_by_http(office: Office) -> None:
    cleo = Api(office, office.cleo, Role.ADMIN)
    status, made = cleo.post(
        "api-keys", {"name": "Sync", "role": "author", "scopes": ["documents:read"], "expires_at": "2036-01-01T00:00:00Z"}
    )
    assert status == 201 and made["key"].startswith(f"omni_{made['prefix']}_")
    listed = cleo.get("api-keys")[1]["items"][0]
    assert listed["name"] == "Sync" and "key" not in listed
    fresh = Client(headers={"Authorization": f"Bearer {made['key']}"})
    assert fresh.get("/api/v1/me").json()["scopes"] == ["documents:read"]
    assert cleo.call("DELETE", f"api-keys/{made['id']}")[0] == 200
    assert fresh.get("/api/v1/me").status_code == 401


def test_a_key_that_is_no_admins_sees_no_other_keys(office: Office) -> None:
    assert Api(office, office.cleo, Role.AUTHOR, ["keys:manage"]).get("api-keys")[0] == 403


def test_the_audit_trail_can_be_read_and_filtered(office: Office) -> None:
    cleo = Api(office, office.cleo, Role.ADMIN)
    office.publish("page", "welcome", text="Hi")
    items = cleo.get("audit?subject=page:welcome")[1]["items"]
    assert [item["action"] for item in items] == ["page.released", "page.decided", "page.submitted", "page.saved"]
    assert len(cleo.get("audit?subject=page:welcome&action=page.saved")[1]["items"]) == 1


def test_no_key_or_a_wrong_one_is_a_401(office: Office) -> None:
    for headers in ({}, {"Authorization": "Bearer omni_x_y"}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer"}):
        answer = Client(headers=headers).get("/api/v1/documents/pages")
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "documents/pages", "documents:read"),
        ("GET", "documents/pages/welcome", "documents:read"),
        ("PUT", "documents/pages/welcome", "documents:write"),
        ("POST", "documents/pages/welcome/submit", "documents:submit"),
        ("POST", "documents/pages/welcome/roll-back", "documents:release"),
        ("POST", "documents/pages/welcome/recall", "documents:release"),
        ("POST", "submissions/1/decide", "documents:decide"),
        ("POST", "submissions/1/release", "documents:release"),
        ("POST", "submissions/1/withdraw", "documents:submit"),
        ("GET", "api-keys", "keys:manage"),
        ("POST", "api-keys", "keys:manage"),
        ("DELETE", "api-keys/1", "keys:manage"),
        ("GET", "audit", "audit:read"),
    ],
)
def test_each_door_asks_for_its_scope(office: Office, method: str, path: str, scope: str) -> None:
    others = [each for each in governance.SCOPES if each != scope]
    status, problem, _ = Api(office, office.cleo, Role.ADMIN, others).call(method, path, {} if method != "GET" else None)
    assert status == 403 and scope in problem["detail"]


def test_another_workspace_is_not_there(office: Office, ada: Api) -> None:
    other = governance.create_workspace("other", "Other").pk
    user = governance.User.objects.get(username="abe")
    governance.set_member(Actor(other, None, Role.ADMIN, "command"), user, role=Role.AUTHOR, legal=False, now=office.now())
    stranger = governance.actor_for(user, other, "console")
    governance.save(stranger, "page", "secret", {"title": "x", "text": "Hi"}, base=None, now=office.now())
    submission = governance.submit(stranger, "page", "secret", number=1, now=office.now())
    paths = ["", "/revisions", "/revisions/1", "/diff", "/blame", "/checks", "/bill", "/approval", "/used-by"]
    assert {ada.get(f"documents/pages/secret{path}")[0] for path in paths} == {404}
    assert ada.get(f"submissions/{submission.pk}")[0] == 404
    assert ada.get("documents/pages")[1]["items"] == []


@pytest.mark.parametrize(
    "path",
    [
        "documents/poems",
        "documents/poems/ode",
        "documents/pages/nothing",
        "documents/pages/welcome/revisions/99999999999999999999",
        "submissions/99999999999999999999",
    ],
)
def test_what_is_not_there_is_a_404(office: Office, ada: Api, path: str) -> None:
    office.save(office.ada, "page", "welcome", text="Hi")
    assert ada.get(path)[0] == 404


def test_a_busy_key_is_told_when_to_come_back(office: Office, ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from rest_framework.settings import api_settings

    monkeypatch.setattr(api_settings, "DEFAULT_THROTTLE_RATES", {"api_key": "3/day"})
    statuses = [ada.get("me")[0] for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    answer = ada.call("GET", "me")[2]
    assert int(answer.headers["Retry-After"]) > 0


def test_a_session_is_no_key(office: Office, client: Client) -> None:
    client.force_login(governance.User.objects.get(username="cleo"))
    assert client.get("/api/v1/me").status_code == 401
