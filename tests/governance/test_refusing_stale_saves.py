from __future__ import annotations

import pytest

from governance import door as governance
from governance.door import Missing, Stale
from tests.governance.office import Office
from tests.tables import over


def test_an_edit_of_an_older_revision_is_refused_with_what_it_missed(office: Office) -> None:
    office.save(office.ada, "page", "welcome", text="Hello")
    office.save(office.abe, "page", "welcome", text="Hello there", size=2)
    with pytest.raises(Stale) as caught:
        governance.save(office.ada, "page", "welcome", {"title": "welcome", "text": "Hi"}, base=1, now=office.now())

    missed = {change["path"]: (change["before"], change["after"]) for change in caught.value.difference}
    assert missed == {"/text": ("Hello", "Hello there"), "/size": (None, 2)}
    assert office.latest("page", "welcome") == 2


def test_a_new_document_does_not_replace_one_that_exists(office: Office) -> None:
    office.save(office.ada, "page", "welcome", text="Hello")
    with pytest.raises(Stale, match="at revision 1"):
        governance.save(office.abe, "page", "welcome", {"title": "mine"}, base=None, now=office.now())


@over("base", [2, 99, 2**70, -1])
def test_a_base_that_never_was_is_refused(office: Office, base: int) -> None:
    office.save(office.ada, "page", "welcome", text="Hello")
    with pytest.raises(Stale):
        governance.save(office.abe, "page", "welcome", {"title": "mine"}, base=base, now=office.now())


def test_a_base_of_a_document_that_does_not_exist_is_missing(office: Office) -> None:
    with pytest.raises(Missing):
        governance.save(office.ada, "page", "welcome", {"title": "mine"}, base=3, now=office.now())


def test_an_older_revision_is_not_submitted(office: Office) -> None:
    office.save(office.ada, "page", "welcome", text="Hello")
    office.save(office.abe, "page", "welcome", text="Hello there")
    with pytest.raises(Stale) as caught:
        governance.submit(office.ada, "page", "welcome", number=1, now=office.now())
    assert caught.value.difference[0]["path"] == "/text"
