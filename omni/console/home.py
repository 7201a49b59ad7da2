"""Home: is everything all right, and what needs me?"""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from governance.door import ConsoleRequest, console_page


@console_page()
def home(request: ConsoleRequest) -> HttpResponse:
    """Runs now, what waits for me, problems, what goes out next."""
    return render(request, "console/home.html", {"title": "Home"})


@console_page()
def live(request: ConsoleRequest) -> HttpResponse:
    """The part of the home page that moves."""
    return render(request, "console/_live.html", {})
