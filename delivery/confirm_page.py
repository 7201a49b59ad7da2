"""The page on which somebody confirms what they agreed to (`confirm_links`). No cookie, no script, no session."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from audience import door as audience
from delivery import confirm_links, preferences
from delivery.confirm_words import CONFIRM_WORDS
from delivery.preference_words import PREFERENCE_WORDS
from delivery.public_pages import PRIVATE, lost
from delivery.public_words import accepted_languages, words_for

WHOLE = "*"
GONE = 410


@csrf_exempt  # the token is the permission, and there is no session to ride on
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks and changes nothing (scanners follow links); POST has confirmed when it answers 200. What is over is 410."""
    now = timezone.now()
    asked = confirm_links.question(token, now=now)
    if asked is None:
        return lost(request)
    known = [asked.person.locale] if asked.person.locale else []
    words = words_for(request.GET.get("lang", ""), *known, *accepted_languages(request.headers.get("Accept-Language", "")))
    say, sender, about = CONFIRM_WORDS[words.language], confirm_links.sender_of(asked), asked.about
    label = say.everything if about.topic == WHOLE else say.topic.format(topic=audience.topic_words(about.topic))
    context: dict[str, object] = {"words": words, "say": say, "topic_label": label}
    if (request.method == "POST" and confirm_links.confirm(asked, now=now)) or (about.stage == "confirmed" and not asked.held):
        return _page("confirmed", {**context, "done": say.done.format(sender=sender)})
    if request.method == "POST" or about.stage != "open" or asked.held:
        held = PREFERENCE_WORDS[words.language].held.format(sender=sender)
        return _page("over", {**context, "reason": held if asked.held else say.over}, status=GONE)
    shown = {
        "question": say.question.format(sender=sender),
        "address": preferences.hint(asked.address),
        "wording": about.wording,
        "action": request.get_full_path(),
        "languages": [(code, each.name) for code, each in PREFERENCE_WORDS.items()],
        "switch": PREFERENCE_WORDS[words.language].languages,
    }
    return _page("confirm", {**context, **shown})


def _page(name: str, context: dict[str, object], *, status: int = 200) -> HttpResponse:
    return HttpResponse(render_to_string(f"delivery/public/{name}.html", context), status=status, headers=PRIVATE)
