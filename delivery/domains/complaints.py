"""How much of a domain's mail was reported as spam lately: mailbox providers ask bulk senders to stay below a tenth of a percent.

Counted from what vendors tell of complaints; a mailbox provider that tells none of them isn't heard here (Gmail shows its own figure in its
Postmaster Tools). A run counts for the domain that its first variant writes from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from django.db.models import Count, Sum

from delivery.adapters.registry import ADAPTERS
from delivery.domains.verdict import Level, Verdict
from delivery.models import Attempt, Dispatch, VendorEvent
from delivery.states import AttemptState
from governance import door as governance
from presentation import door as presentation

SPAN = timedelta(days=7)
STARTED_WITHIN = timedelta(days=30)  # complaints come days after the mail, and a run takes days
LEAST = 1_000  # mails, below which one angry reader is an alarm
WARNING, CRITICAL = 0.001, 0.003  # shares; Gmail's and Yahoo's rules for bulk senders, read 2026-11


@dataclass(frozen=True, slots=True)
class Spam:
    """Of one domain, in the last seven days: mails that vendors took, and messages that were complained about."""

    sent: int = 0
    complaints: int = 0


def of_domains(workspace_id: int, *, now: datetime) -> dict[str, Spam]:
    """Every domain that mail went out from lately. A few statements, however many runs there were."""
    since = now - SPAN
    recent = Dispatch.objects.filter(workspace_id=workspace_id, channel="email", planned_at__gt=now - STARTED_WITHIN, shadow=False)
    facts = {pk: (template, tuple(pins)) for pk, template, pins in recent.values_list("pk", "template_revision_id", "pins")}
    mine = Attempt.objects.filter(workspace_id=workspace_id, dispatch_id__in=list(facts), posted_at__gt=since, state=AttemptState.SENT)
    sent = dict(mine.values_list("dispatch_id").annotate(Sum("count")).order_by())
    said = VendorEvent.objects.filter(workspace_id=workspace_id, vendor__in=list(ADAPTERS), kind="complained", received_at__gt=since)
    complained = dict(said.filter(dispatch_id__in=list(facts)).values_list("dispatch_id").annotate(Count("n", distinct=True)).order_by())
    found: dict[str, Spam] = {}
    for dispatch_id in sorted({*sent, *complained}):
        template, pins = facts[dispatch_id]
        domain = _domain(workspace_id, template, pins) if template else ""
        before = found.get(domain, Spam())
        found[domain] = Spam(before.sent + sent.get(dispatch_id, 0), before.complaints + complained.get(dispatch_id, 0))
    found.pop("", None)
    return found


def verdict(domain: str, found: Mapping[str, Spam]) -> Verdict | None:
    """What to say about a domain; None where no mail went out from it."""
    spam = found.get(domain)
    if spam is None:
        return None
    if spam.sent < LEAST:
        told = f"{spam.complaints:,} complaints about {spam.sent:,} mails in seven days, which are too few to judge"
        return Verdict("complaints", "unknown" if spam.complaints else "good", told)
    rate = spam.complaints / spam.sent
    told = f"{spam.complaints:,} of {spam.sent:,} mails of the last seven days were reported as spam: {rate * 100:.2f}\u00a0%"
    level: Level = "bad" if rate >= CRITICAL else "caution" if rate >= WARNING else "good"
    fixes = {
        "bad": "Stop what is complained about: from 0.3 % on, mailbox providers refuse bulk mail. Write to those who asked for it only",
        "caution": "Stay below 0.1\u00a0%: write less often, to those who open what you send, and let them leave with one click",
    }
    return Verdict("complaints", level, told, fixes.get(level, ""))


@lru_cache(maxsize=4_096)
def _domain(workspace_id: int, template_revision_id: int, pins: tuple[int, ...]) -> str:
    """From which a revision writes; revisions never change. "" where it can't be read any more."""
    try:
        sender_id = presentation.sender_among(workspace_id, template_revision_id, pins)
        if sender_id is not None:
            body: presentation.SenderBody = governance.revision_by_id(workspace_id, sender_id).model
            return body.domain
        template: presentation.TemplateBody = governance.revision_by_id(workspace_id, template_revision_id).model
        return (template.written_sender.address or "").rpartition("@")[2].lower()
    except (governance.Missing, governance.Invalid):
        return ""
