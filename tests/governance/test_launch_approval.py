from __future__ import annotations

import pytest
from django.db import connection

from governance import door as governance
from governance.append_only import guard_all, unguard_all
from governance.door import Missing, Refused
from tests.governance.office import AUDIENCE, Office
from tests.tables import over


@pytest.fixture
def spring(office: Office) -> Office:
    AUDIENCE["everyone"] = 10_000
    office.save(office.ada, "page", "footer", text="Bye")
    office.save(office.ada, "page", "welcome", text="Hello", uses=["footer"])
    office.save(office.ada, "plan", "spring", page="welcome")
    office.publish("plan", "spring")
    return office


def test_an_approval_names_who_vouched_for_how_many(spring: Office) -> None:
    approval = spring.approval("plan", "spring")
    assert (approval.deciders, approval.reach, len(approval.bill.items)) == (("ben",), 10_000, 3)


def test_a_release_below_that_was_not_part_of_the_approval_is_named(spring: Office) -> None:
    spring.publish("page", "footer", text="Bye!")
    with pytest.raises(Refused, match="submit it again") as caught:
        spring.approval("plan", "spring")
    assert [str(finding) for finding in caught.value.findings] == ["page:footer: found revision 2, expected the approved revision 1"]


def test_a_new_approval_of_the_same_document_heals_it(spring: Office) -> None:
    spring.publish("page", "footer", text="Bye!")
    spring.release(spring.ben, spring.decide(spring.ben, spring.submit(spring.ada, "plan", "spring")))
    assert spring.approval("plan", "spring").bill.item("page", "footer").number == 2  # type: ignore[union-attr]


def test_a_roll_back_to_what_was_approved_together_needs_no_new_approval(spring: Office) -> None:
    spring.publish("page", "footer", text="Bye!")
    governance.roll_back(spring.ben, "page", "footer", number=1, reason="typo", now=spring.now())
    assert spring.approval("plan", "spring").deciders == ("ben",)


def test_a_recall_below_ends_the_approval(spring: Office) -> None:
    governance.recall(spring.ben, "page", "footer", number=1, reason="wrong price", now=spring.now())
    with pytest.raises(Refused) as caught:
        spring.approval("plan", "spring")
    assert [finding.path for finding in caught.value.findings] == ["page:footer"]


def test_a_document_below_that_is_used_no_more_is_named(spring: Office) -> None:
    spring.publish("page", "welcome", text="Hello, no footer")
    with pytest.raises(Refused) as caught:
        spring.approval("plan", "spring")
    assert {finding.path: finding.found for finding in caught.value.findings} == {
        "page:footer": "no longer used",
        "page:welcome": "revision 2",
    }


def test_there_is_no_approval_of_what_is_not_released(office: Office) -> None:
    office.save(office.ada, "page", "welcome", text="Hello")
    with pytest.raises(Missing):
        office.approval("page", "welcome")


def test_a_body_altered_in_the_database_is_noticed(spring: Office) -> None:
    """Somebody with the database's password lifts the guards and rewrites a body."""
    with connection.cursor() as cursor:
        for statement in unguard_all(connection):
            cursor.execute(statement)
        page = governance.released(spring.workspace_id, "page", "welcome")
        governance.Revision.objects.filter(pk=page.id).update(body={**page.body, "text": "Send me money"})
        for statement in guard_all(connection):
            cursor.execute(statement)
    with pytest.raises(Refused) as caught:
        spring.approval("plan", "spring")
    assert "altered" in caught.value.findings[0].found


@over("count", [8_000, 10_000, 12_000])
def test_an_audience_within_a_fifth_may_go(spring: Office, count: int) -> None:
    assert spring.approval("plan", "spring").objection(count) is None


@over(("count", "words"), [(12_001, "grew 20%"), (46_000, "grew 360%"), (7_999, "shrank 20%"), (0, "shrank 100%")])
def test_an_audience_beyond_a_fifth_asks_again(spring: Office, count: int, words: str) -> None:
    finding = spring.approval("plan", "spring").objection(count)
    assert finding is not None and words in finding.found


def test_the_share_is_the_policys(spring: Office) -> None:
    spring.save(spring.cleo, "approval_policy", "default", drift=0.5)
    spring.release(spring.ben, spring.decide(spring.ben, spring.submit(spring.cleo, "approval_policy", "default")))
    approval = spring.approval("plan", "spring")
    assert approval.objection(15_000) is None
    assert approval.objection(15_001) is not None


def test_the_count_is_that_of_the_moment_of_the_decision(office: Office) -> None:
    AUDIENCE["everyone"] = 10_000
    office.save(office.ada, "page", "welcome", text="Hello")
    office.save(office.ada, "plan", "spring", page="welcome")
    submission = office.submit(office.ada, "plan", "spring")
    AUDIENCE["everyone"] = 20_000
    office.release(office.ben, office.decide(office.ben, submission))
    assert office.approval("plan", "spring").reach == 20_000


def test_an_approved_empty_audience_lets_nobody_in(office: Office) -> None:
    AUDIENCE["everyone"] = 0
    office.save(office.ada, "page", "welcome", text="Hello")
    office.save(office.ada, "plan", "spring", page="welcome")
    office.publish("plan", "spring")
    assert office.approval("plan", "spring").objection(0) is None
    assert "from nobody" in office.approval("plan", "spring").objection(1).found  # type: ignore[union-attr]


def test_a_document_without_an_audience_has_no_objection(office: Office) -> None:
    office.publish("page", "welcome", text="Hello")
    assert office.approval("page", "welcome").objection(10**9) is None
