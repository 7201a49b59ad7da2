"""The addresses that people outside the console meet: links, the pixel, the pages to unsubscribe and to choose. No cookie, no script,
no session."""

from __future__ import annotations

import re
from base64 import b64decode

import structlog
from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, HttpResponseRedirect
from django.http.multipartparser import MultiPartParserError
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from audience import door as audience
from delivery import preferences as preference_page
from delivery import tracking
from delivery.confirm_words import CONFIRM_WORDS
from delivery.message_ids import MessageKey, read_message_id
from delivery.preference_words import PREFERENCE_WORDS
from delivery.public_words import Words, accepted_languages, words_for

PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")  # one transparent point
PRIVATE = {"Cache-Control": "no-store, private, max-age=0", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}
NOBODYS = MessageKey(0, 0)
MOST_CHOICES = 1_000
_LINK_NUMBER = re.compile(r"0|[1-9][0-9]{0,3}")
log = structlog.get_logger(__name__)


@require_http_methods(["GET", "HEAD"])
def follow(request: HttpRequest, token: str, k: str) -> HttpResponse:
    """Link k of a message: 302 to its target, which only the message's pinned template knows. Parameters are ignored."""
    key = read_message_id(token)
    where = tracking.target(key, int(k)) if key is not None and _LINK_NUMBER.fullmatch(k) else None
    if key is None or where is None:
        return lost(request)
    try:
        who = tracking.reader(key)
        if who is not None:
            tracking.clicked(who, int(k), agent=request.headers.get("User-Agent", ""), by_hand=_by_hand(request), now=timezone.now())
    except DatabaseError as fault:  # the person gets the page that they asked for; what is lost is one click in a report
        log.error("click.not_recorded", dispatch=key.dispatch_id, n=key.n, error=type(fault).__name__)
    return HttpResponseRedirect(where, headers=PRIVATE)


@require_http_methods(["GET", "HEAD"])
def pixel(request: HttpRequest, token: str) -> HttpResponse:
    """One transparent point, never from a cache."""
    key = read_message_id(token)
    if key is None:
        return lost(request)
    try:
        who = tracking.reader(key)
        if who is not None:
            tracking.opened(who, agent=request.headers.get("User-Agent", ""), by_hand=_by_hand(request), now=timezone.now())
    except DatabaseError as fault:
        log.error("open.not_recorded", dispatch=key.dispatch_id, n=key.n, error=type(fault).__name__)
    return HttpResponse(PIXEL, content_type="image/gif", headers=PRIVATE)


@csrf_exempt  # a mail program posts here by itself (RFC 8058); the token is the permission, and all it permits is silence
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks and changes nothing (scanners follow links); POST has unsubscribed when it answers 200, without a redirect."""
    who = _reader(token)
    if who is None:
        return lost(request)
    words, sender, topic = _words(request, who), tracking.sender_of(who), audience.topic_words(who.topic)
    if request.method != "POST":
        context = {
            "words": words,
            "question": words.question.format(sender=sender),
            "address": preference_page.hint_of(who),
            "topic_label": words.this_topic.format(topic=topic) if topic else "",
            "action": request.get_full_path(),
            "preferences": _preferences_link(token, words),
            **_languages(words),
        }
        return _page("unsubscribe", context)
    everything = _scope(request) == "everything" or not topic
    tracking.unsubscribe(who, everything=everything, now=timezone.now())
    done = words.done_everything if everything else words.done_topic
    return _page("unsubscribed", {"words": words, "done": done.format(sender=sender, topic=topic)})


@csrf_exempt  # as above: the token is the permission, and there is no session to ride on
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """What this person hears from us, to switch topic by topic. GET shows and changes nothing; POST has written when it answers."""
    who = _reader(token)
    if who is None or not preference_page.offers(who):
        return lost(request)
    words, sender = _words(request, who), tracking.sender_of(who)
    say, saved = PREFERENCE_WORDS[words.language], ""
    question = say.question.format(sender=sender)
    if request.method == "POST" and _field(request, "act") == ["leave"]:
        preference_page.leave_everything(who, now=timezone.now())
        saved = say.left.format(sender=sender)
    elif request.method == "POST":
        shown, wanted = _field(request, "shown"), _field(request, "on")
        preference_page.choose(who, wanted, shown, wording=question, now=timezone.now())
        saved = say.saved
    offered = [{"offer": offer, "name": say.channel(offer.channel)} for offer in preference_page.offers(who)]
    context = {"words": words, "say": say, "question": question, "saved": saved, "offered": offered, "action": request.get_full_path()}
    context["waits"] = CONFIRM_WORDS[words.language].waits
    return _page("preferences", {**context, "held": say.held.format(sender=sender), **_languages(words)})


def lost(request: HttpRequest) -> HttpResponse:
    """The page behind every token that isn't one of ours, always the same."""
    words = words_for(*accepted_languages(request.headers.get("Accept-Language", "")))
    return HttpResponseNotFound(render_to_string("delivery/public/lost.html", {"words": words}), headers=PRIVATE)


def _page(name: str, context: dict[str, object]) -> HttpResponse:
    return HttpResponse(render_to_string(f"delivery/public/{name}.html", context), headers=PRIVATE)


def _words(request: HttpRequest, who: tracking.Reader) -> Words:
    """In the language that was chosen on the page, else the recipient's own where we know it, else the browser's."""
    people = audience.load(who.workspace_id, [who.profile_id])
    known = [person.locale for person in people if person.locale]
    return words_for(request.GET.get("lang", ""), *known, *accepted_languages(request.headers.get("Accept-Language", "")))


def _reader(token: str) -> tracking.Reader | None:
    """The message of a token. A token that isn't ours is looked up like one that is, so that the time says nothing either."""
    key = read_message_id(token)
    found = tracking.reader(key or NOBODYS)
    return found if key is not None else None


def _preferences_link(token: str, words: Words) -> dict[str, str]:
    return {"href": f"/p/{token}?lang={words.language}", "label": PREFERENCE_WORDS[words.language].link}


def _languages(words: Words) -> dict[str, object]:
    """The switch of languages."""
    return {
        "languages": [(code, each.name) for code, each in PREFERENCE_WORDS.items()],
        "switch": PREFERENCE_WORDS[words.language].languages,
    }


def _field(request: HttpRequest, name: str) -> list[str]:
    """All values of a form field; none of a body that nobody can read."""
    try:
        return request.POST.getlist(name)[:MOST_CHOICES]
    except (SuspiciousOperation, MultiPartParserError):
        return []


def _by_hand(request: HttpRequest) -> bool:
    """Whether a person may be waiting for the answer: no HEAD, no prefetch."""
    purpose = " ".join(request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"))
    return request.method == "GET" and not re.search(r"prefetch|preview|prerender", purpose, re.IGNORECASE)


def _scope(request: HttpRequest) -> str:
    """What the page's form says; a body that nobody can read is a one-click unsubscription like any other."""
    try:
        return request.POST.get("scope", "")
    except (SuspiciousOperation, MultiPartParserError):
        return ""
