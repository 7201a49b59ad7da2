"""Forgetting a person, for good and everywhere: here, and in every room that keeps something of people under their number.

A room further down the street registers how it forgets when it starts, so audience imports nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from audience import dead_letters
from audience.computed import forget_recounts
from audience.external_ids import PREFIX, external_id_of
from audience.models import ConfirmationFeed, Device, Event, ListMember, Profile, ProfileFeed, Subscription, SubscriptionEntry
from audience.other_ids import numbers_of
from audience.profiles import ids_of
from audience.relations import forget_relations
from governance.door import Actor, Missing, audit

STRAGGLERS = timedelta(days=2)  # for so long what was under way when somebody was forgotten may still write something down
Forget = Callable[[int, Sequence[int]], None]  # the workspace, the numbers of the forgotten; repeating it is safe
_ROOMS: list[Forget] = []


def register_forgetting(forget: Forget) -> None:
    """Make known how another room forgets people. It is called in the transaction that erases them, and again afterwards."""
    if forget not in _ROOMS:
        _ROOMS.append(forget)


def erase(actor: Actor, external_id: str, *, now: datetime) -> int:
    """Forget a person: external ids, addresses, devices, attributes, events, consents, what they had to do with records and what waits
    about them among the dead letters go, and what other rooms kept of them; the number stays, so that the ledger's rows keep a meaning, and
    is never given to anybody else. The same external id may come again: as somebody new.

    Returns the number. Raises Missing. Suppressions stay, as keyed hashes: forgetting must not make anybody mailable again.
    """
    workspace_id = actor.workspace_id
    with transaction.atomic():
        number = ids_of(workspace_id, [external_id_of(external_id)]).get(external_id_of(external_id), -1)
        rows = Profile.objects.filter(workspace_id=workspace_id, pk=number, gone_at__isnull=True)
        if rows.select_for_update().values_list("pk", flat=True).first() is None:
            raise Missing("no profile with this external id")
        numbers = numbers_of(workspace_id, number)
        known = Profile.objects.filter(workspace_id=workspace_id, pk__in=numbers).values_list("external_id", "email", "phone")
        dead_letters.forget(workspace_id, list(known))
        gone = dict.fromkeys(("email", "email_key", "phone", "locale", "country", "zone"))
        for each in numbers:
            Profile.objects.filter(workspace_id=workspace_id, pk=each).update(
                **gone, external_id=f"{PREFIX}{each}", attributes={}, folded={}, gone_at=now, updated_at=now, merged_into=None
            )
        _forget(workspace_id, numbers)
        ProfileFeed.objects.create(workspace_id=workspace_id, profile_id=number, at=now)
        audit(actor, "profile.erased", subject=f"profile:{number}", data={}, now=now)
    return number


def forget_stragglers(*, now: datetime) -> None:
    """Forget once more whoever was forgotten lately: a message or an event that was under way then may have arrived since."""
    numbers: dict[int, list[int]] = {}
    for workspace_id, number in Profile.objects.filter(gone_at__gt=now - STRAGGLERS, merged_into=None).values_list("workspace_id", "pk"):
        numbers.setdefault(workspace_id, []).append(number)
    for workspace_id, forgotten in numbers.items():
        with transaction.atomic():
            _forget(workspace_id, forgotten)


def _forget(workspace_id: int, numbers: Sequence[int]) -> None:
    for model in (Event, Subscription, SubscriptionEntry, Device):
        model._default_manager.filter(workspace_id=workspace_id, profile_id__in=numbers).delete()
    forget_recounts(workspace_id, numbers)
    ConfirmationFeed.objects.filter(workspace_id=workspace_id, profile_id__in=numbers).delete()
    forget_relations(workspace_id, numbers)
    ListMember.objects.filter(workspace_id=workspace_id, profile_id__in=numbers).delete()
    for forget in _ROOMS:
        forget(workspace_id, numbers)
