from __future__ import annotations

import pytest

from governance import door as governance
from governance.door import Invalid, Missing, Refused, Stale
from tests.governance.office import Office


def test_a_release_moves_every_changed_pointer_at_once(office: Office) -> None:
    office.save(office.ada, "page", "footer", text="Bye")
    office.save(office.ada, "page", "welcome", text="Hello", uses=["footer"])
    submission = office.decide(office.ben, office.submit(office.ada, "page", "welcome"))
    before = governance.epoch(office.workspace_id)
    releases = office.release(office.ben, submission)

    assert {release.document.key for release in releases} == {"footer", "welcome"}
    assert office.released("page", "welcome") == office.released("page", "footer") == 1
    assert governance.epoch(office.workspace_id) > before


def test_what_did_not_change_is_not_released_again(office: Office) -> None:
    office.publish("page", "footer", text="Bye")
    office.save(office.ada, "page", "welcome", text="Hello", uses=["footer"])
    submission = office.decide(office.ben, office.submit(office.ada, "page", "welcome"))
    assert [release.document.key for release in office.release(office.ben, submission)] == ["welcome"]


def test_only_what_is_approved_can_be_released(office: Office) -> None:
    office.save(office.ada, "page", "welcome", text="Hello")
    with pytest.raises(Refused, match="only an approved one"):
        office.release(office.ben, office.submit(office.ada, "page", "welcome"))


def test_a_release_happens_once(office: Office) -> None:
    submission = office.publish("page", "welcome", text="Hello")
    with pytest.raises(Refused, match="the submission is released"):
        office.release(office.ben, submission)


def test_authors_do_not_release(office: Office) -> None:
    office.save(office.ada, "page", "welcome", text="Hello")
    submission = office.decide(office.ben, office.submit(office.ada, "page", "welcome"))
    with pytest.raises(Refused, match="it needs approver"):
        office.release(office.ada, submission)


def test_a_draft_saved_after_approval_stays_a_draft(office: Office) -> None:
    office.save(office.ada, "page", "welcome", text="Hello")
    submission = office.decide(office.ben, office.submit(office.ada, "page", "welcome"))
    office.save(office.ada, "page", "welcome", text="Hello, unapproved")
    office.release(office.ben, submission)
    assert office.released("page", "welcome") == 1
    assert office.view("page", "welcome").state == "changed"


def test_an_approval_that_others_have_overtaken_does_not_take_their_release_back(office: Office) -> None:
    office.save(office.ada, "page", "footer", text="Bye")
    office.save(office.ada, "page", "welcome", text="Hello", uses=["footer"])
    overtaken = office.decide(office.ben, office.submit(office.ada, "page", "welcome"))
    office.publish("page", "footer", text="Bye!")
    with pytest.raises(Stale, match="page footer was released as revision 2"):
        office.release(office.ben, overtaken)
    assert office.released("page", "footer") == 2


