"""How a template looks to Maria, in Portuguese, dark, on a phone: previews of drafts, live and saved, and tests to oneself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from audience import door as audience
from delivery import door as delivery
from governance import door as governance
from governance.door import ConsoleRequest, Invalid, Missing, Refused, Role, console_page, document_context, parse
from presentation import door as presentation
from presentation.door import Content, TemplateBody
from rendering import door as rendering
from workflow import trials
from workflow.prospects import prospects

OFFERED = 12  # people to choose from, one a locale at most
LOOKED_AT = 400


@console_page()
def look_people(request: ConsoleRequest) -> HttpResponse:
    """People to look through: one of each language among the first few hundred."""
    return render(request, "workflow/_look_people.html", {"people": _people(request), "chosen": 0})


def _people(request: ConsoleRequest) -> list[audience.Person]:
    by_locale: dict[str, audience.Person] = {}
    for person in audience.search_as(request.actor, "", limit=LOOKED_AT):
        by_locale.setdefault((person.locale or "").split("-")[0], person)
    return list(by_locale.values())[:OFFERED]


def person_of(request: ConsoleRequest, text: str) -> audience.Person | None:
    """The person of an id, an external id or an address; None for sample values."""
    workspace_id, text = request.actor.workspace_id, text.strip()[:320]
    if not text:
        return None
    if text.startswith("#") and text[1:].isascii() and text[1:].isdigit() and len(text) < 19:
        person = next(iter(audience.load(workspace_id, [int(text[1:])])), None)
    else:
        person = audience.find(workspace_id, external_id=text) or audience.find(workspace_id, address=text)
    return audience.shown_one(request.actor, person)


def _drafted(request: ConsoleRequest) -> tuple[Content, rendering.Preview, audience.Person | None]:
    """The template (or fragment, or theme) that the editor's fields describe, as the chosen person would get it, and who that is. Raises
    Invalid."""
    looked_at = _looked_at(request)
    at_desk = "desk" in request.POST
    body = presentation.posted_at_desk(request) if at_desk else governance.posted_body(request, looked_at.editor())
    model = looked_at.letter(parse(looked_at.schema, {**body, "title": body.get("title") or "Untitled"}))
    named = presentation.drafted(request.actor.workspace_id, model)
    content = presentation.compose_body(request.POST.get("look_key", "") or "draft", model, named)
    person = person_of(request, request.POST.get("look_person", ""))
    locale = "" if person is not None else request.POST.get("/shown", "")
    return content, trials.seen(request.actor.workspace_id, content, person, locale), person


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A kind that can be looked at while it is edited. letter: from its body to the template that is shown."""

    editor: Callable[[], governance.Editor]
    schema: type[Any]
    letter: Callable[[Any], TemplateBody] = lambda body: body


_LOOKED_AT = {
    "fragment": LookedAt(presentation.fragment_editor, presentation.FragmentBody, presentation.alone),
    "theme": LookedAt(presentation.theme_editor, presentation.ThemeBody, presentation.dressed),
}
_TEMPLATE = LookedAt(presentation.template_editor, TemplateBody)


def _looked_at(request: ConsoleRequest) -> LookedAt:
    return _LOOKED_AT.get(request.POST.get("look_kind", ""), _TEMPLATE)


@require_POST
@xframe_options_sameorigin
@console_page()
def look_frame(request: ConsoleRequest) -> HttpResponse:
    """The editor's fields, posted into the preview's frame."""
    try:
        _, made, _ = _drafted(request)
    except Invalid as error:
        return delivery.framed(
            request, "", "This draft can’t be shown yet:\n\n" + "\n".join(str(finding) for finding in error.findings[:8])
        )
    return delivery.framed(request, made.page, made.text, scheme=request.POST.get("look_scheme", "light"))


@require_POST
@console_page()
def look_info(request: ConsoleRequest) -> HttpResponse:
    """What an inbox shows of it, its size, and what is wrong for this person."""
    try:
        content, made, _ = _drafted(request)
    except Invalid as error:
        unfinished = governance.in_words(request, _looked_at(request).editor(), error.findings)
        return render(request, "workflow/_look_info.html", {"unfinished": unfinished, "only_empty": governance.still_empty(error.findings)})
    return render(
        request,
        "workflow/_look_info.html",
        {"content": content, "made": made, "alone": "look_kind" in request.POST, **_price(request, made)},
    )


def _price(request: ConsoleRequest, made: rendering.Preview, person: audience.Person | None = None) -> dict[str, Any]:
    """What one such SMS costs, where a price is set for the country of the person it is shown to."""
    if not made.sms_parts:
        return {}
    country = (person.country if person else "") or ""
    micros, currency = delivery.quote(request.actor.workspace_id, "sms", {country: 1}, made.sms_parts.parts, now=timezone.now())
    return {"price": micros, "currency": currency, "country": country}


@require_POST
@console_page(Role.AUTHOR)
def look_test(request: ConsoleRequest) -> HttpResponse:
    """Send what the editor shows to the person who edits."""
    try:
        words, level = _test(request, *_drafted(request))
    except (Invalid, Refused, Missing) as error:
        words, level = f"Not sent: {error.reason}.", "error"
    return render(request, "workflow/_test_outcome.html", {"words": words, "level": level})


