"""Messages: what did this person get, and why (not)?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from audience import door as audience
from delivery import attached, finding, past, tracking
from delivery.addresses import address_hash, address_of
from delivery.explain import MessagePage, MessageView, Why, messages, timeline, why
from delivery.facts import facts
from delivery.left_out import left_out
from delivery.message_ids import read_message_id
from delivery.models import Dispatch, Message, OutboxMail
from delivery.permission import permission
from delivery.pins import SentMessage, sent_message
from delivery.states import MessageState
from delivery.views.frames import framed
from delivery.views.titles import titles_of
from delivery.views.words import tell
from governance.door import Actor, ConsoleRequest, Invalid, Missing, Ref, Role, console_page, revision_by_id, titles, whole_number
from presentation import door as presentation
from rendering import door as rendering

EACH, LATELY = 50, 6
LEDGER = "m"  # begins the cursor of people with messages, where those without were listed first
BY_SEGMENT = ("campaign", "event")  # kinds of dispatch whose people a segment names
STATES = [state.label.replace(" ", "_") for state in MessageState]


@console_page()
def messages_page(request: ConsoleRequest) -> HttpResponse:
    """The search: by address, external id, message id, campaign, run or profile."""
    asked = request.GET
    dispatch_id, state = _number(asked.get("dispatch", "")), asked.get("state", "")
    context: dict[str, Any] = {
        "title": "Messages",
        "q": asked.get("q", "").strip()[:320],
        "state": state,
        "reason": asked.get("reason", "")[:40],
        "reasons": reasons_of(request.actor.workspace_id, dispatch_id),
        "states": STATES,
        "dispatches": _recent(request.actor.workspace_id),
        "dispatch_id": dispatch_id,
        "archived_until": past.archived_until(request.actor.workspace_id),
    }
    context |= _found(request, context)
    return render(request, "delivery/console/messages.html", context)


def _found(request: ConsoleRequest, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Whose messages were asked for, and the page of them."""
    workspace_id, text = request.actor.workspace_id, str(asked["q"])
    criteria: dict[str, Any] = {}
    person: audience.Person | None = None
    if profile_id := _number(request.GET.get("profile", "")):
        person = audience.shown_one(request.actor, next(iter(audience.load(workspace_id, [profile_id])), None))
        criteria["profile_id"] = profile_id
    elif read_message_id(text) is not None:
        criteria["message_id"] = text
    elif text:
        address = finding.asked_address(workspace_id, text)
        person = audience.find(workspace_id, external_id=text) or (finding.holder(workspace_id, text) if address else None)
        if person is not None:
            criteria["profile_id"] = person.id
        if address is not None:  # also what went there when it was somebody else's
            criteria["address_hash"] = address.hash
            if not request.GET.get("cursor"):
                finding.note_search(request.actor, address, now=timezone.now())
        if not criteria:
            latest = _latest_of(workspace_id, text, asked["dispatches"])
            if latest is None:
                return {"person": None, "nothing": True}
            criteria["dispatch_id"] = latest
    if asked["dispatch_id"]:
        criteria["dispatch_id"] = asked["dispatch_id"]
    if not criteria:
        return {"searched": False}
    reason, state, cursor = str(asked["reason"]), str(asked["state"]), request.GET.get("cursor", "")
    if reason and set(criteria) == {"dispatch_id"} and not cursor.startswith(LEDGER):
        outside = _left_out(request.actor, criteria["dispatch_id"], reason, cursor, many=asked["reasons"].get(reason, 0))
        if outside is not None:
            return outside
    state = state if state in STATES and not reason else ""
    page = messages(workspace_id, **criteria, state=state, reason=reason, after=cursor.removeprefix(LEDGER), limit=EACH)
    found: dict[str, Any] = {
        "searched": True,
        "person": audience.shown_one(request.actor, person),
        "rows": rows_of(request.actor, page),
        "page": {"items": page.items, "next": page.next and LEDGER + page.next if reason else page.next},
    }
    if person is not None and asked["dispatch_id"]:
        answer = why(workspace_id, asked["dispatch_id"], person.id)
        kinds = Dispatch.objects.filter(workspace_id=workspace_id, pk=asked["dispatch_id"]).values_list("kind", flat=True)
        found |= {"answer": answer, "told": tell(answer.stops), "by_segment": kinds[0] in BY_SEGMENT}
    elif person is not None and not state and not cursor:
        found["lately"] = _lately(workspace_id, person.id, asked["dispatches"])
    if person is not None and not text:
        found["q"] = person.external_id
    return found


