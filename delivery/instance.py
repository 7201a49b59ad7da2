"""A restored copy of the database must not send: the database and something outside it must tell the same story.

Each start raises an epoch, first in the database and then in a file, and so does every minute of a running worker. A database
restored from a backup is behind its file, whether or not anything was started since that backup was taken; one that was carried
to another machine finds no file there, or somebody else's. Either way nothing is leased until a person confirms. Machines that
share one database each have a file of their own and are each confirmed once.

Machines whose disk doesn't outlive them are told their story by the environment (OMNI_INSTANCE, `name:epoch`): another name is
another place, and a database that was last used under another epoch is a restored one.
"""

from __future__ import annotations

import fcntl
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import structlog
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from delivery import sql
from delivery.addresses import key_fingerprint
from delivery.models import Instance
from governance.door import Actor, Refused, Role, Workspace, allow, audit

log = structlog.get_logger(__name__)
FILE_NAME = "instance.json"
RESTORED = "this database is older than its last start here: it looks like a restored backup"
RESTORED_UNDER_NAME = "this database was last used under another epoch of OMNI_INSTANCE: confirm that it may send under this one"
UNFINISHED = "this database has no workspace: it is being made, or restored, right now"
FOREIGN = "the oldest of OMNI_TOKEN_KEYS is another one than before, so suppressed addresses could not be recognised: put it back"
_standing: dict[str, tuple[str, str]] = {}  # data directory -> identity, and why it may not send ("" for may)


@dataclass(frozen=True, slots=True)
class Story:
    """What the file, or the environment, says."""

    instance_id: str
    epoch: int


def stands(guard: Guard) -> bool:
    """Whether a guard holds: then what it let nobody take wasn't there. If it doesn't, the next one is made from a new comparison."""
    if _holds(guard):
        return True
    doubt()
    return False


class Guard(NamedTuple):
    """A condition in SQL, and its parameters."""

    words: str
    given: tuple[str, int]


def start(*, now: datetime) -> str:
    """Compare the stories, once per process and before the first lease. "" if this process may send, else why not."""
    _check_isolation()
    if not Workspace.objects.exists():  # a backup is being restored under us: a row of ours would stand in its way
        return UNFINISHED
    identity, reason = _compare(now)
    _standing[str(settings.OMNI.data_dir)] = identity, reason
    if reason:
        log.warning("instance.held", instance=identity, reason=reason)
    return reason


def go_on(*, now: datetime) -> None:
    """Raise the epoch of a running installation: a backup of before this moment is told apart from now on. Where the environment
    tells the story there is nothing to raise."""
    if settings.OMNI.instance or not may_send(now=now):
        return
    try:
        start(now=now)
    except OSError as error:  # a full disk is no reason to stop sending
        log.warning("instance.file_not_written", error=type(error).__name__)


def may_send(*, now: datetime) -> bool:
    """Whether this is no restored copy, or a person has vouched for it. Starts by itself. Asked each time of the
    database: a backup can come back between two statements, and a pool of connections tells nobody that its own were cut."""
    known = _standing.get(str(settings.OMNI.data_dir))
    if known is None:
        return not start(now=now)
    identity, reason = known
    if not reason:
        return _holds(_guard_of(identity)) or not start(now=now)
    if not Instance.objects.filter(instance_id=identity, held=True).exists() and not _foreign_key():
        _standing[str(settings.OMNI.data_dir)] = identity, ""
        return True
    return False


def guard(*, now: datetime) -> Guard | None:
    """What `may_send` asks, as a condition for the statement that takes work, so that nothing can change between the two. None where
    nothing may be sent whatever the database says."""
    known = _standing.get(str(settings.OMNI.data_dir))
    if known is None or known[1]:
        if not may_send(now=now):
            return None
        known = _standing[str(settings.OMNI.data_dir)]
    return _guard_of(known[0])


def _guard_of(identity: str) -> Guard:
    """True while the database is still the one of which the file, or the environment, tells. The file is read first: it is behind."""
    told = _told(settings.OMNI.instance)
    story = told or _read(settings.OMNI.data_dir / FILE_NAME)
    words = f"EXISTS (SELECT 1 FROM delivery_instance i WHERE i.instance_id = %s AND NOT i.held AND i.epoch {'=' if told else '>='} %s)"
    return Guard(words, (identity, story.epoch if story else 0))


