"""Devices that push messages reach: a person's phones and browsers, each known by its token or its subscription.

Laws: a token belongs to one person at a time, the last who was said to have it; a person has at most `MOST` devices; what is said
again changes nothing but when it was last seen. A token is personal data: it is never logged and never shown whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from audience import sql
from audience.device_forms import PLATFORMS, DeviceAddress
from audience.models import Device, Profile
from audience.profiles import Person
from governance.door import Missing

MOST = 20  # devices of one person; beyond them the one that was seen longest ago goes
LONGEST_WHY = 120


@dataclass(frozen=True, slots=True)
class DeviceView:
    """One device as pages and the API show it. ending: the last characters of its token."""

    platform: str
    ending: str
    seen_at: datetime
    created_at: datetime
    invalid_at: datetime | None
    invalid_why: str

    @property
    def words(self) -> str:
        """The kind of device that it is: "Apple device"."""
        return PLATFORMS[self.platform]


_REGISTER = """
INSERT INTO audience_device (workspace_id, profile_id, platform, address, fingerprint, created_at, seen_at, invalid_why)
VALUES (%s, %s, %s, %s, %s, %s, %s, '')
ON CONFLICT (workspace_id, fingerprint) DO UPDATE
   SET profile_id = excluded.profile_id, address = excluded.address, seen_at = excluded.seen_at, invalid_at = NULL, invalid_why = ''
"""


def register_device(workspace_id: int, profile_id: int, device: DeviceAddress, *, now: datetime) -> None:
    """This person has this device, as of now. It leaves whoever had it before; one that a vendor had called dead may be written to again.

    Idempotent. Raises Missing where the person isn't there (any more).
    """
    at = sql.moment(now)
    with transaction.atomic():
        theirs = Profile.objects.filter(workspace_id=workspace_id, pk=profile_id, gone_at__isnull=True)
        if theirs.select_for_update().values_list("pk", flat=True).first() is None:  # whoever is being erased gets no new device
            raise Missing("no profile with this external id")
        sql.run(_REGISTER, [workspace_id, profile_id, device.platform, device.text, device.fingerprint, at, at])
        keep_newest(workspace_id, profile_id)


def keep_newest(workspace_id: int, profile_id: int) -> None:
    """Of more devices than one may have, those that were seen longest ago go."""
    held = Device.objects.filter(workspace_id=workspace_id, profile_id=profile_id)
    newest = held.order_by("-seen_at", "-pk").values_list("pk", flat=True)
    if surplus := list(newest[MOST:]):
        held.filter(pk__in=surplus).delete()


def remove_device(workspace_id: int, profile_id: int, device: DeviceAddress) -> bool:
    """This person has it no longer. True where they had it."""
    theirs = Device.objects.filter(workspace_id=workspace_id, profile_id=profile_id, fingerprint=device.fingerprint)
    return theirs.delete()[0] > 0


def devices_of(workspace_id: int, profile_id: int) -> list[DeviceView]:
    """One person's devices, the one seen last first; dead ones, too."""
    return [_view(row) for row in _rows(workspace_id, profile_id)]


def device_known_by(workspace_id: int, profile_id: int, is_it: Callable[[str], bool]) -> DeviceView | None:
    """That of a person's devices whose address this says yes to, dead ones included: the ledger knows only what it makes of it."""
    return next((_view(row) for row in _rows(workspace_id, profile_id) if is_it(row.address)), None)


def _rows(workspace_id: int, profile_id: int) -> QuerySet[Device]:
    return Device.objects.filter(workspace_id=workspace_id, profile_id=profile_id).order_by("-seen_at", "-pk")[:MOST]


def _view(row: Device) -> DeviceView:
    ending = DeviceAddress(row.platform, row.address).ending
    return DeviceView(row.platform, ending, row.seen_at, row.created_at, row.invalid_at, row.invalid_why)


def give_devices(workspace_id: int, people: Iterable[Person]) -> None:
    """Tell these people's devices that may be written to, the one seen last first: `Person.devices`. One query."""
    known = {person.id: person for person in people}
    if not known:
        return
    found = defaultdict[int, list[DeviceAddress]](list)
    for profile_id, platform, address in sql.rows(
        f"""SELECT profile_id, platform, address FROM audience_device
        WHERE workspace_id = %s AND invalid_at IS NULL AND {sql.among("profile_id")} ORDER BY seen_at DESC, id DESC""",
        [workspace_id, sql.listed(known)],
        often=True,
    ):
        found[profile_id].append(DeviceAddress(platform, address))
    for number, person in known.items():
        person.devices = tuple(found.get(number, ()))


def invalidate_devices(workspace_id: int, dead: Collection[tuple[int, str]], *, why: str, now: datetime) -> int:
    """A vendor says that these devices (profile id, address) don't exist any more: nothing goes there until they are registered anew.

    In the caller's transaction. How many were valid until now.
    """
    texts = {address for _, address in dead}
    theirs = Device.objects.filter(workspace_id=workspace_id, profile_id__in={number for number, _ in dead}, invalid_at__isnull=True)
    gone = [pk for pk, address in theirs.values_list("pk", "address") if address in texts]
    return theirs.filter(pk__in=gone).update(invalid_at=now, invalid_why=why[:LONGEST_WHY]) if gone else 0
