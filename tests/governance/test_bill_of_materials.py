from __future__ import annotations

import pytest

from governance import door as governance
from governance.door import Missing
from tests.governance.office import Office


def bill(office: Office, kind: str, key: str, of: str = "draft") -> governance.Bill:
    return governance.bill(office.workspace_id, kind, key, of=of)  # type: ignore[arg-type]


@pytest.fixture
def plan(office: Office) -> Office:
    office.save(office.ada, "page", "footer", text="Bye")
    office.save(office.ada, "page", "header", text="Hi", uses=["footer"])
    office.save(office.ada, "page", "welcome", text="Hello", uses=["header", "footer"])
    office.save(office.ada, "plan", "spring", page="welcome")
    return office


def test_a_bill_lists_everything_used_once_and_sorted(plan: Office) -> None:
    items = bill(plan, "plan", "spring").items
    assert [(item.kind, item.key, item.number) for item in items] == [
        ("page", "footer", 1),
        ("page", "header", 1),
        ("page", "welcome", 1),
        ("plan", "spring", 1),
    ]


def test_any_change_below_changes_the_hash(plan: Office) -> None:
    before = bill(plan, "plan", "spring").hash
    plan.save(plan.abe, "page", "footer", text="Bye!")
    assert bill(plan, "plan", "spring").hash != before


def test_the_hash_is_of_the_bodies_and_comes_back_with_them(plan: Office) -> None:
    before = bill(plan, "plan", "spring").hash
    plan.save(plan.abe, "page", "footer", text="Bye!")
    plan.save(plan.ada, "page", "footer", text="Bye")
    assert bill(plan, "plan", "spring").hash == before
    assert bill(plan, "plan", "spring").item("page", "footer").number == 3  # type: ignore[union-attr]


def test_what_is_missing_below_is_said(office: Office) -> None:
    office.save(office.ada, "plan", "spring", page="nowhere")
    assert [str(ref) for ref in bill(office, "plan", "spring").missing] == ["page nowhere"]


def test_the_released_bill_follows_the_released_pointers(plan: Office) -> None:
    plan.publish("plan", "spring")
    plan.save(plan.ada, "page", "footer", text="Bye!")
    assert bill(plan, "plan", "spring", "released").item("page", "footer").number == 1  # type: ignore[union-attr]
    draft = bill(plan, "plan", "spring").item("page", "footer")
    assert draft is not None and (draft.number, draft.released_number, draft.changed) == (2, 1, True)


def test_there_is_no_released_bill_before_a_release(plan: Office) -> None:
    with pytest.raises(Missing):
        bill(plan, "plan", "spring", "released")


def test_a_bill_costs_a_query_per_level_not_per_document(plan: Office, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    for number in range(20):
        plan.save(plan.ada, "page", f"part-{number}", text="x")
    plan.save(plan.ada, "page", "welcome", text="Hello", uses=[f"part-{number}" for number in range(20)])
    with django_assert_num_queries(3):
        assert len(bill(plan, "plan", "spring").items) == 22
