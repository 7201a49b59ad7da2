from __future__ import annotations

from dataclasses import replace

import pytest

from governance import door as governance
from governance.door import Invalid, Refused, Role, Stale
from tests.governance.office import AUDIENCE, Office


def test_a_second_person_approves_and_the_draft_is_ready_for_release(office: Office) -> None:
    office.save(office.ada, "page", "welcome", text="Hello")
    submission = office.decide(office.ben, office.submit(office.ada, "page", "welcome"), comment="Fine.")
    assert submission.state == "approved"
    assert office.view("page", "welcome").words == "Draft 1 is approved. Release it to put it to use."


def test_nobody_approves_their_own_words(office: Office) -> None:
    office.save(office.ben, "page", "welcome", text="Hello")
    with pytest.raises(Refused, match="a second person must decide: you wrote page welcome revision 1"):
        office.decide(office.ben, office.submit(office.ada, "page", "welcome"))


def test_admins_are_no_exception(office: Office) -> None:
    office.save(office.cleo, "page", "welcome", text="Hello")
    with pytest.raises(Refused, match="second person"):
        office.decide(office.cleo, office.submit(office.ada, "page", "welcome"))


def test_nobody_approves_what_they_wrote_further_down(office: Office) -> None:
    office.save(office.ben, "page", "footer", text="Bye")
    office.save(office.ada, "page", "welcome", text="Hello", uses=["footer"])
    submission = office.submit(office.ada, "page", "welcome")
    with pytest.raises(Refused) as caught:
        office.decide(office.ben, submission)
    assert [finding.path for finding in caught.value.findings] == ["page:footer"]
    assert office.decide(office.bea, submission).state == "approved"


@pytest.mark.parametrize("via", ["console", "api", "command"])
def test_no_door_is_a_way_round_the_second_person(office: Office, via: str) -> None:
    key_of_ben = replace(office.ben, via="api", api_key_id=7, scopes=frozenset(governance.SCOPES))
    office.save(key_of_ben, "page", "welcome", text="Hello")
    submission = office.submit(office.ada, "page", "welcome")
    same_person = replace(key_of_ben, via=via) if via == "api" else replace(office.ben, via=via)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="second person"):
        office.decide(same_person, submission)


def test_a_body_brought_back_by_somebody_else_still_has_its_author(office: Office) -> None:
    office.save(office.ben, "page", "welcome", text="Hello")
    office.save(office.ada, "page", "welcome", text="Something else")
    office.save(office.ada, "page", "welcome", text="Hello")
    with pytest.raises(Refused, match="second person"):
        office.decide(office.ben, office.submit(office.ada, "page", "welcome"))


def test_what_was_released_below_may_be_ones_own(office: Office) -> None:
    office.save(office.ben, "page", "footer", text="Bye")
    office.release(office.bea, office.decide(office.bea, office.submit(office.ada, "page", "footer")))
    office.save(office.ada, "page", "welcome", text="Hello", uses=["footer"])
    assert office.decide(office.ben, office.submit(office.ada, "page", "welcome")).state == "approved"


def test_the_author_of_what_is_asked_about_never_decides_even_when_it_is_released(office: Office) -> None:
    office.save(office.ben, "page", "welcome", text="Hello")
    office.release(office.bea, office.decide(office.bea, office.submit(office.ada, "page", "welcome")))
    with pytest.raises(Refused, match="second person"):
        office.decide(office.ben, office.submit(office.ada, "page", "welcome"))


@pytest.mark.parametrize("name", ["vera", "abe"])
def test_viewers_and_authors_do_not_decide(office: Office, name: str) -> None:
    office.save(office.ada, "page", "welcome", text="Hello")
    with pytest.raises(Refused, match="it needs approver"):
        office.decide(office.people[name], office.submit(office.ada, "page", "welcome"))


def test_an_approval_binds_the_bill_that_was_shown(office: Office) -> None:
    office.save(office.ada, "page", "welcome", text="Hello")
    submission = office.submit(office.ada, "page", "welcome")
    with pytest.raises(Stale, match="look again"):
        governance.decide(office.ben, submission.pk, bill_hash="0" * 64, verdict="approve", now=office.now())


def test_an_edit_below_after_submission_makes_it_stale(office: Office) -> None:
    office.save(office.ada, "page", "footer", text="Bye")
    office.save(office.ada, "page", "welcome", text="Hello", uses=["footer"])
    submission = office.submit(office.ada, "page", "welcome")
    office.save(office.abe, "page", "footer", text="Bye!")
    with pytest.raises(Stale, match="changed meanwhile"):
        office.decide(office.ben, submission)


def test_a_newer_submission_takes_the_place_of_the_older(office: Office) -> None:
    office.save(office.ada, "page", "welcome", text="Hello")
    older = office.submit(office.ada, "page", "welcome")
    office.save(office.ada, "page", "welcome", text="Hello there")
    assert "Submit again" in office.view("page", "welcome").words
    newer = office.submit(office.ada, "page", "welcome")
    assert governance.find_submission(office.workspace_id, older.pk).state == "withdrawn"
    assert office.decide(office.ben, newer).state == "approved"


def test_the_same_thing_is_not_asked_twice(office: Office) -> None:
    office.save(office.ada, "page", "welcome", text="Hello")
    office.submit(office.ada, "page", "welcome")
    with pytest.raises(Refused, match="waiting for approval already"):
        office.submit(office.abe, "page", "welcome")


