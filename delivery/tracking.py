"""Links, opens and unsubscriptions: what people do with a message, at addresses of our own.

A token names one message and can do three things only: follow a link of that message's pinned template, load its pixel, and
unsubscribe its recipient. There is no redirect parameter: the target is looked up by (pinned revision, locale, k).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from delivery import evidence, past
from delivery.adapters.base import EventKind, VendorEvent
from delivery.conclusions import OURS
from delivery.message_ids import MessageKey, message_id
from delivery.models import Attempt, Dispatch, Message
from delivery.user_agents import is_image_proxy, is_machine
from governance import door as governance

REPEATS_WITHIN = 10  # seconds in which the same person opening or following the same link again counts once
UNREACHABLE = re.compile(r"[\x00-\x20\x7f\\]")
SCANNERS_COME_WITHIN = timedelta(minutes=10)  # of sending: a click in this time waits until it is clear who made it

LinkResolver = Callable[[int, int, int], str | None]
_resolvers: list[LinkResolver] = []


def register_link_resolver(resolve: LinkResolver) -> None:
    """Who knows what stands behind link k of message n of a dispatch; workflow does, at start-up. None: no such link."""
    _resolvers[:] = [resolve]


@dataclass(frozen=True, slots=True)
class Reader:
    """The message that a token names, and whose it is."""

    key: MessageKey
    workspace_id: int
    template_revision_id: int | None
    channel: str
    topic: str
    profile_id: int
    sent_at: datetime
    archived: bool = False  # its message has left the ledger


def reader(key: MessageKey) -> Reader | None:
    """None where the message was never admitted (a test send, a preview) or is long gone."""
    dispatch = Dispatch.objects.filter(pk=key.dispatch_id).values_list("workspace_id", "channel", "topic", "template_revision_id").first()
    message = Message.objects.filter(dispatch_id=key.dispatch_id, n=key.n).values_list("profile_id", "attempt_id", "at").first()
    if dispatch is None:
        return None
    workspace_id, channel, topic, revision_id = dispatch
    if message is None:
        gone = past.recipient(key.dispatch_id, key.n)
        return Reader(key, workspace_id, revision_id, channel, topic, *gone, archived=True) if gone else None
    profile_id, attempt_id, at = message
    posted = Attempt.objects.filter(dispatch_id=key.dispatch_id, pk=attempt_id).values_list("posted_at", flat=True).first()
    return Reader(key, workspace_id, revision_id, channel, topic, profile_id, posted or at)


def sender_of(who: Reader) -> str:
    """The name that the message came from. Where the template gives none (push has no sender), the one name that the released senders
    agree on, else the workspace's."""
    if who.template_revision_id is not None:
        try:
            sender = governance.revision_by_id(who.workspace_id, who.template_revision_id).body.get("sender", {})
            if isinstance(sender, str):
                sender = governance.released(who.workspace_id, "sender", sender).body
            name = sender.get("name")
        except governance.Missing:
            name = None
        if isinstance(name, str) and name:
            return name
    names = {sender.body.get("name") for sender in governance.all_released(who.workspace_id, "sender")} - {None, ""}
    if len(names) == 1:
        return str(*names)
    return governance.Workspace.objects.values_list("name", flat=True).get(pk=who.workspace_id)


def target(key: MessageKey, k: int) -> str | None:
    """Where link k leads: an http(s) address, or None. Whatever else a resolver says is no address."""
    found = _resolvers[0](key.dispatch_id, key.n, k) if _resolvers else None
    if not found or UNREACHABLE.search(found):
        return None
    try:
        parts = urlsplit(found)
    except ValueError:
        return None
    return found if parts.scheme in {"http", "https"} and parts.netloc else None


def clicked(who: Reader, k: int, *, agent: str, by_hand: bool, now: datetime) -> None:
    """Somebody followed link k. by_hand: False where the request itself says that no person waits for the page.

    Soon after sending, a scanner that follows every link looks like a person until it has followed the next: such clicks
    are kept as undecided and `clicks.settle` decides.
    """
    machine = not by_hand or is_machine(agent) or is_image_proxy(agent)
    undecided = not machine and now - who.sent_at < SCANNERS_COME_WITHIN
    place = f"c:{who.key.dispatch_id}:{who.key.n}:{k}:{'m' if machine else 'p'}"
    _note(who, "clicking" if undecided else "clicked", place, machine=machine, link=k, now=now)


def opened(who: Reader, *, agent: str, by_hand: bool, now: datetime) -> None:
    """Somebody loaded the pixel. A picture proxy that fetches when the person looks counts as the person; whoever else loads it soon
    after sending may be the scanner that follows the links (see `clicks`)."""
    by_proxy = is_image_proxy(agent)
    machine = not by_hand or (is_machine(agent) and not by_proxy)
    undecided = not machine and not by_proxy and now - who.sent_at < SCANNERS_COME_WITHIN
    place = f"o:{who.key.dispatch_id}:{who.key.n}:{'m' if machine else 'p'}"
    _note(who, "opening" if undecided else "opened", place, machine=machine, link=None, now=now)


def unsubscribe(who: Reader, *, everything: bool, by: str = "", now: datetime) -> None:
    """The recipient wants no more of this topic, or nothing promotional on this channel. Written before this returns.

    Doing it again does it again: they may have subscribed in between. by: through what, where it isn't the message's own link.
    """
    whole = everything or not who.topic
    if who.archived:
        past.unsubscribe(who.workspace_id, who.profile_id, channel=who.channel, topic="" if whole else who.topic, now=now)
        return
    place = f"u:{who.key.dispatch_id}:{who.key.n}:{'all' if whole else 'topic'}:{now.timestamp():.3f}"
    event = VendorEvent(OURS, place, message_id(who.key.dispatch_id, who.key.n), "unsubscribed", now, everything=whole, detail=by)
    evidence.take([event], home=who.workspace_id, now=now)


def unsubscribe_headers(public_url: str, token: str) -> dict[str, str]:
    """RFC 8058: what lets a mail program unsubscribe its owner with one click."""
    return {"List-Unsubscribe": f"<{public_url}/u/{token}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _note(who: Reader, kind: EventKind, place: str, *, machine: bool, link: int | None, now: datetime) -> None:
    if who.archived:
        return
    event_id = f"{place}:{int(now.timestamp()) // REPEATS_WITHIN}"
    token = message_id(who.key.dispatch_id, who.key.n)
    evidence.take([VendorEvent(OURS, event_id, token, kind, now, machine=machine, url_k=link)], home=who.workspace_id, now=now)
