"""Lists of people that somebody uploads: who was at the fair, who gets the voucher. Rules ask whether a person is on one.

Laws: a list changes whole or not at all; a line that names nobody is told by its number and stops nothing; who is forgotten is on no list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Literal

from django.db import transaction
from pyroaring import BitMap64

from audience import sql
from audience.addresses import BadAddress, email_address, phone_number
from audience.external_ids import external_id_fault, external_id_of
from audience.masking import search_as, sees_addresses, shown
from audience.models import IdList, ListMember
from audience.profiles import Person, ids_of, load, people, search_rows
from governance.door import Actor, Finding, Invalid, Missing, audit, shorten

By = Literal["external_id", "email", "phone"]
Mode = Literal["replace", "add", "remove"]
MODES: tuple[Mode, ...] = ("replace", "add", "remove")
MAX_LINES = 2_000_000
MAX_LINE = 400  # characters: longer than any id or address
TOLD = 20  # lines that are told by number
AT_ONCE = 5_000
NO_LIST = "a list of this key"
KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")


@dataclass(slots=True)
class ListOutcome:
    """What became of the lines that were given. unknown: name nobody we know; faulty: can't be such an id at all.

    told: the first of both, by line number and with what is wrong; never what the line holds.
    """

    lines: int = 0
    people: int = 0
    added: int = 0
    removed: int = 0
    unknown: int = 0
    faulty: int = 0
    told: list[tuple[int, str]] = field(default_factory=list)


def change_list(
    actor: Actor, key: str, values: Iterable[str], *, by: By, mode: Mode = "replace", title: str = "", now: datetime
) -> ListOutcome:
    """Put the people whom these lines name on the list, or take them off; the list is made where there is none of that key.

    by: what a line holds. title: what the list is called, its key without one; "" leaves it. Raises Invalid.
    """
    faults = _faults(key, title, by, mode)
    if faults:
        raise Invalid(faults)
    outcome, named = ListOutcome(), BitMap64()
    for number, part in _numbered(values, outcome):
        named |= _named(actor.workspace_id, number, part, by, outcome)
    if not outcome.lines:
        raise Invalid([Finding("error", "/values", "nothing", "one id or address per line")])
    with transaction.atomic():
        row, _ = IdList.objects.select_for_update().get_or_create(
            workspace_id=actor.workspace_id, key=key, defaults={"title": title or key, "created_at": now, "updated_at": now}
        )
        _change(row, named, mode, outcome)
        row.title, row.people, row.updated_at = title or row.title, ListMember.objects.filter(of=row).count(), now
        row.save()
        outcome.people = row.people
        counts = {"lines": outcome.lines, "added": outcome.added, "removed": outcome.removed, "people": row.people}
        audit(actor, "list.changed", subject=f"list:{key}", data={**counts, "mode": mode, "by": by}, now=now)
    return outcome


def lines_of(raw: bytes) -> list[str]:
    """The lines of an uploaded file. Raises Invalid for what is no text in UTF-8."""
    try:
        return raw.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise Invalid([Finding("error", "/file", "bytes that are no UTF-8", "text in UTF-8, one id or address per line")]) from None


def drop_list(actor: Actor, key: str, *, used_by: Callable[[str], list[str]], now: datetime) -> None:
    """Throw a list away. used_by: which segments ask for it; then it stays. Raises Missing and Invalid."""
    users = used_by(key)
    if users:
        raise Invalid([Finding("error", "/key", f"a list that {', '.join(users[:5])} asks for", "a list that no segment asks for")])
    with transaction.atomic():
        row = _locked(actor, key)
        ListMember.objects.filter(of=row).delete()
        row.delete()
        audit(actor, "list.dropped", subject=f"list:{key}", data={}, now=now)


def id_lists(workspace_id: int) -> list[IdList]:
    """All lists, by title."""
    return list(IdList.objects.filter(workspace_id=workspace_id).order_by("title", "key"))


def list_of(workspace_id: int, key: str) -> IdList:
    """One list by its key. Raises Missing."""
    row = IdList.objects.filter(workspace_id=workspace_id, key=key).first()
    if row is None:
        raise Missing(NO_LIST)
    return row


def place_on_list(row: IdList, after: int) -> int:
    """How many of a list come up to this number, which a page of `on_list` begins beyond."""
    return ListMember.objects.filter(of=row, profile_id__lte=after).count() if after else 0


def on_list(actor: Actor, row: IdList, text: str = "", *, limit: int, after: int = 0) -> list[Person]:
    """Who is on a list, by their numbers from beyond `after`, as this actor may see them. text: as `search_as` looks for it."""
    members = ListMember.objects.filter(of=row, profile_id__gt=after).order_by("profile_id")
    if text and sees_addresses(actor):
        among = members.order_by().values("profile_id")
        found = search_rows(actor.workspace_id, text).filter(id__in=among).order_by("id").values_list("id", flat=True)
        return shown(actor, load(actor.workspace_id, list(found[:limit])))
    if text:
        members = members.filter(profile_id__in=[person.id for person in search_as(actor, text)])
    return shown(actor, load(actor.workspace_id, list(members.values_list("profile_id", flat=True)[:limit])))


def take_off(actor: Actor, key: str, profile_ids: Collection[int], *, now: datetime) -> list[int]:
    """Take some people off a list; who of them was on it. Raises Missing where there is no list of this key."""
    with transaction.atomic():
        row = _locked(actor, key)
        members = ListMember.objects.filter(of=row, profile_id__in=profile_ids)
        gone = sorted(members.values_list("profile_id", flat=True))
        members.delete()
        _moved(actor, row, "remove", len(profile_ids), len(gone), now)
    return gone


def put_on(actor: Actor, key: str, profile_ids: Collection[int], *, now: datetime) -> list[int]:
    """Put some people on a list; who of them wasn't on it. Raises Missing where there is no such list, or none of these people."""
    with transaction.atomic():
        row = _locked(actor, key)
        # Held, so that nobody who is being forgotten is put on it.
        known = list(people(actor.workspace_id).select_for_update().filter(pk__in=profile_ids).values_list("pk", flat=True))
        if profile_ids and not known:
            raise Missing("no such profile: it may have been erased")
        here = set(ListMember.objects.filter(of=row, profile_id__in=known).values_list("profile_id", flat=True))
        came = sorted(set(known) - here)
        ListMember.objects.bulk_create([ListMember(of=row, profile_id=each, workspace_id=actor.workspace_id) for each in came])
        _moved(actor, row, "add", len(profile_ids), len(came), now)
    return came


