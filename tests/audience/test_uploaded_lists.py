"""Lists of people that somebody uploads, and rules that ask for them."""

from __future__ import annotations

import io
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from audience import door as audience
from audience.door import SegmentBody
from audience.models import ListMember
from governance.door import AuditEntry, Invalid, User, parse
from tests import factories

pytestmark = pytest.mark.django_db


def who(key: str, now: datetime) -> set[int]:
    body = parse(SegmentBody, factories.segment(rule={"list": key}))
    return set(audience.resolve(factories.workspace().pk, body, as_of=now).ids)


def change(lines: list[str], now: datetime, **more: Any) -> audience.ListOutcome:
    return audience.change_list(factories.person("ada", now=now), "fair", lines, now=now, **{"by": "external_id", **more})


def people(now: datetime, *ids: str) -> list[int]:
    return [factories.profile(now=now, external_id=each, email=f"{each}@example.com", phone=None) for each in ids]


def test_a_list_is_made_replaced_added_to_and_taken_from(now: datetime) -> None:
    a, b, c = people(now, "a", "b", "c")
    made = change(["a", " b "], now, title="The fair")
    assert (made.lines, made.people, made.added, made.removed) == (2, 2, 2, 0) and who("fair", now) == {a, b}
    replaced = change(["b", "c"], now)
    assert (replaced.added, replaced.removed) == (1, 1) and who("fair", now) == {b, c}
    assert (change(["a"], now, mode="add").people, change(["a", "c"], now, mode="remove").people) == (3, 1) and who("fair", now) == {b}
    (row,) = audience.id_lists(factories.workspace().pk)
    assert (row.title, row.people) == ("The fair", 1)
    assert AuditEntry.objects.filter(action="list.changed").count() == 4


def test_lines_that_name_nobody_are_told_by_number_and_stop_nothing(now: datetime) -> None:
    people(now, "a")
    outcome = change(["a", "", "nobody", "a", "x" * 500], now)
    assert (outcome.lines, outcome.people, outcome.unknown, outcome.faulty) == (4, 1, 1, 1)
    assert outcome.told == [(5, "expected at most 400 characters"), (3, "names nobody we know")]


def test_addresses_name_everybody_who_has_them(now: datetime) -> None:
    a, b = (factories.profile(now=now, email="Ada@Example.com", phone="+4930123456") for _ in range(2))
    assert change(["ada@EXAMPLE.com", "no address"], now, by="email").faulty == 1 and who("fair", now) == {a, b}
    assert change(["+49 30 123456"], now, by="phone").people == 2


@pytest.mark.parametrize(
    ("key", "lines", "more", "path"),
    [
        ("Fair 2026", ["a"], {}, "/key"),
        ("fair", [], {}, "/values"),
        ("fair", ["", " "], {}, "/values"),
        ("fair", ["a"], {"by": "name"}, "/by"),
        ("fair", ["a"], {"mode": "merge"}, "/mode"),
        ("fair", ["a"], {"title": "x" * 121}, "/title"),
    ],
)
def test_what_cant_be_a_list_is_refused_and_nothing_changes(
    key: str, lines: list[str], more: dict[str, Any], path: str, now: datetime
) -> None:
    with pytest.raises(Invalid) as refused:
        audience.change_list(factories.person("ada", now=now), key, lines, now=now, **{"by": "external_id", **more})
    assert [finding.path for finding in refused.value.findings] == [path] and not audience.id_lists(factories.workspace().pk)


def test_a_rule_must_name_a_list_that_is_there(now: datetime) -> None:
    people(now, "a")
    change(["a"], now)
    with pytest.raises(Invalid) as refused:
        who("fairs", now)
    (finding,) = refused.value.findings
    assert (finding.path, finding.expected) == ("/rule/list", "the key of an uploaded list, perhaps fair")
    assert audience.sentence(parse(SegmentBody, factories.segment(rule={"list": "fair"})).rule) == "People on the list “fair”."


def test_who_is_forgotten_is_on_no_list(now: datetime) -> None:
    people(now, "a", "b")
    change(["a", "b"], now)
    audience.erase(factories.person("ada", now=now), "a", now=now)
    assert ListMember.objects.count() == 1


