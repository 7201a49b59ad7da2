"""Where the template editor shows what is wrong, and what it calls that place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import get_language_info

from governance.door import Body, Finding, listed, look_up, mapped
from presentation.template_forms import BLOCKS, PLACING

LABELS = {
    "/title": "Title",
    "/key": "Key",
    "/channel": "Channel",
    "/message_class": "Message class",
    "/topic": "Topic",
    "/sender": "Sender",
    "/sender/key": "Sender",
    "/sender/from": "From",
    "/sender/name": "Sender’s name",
    "/sender/address": "Sender’s address",
    "/reply_to": "Answers go to",
    "/tracking": "Tracking",
    "/collapse_key": "Takes the place of",
    "/ttl": "Waits for a device",
    "/default_locale": "Default language",
    "/new_locale": "Tag of another language",
    "/locales": "Languages",
}
SENDER = frozenset(
    path
    for path in LABELS
    if path.startswith(("/channel", "/message_class", "/topic", "/sender", "/reply_to", "/tracking", "/collapse_key", "/ttl"))
)
"""The fields that stand in the editor's folded part."""
PARTS = {
    "subject": "Subject",
    "preheader": "Preheader",
    "text": "Text",
    "blocks": "Blocks",
    "link": "A tap opens",
    "image": "Picture",
    "data": "Data for the app",
}
PUSH_PARTS = {**PARTS, "subject": "Title", "text": "Body"}
VARIABLE_PARTS = {"source": ", comes from", "type": ", type", "fallback": ", where none is known", "sample": ", sample"}


def place(path: str, form: Body) -> str:
    """The pointer of the editor's field for a pointer of the body: variables stand in a list."""
    if path == "/sender":
        return "/sender/key"
    if data := re.match(r"/locales/[^/]+/data(?=/)", path):
        return data[0]
    found = re.match(r"/variables/([^/]+)(.*)", path)
    if not found:
        return path
    names = [str(each.get("name", "")) for each in listed(form.get("variables")) if isinstance(each, Mapping)]
    if found[1] not in names:
        return path
    return f"/variables/{names.index(found[1])}{found[2] or '/name'}"


def label(path: str, form: Body) -> str:
    """What the editor calls the field at this pointer: "Subject (English)", "Block 3 (Button), words on it (English)"."""
    if path in LABELS:
        return LABELS[path]
    _, first, *rest = [*path.split("/"), ""]
    if first == "locales":
        return _in_locale(rest[0], path, form)
    if first == "variables" and rest[0].isdigit():
        name = mapped(look_up(form, f"/variables/{rest[0]}")).get("name")
        return f"Variable {int(rest[0]) + 1}" + (f" ({name})" if name else "") + VARIABLE_PARTS.get(rest[1], "")
    if first == "theme":
        return ", ".join(["Theme", *(part.replace("_", " ") for part in rest if part)])
    return {"fallbacks": "Fallbacks", "variables": "Variables"}.get(first, "")


def _in_locale(tag: str, path: str, form: Body) -> str:
    found = re.match(rf"/locales/{re.escape(tag)}((?:/(?:blocks|columns/\d+)/\d+)*)(?:/([^/]+)(/[^/]+)?)?", path)
    if not found or not (found[1] or found[2]):
        return language(tag)
    if not found[1]:
        parts = PUSH_PARTS if form.get("channel") == "push" else PARTS
        return f"{parts.get(found[2], found[2])} ({language(tag)})"
    block = mapped(look_up(form, f"/locales/{tag}{found[1]}"))
    look = BLOCKS.get(str(block.get("type", "")))
    number = ".".join(str(int(step) + 1) for step in re.findall(r"\d+", found[1]))
    known = [*(look.fields if look else ()), *PLACING]
    field = next((each.label for each in known if each.name == (found[2] or "") + (found[3] or "")), found[2] or "")
    part = f", {field[:1].lower()}{field[1:]}" if field else ""
    return f"Block {number} ({look.word if look else block.get('type', 'unknown')}){part} ({language(tag)})"


def language(tag: str) -> str:
    """A language's name in English, or its tag where none is known."""
    try:
        return str(get_language_info(tag.lower())["name"])
    except KeyError:
        return tag


def at_fault(form: Body, faults: Sequence[Finding]) -> Body:
    """The form showing the first language in which something is wrong, where nothing is wrong in the one that is shown."""
    tags = [found[1] for fault in faults if (found := re.match(r"/locales/([^/]+)", fault.path))]
    shown: Any = form.get("shown")
    return {**form, "shown": tags[0]} if tags and shown not in tags and tags[0] in mapped(form.get("locales")) else form