def test_errors_anywhere_below_block_a_submission_and_say_where(office: Office) -> None:
    office.save(office.ada, "page", "footer", text="TODO")
    office.save(office.ada, "page", "welcome", text="TODO", uses=["footer"])
    with pytest.raises(Invalid) as caught:
        office.submit(office.ada, "page", "welcome")
    assert {finding.path for finding in caught.value.findings} == {"/text", "page:footer#/text"}


def test_warnings_block_nothing(office: Office) -> None:
    office.save(office.ada, "page", "welcome")
    assert office.submit(office.ada, "page", "welcome").state == "open"


def test_checks_are_run_again_at_submission(office: Office) -> None:
    office.save(office.ada, "page", "welcome", text="Hi")
    office.save(office.ada, "plan", "spring", page="welcome")
    office.save(office.ada, "page", "welcome", title="empty", text="Hi")
    assert office.view("plan", "spring").latest.errors == ()
    with pytest.raises(Invalid, match="a page with a real title"):
        office.submit(office.ada, "plan", "spring")


def test_a_rejection_says_why_and_closes(office: Office) -> None:
    office.save(office.ada, "page", "welcome", text="Hello")
    submission = office.submit(office.ada, "page", "welcome")
    with pytest.raises(Invalid) as caught:
        office.decide(office.ben, submission, "reject", comment="  ")
    assert caught.value.findings[0].path == "/comment"
    assert office.decide(office.ben, submission, "reject", comment="Too short").state == "rejected"
    with pytest.raises(Refused, match="nothing left to decide"):
        office.decide(office.bea, submission)


def test_a_verdict_is_approve_or_reject(office: Office) -> None:
    office.save(office.ada, "page", "welcome", text="Hello")
    with pytest.raises(Invalid, match="approve or reject"):
        office.decide(office.ben, office.submit(office.ada, "page", "welcome"), "maybe")


def test_a_submission_can_be_taken_back_until_it_is_released(office: Office) -> None:
    office.save(office.ada, "page", "welcome", text="Hello")
    submission = office.decide(office.ben, office.submit(office.ada, "page", "welcome"))
    assert governance.withdraw(office.ada, submission.pk, now=office.now()).state == "withdrawn"
    with pytest.raises(Refused, match="only an approved one"):
        office.release(office.ben, submission)
    with pytest.raises(Refused):
        governance.withdraw(office.ada, submission.pk, now=office.now())


def test_a_policy_may_ask_for_two_people(office: Office) -> None:
    office.save(office.cleo, "approval_policy", "default", approvals=2)
    office.release(office.ben, office.decide(office.ben, office.submit(office.cleo, "approval_policy", "default")))
    office.save(office.ada, "page", "welcome", text="Hello")
    submission = office.submit(office.ada, "page", "welcome")
    assert office.decide(office.ben, submission).state == "open"
    with pytest.raises(Refused, match="another person must"):
        office.decide(office.ben, submission)
    assert office.decide(office.bea, submission).state == "approved"


def test_a_large_audience_needs_two_people_even_when_it_grew_after_submission(office: Office) -> None:
    AUDIENCE["everyone"] = 1_000
    office.save(office.ada, "page", "welcome", text="Hello")
    office.save(office.ada, "plan", "spring", page="welcome")
    submission = office.submit(office.ada, "plan", "spring")
    assert submission.approvals_needed == 1
    AUDIENCE["everyone"] = 300_000
    assert office.decide(office.ben, submission).state == "open"
    assert office.decide(office.bea, submission).approvals_needed == 2


def test_a_changed_message_class_needs_an_approver_with_legal(office: Office) -> None:
    office.publish("page", "welcome", text="Hello", message_class="promotional")
    office.save(office.ada, "page", "welcome", text="Hello", message_class="transactional")
    submission = office.submit(office.ada, "page", "welcome")
    with pytest.raises(Refused, match="message class") as caught:
        office.decide(office.ben, submission)
    assert caught.value.findings[0].path == "page:welcome#/message_class"
    assert office.decide(office.leo, submission).state == "approved"


def test_a_changed_message_class_below_needs_legal_too_and_may_be_rejected_without(office: Office) -> None:
    office.publish("page", "welcome", text="Hello", message_class="promotional")
    office.save(office.ada, "page", "welcome", text="Hello", message_class="service")
    office.save(office.ada, "plan", "spring", page="welcome")
    submission = office.submit(office.ada, "plan", "spring")
    with pytest.raises(Refused, match="legal"):
        office.decide(office.ben, submission)
    assert office.decide(office.ben, submission, "reject", comment="Why service?").state == "rejected"


def test_a_recall_is_no_way_round_the_legal_permission(office: Office) -> None:
    office.publish("page", "welcome", text="Hello", message_class="promotional")
    governance.recall(office.ben, "page", "welcome", number=1, reason="typo", now=office.now())
    office.save(office.ada, "page", "welcome", text="Hello", message_class="transactional")
    submission = office.submit(office.ada, "page", "welcome")
    with pytest.raises(Refused, match="message class"):
        office.decide(office.ben, submission)
    assert office.decide(office.leo, submission).state == "approved"


def test_a_person_who_was_demoted_decides_no_more(office: Office) -> None:
    office.save(office.ada, "page", "welcome", text="Hello")
    submission = office.submit(office.ada, "page", "welcome")
    office.hire("ben", Role.AUTHOR)
    with pytest.raises(Refused):
        office.decide(office.ben, submission)


def test_a_comment_has_a_limit(office: Office) -> None:
    office.save(office.ada, "page", "welcome", text="Hello")
    with pytest.raises(Invalid, match="at most 4,000 characters"):
        office.decide(office.ben, office.submit(office.ada, "page", "welcome"), comment="x" * 4_001)
