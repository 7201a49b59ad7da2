"""What a field of the rule builder could say: asked as somebody types in it."""

from __future__ import annotations

from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from audience import suggestions
from audience.catalogue import attribute_of, catalogue, hidden_from, shown_to, titles_of
from audience.masking import sees_addresses
from audience.suggestions import Suggestions
from governance.door import ConsoleRequest, Missing, Refused, console_page

LONGEST = 200  # characters that are looked for


@require_GET
@console_page()
def rule_values(request: ConsoleRequest) -> HttpResponse:
    """Suggestions as JSON. of: "attribute:plan", "profile:country", "event", "topic", "property" of an event, "property-value"."""
    found = _asked(request)
    answer = {"items": [{"value": one.value, "label": one.label, "people": one.people} for one in found.items], "told": _told(found)}
    return JsonResponse(answer, headers={"Cache-Control": "no-store"})  # the next one at this browser may see less


def _asked(request: ConsoleRequest) -> Suggestions:
    workspace_id, now = request.actor.workspace_id, timezone.now()
    of, typed, event, name = (request.GET.get(part, "")[:LONGEST] for part in ("of", "q", "event", "property"))
    if of == "event":
        return suggestions.suggest_event(workspace_id, typed, now=now)
    if of == "topic":
        return suggestions.suggest_topic(workspace_id, typed, now=now)
    if of == "property":
        return suggestions.suggest_property(workspace_id, event, typed, now=now)
    if of == "property-value" and not sees_addresses(request.actor):
        raise Refused("what stands in events is shown to authors and above only")
    if of == "property-value":
        return suggestions.suggest_property_value(workspace_id, event, name, typed, now=now)
    known = catalogue(workspace_id)
    sort, _, attribute = of.partition(":")
    if sort == "attribute" and attribute not in titles_of(known):
        raise Missing("an attribute of this name")
    if sort == "attribute" and hidden_from(request.actor.role, attribute_of(known, attribute)):
        raise Refused(f"{titles_of(known)[attribute]}: what people have there is shown to {shown_to(attribute_of(known, attribute))} only")
    return suggestions.suggest_value(workspace_id, known, of, typed, now=now)


def _told(found: Suggestions) -> str:
    """What stands below the suggestions."""
    among = "" if found.whole or found.looked_at is None else f" among {found.looked_at:,} people who were looked at"
    if found.numbers:
        least, middle, largest = (f"{number:,.10g}" for number in found.numbers)
        return f"From {least} to {largest}, median {middle}{among}."
    return f"Counted{among}; other values can be typed." if among and found.items else ""
