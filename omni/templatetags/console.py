"""The console's components as template tags. Each is shown in every state on /console/components/."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from babel import Locale
from django.forms import BoundField
from django.template import Context, Library, Node, NodeList, TemplateSyntaxError
from django.template.base import FilterExpression, Parser, Token, token_kwargs
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audience import door as audience
from delivery import door as delivery
from governance import door as governance
from omni.console import stylesheet as sheet
from omni.console.world import COLUMNS, ROWS, tiles
from omni.templatetags.diffs import path_words
from omni.templatetags.states import channel_words, look, reason_words, suppression_words

register = Library()
ENGLISH = Locale("en")
LEVELS = (0.08, 0.3, 0.6)  # parts of the largest country from which a tile's colour is stronger


@register.simple_tag
@lru_cache(maxsize=256)  # a page has hundreds of a few
def icon(name: str, size: str = "") -> SafeString:
    """One of our icons. It is decoration: the word beside it speaks."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"{}><use href="{}#{}"/></svg>',
        format_html(' data-size="{}"', size) if size else "",
        static("icons/sprite.svg"),
        name,
    )


@register.simple_tag
def stylesheet() -> str:
    """The address of the console's stylesheet."""
    return sheet.address()


@register.simple_tag
def state(name: str, word: str = "") -> SafeString:
    """A state badge: icon, word and colour."""
    shown = look(str(name))
    return format_html('<span class="badge" data-tone="{}">{}{}</span>', shown.tone, icon(shown.icon), word or shown.word)


@register.simple_tag
def state_mark(name: str) -> SafeString:
    """The round mark of a state in a timeline."""
    shown = look(str(name))
    return format_html('<span class="timeline-mark" data-tone="{}">{}</span>', shown.tone, icon(shown.icon))


@register.filter
def state_word(name: str) -> str:
    """The word of a state."""
    return look(str(name)).word


@register.filter
def channel(name: str) -> str:
    """A channel as people say it inside a sentence: "email" → "e-mail"."""
    return channel_words(str(name))


@register.filter
def country(code: str | None) -> str:
    """A country by its name: "DE" → "Germany"; the code itself where nobody knows it, "" where none is said."""
    return str(ENGLISH.territories.get(code, code)) if code else ""


@register.filter
def lines(fields: Mapping[str, Any]) -> str:
    """A condition's values, one a line, or the one that it had until now. (A template takes "fields.values" for a mapping's method.)"""
    return str(fields.get("values") or fields.get("value") or "")


