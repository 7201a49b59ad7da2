"""Erasing people, and telling the index what changed."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from audience.models import Event, Profile, ProfileFeed, Subscription, SubscriptionEntry
from governance.door import Missing


def erase(workspace_id: int, external_id: str, *, now: datetime) -> int:
    """Forget a person: address, attributes, events and consents go, the number stays so that the ledger's rows keep a meaning.

    Returns the number. Raises Missing. Suppressions stay, as keyed hashes: forgetting must not make anybody mailable again.
    """
    with transaction.atomic():
        row = Profile.objects.select_for_update().filter(workspace_id=workspace_id, external_id=external_id, erased_at=None).first()
        if row is None:
            raise Missing("no profile with this external id")
        for model in (Event, Subscription, SubscriptionEntry):
            model._default_manager.filter(workspace_id=workspace_id, profile_id=row.pk).delete()
        Profile.objects.filter(workspace_id=workspace_id, pk=row.pk).update(
            external_id=f"erased-{row.pk}",
            email=None,
            email_key=None,
            phone=None,
            locale=None,
            country=None,
            zone=None,
            attributes={},
            folded={},
            erased_at=now,
            updated_at=now,
        )
        ProfileFeed.objects.create(workspace_id=workspace_id, profile_id=row.pk, at=now)
    return row.pk
