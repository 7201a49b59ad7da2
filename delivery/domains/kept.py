"""What DNS said about a workspace's mail domains: asked daily and on request, kept with its moment, and judged when it is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from delivery.domains import complaints, users
from delivery.domains.answers import Recorded, Recorder, merged
from delivery.domains.complaints import Spam
from delivery.domains.resolver import OFF, Resolver
from delivery.domains.users import Account, Use
from delivery.domains.verdict import Level, Verdict
from delivery.domains.verdicts import check
from delivery.models import DomainCheck
from governance.door import Actor, Missing, Refused, Role, allow

EVERY = timedelta(days=1)
SOONER = timedelta(hours=1)  # after nothing but silence
BETWEEN = timedelta(seconds=30)  # requests of people about the same domain
WORST: tuple[Level, ...] = ("bad", "unknown", "caution", "good")


@dataclass(frozen=True, slots=True)
class Judged:
    """One verdict, and of whose mail it speaks ("" for everybody's)."""

    verdict: Verdict
    about: str = ""


@dataclass(frozen=True, slots=True)
class DomainView:
    """One domain that mail comes from. checked_at: when DNS last answered; level: of the worst verdict that bulk mail depends on,
    or of its complaints where they are too many; waits: seconds until it may be asked again."""

    domain: str
    checked_at: datetime | None
    level: Level
    judged: Sequence[Judged]
    uses: Sequence[Use]
    accounts: Sequence[Account]
    waits: int = 0

    @property
    def required(self) -> list[Judged]:
        """What the mailbox providers' rules for bulk mail ask for."""
        return [each for each in self.judged if each.verdict.required]

    @property
    def others(self) -> list[Judged]:
        """What is good manners besides."""
        return [each for each in self.judged if not each.verdict.required]


def domains(workspace_id: int, *, now: datetime) -> list[DomainView]:
    """Every domain that the workspace writes from, by name, as was last known. Asks nobody."""
    through = users.accounts(workspace_id)
    rows = {row.domain: row for row in DomainCheck.objects.filter(workspace_id=workspace_id)}
    spam = complaints.of_domains(workspace_id, now=now)
    return [_view(domain, some, through, rows.get(domain), spam, now) for domain, some in users.uses(workspace_id).items()]


def domain(workspace_id: int, name: str, *, now: datetime) -> DomainView:
    """One of them. Raises Missing for a domain that nothing is written from."""
    some = users.uses(workspace_id).get(name)
    if not some:
        raise Missing("no sender and no template writes from that domain")
    row = DomainCheck.objects.filter(workspace_id=workspace_id, domain=name).first()
    return _view(name, some, users.accounts(workspace_id), row, complaints.of_domains(workspace_id, now=now), now)


def check_again(actor: Actor, name: str, *, now: datetime) -> DomainView:
    """Ask the name servers now: a few seconds at most. Raises Missing, and Refused for whoever asked a moment ago."""
    allow(actor, Role.AUTHOR, "documents:write")
    seen = domain(actor.workspace_id, name, now=now)
    DomainCheck.objects.get_or_create(workspace_id=actor.workspace_id, domain=name)
    if not _claim(actor.workspace_id, name, now, BETWEEN):
        raise Refused(f"this domain was looked up a moment ago: again in {max(seen.waits, 1)} seconds")
    _look(actor.workspace_id, name, now)
    return domain(actor.workspace_id, name, now=now)


def recorded(workspace_id: int, name: str, *, now: datetime) -> Recorded:
    """What is known about a domain, to be asked instead of a name server."""
    answers = DomainCheck.objects.filter(workspace_id=workspace_id, domain=name).values_list("answers", flat=True).first()
    return Recorded(answers or {}, now=now)


def notice(workspace_id: int) -> None:
    """Make room for the domains that are written from, and let the others go."""
    names = set(users.uses(workspace_id))
    rows = DomainCheck.objects.filter(workspace_id=workspace_id)
    rows.exclude(domain__in=names).delete()
    DomainCheck.objects.bulk_create([DomainCheck(workspace_id=workspace_id, domain=name) for name in sorted(names)], ignore_conflicts=True)


def look_up_next(*, now: datetime) -> bool:
    """Ask about the domain that has waited longest, if its day is over; False where none is due, or nobody is to be asked."""
    if settings.OMNI.dns == OFF or settings.OMNI.vendor == "outbox":  # no mail leaves, so nobody's DNS need be bothered
        return False
    due = DomainCheck.objects.filter(Q(asked_at=None) | Q(asked_at__lt=now - EVERY)).order_by(F("asked_at").asc(nulls_first=True), "pk")
    row = due.values_list("workspace_id", "domain").first()
    if row is None or not _claim(*row, now, EVERY):
        return False
    if not _look(*row, now):
        DomainCheck.objects.filter(workspace_id=row[0], domain=row[1]).update(asked_at=now - EVERY + SOONER)
    return True


def _claim(workspace_id: int, name: str, now: datetime, since: timedelta) -> bool:
    """Of several who would ask at the same moment, one does."""
    mine = DomainCheck.objects.filter(workspace_id=workspace_id, domain=name).filter(Q(asked_at=None) | Q(asked_at__lte=now - since))
    return bool(mine.update(asked_at=now))


def _look(workspace_id: int, name: str, now: datetime) -> bool:
    """Ask whatever a verdict depends on, and keep it. No transaction is open while others are waited for. False: only silence."""
    ask = Recorder(Resolver(settings.OMNI.dns), now=now)
    for mail in users.mails(users.uses(workspace_id).get(name, []), users.accounts(workspace_id)):
        check(mail, ask, public_url=settings.OMNI.public_url)
    answered = any(answer.known for answer in ask.answers.values())
    with transaction.atomic():
        row = DomainCheck.objects.select_for_update().filter(workspace_id=workspace_id, domain=name).first()
        if row is not None:
            row.answers = merged(row.answers, ask.answers, now=now)
            row.checked_at = now if answered else row.checked_at
            row.save(update_fields=["answers", "checked_at"])
    return answered


def _view(
    name: str, some: Sequence[Use], through: list[Account], row: DomainCheck | None, spam: Mapping[str, Spam], now: datetime
) -> DomainView:
    ask = Recorded(row.answers if row else {}, now=now)
    judged = _judged(users.mails(list(some), through), ask)
    required = [each.verdict.level for each in judged if each.verdict.required]
    if (reported := complaints.verdict(name, spam)) is not None:
        judged.append(Judged(reported))
        required += [reported.level] if reported.level in ("bad", "caution") else []
    waits = (row.asked_at + BETWEEN - now).total_seconds() if row and row.asked_at else 0
    return DomainView(
        name, row.checked_at if row else None, min(required, key=WORST.index, default="good"), judged, some, through, max(0, int(waits))
    )


def _judged(mails: dict[Any, list[Use]], ask: Recorded) -> list[Judged]:
    """Each verdict once, with whose it is where not everybody's mail has it."""
    found: dict[Verdict, list[Use]] = {}
    for mail, some in mails.items():
        for verdict in check(mail, ask, public_url=settings.OMNI.public_url):
            found.setdefault(verdict, []).extend(some)
    everybody = {use for some in mails.values() for use in some}
    return [Judged(verdict, "" if set(of) == everybody else _names(of)) for verdict, of in found.items()]


def _names(some: Sequence[Use]) -> str:
    return ", ".join(dict.fromkeys(use.title for use in some))