def _latest_of(workspace_id: int, text: str, recent: list[dict[str, Any]]) -> int | None:
    """The latest dispatch of what is called so: by its key, or by a part of its title."""
    exact = Dispatch.objects.filter(workspace_id=workspace_id, key=text).order_by("-pk").values_list("pk", flat=True).first()
    named = (each["pk"] for each in recent if text.casefold() in each["title"].casefold())
    return exact or next(named, None)


def _lately(workspace_id: int, profile_id: int, dispatches: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What became of one person in each of the latest runs of campaigns, whether they got something or not."""
    runs = [each for each in dispatches if each["kind"] == "campaign"][:LATELY]
    return [{**each, "id": each["pk"], "why": why(workspace_id, each["pk"], profile_id)} for each in runs]


def _left_out(actor: Actor, dispatch_id: int, reason: str, cursor: str, *, many: int) -> dict[str, Any] | None:
    """Those whom the plan left out for this reason, who have no message; None where it left out nobody.

    many: of all who got nothing for it. The pages of those who were skipped at the last look follow theirs.
    """
    workspace_id = actor.workspace_id
    some = left_out(workspace_id, dispatch_id, reason, start=_number(cursor), limit=EACH)
    if not some.total:
        return None
    people = {person.id: person for person in audience.shown(actor, audience.load(workspace_id, list(some.profile_ids)))}
    after = str(some.next) if some.next else LEDGER if messages(workspace_id, dispatch_id=dispatch_id, reason=reason, limit=1).items else ""
    return {
        "searched": True,
        "person": None,
        "outside": [{"profile_id": each, "person": people.get(each)} for each in some.profile_ids],
        "total": some.total,
        "skipped_later": max(many - some.total, 0),
        "ledger": LEDGER,
        "page": {"items": some.profile_ids, "next": after},
    }


def reasons_of(workspace_id: int, dispatch_id: int) -> dict[str, int]:
    """Why people got nothing from this run, and how many of them for each reason, the commonest first; none without a run."""
    if not Dispatch.objects.filter(workspace_id=workspace_id, pk=dispatch_id).exists():
        return {}
    known = facts(workspace_id, dispatch_id)
    return dict((Counter(known.left_out) + Counter(known.skipped) + Counter(known.failed)).most_common())


def rows_of(actor: Actor, page: MessagePage) -> list[dict[str, Any]]:
    """Messages with the people they were for and the titles of what they came from, a query each."""
    workspace_id = actor.workspace_id
    loaded = audience.load(workspace_id, list({item.profile_id for item in page.items}))
    people = {person.id: person for person in audience.shown(actor, loaded)}
    titled = titles_of(workspace_id, {(item.kind, item.campaign) for item in page.items})
    return [
        {
            "message": item,
            "title": titled[item.kind, item.campaign],
            "person": people.get(item.profile_id),
            "address": _address(people.get(item.profile_id), item),
        }
        for item in page.items
    ]


def _address(person: audience.Person | None, item: MessageView) -> str:
    if person is None:
        return "somebody who was erased"
    return address_of(item.channel, person) or person.external_id


def _recent(workspace_id: int) -> list[dict[str, Any]]:
    rows = Dispatch.objects.filter(workspace_id=workspace_id).order_by("-pk").values("pk", "kind", "key", "planned_at", "channel")[:50]
    titled = titles_of(workspace_id, {(row["kind"], row["key"]) for row in rows})
    return [{**row, "title": titled[row["kind"], row["key"]]} for row in rows]


def _number(text: str) -> int:
    return whole_number(text, 17) or 0


@console_page()
def messages_of(request: ConsoleRequest, profile_id: int) -> HttpResponse:
    """One person's latest messages, as a part of their profile's page."""
    workspace_id = request.actor.workspace_id
    page = messages(workspace_id, profile_id=profile_id, limit=20)
    context = {
        "rows": rows_of(request.actor, page),
        "more": bool(page.next),
        "profile_id": profile_id,
        "dispatches": _recent(workspace_id),
        "archived_until": past.archived_until(workspace_id),
    }
    return render(request, "delivery/console/_messages_of.html", context)


@console_page()
def message(request: ConsoleRequest, token: str) -> HttpResponse:
    """One message's street: each stop with its facts, and what it said."""
    workspace_id = request.actor.workspace_id
    answer: Why = timeline(workspace_id, token)
    key = read_message_id(token)
    listed = messages(workspace_id, message_id=token, limit=1)
    item = listed.items[0] if listed.items else None
    context: dict[str, Any] = {
        "title": "Message",
        "token": token,
        "doubt": _request_of(token) if answer.state == "in doubt" else 0,
        "trail": [{"title": "Messages", "href": reverse("delivery:messages")}],
        "answer": answer,
        "told": tell(answer.stops, partial(tracking.target, key) if key else lambda _: None),
        "message": item,
        "from": titles_of(workspace_id, [(item.kind, item.campaign)])[item.kind, item.campaign] if item else "",
        "by_segment": item is not None and item.kind in BY_SEGMENT,
        "person": audience.shown_one(request.actor, next(iter(audience.load(workspace_id, [item.profile_id])), None)) if item else None,
        "mail": OutboxMail.objects.filter(workspace_id=workspace_id, message_id=token).first(),
        "files": attached.names(key.dispatch_id, key.n) if key else [],
        "about": _about(item) if item else None,
        "permitted": permission(workspace_id, token),
        "device": _device(workspace_id, item) if item and item.channel == "push" else None,
    }
    context |= _said(request.actor, token)
    return render(request, "delivery/console/message.html", context)


def _about(item: MessageView) -> Mapping[str, Any] | None:
    """The topic and the class that it went out under."""
    return Dispatch.objects.filter(pk=item.dispatch_id).values("topic", "message_class").first()


def _device(workspace_id: int, item: MessageView) -> audience.DeviceView | None:
    """Which of the person's devices a push message went to; None where they have it no longer, or it went to none."""
    rows = Message.objects.filter(dispatch_id=item.dispatch_id, n=item.n).values_list("address_hash", flat=True)
    hashed = rows.first()
    if not hashed:
        return None
    return audience.device_known_by(workspace_id, item.profile_id, lambda text: address_hash(workspace_id, "push", text) == hashed)


def _request_of(token: str) -> int:
    """The number of the request that a message hangs on; 0 where there is none."""
    key = read_message_id(token)
    rows = Message.objects.filter(dispatch_id=key.dispatch_id, n=key.n) if key else Message.objects.none()
    return rows.values_list("attempt_id", flat=True).first() or 0


def _pinned(workspace_id: int, token: str) -> SentMessage | None:
    key = read_message_id(token)
    pinned = sent_message(key.dispatch_id, key.n) if key else None
    return pinned if pinned and pinned.workspace_id == workspace_id else None


def _said(actor: Actor, token: str) -> dict[str, Any]:
    """What the message said, made again from the revision that it is pinned to; it is about a person, so not for everybody."""
    workspace_id = actor.workspace_id
    pinned = _pinned(workspace_id, token)
    if pinned is None:
        return {}
    if not audience.sees_addresses(actor):
        return {"said_hidden": True}
    try:
        made, revision = reconstruct(workspace_id, pinned)
    except (Invalid, Missing):
        return {}
    arms = pinned.experiment["arms"] if pinned.experiment else []
    variant = arms[pinned.variant]["key"] if len(arms) > 1 else ""
    template = Ref("template", revision.key)
    content = titles(workspace_id, [template])[template]
    return {"said": made, "revision": revision, "content": content, "framed": bool(made.page), "variant": variant}


def reconstruct(workspace_id: int, pinned: SentMessage) -> tuple[rendering.Preview, Any]:
    """The message again: its pinned revision, the person as they are today, the same data; samples stand for what content sources said,
    which isn't kept. Raises Missing and Invalid."""
    revision_id = pinned.experiment["arms"][pinned.variant]["revision_id"] if pinned.experiment else pinned.template_revision_id
    revision = revision_by_id(workspace_id, int(revision_id or 0))
    needed = presentation.among(workspace_id, revision.id, pinned.pins)
    content = presentation.compose(workspace_id, revision.key, revision_id=revision.id, needed=needed)
    person = next(iter(audience.load(workspace_id, [pinned.profile_id])), None)
    audience.give_records(workspace_id, [person] if person is not None else [], content.record_types)
    return rendering.preview(rendering.without_content(content), person, pinned.payload), revision


@console_page(Role.AUTHOR)
def content(request: ConsoleRequest, token: str) -> HttpResponse:
    """The message's HTML, for a sandboxed frame."""
    pinned = _pinned(request.actor.workspace_id, token)
    if pinned is None:
        raise Missing("no such message, or not yet looked at")
    made, _ = reconstruct(request.actor.workspace_id, pinned)
    return framed(request, made.page, made.text)
