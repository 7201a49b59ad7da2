from __future__ import annotations

from governance import door as governance
from tests.governance.office import Office


def blamed(office: Office, key: str = "welcome") -> dict[str, tuple[int, str]]:
    return {each.path: (each.number, each.author) for each in governance.blame(office.workspace_id, "page", key)}


def test_each_field_carries_the_revision_that_gave_it_its_value(office: Office) -> None:
    office.save(office.ada, "page", "welcome", text="Hi", size=1)
    office.save(office.abe, "page", "welcome", text="Hi", size=2)
    office.save(office.ben, "page", "welcome", text="Hello", size=2)
    assert blamed(office) == {"/title": (1, "ada"), "/text": (3, "ben"), "/size": (2, "abe")}


def test_an_inserted_block_does_not_take_the_others_with_it(office: Office) -> None:
    office.save(office.ada, "page", "welcome", blocks=[{"id": "a", "text": "A"}, {"id": "b", "text": "B"}])
    office.save(office.abe, "page", "welcome", blocks=[{"id": "new", "text": "N"}, {"id": "a", "text": "A"}, {"id": "b", "text": "B!"}])
    found = blamed(office)
    assert found["/blocks/0/text"] == (2, "abe")
    assert found["/blocks/1/text"] == (1, "ada")
    assert (found["/blocks/2/id"], found["/blocks/2/text"]) == ((1, "ada"), (2, "abe"))


def test_a_value_that_was_away_belongs_to_who_brought_it_back(office: Office) -> None:
    for actor, text in ((office.ada, "Hi"), (office.abe, "Hello"), (office.ben, "Hi")):
        office.save(actor, "page", "welcome", text=text)
    assert blamed(office)["/text"] == (3, "ben")


def test_every_field_of_the_latest_body_is_blamed_once(office: Office) -> None:
    office.save(office.ada, "page", "footer", text="x")
    office.save(office.ada, "page", "welcome", uses=["footer"], blocks=[{"a": [], "b": {}}])
    office.save(office.ada, "page", "welcome", uses=[], blocks=[{"a": [1, [2]], "b": {"c": 1}}])
    assert set(blamed(office)) == {"/title", "/uses", "/blocks/0/a/0", "/blocks/0/a/1/0", "/blocks/0/b/c"}
