"""The addresses that people outside the console meet: links, the pixel, the unsubscribe page. No cookie, no script, no session."""

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
from delivery import tracking
from delivery.message_ids import read_message_id
from delivery.public_words import Words, accepted_languages, words_for

PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")  # one transparent point
PRIVATE = {"Cache-Control": "no-store, private, max-age=0", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}
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
    key = read_message_id(token)
    who = tracking.reader(key) if key is not None else None
    if who is None:
        return lost(request)
    words, sender, topic = _words(request, who), tracking.sender_of(who), who.topic.replace("-", " ").replace("_", " ")
    if request.method != "POST":
        context = {
            "words": words,
            "question": words.question.format(sender=sender),
            "topic_label": words.this_topic.format(topic=topic) if topic else "",
            "action": request.path,
        }
        return _page("unsubscribe", context)
    everything = _scope(request) == "everything" or not topic
    tracking.unsubscribe(who, everything=everything, now=timezone.now())
    done = words.done_everything if everything else words.done_topic
    return _page("unsubscribed", {"words": words, "done": done.format(sender=sender, topic=topic)})


def lost(request: HttpRequest) -> HttpResponse:
    """The page behind every token that isn't one of ours, always the same."""
    words = words_for(*accepted_languages(request.headers.get("Accept-Language", "")))
    return HttpResponseNotFound(render_to_string("delivery/public/lost.html", {"words": words}), headers=PRIVATE)


def _page(name: str, context: dict[str, object]) -> HttpResponse:
    return HttpResponse(render_to_string(f"delivery/public/{name}.html", context), headers=PRIVATE)


def _words(request: HttpRequest, who: tracking.Reader) -> Words:
    """In the recipient's own language where we know it, else in the browser's."""
    people = audience.load(who.workspace_id, [who.profile_id])
    known = [person.locale for person in people if person.locale]
    return words_for(*known, *accepted_languages(request.headers.get("Accept-Language", "")))


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