def _locked(actor: Actor, key: str) -> IdList:
    """A list that nobody else changes until this transaction ends. Raises Missing."""
    row = IdList.objects.select_for_update().filter(workspace_id=actor.workspace_id, key=key).first()
    if row is None:
        raise Missing(NO_LIST)
    return row


def _moved(actor: Actor, row: IdList, mode: Mode, asked: int, moved: int, now: datetime) -> None:
    if moved:
        row.people, row.updated_at = ListMember.objects.filter(of=row).count(), now
        row.save()
        counts = {"lines": asked, "added": moved if mode == "add" else 0, "removed": moved if mode == "remove" else 0, "people": row.people}
        audit(actor, "list.changed", subject=f"list:{row.key}", data={**counts, "mode": mode, "by": "hand"}, now=now)


def list_numbers(workspace_id: int) -> Mapping[str, int]:
    """The number of every list by its key."""
    return dict(IdList.objects.filter(workspace_id=workspace_id).values_list("key", "pk"))


def _faults(key: str, title: str, by: str, mode: str) -> list[Finding]:
    found = []
    if not KEY.fullmatch(key):
        found.append(Finding("error", "/key", shorten(key), "1 to 80 small letters, digits, - and _, such as fair-2026"))
    if len(title) > 120 or not title.isprintable():
        found.append(Finding("error", "/title", f"{len(title):,} characters", "at most 120 printable characters"))
    if by not in _FIELDS:
        found.append(Finding("error", "/by", shorten(by), f"one of {', '.join(_FIELDS)}"))
    if mode not in MODES:
        found.append(Finding("error", "/mode", shorten(mode), f"one of {', '.join(MODES)}"))
    return found