def test_the_command_reads_a_file(now: datetime, tmp_path: Path) -> None:
    (a,) = people(now, "a")
    file = tmp_path / "ids.txt"
    file.write_text("\ufeffa\r\nb\r\n", "utf-8")
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("import_list", "fair", str(file), stdout=out)
    assert ended.value.code == 2 and "line 2: names nobody we know" in out.getvalue() and who("fair", now) == {a}
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SystemExit):
        call_command("import_list", "fair", str(file), stderr=io.StringIO())
    assert who("fair", now) == {a}


def test_an_author_uploads_a_list_on_its_page(now: datetime, client: Client) -> None:
    (a,) = people(now, "a")
    client.force_login(User.objects.get(pk=factories.person("ada", now=now).user_id))
    page = client.post("/console/lists/change/", {"key": "fair", "by": "external_id", "mode": "add", "pasted": "a\nzoe", "title": "Fair"})
    assert page.status_code == 200 and b"Line 2: names nobody we know" in page.content and b"zoe" not in page.content
    assert who("fair", now) == {a}
    file = io.BytesIO("a\n".encode("utf-16"))
    file.name = "ids.txt"
    wrong = client.post("/console/lists/change/", {"key": "fair", "by": "external_id", "mode": "add", "file": file})
    assert wrong.status_code == 422 and b"text in UTF-8" in wrong.content
    factories.put("segment", "visitors", factories.segment(title="Visitors", rule={"list": "fair"}), now=now)
    assert b"Visitors" in client.get("/console/lists/").content
    client.post("/console/lists/fair/drop/")
    assert who("fair", now) == {a}, "a segment asks for it"
    client.post("/console/lists/change/", {"key": "old", "by": "external_id", "mode": "add", "pasted": "a"})
    client.post("/console/lists/old/drop/")
    assert [row.key for row in audience.id_lists(factories.workspace().pk)] == ["fair"]


# ── who is on it ──────────────────────────────────────────────────────────────────────────────────────────────────


def seen(who: str, address: str, now: datetime, status: int = 200) -> str:
    """What a page of the console says to somebody."""
    client = signed_in(who, now)
    answer = client.get(address)
    assert answer.status_code == status
    return answer.content.decode()


def signed_in(who: str, now: datetime) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=factories.person(who, now=now).user_id))
    return client


def test_who_is_on_a_list_is_paged_and_found_by_external_id(now: datetime) -> None:
    people(now, *(f"guest-{number:02}" for number in range(60)), "elsewhere")
    change([f"guest-{number:02}" for number in range(60)], now, title="The fair")
    first = seen("ada", "/console/lists/fair/people/", now)
    assert "60 people" in first and "guest-00@example.com" in first and "guest-49<" in first and "guest-50" not in first
    (cursor,) = re.findall(r"\?cursor=(\d+)", first)
    second = seen("ada", f"/console/lists/fair/people/?cursor={cursor}", now)
    assert "guest-50" in second and "guest-59" in second and "guest-49" not in second and 'rel="next"' not in second
    found = seen("ada", "/console/lists/fair/people/?q=guest-1", now)
    assert "guest-10" in found and "guest-19" in found and "guest-20" not in found
    assert "begins with “elsewhere”" in seen("ada", "/console/lists/fair/people/?q=elsewhere", now), "known, and on no list"
    assert "/console/lists/fair/people/" in seen("ada", "/console/lists/", now)
    seen("ada", "/console/lists/none/people/", now, status=404)


def test_viewers_see_who_is_on_a_list_without_addresses(now: datetime) -> None:
    people(now, "a", "bob")
    change(["a", "bob"], now)
    for query, there in (("", True), ("?q=bob", True), ("?q=bob@example.com", True), ("?q=bo", False)):
        said = seen("vera", f"/console/lists/fair/people/{query}", now)
        assert ("b…@example.com" in said) is there, query
        assert "bob@example.com" not in re.sub(r"<[^>]*>", "", said) and "Take off" not in said