def _holds(guard: Guard) -> bool:
    return bool(sql.rows(f"SELECT 1 WHERE {guard.words}", guard.given, often=True))


def doubt() -> None:
    """The database was away: what comes back may be a backup, so the stories are compared anew before the next lease."""
    _standing.clear()


def held() -> list[tuple[str, str]]:
    """Installations that may not send: id and reason. They wait for a person's word, or for the key of the suppression list."""
    rows = Instance.objects.order_by("pk").values_list("instance_id", "held", "held_reason", "address_key")
    ours = key_fingerprint()
    return [(identity, FOREIGN if key != ours else reason) for identity, waits, reason, key in rows if waits or key != ours]


def confirm(actor: Actor, instance_id: str, *, now: datetime) -> None:
    """A person says that this copy is the one that shall send. Its workers go on at their next look.

    Raises Refused below the admin's role, and where no word helps: without the key of the suppression list.
    """
    allow(actor, Role.ADMIN, "runs:launch")
    if reason := _foreign_key():
        raise Refused(reason)
    with transaction.atomic():
        Instance.objects.filter(instance_id=instance_id).update(held=False, held_reason="", seen_at=now)
        audit(actor, "instance.confirmed", subject=f"instance:{instance_id}", data={}, now=now)


def _compare(now: datetime) -> tuple[str, str]:
    told = _told(settings.OMNI.instance)
    if told:
        try:
            row = _hear(told, told=True, now=now)
        except IntegrityError:  # another process of this name met the database first, a moment ago
            row = _hear(told, told=True, now=now)
    else:
        with _turn():  # of two processes that start at once on a new database, the second must find the file of the first
            path = settings.OMNI.data_dir / FILE_NAME
            story = _read(path)
            if story is None:  # named before the database hears of it: who dies in between is known by that name when they come again
                story = Story(str(uuid.uuid4()), 0)
                _write(path, story)
            row = _hear(story, told=False, now=now)
            _write(path, Story(row.instance_id, row.epoch))
    return row.instance_id, row.held_reason if row.held else _foreign_key()


def _hear(story: Story, *, told: bool, now: datetime) -> Instance:
    """The database's side of the story, brought up to this start."""
    identity = story.instance_id
    with transaction.atomic():
        row = Instance.objects.select_for_update().filter(instance_id=identity).first()
        if row is None:
            row = _meet(identity, now)
        elif not row.held and (row.epoch != story.epoch if told else row.epoch < story.epoch):
            row.held, row.held_reason = True, RESTORED_UNDER_NAME if told else RESTORED
        row.epoch, row.seen_at = story.epoch if told else max(row.epoch, story.epoch) + 1, now
        row.save()
    return row


@contextmanager
def _turn() -> Iterator[None]:
    """One process of this data folder at a time."""
    with (settings.OMNI.data_dir / f"{FILE_NAME}.lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _told(setting: str) -> Story | None:
    """`name` or `name:epoch`."""
    name, _, epoch = setting.partition(":")
    return Story(name, int(epoch or 0)) if name else None


def _foreign_key() -> str:
    """The hashes of suppressed addresses are worth nothing under another key: better no message than one to somebody who left."""
    return FOREIGN if Instance.objects.exclude(address_key=key_fingerprint()).exists() else ""


def _meet(identity: str, now: datetime) -> Instance:
    """A new installation. The first one of a database may send; a further one may be a copy."""
    first = not Instance.objects.exists()
    reason = "" if first else "this database has been used from another place: confirm that this one may send too"
    return Instance(instance_id=identity, epoch=0, held=not first, held_reason=reason, seen_at=now, address_key=key_fingerprint())


def _read(path: Path) -> Story | None:
    try:
        told = json.loads(path.read_text())
        return Story(str(told["instance"]), int(told["epoch"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        return None  # an unreadable file is as good as none: a person must confirm


def _write(path: Path, story: Story) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps({"instance": story.instance_id, "epoch": story.epoch}) + "\n")
    os.replace(temporary, path)


def _check_isolation() -> None:
    """The caps' locks mean nothing under a snapshot that is older than they are (REPEATABLE READ and above)."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_isolation")
        found = cursor.fetchone()[0]
    if found != "read committed":
        raise RuntimeError(f"PostgreSQL's transaction isolation is {found}: OMNI needs read committed")
