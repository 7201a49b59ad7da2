"""Dead letters: what came by a stream and could not be recorded, and what becomes of it."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from audience.addresses import without_addresses
from audience.dead_letters import REASONS, STATES, Wanted, drop, letters, waiting_letters
from audience.masking import sees_addresses, shown_one
from audience.models import DeadLetter
from audience.profiles import find
from audience.streams.replay import replay
from governance.door import Actor, ConsoleRequest, Missing, Role, console_page, page, whole_number

AT_ONCE = 2_000  # that one press of a button replays: a page is waited for
HOLDS = {"profiles": "People", "events": "Events"}
FILTERS = {"state": STATES, "holds": HOLDS, "reason": REASONS}


@console_page()
def dead_letters(request: ConsoleRequest) -> HttpResponse:
    """All of them, newest first, by what they hold and why; without what stands in them."""
    workspace_id = request.actor.workspace_id
    wanted = _wanted(request.GET)
    listed = page(letters(workspace_id, wanted), request, lambda row: row, ("-id",))
    waiting, first = waiting_letters(workspace_id)
    fitting = letters(workspace_id, wanted).count()
    filters = _filters(wanted)
    context = {
        "title": "Dead letters",
        "trail": [{"title": "Profiles", "href": reverse("audience:profiles")}],
        "page": listed,
        "letters": [_shown(request.actor, row) for row in listed["items"]],
        "wanted": wanted,
        "filters": filters,
        "filtered": bool(filters),
        "states": STATES.items(),
        "holds": HOLDS.items(),
        "reasons": REASONS.items(),
        "waiting": waiting,
        "first": first,
        "fitting": fitting if wanted.state == "waiting" else 0,
        "days": settings.OMNI.keep_dead_letters,
        "is_author": request.actor.role.covers(Role.AUTHOR),
    }
    return render(request, "audience/dead_letters.html", context)


@console_page()
def dead_letter(request: ConsoleRequest, letter_id: int) -> HttpResponse:
    """One of them with everything that is wrong; its text for those who may see sensitive values."""
    row = _shown(request.actor, _found(request, letter_id))
    known = shown_one(request.actor, find(row.workspace_id, external_id=row.external_id) if row.external_id else None)
    context = {
        "title": f"Dead letter {row.pk}",
        "trail": [{"title": "Profiles", "href": reverse("audience:profiles")}, {"title": "Dead letters", "href": _list()}],
        "letter": row,
        "reason": REASONS[row.reason],
        "holds": HOLDS[row.holds],
        "person": known,
        "text": _indented(row.body) if request.actor.role.covers(Role.ADMIN) else None,
        "is_author": request.actor.role.covers(Role.AUTHOR),
        "days": settings.OMNI.keep_dead_letters,
    }
    return render(request, "audience/dead_letter.html", context)


@require_POST
@console_page(Role.AUTHOR)
def decide(request: ConsoleRequest) -> HttpResponse:
    """Replay or drop one letter, or all that wait and fit the filters."""
    asked, now = request.POST, timezone.now()
    if one := asked.get("id", ""):
        wanted = Wanted(ids=(_found(request, whole_number(one) or 0).pk,))
    else:
        wanted = _wanted(asked)
    if asked.get("verdict") == "drop":
        dropped = drop(request.actor, wanted, now=now)
        messages.success(request, f"{_many(dropped)} dropped.")
    else:
        done = replay(request.actor, wanted, now=now, most=AT_ONCE)
        words = f"{_many(done.replayed)} replayed."
        if done.still:
            words += f" {_many(done.still)} can’t be recorded yet: what is wrong with them now stands here."
        if done.left:
            words += f" {_many(done.left)} wait for the next press; all at once by manage.py dead_letters replay --all."
        (messages.success if done.replayed or not done.still else messages.warning)(request, words)
    return redirect(f"{_list()}?{urlencode(_filters(wanted))}" if not wanted.ids else reverse("audience:dead-letter", args=[wanted.ids[0]]))


def _list() -> str:
    return reverse("audience:dead-letters")


def _many(number: int) -> str:
    return f"{number:,} {'entry' if number == 1 else 'entries'}"


def _found(request: ConsoleRequest, letter_id: int) -> DeadLetter:
    rows = DeadLetter.objects.filter(workspace_id=request.actor.workspace_id)
    row = rows.filter(pk=letter_id).first() if letter_id < 2**63 else None
    if row is None:
        raise Missing("no such dead letter: its person may have been erased, or it was settled long ago")
    return row


def _shown(actor: Actor, row: DeadLetter) -> DeadLetter:
    """As this actor may see it, not to be saved: what was found in an entry may be personal, and an id may be an address."""
    if not sees_addresses(actor):
        row.external_id = without_addresses(row.external_id)
        if row.reason == "invalid":
            row.findings = [{**each, "found": "a value that authors see"} for each in row.findings]
    return row


def _wanted(asked: QueryDict) -> Wanted:
    """What the filters ask for; what they don't know asks for nothing. Without a word the waiting ones are meant."""
    state, holds, reason = (value if (value := asked.get(name, "")) in known else "" for name, known in FILTERS.items())
    state = state or ("" if asked.get("state") == "any" else "waiting")
    return Wanted(state, holds, reason, external_id=asked.get("person", "").strip()[:200])


def _filters(wanted: Wanted) -> dict[str, str]:
    """The filters as an address has them."""
    state = "any" if not wanted.state else "" if wanted.state == "waiting" else wanted.state
    said = {"state": state, "holds": wanted.holds, "reason": wanted.reason, "person": wanted.external_id}
    return {name: value for name, value in said.items() if value}


def _indented(body: str) -> str:
    """JSON in lines; anything else as it came."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except ValueError:
        return body
