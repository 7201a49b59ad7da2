"""Every component in every state, for people who build pages and for people who check them."""

from __future__ import annotations

import re
from datetime import timedelta

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from governance.door import ConsoleRequest, Finding, console_page, difference
from omni.templatetags.states import LOOKS, REASONS

SPRITE = settings.BASE_DIR / "static" / "icons" / "sprite.svg"

BEFORE = """title: Spring sale
locales:
  en:
    subject: Spring is here, take 10 % off
    preheader: Only this week
sender:
  name: Acme
  address: hello@example.com
message_class: promotional
topic: offers
"""
AFTER = """title: Spring sale
locales:
  en:
    subject: Spring is here, take 20 % off today
    preheader: Only this week
  pt:
    subject: A primavera chegou
sender:
  name: Acme
  address: hello@example.com
message_class: promotional
topic: offers
"""


class SampleForm(forms.Form):
    """A form with something wrong in it."""

    title = forms.CharField(label="Title", help_text="What people in this console call it.", max_length=20)
    weight = forms.IntegerField(label="Weight", min_value=1, required=False, help_text="Relative to the others.")
    channel = forms.ChoiceField(label="Channel", choices=[("email", "E-mail"), ("sms", "SMS")])
    legal = forms.BooleanField(label="May approve a change of message class", required=False)


@console_page()
def components(request: ConsoleRequest) -> HttpResponse:
    """The page of components."""
    now = timezone.now()
    days = [now - timedelta(days=29 - day) for day in range(30)]
    context = {
        "title": "Components",
        "trail": [{"title": "Settings", "href": "/console/settings/"}],
        "states": list(LOOKS),
        "reasons": list(REASONS),
        "icons": re.findall(r'symbol id="([a-z-]+)"', SPRITE.read_text()),
        "findings": [
            Finding("error", "/locales/en/subject", "an unknown name “frist_name”", "one of the declared variables; perhaps first_name"),
            Finding("warning", "/ramp", "no ramp for 12,408 people", "a first wave of about 1 %"),
            Finding("note", "/locales/pt", "no Portuguese text", "the reader falls back to English"),
        ],
        "form": SampleForm({"title": "A title that is far too long for it", "weight": "none", "channel": "email"}),
        "clean_form": SampleForm(),
        "before": BEFORE,
        "after": AFTER,
        "changes": difference(
            {"title": "Spring sale", "holdout": 0.0, "ramp": [0.1, 1]},
            {"title": "Spring sale, late", "segment": "lapsed", "ramp": [0.01, 0.1, 1]},
        ),
        "tabs": [
            {"title": "Edit", "href": "#tabs", "current": True, "icon": "edit"},
            {"title": "Checks", "href": "#tabs", "current": False, "icon": "checks", "count": 3, "tone": "danger"},
            {"title": "History", "href": "#tabs", "current": False, "icon": "history"},
        ],
        "bars": [("no consent", 8_120), ("unreachable", 1_203), ("holdout", 620), ("capped", 41)],
        "countries": [("US", 5_120), ("DE", 2_240), ("BR", 1_410), ("FR", 380), ("", 34)],
        "columns": [(f"{day.day} {day:%b}", (day.day * 7919) % 1400) for day in days],
        "moments": [now, now - timedelta(minutes=4), now - timedelta(days=3), now + timedelta(hours=5)],
        "people": [
            ("Maria Silva", "maria@example.com", "delivered"),
            ("Jonas Weber", "jonas@example.com", "bounced"),
            ("Aiko Tanaka", "aiko@example.com", "skipped"),
        ],
    }
    return render(request, "console/components.html", context)
