"""Delivery's console pages."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from governance.door import ConsoleRequest, console_page


@console_page()
def messages_page(request: ConsoleRequest) -> HttpResponse:
    """What did this person get, and why (not)?"""
    return render(request, "console/base.html", {"title": "Messages"})


@console_page()
def message(request: ConsoleRequest, token: str) -> HttpResponse:
    """One message's street."""
    return render(request, "console/base.html", {"title": "Message"})


@console_page()
def outbox(request: ConsoleRequest) -> HttpResponse:
    """The local mailbox."""
    return render(request, "console/base.html", {"title": "Outbox"})
