"""Whatever a browser sends to the console, the answer says what was wrong; it is never our fault's page, and nothing is half-done."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client

from governance import door as governance
from governance.door import Actor, Role, User
from governance.models import Document, Revision

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]  # the stricter of the two about what a text may hold
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
NASTY = (
    "",
    "0",
    "-1",
    "9" * 30,
    "\x00",
    "😀" * 40,
    "%00",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "a" * 20_000,
    "١٢٣",
)
SHAPES = ("null", "[]", "{}", '{"a": [1, {"b": null}]}', "[[[[]]]]")  # for fields that are read as JSON or as a whole document
COMMANDS = ("add:/rule/of:condition", "remove:/rule/of/0", "show:xx")
READ_AS_A_WHOLE = {"source", "kept", "base", "scopes"}


def values_for(field: str) -> tuple[str, ...]:
    """What two databases may take differently is posted on both; what forms and schemas refuse before any database, on one."""
    if connection.vendor != "sqlite":
        return ("9" * 30, "\x00", "a" * 20_000, "١٢٣")
    if field == "do":
        return (*NASTY, *COMMANDS)
    return (*NASTY, *SHAPES) if field.endswith(":json") or field in READ_AS_A_WHOLE else NASTY


ASKED = (
    "/console/search/?q=",
    "/console/campaigns/?cursor=",
    "/console/segments/?q=",
    "/console/templates/?state=",
    "/console/profiles/?cursor=",
    "/console/profiles/?q=",
    "/console/messages/?q=",
    "/console/messages/?dispatch=",
    "/console/messages/?profile=",
    "/console/messages/?state=skipped&dispatch=1&cursor=",
    "/console/outbox/?q=",
    "/console/outbox/?cursor=",
    "/console/audit/?user=",
    "/console/audit/?cursor=",
    "/console/audit/?subject=",
    "/console/delivery/?address=",
    "/console/segments/everyone/history/?from=1&to=",
    "/console/segments/everyone/preview/?person=",
    "/console/look/audience/?segment=",
    "/console/runs/?campaign=",
)
POSTED = (
    (
        "/console/new/segments/",
        ("/title", "/rule/word", "/rule/of/0/subject", "/rule/of/0/op", "/rule:json", "do", "kept", "source", "base", "key"),
    ),
    ("/console/segments/everyone/", ("/title", "/rule:json", "do", "kept", "source", "base")),
    ("/console/new/templates/", ("/title", "/channel", "/locales:json", "/shown", "/variables:json", "do", "kept", "source")),
    (
        "/console/new/campaigns/",
        ("/title", "/ramp", "/holdout", "/budget", "/trigger:json", "/was:json", "/variants:json", "do", "kept", "source"),
    ),
    ("/console/new/sending-policies/", ("/title", "/caps:json", "/quiet_hours:json", "do", "source")),
    ("/console/new/opt-ins/", ("/title", "/channel", "/topics:json", "/confirm_with", "/link_days", "do", "source")),
    ("/console/look/segments/", ("/title", "/rule:json", "/rule/of/0/value", "source")),
    ("/console/look/templates/frame/", ("/title", "/locales:json", "look_person", "look_key", "source")),
    ("/console/look/templates/info/", ("/locales:json", "look_person", "source")),
    ("/console/look/templates/test/", ("/locales:json", "look_person", "test_phone")),
    ("/console/segments/everyone/submit/", ("number", "note")),
    ("/console/segments/everyone/history/1/roll-back/", ("reason",)),
    ("/console/segments/everyone/history/1/recall/", ("nothing",)),
    ("/console/approvals/1/decide/", ("bill_hash", "verdict", "comment")),
    ("/console/delivery/switch/", ("what", "on")),
    ("/console/delivery/suppression/", ("address", "lift", "channel", "reason")),
    ("/console/people/add/", ("username", "email", "role")),
    ("/console/people/1/role/", ("role",)),
    ("/console/api-keys/create/", ("name", "role", "scopes", "days")),
    ("/console/runs/1/act/", ("act", "reason")),
    ("/console/theme/", ("theme", "next")),
    ("/console/workspace/", ("workspace",)),
    ("/console/sign-in/", ("username", "password", "next")),
)


@pytest.fixture
def admin() -> Client:
    """A signed-in admin's browser, with one segment to work on. Server errors are answers here, not exceptions."""
    workspace = governance.default_workspace()
    user = User.objects.create_user("root", "root@example.com", "a-long-enough-one")
    shell = Actor(workspace.pk, None, Role.ADMIN, "command", label="test")
    governance.set_member(shell, user, role=Role.ADMIN, legal=True, now=NOW)
    actor = governance.actor_for(user, workspace.pk, "console")
    governance.save(actor, "segment", "everyone", {"title": "Everyone", "rule": {"everyone": True}}, base=None, now=NOW)
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


@pytest.mark.parametrize("address", ASKED)
def test_no_address_breaks_a_page(admin: Client, address: str) -> None:
    for value in NASTY:
        path, _, query = address.partition("?")
        pairs = [pair.split("=", 1) for pair in query.split("&")]
        pairs[-1][1] = value
        answer = admin.get(path, dict(pairs))
        assert answer.status_code < 500, (value[:40], answer.status_code)


@pytest.mark.parametrize(("address", "fields"), POSTED, ids=[address for address, _ in POSTED])
def test_no_field_breaks_a_page(admin: Client, address: str, fields: tuple[str, ...]) -> None:
    for field in fields:
        for value in values_for(field):
            answer = admin.post(address, {field: value})
            assert answer.status_code < 500, (field, value[:40], answer.status_code)


def test_a_refused_save_keeps_what_was_typed_and_writes_nothing(admin: Client) -> None:
    before = Revision.objects.count()
    answer = admin.post(
        "/console/new/segments/", {"/title": "Kept", "/rule/word": "all", "/rule/of/0/subject": "profile:country", "do": "save"}
    )
    assert answer.status_code == 422
    assert b'value="Kept"' in answer.content
    assert Revision.objects.count() == before
    assert not Document.objects.filter(key="kept").exists()


def test_what_people_type_is_never_markup(admin: Client) -> None:
    title = "<img src=x onerror=alert(1)>"
    admin.post(
        "/console/new/segments/", {"key": "nasty", "/title": title, "/rule:json": '{"word": "all", "of": [{"subject": "everyone"}]}'}
    )
    assert Document.objects.get(key="nasty").title == title
    for path in ("/console/segments/", "/console/segments/nasty/", "/console/segments/nasty/history/", "/console/search/?q=img"):
        assert title.encode() not in admin.get(path).content


def test_a_forged_form_is_refused(admin: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = admin.cookies
    assert strict.post("/console/people/add/", {"username": "mallory", "role": "admin"}).status_code == 403
    assert not User.objects.filter(username="mallory").exists()
