"""Prometheus metrics of this process, and of the queue that all processes share: `/metrics`.

Rooms don't know Prometheus. What they log is counted by its event name, requests are timed by a middleware, and the queue is
looked at in the database when somebody scrapes.
"""

from __future__ import annotations

import hmac
import ipaddress
import time
from collections.abc import Callable, Iterable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

from audience import door as audience
from delivery import door as delivery
from omni import health, logs

disable_created_metrics()  # type: ignore[no-untyped-call]
log = structlog.get_logger(__name__)
Handler = Callable[[HttpRequest], HttpResponse]
EVENTS = Counter("omni_events", "Logged events by name and level.", ["event", "level"])
REQUESTS = Counter("omni_http_requests", "Answered requests by route, method and status.", ["route", "method", "status"])
SECONDS = Histogram(
    "omni_http_request_seconds",
    "How long requests took, by route.",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
READY = Gauge("omni_ready", "1 when the part is ready (see /readyz), else 0.", ["part"])
DUE = Gauge("omni_work_due", "1 when something could be sent now, else 0: no worker keeps up if it stays 1.")
LATE = Gauge("omni_work_late_seconds", "How long ago the oldest work that waits was due, by lane; 0 when none waits.", ["lane"])
IN_DOUBT = Gauge("omni_messages_in_doubt", "Messages whose vendor never answered: for events, a look-up or a person to decide.", ["vendor"])
IN_FLIGHT = Gauge("omni_messages_in_flight", "Messages of requests that wait for their vendor's answer now.", ["vendor"])
HELD = Gauge("omni_instances_held", "Installations that may not send until a person confirms that they are no restored copy.")
INDEX_LAG = Gauge("omni_audience_index_lag_seconds", "How long the audience index has not been told of the oldest change that waits.")
STREAM = ["workspace", "holds"]
STREAM_UNREAD = Gauge("omni_stream_unread", "Entries of a stream that no consumer was given yet.", STREAM)
STREAM_UNFINISHED = Gauge("omni_stream_unfinished", "Entries that a consumer was given and has not recorded yet.", STREAM)
STREAM_AGE = Gauge("omni_stream_oldest_seconds", "How long the oldest entry that is not recorded has waited; 0 when none does.", STREAM)
STREAM_KNOWN = Gauge("omni_stream_known", "1 when the broker answers for the stream, else 0.", STREAM)
DEAD_LETTERS = Gauge("omni_dead_letters_waiting", "Entries of streams that could not be recorded and wait for somebody.")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
EVENT_NAMES_AT_MOST = 300  # an event name is a constant in our code; other packages' sentences are not counted one by one
_seen: set[str] = set()


def count_event(event: str, level: str) -> None:
    """Count a logged event. Names without spaces are ours; everything else is counted as "other"."""
    name = event if event and " " not in event and (event in _seen or len(_seen) < EVENT_NAMES_AT_MOST) else "other"
    _seen.add(name)
    EVENTS.labels(name, level).inc()


logs.listen(count_event)


class Timing:
    """Times and logs each request under its route's pattern, never its path: a path holds ids and tokens."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        route = request.resolver_match.route if request.resolver_match else "unmatched"
        method = request.method if request.method in METHODS else "other"
        seconds = time.perf_counter() - began
        REQUESTS.labels(route, method, str(response.status_code)).inc()
        SECONDS.labels(route).observe(seconds)
        log.info("request.answered", route=route, method=method, status=response.status_code, ms=round(seconds * 1000, 1))
        return response


def metrics(request: HttpRequest) -> HttpResponse:
    """All metrics in Prometheus' text format, for whoever holds the token; without a token, for this machine only."""
    if not may_read(request):
        return HttpResponse("a bearer token is expected\n", status=401, headers={"WWW-Authenticate": "Bearer"}, content_type="text/plain")
    states = health.states()
    for part, state in states.items():
        READY.labels(part).set(state == "ok")
    if states.get("database") == states.get("migrations") == "ok":
        _look_at_the_queue()
        _look_at_the_streams()
        HELD.set(len(delivery.held_instances()))
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def _look_at_the_queue() -> None:
    now = timezone.now()
    behind = delivery.backlog(now)
    DUE.set(delivery.due(now))
    for lane, seconds in behind.late.items():
        LATE.labels(lane).set(seconds)
    INDEX_LAG.set(audience.longest_lag(now=now))
    for gauge, messages in ((IN_DOUBT, behind.in_doubt), (IN_FLIGHT, behind.in_flight)):
        gauge.clear()
        for vendor, count in messages.items():
            gauge.labels(vendor).set(count)


def _look_at_the_streams() -> None:
    DEAD_LETTERS.set(audience.waiting_letters()[0])
    gauges = (STREAM_UNREAD, STREAM_UNFINISHED, STREAM_AGE, STREAM_KNOWN)
    for gauge in gauges:
        gauge.clear()
    for workspace, state in audience.longest_waits(now=timezone.now()):
        STREAM_KNOWN.labels(workspace, state.holds).set(not state.away)
        if not state.away:
            for gauge, value in zip(gauges, (state.unread, state.unfinished, state.age), strict=False):
                gauge.labels(workspace, state.holds).set(value)


def may_read(request: HttpRequest) -> bool:
    """True for the bearer of `OMNI_METRICS_TOKEN`; where none is set, for a request that surely comes from this machine."""
    if settings.OMNI.metrics_token:
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {settings.OMNI.metrics_token}".encode())
    return not _forwarded(request.headers) and _is_loopback(request.META.get("REMOTE_ADDR", ""))


def _forwarded(headers: Iterable[str]) -> bool:
    return any(name.lower() in {"forwarded", "x-forwarded-for", "x-real-ip"} for name in headers)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