def test_one_person_is_taken_off_and_put_back(now: datetime) -> None:
    a, b = people(now, "a", "b")
    change(["a", "b"], now)
    client = signed_in("ada", now)
    answer = client.post(f"/console/lists/fair/people/{b}/", {"do": "take-off", "q": "b"}, follow=True)
    assert who("fair", now) == {a} and "is off the list" in answer.content.decode() and "1 person" in answer.content.decode()
    again = client.post(f"/console/lists/fair/people/{b}/", {"do": "take-off"}, follow=True)
    assert "is off the list" not in again.content.decode()
    client.post(f"/console/lists/fair/people/{b}/", {"do": "put-back"})
    client.post(f"/console/lists/fair/people/{b}/", {"do": "put-back"})
    assert who("fair", now) == {a, b} and audience.id_lists(factories.workspace().pk)[0].people == 2
    assert AuditEntry.objects.filter(action="list.changed", data__by="hand").count() == 2
    assert client.post(f"/console/lists/fair/people/{2**63}/", {"do": "put-back"}).status_code == 404
    assert client.post("/console/lists/fair/people/999999/", {"do": "put-back"}).status_code == 404
    assert signed_in("vera", now).post(f"/console/lists/fair/people/{a}/", {"do": "take-off"}).status_code == 403


def test_some_are_chosen_taken_off_and_put_back_at_once(now: datetime) -> None:
    a, b, c = people(now, "a", "b", "c")
    change(["a", "b", "c"], now)
    client = signed_in("ada", now)
    move = "/console/lists/fair/people/move/"
    said = client.post(move, {"do": "take-off", "person": [a, b, "nobody", 2**64]}, follow=True).content.decode()
    assert who("fair", now) == {c} and "2 people are off the list" in said
    assert 'value="put-back" autofocus' in said, "whoever took them off by keyboard goes on where it can be undone"
    assert AuditEntry.objects.filter(action="list.changed", data__by="hand", data__removed=2).count() == 1
    back = re.findall(r'name="person" value="(\d+)"', said.partition("put-back")[0])
    said = client.post(move, {"do": "put-back", "person": [*back, "999999"]}, follow=True).content.decode()
    assert who("fair", now) == {a, b, c} and "2 people are on the list again" in said
    assert "Nobody was chosen" in client.post(move, {"do": "take-off"}, follow=True).content.decode()
    assert signed_in("vera", now).post(move, {"do": "take-off", "person": [a]}).status_code == 403


def test_a_page_of_a_list_says_which_part_of_it_is_shown(now: datetime) -> None:
    people(now, *(f"guest-{number:02}" for number in range(60)))
    change([f"guest-{number:02}" for number in range(60)], now)
    first = seen("ada", "/console/lists/fair/people/", now)
    (cursor,) = re.findall(r"\?cursor=(\d+)", first)
    assert "1–50 of 60" in first and "51–60 of 60" in seen("ada", f"/console/lists/fair/people/?cursor={cursor}", now)
    assert "10 found" in seen("ada", "/console/lists/fair/people/?q=guest-0", now)
    assert "checkbox" not in seen("vera", "/console/lists/fair/people/", now)


def test_after_the_only_one_found_is_taken_off_nothing_reads_like_an_error(now: datetime) -> None:
    (a,) = people(now, "a")
    change(["a"], now)
    said = signed_in("ada", now).post(f"/console/lists/fair/people/{a}/", {"do": "take-off", "q": "a"}, follow=True).content.decode()
    assert "Nobody else on this list fits “a”" in said and "Nobody found" not in said


def test_a_segment_is_made_of_a_list(now: datetime) -> None:
    people(now, "a")
    change(["a"], now, title="The fair")
    (address,) = re.findall(r'href="(/console/new/segments/[^"]*)"', seen("ada", "/console/lists/fair/people/", now))
    begun = seen("ada", address, now)
    assert 'value="The fair"' in begun and re.search(r'<option value="fair" selected>The fair</option>', begun)
    seen("ada", "/console/new/segments/?list=none", now, status=404)