def test_released_documents_are_remembered_until_the_witness_moves(office: Office, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    office.publish("page", "welcome", text="Hello")
    office.released("page", "welcome")
    with django_assert_num_queries(1):
        assert office.released("page", "welcome") == 1
    office.publish("page", "welcome", text="Hello there")
    assert office.released("page", "welcome") == 2


def test_a_release_that_was_taken_back_by_its_transaction_is_not_remembered(office: Office) -> None:
    from django.db import transaction

    office.publish("page", "welcome", text="Hello")
    with transaction.atomic():
        office.publish("page", "welcome", text="Unlucky")
        assert office.released("page", "welcome") == 2
        transaction.set_rollback(True)
    office.publish("page", "welcome", text="Lucky")
    assert governance.released(office.workspace_id, "page", "welcome").body["text"] == "Lucky"


def test_nothing_is_released_before_its_time(office: Office) -> None:
    office.save(office.ada, "page", "welcome", text="Hello")
    with pytest.raises(Missing, match="no released page"):
        office.released("page", "welcome")


def test_rolling_back_puts_an_earlier_release_in_force(office: Office) -> None:
    office.publish("page", "welcome", text="Hello")
    office.publish("page", "welcome", text="Hello there")
    before = governance.epoch(office.workspace_id)
    governance.roll_back(office.ben, "page", "welcome", number=1, reason="typo", now=office.now())
    assert office.released("page", "welcome") == 1
    assert governance.epoch(office.workspace_id) > before
    assert office.view("page", "welcome").state == "changed"


def test_only_what_was_in_force_can_be_rolled_back_to(office: Office) -> None:
    office.publish("page", "welcome", text="Hello")
    office.save(office.ada, "page", "welcome", text="Never approved")
    office.publish("page", "welcome", text="Hello there")
    with pytest.raises(Refused, match="never released"):
        governance.roll_back(office.ben, "page", "welcome", number=2, reason="typo", now=office.now())
    with pytest.raises(Refused, match="in force already"):
        governance.roll_back(office.ben, "page", "welcome", number=3, reason="typo", now=office.now())
    with pytest.raises(Missing):
        governance.roll_back(office.ben, "page", "welcome", number=9, reason="typo", now=office.now())


def test_a_roll_back_needs_a_reason_and_an_approver(office: Office) -> None:
    office.publish("page", "welcome", text="Hello")
    office.publish("page", "welcome", text="Hello there")
    with pytest.raises(Invalid, match="/reason"):
        governance.roll_back(office.ben, "page", "welcome", number=1, reason=" ", now=office.now())
    with pytest.raises(Refused):
        governance.roll_back(office.ada, "page", "welcome", number=1, reason="typo", now=office.now())


def test_a_roll_back_across_a_message_class_needs_legal(office: Office) -> None:
    office.publish("page", "welcome", text="Hello", message_class="promotional")
    office.save(office.ada, "page", "welcome", text="Hello", message_class="transactional")
    office.release(office.ben, office.decide(office.leo, office.submit(office.ada, "page", "welcome")))
    with pytest.raises(Refused, match="legal permission"):
        governance.roll_back(office.ben, "page", "welcome", number=1, reason="typo", now=office.now())
    governance.roll_back(office.leo, "page", "welcome", number=1, reason="typo", now=office.now())
    assert office.released("page", "welcome") == 1


def test_a_roll_back_after_a_recall_across_a_message_class_needs_legal_too(office: Office) -> None:
    office.publish("page", "welcome", text="Hello", message_class="promotional")
    office.save(office.ada, "page", "welcome", text="Hello", message_class="transactional")
    office.release(office.ben, office.decide(office.leo, office.submit(office.ada, "page", "welcome")))
    governance.recall(office.ben, "page", "welcome", number=2, reason="typo", now=office.now())
    with pytest.raises(Refused, match="legal permission"):
        governance.roll_back(office.ben, "page", "welcome", number=1, reason="typo", now=office.now())


def test_a_roll_back_that_would_close_a_loop_is_refused(office: Office) -> None:
    office.publish("page", "b", text="b")
    office.publish("page", "a", text="a", uses=["b"])
    office.publish("page", "a", text="a")
    office.publish("page", "b", text="b", uses=["a"])
    with pytest.raises(Refused, match="use itself"):
        governance.roll_back(office.ben, "page", "a", number=1, reason="typo", now=office.now())


def test_a_recalled_revision_is_out_of_force_for_good(office: Office) -> None:
    office.publish("page", "welcome", text="Hello")
    office.publish("page", "welcome", text="Hello thre")
    pinned = governance.released(office.workspace_id, "page", "welcome").id
    before = governance.epoch(office.workspace_id)
    governance.recall(office.ben, "page", "welcome", number=2, reason="typo", now=office.now())

    assert governance.recalled(office.workspace_id) == {pinned}
    assert governance.epoch(office.workspace_id) > before
    assert office.view("page", "welcome").words == "Draft 2 was recalled. Nothing may send it any more."
    with pytest.raises(Missing):
        office.released("page", "welcome")
    governance.roll_back(office.ben, "page", "welcome", number=1, reason="the good one", now=office.now())
    with pytest.raises(Refused, match="recalled"):
        governance.roll_back(office.ben, "page", "welcome", number=2, reason="again", now=office.now())
    with pytest.raises(Refused, match="recalled already"):
        governance.recall(office.ben, "page", "welcome", number=2, reason="again", now=office.now())


def test_a_recalled_revision_is_neither_submitted_nor_released(office: Office) -> None:
    office.save(office.ada, "page", "welcome", text="Hello")
    submission = office.decide(office.ben, office.submit(office.ada, "page", "welcome"))
    governance.recall(office.ben, "page", "welcome", number=1, reason="wrong price", now=office.now())
    with pytest.raises(Refused, match="recalled"):
        office.release(office.ben, submission)
    with pytest.raises(Invalid, match="recalled"):
        office.submit(office.ada, "page", "welcome")
