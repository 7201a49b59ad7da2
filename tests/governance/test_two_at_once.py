"""What happens when two people act in the same instant."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from governance import door as governance
from governance.audit import verify
from governance.door import Invalid, Refused, Stale
from tests.governance.office import Office
from tests.together import together


def kinds_of(outcomes: list[Any]) -> list[str]:
    return sorted(type(outcome).__name__ for outcome in outcomes)


def test_of_two_savers_one_is_told_what_it_missed(open_office: Office) -> None:
    office = open_office
    office.save(office.ada, "page", "welcome", text="Hi")
    now = office.now()

    def saver(actor: governance.Actor, text: str) -> Callable[[], Any]:
        return lambda: governance.save(actor, "page", "welcome", {"title": "x", "text": text}, base=1, now=now)

    outcomes = together([saver(office.ada, "from Ada"), saver(office.abe, "from Abe"), saver(office.ben, "from Ben")])
    assert kinds_of(outcomes) == ["Revision", "Stale", "Stale"]
    assert office.latest("page", "welcome") == 2


def test_two_who_make_the_same_new_document_make_one(open_office: Office) -> None:
    office, now = open_office, open_office.now()
    body = {"title": "x", "text": "Hi"}
    outcomes = together([lambda: governance.save(office.ada, "page", "new", body, base=None, now=now)] * 2)
    assert {outcome.pk for outcome in outcomes} == {governance.revision(office.workspace_id, "page", "new", 1).id}


def test_two_savers_do_not_close_a_loop_between_them(open_office: Office) -> None:
    office = open_office
    for key in ("a", "b"):
        office.save(office.ada, "page", key, text="x")
    now = office.now()

    def saver(key: str, other: str) -> Callable[[], Any]:
        return lambda: governance.save(office.ada, "page", key, {"title": key, "uses": [other]}, base=1, now=now)

    outcomes = together([saver("a", "b"), saver("b", "a")])
    assert kinds_of(outcomes) == ["Invalid", "Revision"]
    assert "loop" in str(next(outcome for outcome in outcomes if isinstance(outcome, Invalid)))


def test_of_two_deciders_on_one_needed_approval_one_comes_too_late(open_office: Office) -> None:
    office = open_office
    office.save(office.ada, "page", "welcome", text="Hi")
    submission = office.submit(office.ada, "page", "welcome")
    outcomes = together([lambda: office.decide(office.ben, submission), lambda: office.decide(office.bea, submission)])
    assert kinds_of(outcomes) == ["Refused", "Submission"]
    assert governance.Decision.objects.count() == 1


def test_one_person_in_two_windows_has_one_vote(open_office: Office) -> None:
    office = open_office
    office.save(office.cleo, "approval_policy", "default", approvals=2)
    office.release(office.ben, office.decide(office.ben, office.submit(office.cleo, "approval_policy", "default")))
    office.save(office.ada, "page", "welcome", text="Hi")
    submission = office.submit(office.ada, "page", "welcome")
    outcomes = together([lambda: office.decide(office.ben, submission)] * 3)
    assert kinds_of(outcomes) == ["Refused", "Refused", "Submission"]
    assert governance.find_submission(office.workspace_id, submission.pk).state == "open"


def test_two_releasers_release_once(open_office: Office) -> None:
    office = open_office
    office.save(office.ada, "page", "welcome", text="Hi")
    submission = office.decide(office.ben, office.submit(office.ada, "page", "welcome"))
    outcomes = together([lambda: office.release(office.ben, submission), lambda: office.release(office.bea, submission)])
    assert kinds_of(outcomes) == ["Refused", "list"]
    assert governance.Release.objects.count() == 1


@pytest.mark.parametrize("round", range(4))
def test_a_save_in_the_instant_of_a_decision_never_rides_on_it(open_office: Office, round: int) -> None:
    office = open_office
    office.save(office.ada, "page", "footer", text="Bye")
    office.save(office.ada, "page", "welcome", text="Hi", uses=["footer"])
    submission, now = office.submit(office.ada, "page", "welcome"), office.now()
    sneaky = {"title": "footer", "text": "Sneaky"}
    decided, _ = together(
        [
            lambda: office.decide(office.ben, submission),
            lambda: governance.save(office.abe, "page", "footer", sneaky, base=1, now=now),
        ]
    )
    if not isinstance(decided, Stale):
        office.release(office.ben, decided)
        assert governance.released(office.workspace_id, "page", "footer").body["text"] == "Bye"
        assert office.approval("page", "welcome").bill_hash == submission.bill_hash


def test_the_audit_chain_stays_whole_when_everybody_acts(open_office: Office) -> None:
    office, now = open_office, open_office.now()

    def saver(key: str) -> Callable[[], Any]:
        return lambda: governance.save(office.ada, "page", key, {"title": key, "text": "x"}, base=None, now=now)

    outcomes = together([saver(f"page-{number}") for number in range(8)])
    assert kinds_of(outcomes) == ["Revision"] * 8
    assert verify(office.workspace_id).fault == ""


@pytest.mark.postgres
def test_a_pause_waits_for_open_admits_and_admits_do_not_wait_for_each_other(open_office: Office) -> None:
    office = open_office
    held, go_on = threading.Event(), threading.Event()

    def admit() -> int:
        with transaction.atomic():
            epoch = governance.hold_epoch(office.workspace_id)
            held.set()
            assert go_on.wait(timeout=20)
            return epoch

    def others() -> str:
        assert held.wait(timeout=20)
        with transaction.atomic():
            governance.hold_epoch(office.workspace_id)
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '150ms'")
                governance.bump(office.workspace_id)
            return "bumped"
        except OperationalError:
            return "waited"
        finally:
            go_on.set()

    before = governance.epoch(office.workspace_id)
    assert together([admit, others]) == [before, "waited"]
    governance.bump(office.workspace_id)
    assert governance.epoch(office.workspace_id) > before


def test_an_epoch_is_held_only_by_a_transaction(open_office: Office) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        governance.hold_epoch(open_office.workspace_id)


def test_a_withdrawal_and_a_decision_do_not_both_win(open_office: Office) -> None:
    office = open_office
    office.save(office.ada, "page", "welcome", text="Hi")
    submission = office.submit(office.ada, "page", "welcome")
    now = office.now()
    together(
        [lambda: office.decide(office.ben, submission), lambda: governance.withdraw(office.ada, submission.pk, now=now)],
    )
    state = governance.find_submission(office.workspace_id, submission.pk).state
    assert state == "withdrawn"
    with pytest.raises(Refused):
        office.release(office.ben, submission)
