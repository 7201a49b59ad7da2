"""Addresses that are never written to: how many and why, one by its address, and who decided."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from delivery import suppression_counts
from delivery.addresses import EVERY_CHANNEL, PHONE_CHANNELS, address_hash
from delivery.models import Suppression
from delivery.sources import source_words
from delivery.suppression import CHANNELS, REASONS, never_write_to, normal, unsuppress
from governance.door import AuditEntry, ConsoleRequest, Role, User, console_page, page

CHANNEL_WORDS = {"email": "e-mail", "sms": "SMS", "whatsapp": "WhatsApp", "wechat": "WeChat", EVERY_CHANNEL: "every channel"}
_BY_PERSON = re.compile(r"(?:console|api|command):([1-9][0-9]{0,17})", re.ASCII)
DECISIONS = {"suppression.added": "Suppressed", "suppression.lifted": "Lifted"}


@console_page()
def suppressions(request: ConsoleRequest) -> HttpResponse:
    """The list, newest first. Addresses are kept as keyed hashes, so they can be asked for and not shown."""
    workspace_id, now = request.actor.workspace_id, timezone.now()
    rows, counted = Suppression.objects.filter(workspace_id=workspace_id), suppression_counts.counted(workspace_id, now=now)
    reason, channel = request.GET.get("reason", ""), request.GET.get("channel", "")
    reason, channel = reason if reason in REASONS else "", channel if channel in CHANNELS else ""
    asked = {name: word for name, word in (("reason", reason), ("channel", channel)) if word}
    listed = page(rows.filter(**asked), request, lambda row: row, ("-id",))
    shown = [{"row": row, "channel": _channel(row.channel), "name": _name(row.address_hash)} for row in listed["items"]]
    context = {
        "title": "Suppressions",
        "trail": [{"title": "Delivery", "href": reverse("delivery:health")}],
        "counted": [{**each, "key": each["channel"], "channel": _channel(each["channel"])} for each in counted.lines],
        "counted_at": counted.at if counted.at != now else None,
        "total": counted.total,
        "page": listed,
        "shown": [{**each, "by": by} for each, by in zip(shown, _sources([each["row"].source for each in shown]), strict=True)],
        "channels": [(key, _channel(key)) for key in sorted({each["channel"] for each in counted.lines})],
        "reasons": sorted({each["reason"] for each in counted.lines}),
        "reason": reason,
        "chosen": channel,
        "channel": _channel(channel),
        "lookup": _looked_up(request),
        "is_author": request.actor.role.covers(Role.AUTHOR),
        "is_approver": request.actor.role.covers(Role.APPROVER),
    }
    return render(request, "delivery/console/suppressions.html", context)


@require_POST
@console_page(Role.AUTHOR)
def change_suppression(request: ConsoleRequest) -> HttpResponse:
    """Never write to an address again, or allow it again; why is kept with who and when."""
    asked, now = request.POST, timezone.now()
    address, reason = asked.get("address", "").strip()[:320], asked.get("reason", "").strip()[:300]
    channel = "email" if "@" in address else "sms"
    if asked.get("lift") == "1":
        unsuppress(request.actor, asked.get("channel", channel), address, reason=reason, now=now)
        messages.success(request, "The address may be written to again.")
    else:
        never_write_to(request.actor, channel, address, reason=reason, now=now)
        messages.success(request, "The address is suppressed: nothing goes to it any more.")
    return redirect(f"{reverse('delivery:suppressions')}?{urlencode({'address': address})}")


def _looked_up(request: ConsoleRequest) -> dict[str, Any] | None:
    """Whether one address is suppressed, and what people decided about it."""
    text, workspace_id = request.GET.get("address", "").strip()[:320], request.actor.workspace_id
    if not text:
        return None
    channel = "email" if "@" in text else "sms"
    hashed = address_hash(workspace_id, channel, normal(channel, text))  # a number hashes alike on all its channels
    channels = [EVERY_CHANNEL, *(["email"] if channel == "email" else PHONE_CHANNELS)]
    found = list(Suppression.objects.filter(workspace_id=workspace_id, channel__in=channels, address_hash=hashed))
    sources = _sources([row.source for row in found])
    return {
        "address": text,
        "name": _name(hashed),
        "found": [{"row": row, "channel": _channel(row.channel), "by": by} for row, by in zip(found, sources, strict=True)],
        "decisions": _decisions(workspace_id, hashed),
    }


def _decisions(workspace_id: int, hashed: int) -> list[dict[str, Any]]:
    """What people did about this address, newest first."""
    rows = list(AuditEntry.objects.filter(workspace_id=workspace_id, subject=_subject(hashed), action__in=DECISIONS).order_by("-n")[:20])
    names = dict(User.objects.filter(pk__in={row.user_id for row in rows if row.user_id}).values_list("pk", "username"))
    return [
        {"at": row.at, "word": DECISIONS[row.action], "who": names.get(row.user_id or 0, "the system"), "why": row.data.get("reason", "")}
        for row in rows
    ]


def _sources(sources: list[str]) -> list[str]:
    """What said so, in words; people by name, whichever way they came."""
    people = {source: int(found[1]) for source in sources if (found := _BY_PERSON.fullmatch(source))}
    names = dict(User.objects.filter(pk__in=people.values()).values_list("pk", "username"))
    return [names.get(people[source], "somebody who has left") if source in people else source_words(source) for source in sources]


def _channel(channel: str) -> str:
    return CHANNEL_WORDS.get(channel, channel)


def _name(hashed: int) -> str:
    """The first digits of the hash: enough to see that two rows are about one address."""
    return f"{hashed & (2**64 - 1):016x}"[:8]


def _subject(hashed: int) -> str:
    return f"address:{hashed & (2**64 - 1):016x}"
