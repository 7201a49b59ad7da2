"""Forgetting a person, for good and everywhere in this room."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from audience.models import Event, Profile, ProfileFeed, Subscription, SubscriptionEntry
from governance.door import Actor, Missing, audit

PREFIX = "erased-"  # external ids of the forgotten; nobody else may have such a one


def erase(actor: Actor, external_id: str, *, now: datetime) -> int:
    """Forget a person: external id, addresses, attributes, events and consents go; the number stays, so that the ledger's rows keep
    a meaning, and is never given to anybody else. The same external id may come again: as somebody new.

    Returns the number. Raises Missing. Suppressions stay, as keyed hashes: forgetting must not make anybody mailable again.
    """
    workspace_id = actor.workspace_id
    with transaction.atomic():
        rows = Profile.objects.filter(workspace_id=workspace_id, external_id=external_id, erased_at__isnull=True)
        number = rows.select_for_update().values_list("pk", flat=True).first()
        if number is None:
            raise Missing("no profile with this external id")
        for model in (Event, Subscription, SubscriptionEntry):
            model._default_manager.filter(workspace_id=workspace_id, profile_id=number).delete()
        gone = dict.fromkeys(("email", "email_key", "phone", "locale", "country", "zone"))
        Profile.objects.filter(workspace_id=workspace_id, pk=number).update(
            **gone, external_id=f"{PREFIX}{number}", attributes={}, folded={}, erased_at=now, updated_at=now
        )
        ProfileFeed.objects.create(workspace_id=workspace_id, profile_id=number, at=now)
        audit(actor, "profile.erased", subject=f"profile:{number}", data={}, now=now)
    return number
