"""Vendors call: verify the raw bytes, keep what they say, answer. Workers draw from it (see inbox).

A vendor that first asks whether an address is ours (a GET) is answered by the adapter's `greet`, 401 where it names no secret of ours.

Answers: 200 when everything is kept (also what could only be kept as a dead letter or an orphan) and opt-outs are in force, 401
when the vendor's signature is missing or wrong (nothing changes), 413 above 10 MiB, 503 when the database couldn't take it (the
vendor calls again). Vendors retry for a day, so a repeated event is ordinary.
"""

from __future__ import annotations

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from delivery import inbox, replies, webhook_log
from delivery.accounts import WebhookAccount, webhook_accounts
from delivery.adapters.base import Adapter, VendorResponse, Webhook
from delivery.adapters.registry import ADAPTERS
from delivery.connections import Connections

LARGEST_BODY = 10 * 1024 * 1024  # bytes
log = structlog.get_logger(__name__)


@csrf_exempt
@require_http_methods(["GET", "POST"])
def receive(request: HttpRequest, vendor: str, workspace_key: str = "") -> HttpResponse:
    """One webhook of one vendor; with a workspace key only that workspace's accounts can have signed it."""
    adapter = ADAPTERS.get(vendor)
    if adapter is None or not adapter.webhook_secret:
        return HttpResponse(status=404)
    if request.method == "GET":
        return _greet(request, adapter, workspace_key)
    body = request.read(LARGEST_BODY + 1)
    if len(body) > LARGEST_BODY:
        webhook_log.refused(vendor, workspace_key, f"larger than {LARGEST_BODY // 2**20} MiB", now=timezone.now())
        return HttpResponse(status=413)
    webhook = Webhook(_public_address(request), {name.lower(): value for name, value in request.headers.items()}, body, timezone.now())
    try:
        accounts = webhook_accounts(vendor, workspace_key)
        account = next((one for one in accounts if adapter.verify(webhook, one.account)), None)
        if account is None:
            why = webhook_log.why_refused(adapter, webhook, accounts)
            log.warning("webhook.refused", vendor=vendor, bytes=len(body), why=why)
            webhook_log.refused(vendor, workspace_key, why, now=webhook.received_at)
            return HttpResponse("the vendor's signature is missing or wrong\n", status=401, content_type="text/plain")
        _confirm(adapter, webhook, account)
        heard = inbox.keep(vendor, adapter.events(webhook), home=account.home, only=account.only, now=webhook.received_at)
    except (OperationalError, InterfaceError) as fault:
        log.error("webhook.postponed", vendor=vendor, error=type(fault).__name__)
        return HttpResponse(status=503, headers={"Retry-After": "30"})
    log.info("webhook.kept", vendor=vendor, at_once=heard.new, repeated=heard.duplicates, orphans=heard.orphans)
    content, content_type = adapter.answer(webhook, replies.reply(account.home, account.account.settings, heard.wishes))
    return HttpResponse(content, content_type=content_type)


def _confirm(adapter: Adapter, webhook: Webhook, account: WebhookAccount) -> None:
    """Call what the vendor wants called before it sends events. Whether that worked shows in the log and in what comes."""
    asked = adapter.confirm(webhook)
    if asked is not None:
        with Connections() as vendors:
            answer = vendors.post(account.home, f"hooks:{adapter.key}", [asked], limits=adapter.limits, now=webhook.received_at)[0]
        log.info("webhook.confirmed", vendor=adapter.key, answer=answer.status if isinstance(answer, VendorResponse) else answer.detail)


def _greet(request: HttpRequest, adapter: Adapter, workspace_key: str) -> HttpResponse:
    """The answer to a vendor that asks whether this address is ours, as plain text that no browser takes for a page."""
    if type(adapter).greet is Adapter.greet:
        return HttpResponseNotAllowed(["POST"])
    webhook = Webhook(_public_address(request), {name.lower(): value for name, value in request.headers.items()}, b"", timezone.now())
    answers = (adapter.greet(webhook, one.account) for one in webhook_accounts(adapter.key, workspace_key))
    answer = next((one for one in answers if one is not None), None)
    if answer is None:
        log.warning("webhook.greeting_refused", vendor=adapter.key)
        return HttpResponse("the token is missing or wrong\n", status=401, content_type="text/plain")
    return HttpResponse(answer, content_type="text/plain; charset=utf-8", headers={"X-Content-Type-Options": "nosniff"})


def _public_address(request: HttpRequest) -> str:
    """The address the vendor called, as it signed it: our public name and the query untouched, whatever proxies did on the way."""
    query = request.META.get("QUERY_STRING", "")
    return f"{settings.OMNI.public_url.rstrip('/')}{request.path}" + (f"?{query}" if query else "")
