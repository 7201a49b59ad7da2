"""Promotional mail that breaks the mailbox providers' rules for bulk mail isn't launched: it would be refused there, and spoil the domain.

Gmail's and Yahoo's since February 2024, Microsoft's since May 2025: SPF, DKIM and DMARC, one of the two aligned with the From domain,
unsubscribing by one click (RFC 8058). The postal address is the laws' (CAN-SPAM and others).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Literal

from django.conf import settings

from delivery.domains import kept, users
from delivery.domains.identity import PlannedMail, sent_by
from delivery.domains.verdict import Verdict
from delivery.domains.verdicts import check
from delivery.policies import OUTBOX, Route
from governance.door import Finding

Level = Literal["error", "warning"]


def objections(workspace_id: int, mails: Sequence[PlannedMail], routes: Sequence[Route], *, now: datetime) -> Iterator[Finding]:
    """What is against sending this mail in bulk, from what is known: nobody is asked here.

    In production what is known to be wrong is an error; elsewhere, and where DNS hasn't answered, a warning. Mail that stays in the
    outbox is asked for its postal address only. routes: all that may carry it; each vendor has its own keys.
    """
    level: Level = "error" if settings.OMNI.env == "production" else "warning"
    for mail in mails:
        if mail.addressless:
            where = f" in {', '.join(mail.addressless)}"
            expected = "a footer with the firm's postal address, or a sender that has one: the law on advertising asks for it"
            yield Finding(level, mail.path, f"no postal address{where}", expected)
    leaving = [route for route in routes if route.adapter.key != OUTBOX]
    found = [finding for mail in mails for route in leaving for finding in _of_domain(workspace_id, mail, route, level, now)]
    yield from {(finding.level, finding.found, finding.expected): finding for finding in found}.values()


def _of_domain(workspace_id: int, mail: PlannedMail, route: Route, level: Level, now: datetime) -> Iterator[Finding]:
    identity = users.completed(workspace_id, mail.identity)
    if not identity.domain:
        return
    leaving = sent_by(identity, route.adapter.mail_facts(route.account.settings))
    said = check(leaving, kept.recorded(workspace_id, identity.domain, now=now), public_url=settings.OMNI.public_url)
    required = [verdict for verdict in said if verdict.required]
    for verdict in required:
        if verdict.level == "bad":
            yield Finding(level, mail.path, verdict.found, mended(verdict))
    if unknown := list(dict.fromkeys(verdict.title for verdict in required if verdict.level == "unknown")):
        yield Finding(
            "warning",
            mail.path,
            f"{_and(unknown)} of {identity.domain}: not known",
            f"a check that DNS answers, on the page of {identity.domain}",
        )


def mended(verdict: Verdict) -> str:
    """How to mend it, with the record to add, in one line."""
    fix = verdict.fix[:1].lower() + verdict.fix[1:]
    record = verdict.record
    return f"{fix}: {record.kind} {record.name} “{record.value}”" if record else fix


def _and(names: Iterable[str]) -> str:
    some = list(names)
    return " and ".join([", ".join(some[:-1]), some[-1]]) if len(some) > 1 else "".join(some)
