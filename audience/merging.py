"""Two who turn out to be one person: somebody who was anonymous until they signed in, or the same one entered twice.

Laws: both external ids lead to the one who stays, for good; what the one who stays already has is kept, what they lack comes from the
other; events, devices, lists, records and messages follow; of two statements of consent the stricter holds, and an agreement follows only
with the address for which it was given; done again, nothing changes.

Rooms further down the street register how they follow when they start, so audience imports nothing of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from django.db import transaction

from audience import sql
from audience.catalogue import MAX_ATTRIBUTES, Catalogue, catalogue
from audience.compound import parts
from audience.computed import forget_recounts, note_events
from audience.consent import Consent, as_consent, set_consent
from audience.devices import keep_newest
from audience.external_ids import external_id_fault, external_id_of
from audience.models import ConfirmationFeed, Device, Event, ListMember, Profile, ProfileFeed, Relation, Subscription
from audience.opt_ins import opt_in
from audience.other_ids import SOMEBODY_ELSES, add_other_id
from audience.profiles import behind, ids_of
from audience.relations import follow_relations, following
from governance.door import Actor, Conflict, Finding, Invalid, Missing, audit

FIELDS = (("email", "email_key"), ("phone",), ("locale",), ("country",), ("zone",))  # those that go together
STRAGGLERS = timedelta(hours=6)  # for so long what was under way at a merge may still write under the former number
AT_ONCE = 1_000  # of those who were merged lately
Follow = Callable[[int, int, int], None]  # the workspace, the number that is merged, the one that stays; repeating it is safe
Left = Callable[[int, Sequence[int]], set[int]]  # the workspace, numbers; those under which the room still keeps something
_ROOMS: list[tuple[Follow, Left]] = []
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Merging:
    """What becomes of two people who are made one. fields and attributes: what the one who stays gets from the other; left: fields that
    both have and whose other value is given up; consents: what holds for the one who stays from then on and didn't before; records: those
    that the one who stays has nothing to do with yet, or not so."""

    stays: Profile = field(repr=False)
    goes: Profile = field(repr=False)
    fields: tuple[str, ...]
    attributes: Mapping[str, Any] = field(repr=False)
    folded: Mapping[str, Any] = field(repr=False)
    left: tuple[str, ...]
    consents: tuple[Consent, ...]
    events: int
    devices: int
    lists: int
    records: int


def register_following(follow: Follow, left: Left) -> None:
    """Make known how another room lets what it keeps of a person follow, in the transaction that merges and again later for those of whom
    it has something left."""
    if (follow, left) not in _ROOMS:
        _ROOMS.append((follow, left))


def would_merge(workspace_id: int, stays: str, goes: str) -> Merging:
    """What merging these two would do. Raises Missing where nobody has such an id, Invalid where both are the same person's."""
    return _ahead(workspace_id, *_two(workspace_id, stays, goes, lock=False))


def merge(actor: Actor, stays: str, goes: str, *, now: datetime) -> Merging | None:
    """Make two people one, for good: whoever has the external id `goes` becomes one with whoever has `stays`.

    Where nobody has `goes`, it becomes another id of the one who stays. None where they were one already. Raises Missing where nobody has
    `stays`, Invalid for what is no id or would come to too many attributes, Conflict where `goes` already is an id of somebody else who
    was merged or named so.
    """
    workspace_id = actor.workspace_id
    if fault := external_id_fault(goes):
        raise Invalid([fault])
    numbers = ids_of(workspace_id, {external_id_of(stays), external_id_of(goes)})
    if external_id_of(stays) not in numbers:
        raise Missing("no profile with this external id")
    if external_id_of(goes) not in numbers:
        add_other_id(actor, stays, goes, now=now)
        return None
    if len(set(numbers.values())) == 1:
        return None
    with transaction.atomic():
        ahead = _ahead(workspace_id, *_two(workspace_id, stays, goes, lock=True))
        _write(ahead, now)
        told = {"from": ahead.goes.pk, "fields": list(ahead.fields), "left": list(ahead.left), "events": ahead.events}
        audit(actor, "profile.merged", subject=f"profile:{ahead.stays.pk}", data=told, now=now)
    return ahead


def merged_since(workspace_id: int, since: datetime | None) -> dict[int, int]:
    """Of everybody who was merged since then, with whom they have become one, by their number before. None: nobody is asked for."""
    if since is None:
        return {}
    rows = Profile.objects.filter(workspace_id=workspace_id, merged_into__isnull=False, alias=False, gone_at__gte=since)
    return dict(rows.values_list("pk", "merged_into"))  # type: ignore[arg-type]  # none of them is null


def merged_among(workspace_id: int, numbers: Sequence[int]) -> dict[int, int]:
    """Of these people, and of all who have become one with one of them, each who was merged: with whom, by their number before. One
    look-up, which finds nothing where nobody of them was."""
    given = sql.listed(numbers)
    statement = f"{_MERGED} AND {sql.among('id')} UNION {_MERGED} AND {sql.among('merged_into')}"
    return dict(sql.rows(statement, [workspace_id, given, workspace_id, given], often=True))


