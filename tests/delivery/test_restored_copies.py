"""A copy of the database that was restored, or carried elsewhere, sends nothing until a person confirms it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.db import transaction

from delivery import door as delivery
from delivery import instance
from delivery.models import Instance
from governance.door import Refused, Workspace
from tests.delivery.conftest import Street
from tests.simulation.chaos import Chaos, Killed
from tests.together import together

pytestmark = pytest.mark.django_db


@pytest.fixture
def machine(street: Street, settings: Any, tmp_path: Path) -> Iterator[Any]:
    """Move this process to a machine with a data folder of its own."""

    def go(name: str, told: str = "") -> None:
        (tmp_path / name).mkdir(exist_ok=True)
        settings.OMNI = settings.OMNI.model_copy(update={"data_dir": tmp_path / name, "instance": told})
        instance._standing.clear()

    yield go
    instance._standing.clear()


def test_the_first_place_of_a_database_may_send_and_so_may_its_next_start(street: Street, machine: Any) -> None:
    machine("home")
    assert delivery.start_instance(now=street.clock()) == ""
    assert delivery.start_instance(now=street.clock()) == ""


def test_a_database_older_than_its_own_last_start_is_a_restored_backup(street: Street, machine: Any) -> None:
    machine("home")
    delivery.start_instance(now=street.clock())
    backup = Instance.objects.get().epoch
    for _ in range(3):
        delivery.start_instance(now=street.clock())
    Instance.objects.update(epoch=backup)  # the backup comes back

    assert "restored backup" in delivery.start_instance(now=street.clock())
    street.route("sendgrid")
    dispatch = street.launch(street.people(3))
    street.work()
    assert street.counts(dispatch) == {"waiting": 3}
    assert "restored backup" in delivery.start_instance(now=street.clock()), "starting again is no confirmation"


def test_a_backup_is_known_though_nothing_was_started_since_it_was_taken(street: Street, machine: Any) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(3))
    machine("home")
    delivery.start_instance(now=street.clock())
    backup = Instance.objects.get().epoch
    delivery.raise_instance(now=street.clock())  # as a running worker does every minute
    Instance.objects.update(epoch=backup)

    delivery.doubt_instance()
    street.work()

    assert street.counts(dispatch) == {"waiting": 3}


def test_a_backup_that_comes_back_unnoticed_by_any_connection_is_not_sent_from(street: Street, machine: Any) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(200), batch_size=100)
    machine("home")
    assert street.lease("first") is not None
    backup = Instance.objects.get().epoch
    delivery.raise_instance(now=street.clock())
    Instance.objects.update(epoch=backup)  # restored between two statements of a worker that goes on

    street.work()

    assert street.counts(dispatch) == {"waiting": 200}
    assert "restored backup" in dict(delivery.held_instances()).popitem()[1]


def test_a_database_that_is_being_restored_is_left_alone_until_it_is_whole(street: Street, machine: Any) -> None:
    machine("home")
    with transaction.atomic():
        Workspace.objects.all()._raw_delete("default")  # as it is before its rows are there
        assert "right now" in delivery.start_instance(now=street.clock())
        assert street.lease() is None and not Instance.objects.exists(), "a row of ours would stand in the way of the backup's"
        transaction.set_rollback(True)
    assert delivery.start_instance(now=street.clock()) == ""


def test_what_one_process_found_to_be_a_copy_stops_the_others_too(street: Street, machine: Any) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(3))
    machine("home")
    assert delivery.start_instance(now=street.clock()) == ""
    Instance.objects.update(held=True, held_reason="found by another process")

    street.work()

    assert street.counts(dispatch) == {"waiting": 3}


def test_a_held_copy_stays_held_while_its_worker_runs(street: Street, machine: Any) -> None:
    machine("home")
    delivery.start_instance(now=street.clock())
    machine("elsewhere")
    assert street.lease() is None
    delivery.raise_instance(now=street.clock())
    ((_, reason),) = delivery.held_instances()
    assert "another place" in reason


def test_a_backup_restored_under_a_running_worker_is_noticed_when_the_database_is_back(street: Street, machine: Any) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(3))
    machine("home")
    delivery.start_instance(now=street.clock())
    backup = Instance.objects.get().epoch
    delivery.start_instance(now=street.clock())
    Instance.objects.update(epoch=backup)

    delivery.doubt_instance()  # as the worker's loop does when its connection breaks
    street.work()

    assert street.counts(dispatch) == {"waiting": 3}


def test_a_copy_elsewhere_waits_for_an_admin_and_then_sends(street: Street, machine: Any) -> None:
    street.route("sendgrid")
    dispatch = street.launch(street.people(3))
    machine("home")
    delivery.start_instance(now=street.clock())
    machine("elsewhere")
    assert street.lease() is None
    ((identity, reason),) = delivery.held_instances()
    assert "another place" in reason

    with pytest.raises(Refused):
        delivery.confirm_instance(street.person("ben"), identity, now=street.clock())
    delivery.confirm_instance(street.person("cleo"), identity, now=street.clock())
    street.work()

    assert street.counts(dispatch) == {"sent": 3}
    machine("home")
    assert delivery.start_instance(now=street.clock()) == "", "both places were vouched for"


def test_a_machine_without_a_lasting_disk_is_known_by_its_name(street: Street, machine: Any) -> None:
    machine("first-container", "omni-production:3")
    assert delivery.start_instance(now=street.clock()) == ""
    machine("second-container", "omni-production:3")
    assert delivery.start_instance(now=street.clock()) == ""
    machine("staging-container", "omni-staging")
    assert "another place" in delivery.start_instance(now=street.clock())


def test_a_backup_restored_under_the_next_epoch_waits_for_a_person(street: Street, machine: Any) -> None:
    machine("before", "omni-production:3")
    delivery.start_instance(now=street.clock())
    machine("after", "omni-production:4")

    assert "another epoch" in delivery.start_instance(now=street.clock())
    assert "another epoch" in delivery.start_instance(now=street.clock()), "starting again is no confirmation"
    delivery.confirm_instance(street.person("cleo"), "omni-production", now=street.clock())

    assert delivery.start_instance(now=street.clock()) == ""
    machine("forgotten", "omni-production:3")
    assert "another epoch" in delivery.start_instance(now=street.clock()), "an older deployment that still runs is another one"


def test_another_key_for_address_hashes_holds_everything(street: Street, machine: Any, settings: Any) -> None:
    machine("home")
    delivery.start_instance(now=street.clock())
    settings.OMNI = settings.OMNI.model_copy(update={"token_keys": "a-new-key,the-key-of-tests-only-0123456789abcdef"})
    assert delivery.start_instance(now=street.clock()) == "", "a key in front changes nothing"

    settings.OMNI = settings.OMNI.model_copy(update={"token_keys": "a-new-key"})
    assert "OMNI_TOKEN_KEYS" in delivery.start_instance(now=street.clock())
    ((identity, reason),) = delivery.held_instances()
    assert "put it back" in reason, "the console, the metric and the command say it"
    with pytest.raises(Refused, match="OMNI_TOKEN_KEYS"):
        delivery.confirm_instance(street.person("cleo"), identity, now=street.clock())


def test_an_unreadable_identity_is_as_good_as_none(street: Street, machine: Any, settings: Any) -> None:
    machine("home")
    delivery.start_instance(now=street.clock())
    (settings.OMNI.data_dir / instance.FILE_NAME).write_text("{")
    assert "another place" in delivery.start_instance(now=street.clock())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["", "berth-7:3"], ids=["a kept folder", "a name"])
def test_processes_that_meet_a_new_database_at_once_are_one_place(street: Street, machine: Any, name: str) -> None:
    machine("home", name)
    reasons = together([lambda: delivery.start_instance(now=street.clock())] * 6, connected=True)
    assert reasons == [""] * 6
    assert Instance.objects.count() == 1
    assert delivery.start_instance(now=street.clock()) == ""


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_a_first_start_that_died_right_after_the_database_had_heard_of_it_holds_nothing(street: Street, machine: Any) -> None:
    machine("home")
    chaos = Chaos(Random(0), lambda: None)
    chaos.commits = [Killed()]
    with pytest.raises(Killed), chaos.playing():
        delivery.start_instance(now=street.clock())
    assert Instance.objects.count() == 1
    assert delivery.start_instance(now=street.clock()) == ""