@register.filter
def by_country(rows: Iterable[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Rows that begin with a country's code, for `bars`: with its name, or "not known" where none is said."""
    return [(country(code) or "not known", *rest) for code, *rest in rows]


@register.inclusion_tag("components/country_map.html")
def country_map(rows: Iterable[Sequence[Any]], title: str) -> dict[str, Any]:
    """A map of equal tiles, for a list of the same numbers beside it. rows: (country's code, people)."""
    people = {str(code): int(many or 0) for code, many in rows}
    top, wide, tall, places = max([1, *people.values()]), 34, 26, tiles()
    drawn = []
    for code, (column, row) in sorted(places.items(), key=lambda each: each[1][::-1]):
        many = people.get(code, 0)
        level = 0 if not many else 1 + sum(many >= top * part for part in LEVELS)
        x, y = column * wide + 1, row * tall + 1
        words = f"{country(code)}: {many:,}"
        drawn.append({"code": code, "level": level, "words": words, "x": x, "y": y, "middle": x + wide // 2 - 1, "base": y + 17})
    off = sum(many for code, many in people.items() if code not in places)
    shown = sum(people.get(code, 0) > 0 for code in places)
    size = {"width": COLUMNS * wide, "height": ROWS * tall, "side": wide - 2, "tall": tall - 2}
    return {"tiles": drawn, "title": title, "off": off, "shown": shown, **size}


@register.filter
def vendor(name: str) -> str:
    """A vendor by its name: "sendgrid" → "SendGrid v3"; "" where a message went to none."""
    return delivery.vendor_title(str(name)) if name else ""


@register.filter
def reason(name: str) -> str:
    """A skip reason in words."""
    return reason_words(str(name))


@register.filter
def why_suppressed(name: str) -> str:
    """The reason of a suppression in words: "stopped" → "answered STOP"."""
    return suppression_words(str(name))


@register.filter
def topic(key: str) -> str:
    """A topic by its name: "product-news" → "Product news"."""
    return audience.topic_words(str(key)) if key else ""


@register.filter
def source(text: str) -> str:
    """What a consent came through, in words, to be read after "by"."""
    return delivery.source_words(str(text))


@register.simple_tag(takes_context=True)
def next_device(context: Context, devices: Iterable[Any]) -> Any:
    """That of a person's devices which a push message would go to now, or nothing."""
    platforms = delivery.push_platforms(context["request"].actor.workspace_id)
    return next((each for each in devices if each.invalid_at is None and each.platform in platforms), None)


@register.inclusion_tag("components/finding.html")
def finding(item: Any, link: str = "") -> dict[str, Any]:
    """One finding. item: a Finding, or its plain data; link: where it can be mended."""
    plain = item if isinstance(item, Mapping) else item.as_dict()
    level = str(plain["level"])
    return {**plain, "level": level, "icon": {"error": "error", "warning": "warning"}.get(level, "info"), "link": link}


@register.inclusion_tag("components/findings.html")
def findings(items: Iterable[Any], empty: str = "") -> dict[str, Any]:
    """Findings, the worst first."""
    order = {"error": 0, "warning": 1, "note": 2}
    plain = [item if isinstance(item, Mapping) else item.as_dict() for item in items]
    return {"items": sorted(plain, key=lambda item: order.get(str(item["level"]), 3)), "empty": empty}


@register.inclusion_tag("components/error_summary.html")
def error_summary(
    items: Sequence[Any] = (), title: str = "", pointers: bool = False, labels: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """What is wrong with a form, on top of it, each with a link to its field. items: (field id, label, message) or findings.

    pointers: name places as JSON Pointers, for those who write the source, and not in words; labels: what a form calls its fields.
    """
    rows = []
    for item in items:
        if isinstance(item, tuple):
            rows.append(item)
        else:
            words = item.path if pointers or not item.path.startswith("/") else path_words(item.path)
            rows.append((field_id(item.path), (labels or {}).get(item.path) or words, fault_words(item)))
    return {"rows": rows, "title": title or ("There is a problem" if len(rows) == 1 else f"There are {len(rows)} problems")}


CHOICES = {"value": "choose a value", "segment": "choose a segment", "template": "choose a template"}


@register.filter
def fault_words(fault: Any) -> str:
    """What is wrong with a field, to be read after its name."""
    if fault.found in {"empty text", "an empty list"} or (fault.found == "nothing" and fault.expected.startswith("a value:")):
        return CHOICES.get(fault.path.rpartition("/")[2], "needs a value")
    if fault.found == "nothing":
        return f"needs {fault.expected}"
    return f"{fault.found}; expected {fault.expected}"


@register.inclusion_tag("governance/_fault.html")
def fault(faults: Mapping[str, Any], *parts: Any) -> dict[str, Any]:
    """What is wrong with the field at this pointer, given whole or in parts, if anything is."""
    path = "/".join(str(part) for part in parts)
    return {"fault": faults.get(path), "id": field_id(path)}


@register.simple_tag
def invalid(faults: Mapping[str, Any], *parts: Any) -> SafeString:
    """The attributes that mark the field at this pointer as wrong and tie it to what `{% fault %}` says, if anything is."""
    path = "/".join(str(part) for part in parts)
    return format_html('aria-invalid="true" aria-describedby="{}-error"', field_id(path)) if path in faults else SafeString("")


@register.simple_tag
def kept_option(said: Any, known: Iterable[Any], before: str = "", words: str = "not known here") -> SafeString:
    """The option by which a select keeps a chosen value that is none of those it offers, and says so.

    known: what it offers: values, or values with their words, or one text of values with blanks between them; before: what stands
    before the value in the options' own values.
    """
    offered = known.split() if isinstance(known, str) else known or ()
    if said in ("", None) or any(said == (each[0] if isinstance(each, tuple | list) else each) for each in offered):
        return SafeString("")
    return format_html('<option value="{}{}" selected>{} ({})</option>', before, said, said, words)


@register.simple_tag
def form_errors(form: Any) -> list[tuple[str, str, str]]:
    """A Django form's errors as rows of `error_summary`."""
    rows = [("", "", str(message)) for message in form.non_field_errors()]
    for name, messages in form.errors.items():
        if name in form.fields:
            rows += [(form[name].id_for_label, str(form[name].label), str(message)) for message in messages]
    return rows


@register.filter
def at(mapping: Mapping[str, Any], key: str) -> Any:
    """The value at a key, or nothing."""
    return mapping.get(str(key)) if isinstance(mapping, Mapping) else None


@register.filter
def item(rows: Sequence[Any], place: int) -> Any:
    """The row at a place."""
    return rows[place]


@register.filter
def as_json(value: Any) -> str:
    """The value as JSON, for a field that carries it."""
    return json.dumps(value, ensure_ascii=False)


@register.filter
def as_text(value: Any) -> str:
    """A plain value as a form's field holds it: true, false, numbers and text as they are written."""
    return "" if value is None else json.dumps(value) if isinstance(value, bool) else str(value)


@register.filter
def field_id(path: str) -> str:
    """The id of the field at a JSON Pointer: `/locales/en/subject` is `f-locales-en-subject`."""
    return governance.field_id(str(path))


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, help: str = "", autofocus: bool = False) -> dict[str, Any]:
    """A Django form field: label above, help under, errors beside, `aria-describedby` to both."""
    help_text = help or bound.help_text
    ids = [f"{bound.id_for_label}-help"] if help_text else []
    ids += [f"{bound.id_for_label}-error"] if bound.errors else []
    widget = bound.field.widget
    look_class = {"select": "select", "textarea": "textarea"}.get(getattr(widget, "input_type", "") or "", "")
    kind = type(widget).__name__
    attrs: dict[str, Any] = {"class": look_class or {"Select": "select", "Textarea": "textarea"}.get(kind, "input")}
    if ids:
        attrs["aria-describedby"] = " ".join(ids)
    if bound.errors:
        attrs["aria-invalid"] = "true"
    if autofocus:
        attrs["autofocus"] = True
    if kind == "CheckboxInput":
        attrs["class"] = ""
    return {
        "bound": bound,
        "widget": bound.as_widget(attrs={**widget.attrs, **attrs}),
        "help": help_text,
        "checkbox": kind == "CheckboxInput",
        "group": kind in {"CheckboxSelectMultiple", "RadioSelect"},
    }


@register.inclusion_tag("components/stat.html")
def stat(label: str, value: Any, note: str = "", tone: str = "", href: str = "") -> dict[str, Any]:
    """One figure with its label. value: already formatted, or a whole number."""
    return {"label": label, "value": value, "note": note, "tone": tone, "href": href}


@register.inclusion_tag("components/tabs.html")
def tabs(items: Sequence[Mapping[str, Any]], label: str) -> dict[str, Any]:
    """Links that look like tabs. items: {title, href, current, count?, tone?, icon?}."""
    return {"items": items, "label": label}


@register.inclusion_tag("components/pager.html", takes_context=True)
def pager(context: Context, page: Mapping[str, Any], noun: str = "rows", more: str = "") -> dict[str, Any]:
    """Links below a list. page: a governance Page, {items, next}; more: of a list that isn't newest first, what follows ("More")."""
    query = context["request"].GET.copy()
    first = not query.pop("cursor", [])
    start = query.urlencode()
    if page["next"]:
        query["cursor"] = page["next"]
    return {"next": page["next"], "first": first, "noun": noun, "more": more, "start": f"?{start}", "following": f"?{query.urlencode()}"}


@register.simple_tag(takes_context=True)
def with_query(context: Context, **changes: Any) -> str:
    """This page's query string with some parameters changed; an empty value removes one. Cursors start over."""
    query = context["request"].GET.copy()
    query.pop("cursor", None)
    for name, value in changes.items():
        query.pop(name, None)
        if value not in {"", None}:
            query[name] = str(value)
    return f"?{query.urlencode()}" if query else "?"


@register.simple_tag
def saved_view(views: Iterable[Any], query: str) -> Any:
    """That of these views which filters by exactly this, or nothing."""
    return next((view for view in views if view.query == query), None)


class Block(Node):
    """A component with content between its tags, drawn by a template of its own."""

    def __init__(self, template: str, content: NodeList, values: Mapping[str, FilterExpression]) -> None:
        self.template, self.content, self.values = template, content, values

    def render(self, context: Context) -> SafeString:
        """The component around its content."""
        assert context.template is not None
        template = context.template.engine.get_template(self.template)
        given = {name: value.resolve(context) for name, value in self.values.items()}
        inner = context.new({**given, "content": self.content.render(context), "csrf_token": context.get("csrf_token")})
        return template.render(inner)


def block_component(name: str, template: str) -> None:
    """Register `{% name key=value %}…{% endname %}`."""

    def compile_tag(parser: Parser, token: Token) -> Block:
        bits = token.split_contents()[1:]
        values = token_kwargs(bits, parser)
        if bits:
            raise TemplateSyntaxError(f"{name} takes key=value arguments only, found {bits[0]!r}")
        content = parser.parse((f"end{name}",))
        parser.delete_first_token()
        return Block(template, content, values)

    register.tag(name, compile_tag)


block_component("empty", "components/empty.html")
block_component("confirm", "components/confirm.html")
block_component("callout", "components/callout.html")
block_component("section", "components/section.html")