def _numbered(values: Iterable[str], outcome: ListOutcome) -> Iterable[tuple[int, list[str]]]:
    """The lines in pieces, each with the number of its first line. Empty lines count as lines and are passed over."""
    lines, first = iter(values), 1
    while part := list(islice(lines, AT_ONCE)):
        outcome.lines += sum(1 for line in part if line.strip())
        if outcome.lines > MAX_LINES:
            raise Invalid([Finding("error", "/values", f"more than {MAX_LINES:,} lines", f"at most {MAX_LINES:,}: use several lists")])
        yield first, part
        first += len(part)


def _named(workspace_id: int, first: int, lines: list[str], by: By, outcome: ListOutcome) -> BitMap64:
    """Whom these lines name; an address that several people share names them all."""
    column, normal = _FIELDS[by]
    wanted: dict[str, int] = {}
    for number, line in enumerate(lines, first):
        if not line.strip():
            continue
        try:
            if len(line) > MAX_LINE:
                raise BadAddress(f"at most {MAX_LINE} characters")
            wanted.setdefault(normal(line), number)
        except BadAddress as bad:
            outcome.faulty += 1
            _tell(outcome, number, f"expected {bad}")
    found = list[tuple[str, int]]()
    if wanted and column == "external_id":
        found = list(ids_of(workspace_id, wanted).items())
    elif wanted:
        found = list(people(workspace_id).filter(**{f"{column}__in": list(wanted)}).values_list(column, "pk"))
    for value in sorted(set(wanted) - {value for value, _ in found}, key=wanted.__getitem__):
        outcome.unknown += 1
        _tell(outcome, wanted[value], "names nobody we know")
    return BitMap64(number for _, number in found)


def _tell(outcome: ListOutcome, number: int, what: str) -> None:
    if len(outcome.told) < TOLD:
        outcome.told.append((number, what))


def _change(row: IdList, named: BitMap64, mode: Mode, outcome: ListOutcome) -> None:
    there = BitMap64()
    for some in sql.numbers_of(ListMember.objects.filter(of=row).values_list("profile_id", flat=True)):
        there |= BitMap64(some)
    coming = BitMap64() if mode == "remove" else named - there
    going = BitMap64() if mode == "add" else there & named if mode == "remove" else there - named
    given = "SELECT %s, %s, unnest(%s::bigint[])" if sql.on_postgres() else "SELECT %s, %s, value FROM json_each(%s)"
    for start in range(0, len(coming), AT_ONCE):
        some_coming = sql.listed(list(coming[start : start + AT_ONCE]))
        sql.run(f"INSERT INTO audience_listmember (workspace_id, of_id, profile_id) {given}", [row.workspace_id, row.pk, some_coming])
    for start in range(0, len(going), AT_ONCE):
        some_going = list(going[start : start + AT_ONCE])
        ListMember.objects.filter(of=row, profile_id__in=some_going).delete()
    outcome.added, outcome.removed = len(coming), len(going)


def _external_id(line: str) -> str:
    fault = external_id_fault(line)
    if fault:
        raise BadAddress(fault.expected)
    return external_id_of(line)


_FIELDS: dict[str, tuple[str, Callable[[str], str]]] = {
    "external_id": ("external_id", _external_id),
    "email": ("email_key", lambda line: email_address(line.strip())[1]),
    "phone": ("phone", lambda line: phone_number(line.strip())),
}