def _test(request: ConsoleRequest, content: Content, made: rendering.Preview, person: audience.Person | None) -> tuple[str, str]:
    """The test's outcome in words."""
    outcome, address = trials.send_to_oneself(
        request.actor,
        content,
        made,
        person,
        email=request.user.email,
        phone=request.POST.get("test_phone", ""),
        now=timezone.now(),
    )
    if outcome.accepted:
        return f"Sent to {address} by {outcome.vendor}.", "good"
    return f"{outcome.vendor} didn’t take it: {outcome.detail or 'no reason given'}.", "error"


@console_page()
def would_get(request: ConsoleRequest, profile_id: int) -> HttpResponse:
    """What one person would get of every campaign in force: a part of the page about them."""
    workspace_id = request.actor.workspace_id
    person = next(iter(audience.load(workspace_id, [profile_id])), None) if profile_id < 2**63 else None
    if person is None:
        raise Missing("no such profile: it may have been erased")
    seen = None if audience.sees_addresses(request.actor) else audience.shown_one(request.actor, person)
    found = prospects(workspace_id, person, now=timezone.now(), seen=seen)
    inside = [each for each in found if each.verdict != "outside"]
    outside = [each for each in found if each.verdict == "outside"]
    return render(request, "workflow/_would_get.html", {"person": person, "inside": inside, "outside": outside})


@console_page()
def template_preview(request: ConsoleRequest, key: str) -> HttpResponse:
    """The saved draft, as whoever in whichever language, on whichever screen."""
    return _preview(request, governance.document(request.actor.workspace_id, "template", key))


@console_page()
def fragment_preview(request: ConsoleRequest, key: str) -> HttpResponse:
    """The same of a fragment, as a letter of nothing else."""
    return _preview(request, governance.document(request.actor.workspace_id, "fragment", key))


@console_page()
def theme_preview(request: ConsoleRequest, key: str) -> HttpResponse:
    """The same of a theme, as a letter that wears it."""
    return _preview(request, governance.document(request.actor.workspace_id, "theme", key))


def _preview(request: ConsoleRequest, view: governance.DocumentView) -> HttpResponse:
    asked = request.GET
    shown = _revision(request, view)
    context: dict[str, Any] = {**document_context(request, view, "preview"), "revision": shown, "asked": asked}
    person = person_of(request, asked.get("person", ""))
    try:
        content, made = trials.look(shown, person, asked.get("locale", ""))
        context |= {
            "content": content,
            "made": made,
            **_price(request, made, person),
            "person": person,
            "stranger": bool(asked.get("person")) and person is None,
            "people": _people(request),
            "locales": sorted(set(content.locales) - set(presentation.PSEUDO)),
            "pseudo": presentation.PSEUDO.items(),
            "query": asked.urlencode(),
            "scheme": "dark" if asked.get("scheme") == "dark" else "light",
            "width": "phone" if asked.get("width") == "phone" else "wide",
            "images": asked.get("images") == "1",
            "alone": view.kind != "template",
            "frame": reverse(f"workflow:{view.kind}-frame", args=(view.key, shown.number)),
        }
    except Invalid as error:
        context["unfinished"] = error.findings
    return render(request, "workflow/template_preview.html", context)


def _revision(request: ConsoleRequest, view: governance.DocumentView) -> governance.RevisionView:
    number = request.GET.get("revision", "")
    if number.isascii() and number.isdigit() and len(number) < 9:
        return governance.revision(request.actor.workspace_id, view.kind, view.key, int(number))
    return view.latest


@require_POST
@console_page(Role.AUTHOR)
def template_test(request: ConsoleRequest, key: str) -> HttpResponse:
    """Send the saved draft to the person who looks at it."""
    view = governance.document(request.actor.workspace_id, "template", key)
    try:
        person = person_of(request, request.POST.get("person", ""))
        words, level = _test(request, *trials.look(view.latest, person, request.POST.get("locale", "")), person)
    except (Invalid, Refused, Missing) as error:
        words, level = f"Not sent: {error.reason}.", "error"
    return render(request, "workflow/_test_outcome.html", {"words": words, "level": level})


@xframe_options_sameorigin
@console_page()
def template_frame(request: ConsoleRequest, key: str, number: int) -> HttpResponse:
    """One revision's HTML for a sandboxed frame, with `?locale=` and `?person=`."""
    return _frame(request, governance.revision(request.actor.workspace_id, "template", key, number))


@xframe_options_sameorigin
@console_page()
def fragment_frame(request: ConsoleRequest, key: str, number: int) -> HttpResponse:
    """The same of a fragment."""
    return _frame(request, governance.revision(request.actor.workspace_id, "fragment", key, number))


@xframe_options_sameorigin
@console_page()
def theme_frame(request: ConsoleRequest, key: str, number: int) -> HttpResponse:
    """The same of a theme."""
    return _frame(request, governance.revision(request.actor.workspace_id, "theme", key, number))


def _frame(request: ConsoleRequest, revision: governance.RevisionView) -> HttpResponse:
    try:
        _, made = trials.look(revision, person_of(request, request.GET.get("person", "")), request.GET.get("locale", ""))
    except Invalid as error:
        return delivery.framed(request, "", "This revision can’t be shown:\n\n" + error.reason)
    return delivery.framed(request, made.page, made.text)