_MERGED = "SELECT id, merged_into FROM audience_profile WHERE workspace_id = %s AND merged_into IS NOT NULL AND NOT alias"


def gather_stragglers(*, now: datetime) -> None:
    """Let follow once more what was written under the numbers of those who were merged lately: it was under way then. A few look-ups for
    each thousand of them, and the work for those of whom something is left."""
    lately = Profile.objects.filter(merged_into__isnull=False, alias=False, gone_at__gt=now - STRAGGLERS).order_by("workspace_id", "pk")
    merged: dict[int, dict[int, int]] = {}
    for workspace_id, number, stays in lately.values_list("workspace_id", "pk", "merged_into").iterator():
        merged.setdefault(workspace_id, {})[number] = stays or number
    for workspace_id, pairs in merged.items():
        remaining = iter(pairs)
        while some := list(islice(remaining, AT_ONCE)):
            for number in sorted(_left(workspace_id, some)):
                with transaction.atomic():
                    _follow(workspace_id, number, pairs[number], now)


def _left(workspace_id: int, numbers: list[int]) -> set[int]:
    """Those of these numbers under which something is kept that should have followed."""
    found: set[int] = set()
    for model in (Event, Subscription, Device, ListMember, Relation, ConfirmationFeed):
        rows = model._default_manager.filter(workspace_id=workspace_id, profile_id__in=numbers)
        found.update(rows.order_by().values_list("profile_id", flat=True).distinct())
    return found.union(*(left(workspace_id, numbers) for _, left in _ROOMS))


def _two(workspace_id: int, stays: str, goes: str, *, lock: bool) -> tuple[Profile, Profile]:
    """Both people. lock: held until the transaction ends, in the order in which importers lock people."""
    order = 'ORDER BY external_id COLLATE "C" FOR UPDATE' if lock and sql.on_postgres() else ""
    named = external_id_of(stays), external_id_of(goes)
    numbers = ids_of(workspace_id, named)
    if behind(workspace_id, named[1:]) and numbers.get(named[0]) != numbers[named[1]]:
        raise Conflict("somebody else goes by this id, too; to merge the two, name their own external id", title=SOMEBODY_ELSES)
    if missing := [each for each in named if each not in numbers]:
        raise Missing("no profile with this external id" if missing[0] == named[0] else "no profile with the other external id")
    wanted = [numbers[each] for each in named]
    if wanted[0] == wanted[1]:
        raise Invalid([Finding("error", "/external_id", "another id of the same person", "somebody else's id")])
    statement = f"SELECT id FROM audience_profile WHERE workspace_id = %s AND gone_at IS NULL AND {sql.among('id')} {order}"
    held = {row[0] for row in sql.rows(statement, [workspace_id, sql.listed(wanted)])}
    if held != set(wanted):
        raise Conflict("one of the two was merged or erased at this moment; look again", title="Changed meanwhile")
    rows = Profile.objects.in_bulk(wanted)
    return rows[wanted[0]], rows[wanted[1]]


def _ahead(workspace_id: int, stays: Profile, goes: Profile) -> Merging:
    known = catalogue(workspace_id)
    lacking = [names for names in FIELDS if getattr(stays, names[0]) is None and getattr(goes, names[0]) is not None]
    differing = [names for names in FIELDS if _differ(getattr(stays, names[-1]), getattr(goes, names[-1]))]
    attributes, folded = _lacking(stays, goes, known)
    if len(stays.attributes) + len(attributes) > MAX_ATTRIBUTES:
        found = f"{len(stays.attributes) + len(attributes):,} attributes together"
        raise Invalid([Finding("error", "/external_id", found, f"two people with at most {MAX_ATTRIBUTES} attributes together")])
    return Merging(
        stays,
        goes,
        tuple(name for names in lacking for name in names),
        attributes,
        folded,
        (*(names[0] for names in differing), *sorted(_differing(stays, goes, known))),
        tuple(_stricter(_consents(workspace_id, stays.pk), _consents(workspace_id, goes.pk), _followed(stays, goes))),
        Event.objects.filter(workspace_id=workspace_id, profile_id=goes.pk).count(),
        Device.objects.filter(workspace_id=workspace_id, profile_id=goes.pk).count(),
        ListMember.objects.filter(workspace_id=workspace_id, profile_id=goes.pk).count(),
        following(workspace_id, goes.pk, stays.pk),
    )


def _differ(one: Any, other: Any) -> bool:
    return None not in (one, other) and one != other


