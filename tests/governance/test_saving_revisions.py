from __future__ import annotations

import pytest

from governance import door as governance
from governance.door import Invalid, Missing, Refused
from tests.governance.office import Office
from tests.tables import over


def test_each_save_makes_the_next_immutable_revision(office: Office) -> None:
    first = office.save(office.ada, "page", "welcome", text="Hello")
    second = office.save(office.abe, "page", "welcome", text="Hello there")

    assert (first.number, second.number) == (1, 2)
    kept = governance.revision(office.workspace_id, "page", "welcome", 1)
    assert (kept.body["text"], kept.author, kept.via) == ("Hello", "ada", "console")


def test_the_same_body_again_is_the_same_revision_whoever_saves_it(office: Office) -> None:
    first = office.save(office.ada, "page", "welcome", text="Hello", size=2)
    again = governance.save(office.abe, "page", "welcome", {"size": 2, "text": "Hello", "title": "welcome"}, base=None, now=office.now())
    assert again.pk == first.pk
    assert len(governance.revisions(office.workspace_id, "page", "welcome")) == 1


def test_text_is_kept_in_one_unicode_form_so_that_equal_words_hash_equal(office: Office) -> None:
    composed = office.save(office.ada, "page", "cafe", text="caf\u00e9\nau lait")
    decomposed = office.save(office.ada, "page", "cafe", text="cafe\u0301\r\nau lait")
    assert decomposed.pk == composed.pk


def test_every_fault_of_a_body_is_named_with_its_pointer(office: Office) -> None:
    with pytest.raises(Invalid) as caught:
        governance.save(office.ada, "plan", "spring", {"title": " ", "share": 3, "colour": "red"}, base=None, now=office.now())
    assert {finding.path for finding in caught.value.findings} == {"/title", "/share", "/colour", "/page"}
    assert office.latest("plan", "spring") is None


@over(
    ("value", "path"),
    [
        ({"text": "a\0b"}, "/text"),
        ({"text": "\ud800"}, "/text"),
        ({"size": 2**53 + 1}, "/size"),
        ({"size": float("inf")}, "/size"),
        ({"size": float("nan")}, "/size"),
        ({"blocks": [{"a": b"bytes"}]}, "/blocks/0/a"),
        ({"blocks": [{1: "a"}]}, "/blocks/0"),
        ({"blocks": [{f"k{n}": 1 for n in range(1_001)}]}, "/blocks/0"),
    ],
)
def test_values_that_no_database_could_keep_are_refused_by_place(office: Office, value: dict[str, object], path: str) -> None:
    with pytest.raises(Invalid) as caught:
        office.save(office.ada, "page", "welcome", **value)
    assert [finding.path for finding in caught.value.findings] == [path]


def test_a_body_nested_without_end_is_refused(office: Office) -> None:
    deep: list[object] = []
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(Invalid, match="nested too deeply"):
        office.save(office.ada, "page", "welcome", blocks=[{"a": deep}])


@over("key", ["", "Spring", "-a", "a b", "a/b", "x{__import__('os')}.html", "a" * 81, "é", "a\n"])
def test_a_key_is_a_slug(office: Office, key: str) -> None:
    with pytest.raises(Invalid) as caught:
        governance.save(office.ada, "page", key, {"title": "A"}, base=None, now=office.now())
    assert caught.value.findings[0].path == "/key"


def test_what_the_checks_object_to_is_saved_as_a_draft_and_remembered(office: Office) -> None:
    revision = office.save(office.ada, "page", "welcome", text="TODO")
    view = governance.revision_by_id(office.workspace_id, revision.pk)
    assert [(finding.level, finding.path) for finding in view.errors] == [("error", "/text")]


def test_a_reference_to_nothing_is_found_at_the_field_that_names_it(office: Office) -> None:
    office.save(office.ada, "plan", "spring", page="nowhere")
    finding = office.view("plan", "spring").latest.findings[0]
    assert (finding.level, finding.path) == ("error", "/page")
    assert "page nowhere" in finding.found


def test_a_finding_goes_away_when_what_it_missed_is_there(office: Office) -> None:
    office.save(office.ada, "plan", "spring", page="welcome")
    office.save(office.ada, "page", "welcome", text="Hi")
    assert governance.check_latest(office.ada, "plan", "spring", now=office.now()) == []


def test_documents_that_would_use_themselves_through_others_are_refused(office: Office) -> None:
    office.save(office.ada, "page", "c")
    office.save(office.ada, "page", "b", uses=["c"])
    office.save(office.ada, "page", "a", uses=["b"])
    with pytest.raises(Invalid) as caught:
        office.save(office.ada, "page", "c", uses=["a"])
    finding = caught.value.findings[0]
    assert (finding.path, finding.found) == ("/uses/0", "a loop: page c → page a → page b → page c")


def test_a_document_that_uses_itself_is_refused(office: Office) -> None:
    with pytest.raises(Invalid, match="page a → page a"):
        office.save(office.ada, "page", "a", uses=["a"])


def test_an_unknown_kind_names_those_that_exist(office: Office) -> None:
    with pytest.raises(Missing, match="expected one of approval_policy"):
        governance.save(office.ada, "poem", "ode", {}, base=None, now=office.now())


def test_viewers_and_the_system_save_nothing(office: Office) -> None:
    for actor in (office.vera, governance.system_actor(office.workspace_id)):
        with pytest.raises(Refused):
            office.save(actor, "page", "welcome")


def test_a_policy_is_saved_by_admins_only(office: Office) -> None:
    with pytest.raises(Refused, match="it needs admin"):
        office.save(office.ben, "approval_policy", "default")
    assert office.save(office.cleo, "approval_policy", "default").number == 1


def test_who_uses_a_document_is_known(office: Office) -> None:
    office.save(office.ada, "page", "welcome", text="Hi")
    office.save(office.ada, "plan", "spring", page="welcome")
    assert governance.users_of(office.workspace_id, "page", "welcome") == [governance.Ref("plan", "spring")]


def test_a_list_of_documents_takes_the_same_few_queries_however_long(office: Office, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    for number in range(12):
        office.save(office.ada, "page", f"page-{number:02}", text="Hi")
    with django_assert_num_queries(2):
        views = governance.documents(office.workspace_id, "page")
    assert [view.key for view in views][:2] == ["page-00", "page-01"]
    assert views[0].words == "Draft 1 has never been released. Submit it for approval."


def test_another_workspace_sees_none_of_it(office: Office) -> None:
    revision = office.save(office.ada, "page", "welcome", text="Hi")
    other = governance.create_workspace("other", "Other").pk
    assert governance.documents(other, "page") == []
    for ask in (
        lambda: governance.document(other, "page", "welcome"),
        lambda: governance.revision_by_id(other, revision.pk),
        lambda: governance.bill(other, "page", "welcome", of="draft"),
    ):
        with pytest.raises(Missing):
            ask()