def _lacking(stays: Profile, goes: Profile, known: Catalogue) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the one who stays doesn't have, as shown and as compared. What is computed is counted anew from both's events instead."""
    shown, compared = dict[str, Any](), dict[str, Any]()
    for name, value in goes.attributes.items():
        body = known.get(name)
        if name in stays.attributes or (body is not None and body.computed is not None):
            continue
        shown[name] = value
        compared |= {part: goes.folded[part] for part in (parts(name, body) if body else [name]) if part in goes.folded}
    return shown, compared


def _differing(stays: Profile, goes: Profile, known: Catalogue) -> list[str]:
    said = {name: value for name, value in goes.attributes.items() if name in stays.attributes and stays.attributes[name] != value}
    return [name for name in said if not (name in known and known[name].computed is not None)]


def _consents(workspace_id: int, number: int) -> dict[tuple[str, str], Consent]:
    rows = Subscription.objects.filter(workspace_id=workspace_id, profile_id=number)
    return {(row.channel, row.topic): as_consent(row) for row in rows.order_by("channel", "topic")}


def _followed(stays: Profile, goes: Profile) -> Callable[[str], bool]:
    """Whether the address of a channel, for which somebody agreed, becomes that of the one who stays."""
    email = stays.email_key in (None, goes.email_key)
    phone = stays.phone in (None, goes.phone)
    return lambda channel: email if channel == "email" else phone if channel in ("sms", "whatsapp") else True


def _stricter(
    stays: Mapping[tuple[str, str], Consent], goes: Mapping[tuple[str, str], Consent], follows: Callable[[str], bool]
) -> list[Consent]:
    """What the one who goes said and what holds from then on: refusals; agreements where nothing was said and the address follows."""
    return [said for about, said in goes.items() if _holds(said, stays.get(about), follows)]


def _holds(said: Consent, held: Consent | None, follows: Callable[[str], bool]) -> bool:
    """Whether what the one who goes said holds for the one who stays, who said `held`. Who has yet to confirm has not agreed."""
    if _refuses(said) or (held is not None and _refuses(held)):
        return _refuses(said) and (held is None or not _refuses(held))
    if held is None or held.state == "pending":
        return follows(said.channel) and (held is None or said.state == "subscribed")
    return said.state == "subscribed" and (said.expires_at or _LAST) < (held.expires_at or _LAST)


def _refuses(said: Consent) -> bool:
    return said.state == "unsubscribed" or said.refused


def _write(ahead: Merging, now: datetime) -> None:
    stays, goes, workspace_id = ahead.stays, ahead.goes, ahead.stays.workspace_id
    got = {name: getattr(goes, name) for name in ahead.fields}
    emptied = dict.fromkeys(name for names in FIELDS for name in names)
    gone = {"attributes": {}, "folded": {}, "gone_at": now, "updated_at": now, "merged_into": stays.pk}
    Profile.objects.filter(pk=goes.pk).update(**emptied, **gone)  # first: nothing of theirs is there twice at any moment
    Profile.objects.filter(workspace_id=workspace_id, merged_into=goes.pk).update(merged_into=stays.pk)
    Profile.objects.filter(pk=stays.pk).update(
        **got,
        attributes=stays.attributes | dict(ahead.attributes),
        folded=stays.folded | dict(ahead.folded),
        created_at=min(stays.created_at, goes.created_at),
        updated_at=now,
    )
    _follow(workspace_id, goes.pk, stays.pk, now, agreed=ahead.consents)
    ProfileFeed.objects.bulk_create([ProfileFeed(workspace_id=workspace_id, profile_id=pk, at=now) for pk in (goes.pk, stays.pk)])


def _follow(workspace_id: int, goes: int, stays: int, now: datetime, *, agreed: Sequence[Consent] | None = None) -> None:
    """All that is kept under the number that goes. agreed: what holds of its consents; None: only refusals, as of what came late."""
    said = list(_consents(workspace_id, goes).values()) if agreed is None else agreed
    for each in said:
        refusal = each.state == "unsubscribed" or each.refused
        if agreed is None and not refusal:
            continue
        if each.state == "pending" and not refusal and opt_in(workspace_id, each.channel, each.topic) is None:
            continue  # it would count as it is by now, and nobody confirmed it
        about = {"channel": each.channel, "topic": each.topic, "wording": each.wording}
        terms = {"basis": each.basis or "consent", "expires_at": each.expires_at, "source": f"merged: {each.source}"[:80]}
        state = "unsubscribed" if refusal else "subscribed"  # what was pending is so again, and was asked already
        confirmed = each.state == "subscribed"
        set_consent(workspace_id, [stays], **about, **terms, state=state, confirmed=confirmed, ask=False, now=now)  # type: ignore[arg-type]
    ConfirmationFeed.objects.filter(workspace_id=workspace_id, profile_id=goes).update(profile_id=stays)
    Subscription.objects.filter(workspace_id=workspace_id, profile_id=goes).delete()
    events = Event.objects.filter(workspace_id=workspace_id, profile_id=goes)
    if names := list(events.order_by().values_list("name", flat=True).distinct()):
        events.update(profile_id=stays)
        note_events(workspace_id, [(name, stays) for name in names], now=now)
    forget_recounts(workspace_id, [goes])
    if Device.objects.filter(workspace_id=workspace_id, profile_id=goes).update(profile_id=stays):
        keep_newest(workspace_id, stays)
    on_lists = ListMember.objects.filter(workspace_id=workspace_id, profile_id=goes)
    there = ListMember.objects.filter(workspace_id=workspace_id, profile_id=stays).values_list("of", flat=True)
    on_lists.exclude(of__in=list(there)).update(profile_id=stays)
    on_lists.delete()
    follow_relations(workspace_id, goes, stays)
    for follow, _ in _ROOMS:
        follow(workspace_id, goes, stays)
