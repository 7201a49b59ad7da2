"""Where the rule builder shows what is wrong with a rule, and what it calls that place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from audience.names import Names
from audience.rule_words import FIELD_WORDS, MESSAGE_WORDS
from governance.door import Body, look_up

LABELS = {"/title": "Title", "/description": "What it is for", "/key": "Key"}
SUBJECT_WORDS = {
    "event": "did something",
    "measure": "what they did comes to",
    "sequence": "one thing after another",
    "share": "a share of everybody",
    "consent": "agreed to hear about",
    "reachable": "can be reached by",
    "segment": "in another segment",
    "list": "on a list",
    "everyone": "everyone",
}
# a condition's field in the body → its field in the builder
_FIELDS = {
    "op": "/op",
    "count": "/count",
    "within": "/last",
    "apart": "/amount",
    "fresh": "/fresh",
    **dict.fromkeys(("attribute", "profile", "of", "measure", "how", "sequence", "message", "record", "role", "zone"), ""),
}


def place(path: str, form: Body) -> str:
    """The pointer of the builder's field for a pointer of the body."""
    rule = form.get("rule")
    if isinstance(rule, Mapping) and rule.get("word") == "":
        path = re.sub(r"^/rule(?!/(?:all|any|none)(?:/|$))", "/rule/of/0", path)  # a rule of one condition is shown in a group
    path = re.sub(r"/(all|any|none)(?=/|$)", "/of", path)
    found = re.fullmatch(r"(/rule(?:/of/\d+)*)/([^/]+)(?:/(\d+))?.*", path)
    if not found:
        return path
    holder, field, at = found.groups()
    if field == "sequence" and at:
        part = re.search(r"/where/\d+", path)
        return f"{holder}/steps/{at}{part[0] if part else ''}"
    return f"{holder}/where/{at}" if field == "where" and at else holder + _FIELDS.get(field, "/value")


def label(path: str, form: Body, names: Names) -> str:
    """What the builder calls the field at this pointer: "Condition 4 (Country)". names: what things are called."""
    found = re.match(r"(/rule(?:/of/\d+)*)(?:/steps/(\d+))?(?:/where/(\d+))?", path)
    if not found:
        return LABELS.get(path, "")
    number = ".".join(str(int(step) + 1) for step in re.findall(r"/of/(\d+)", found[1]))
    node = look_up(form, found[1]) if number else None
    if not isinstance(node, Mapping) or "of" in node or "word" in node:
        return f"Group {number}" if number else "People for whom"
    part = "".join(f", {word} {int(at) + 1}" for word, at in (("step", found[2]), ("part", found[3])) if at)
    return f"Condition {number} ({_subject(node, names)}){part}"


def _subject(node: Mapping[str, Any], names: Names) -> str:
    sort, _, name = str(node.get("subject", "")).partition(":")
    if sort in ("event", "measure") and node.get("event"):
        return names.of("event", str(node["event"]))
    if sort == "message":
        return dict(MESSAGE_WORDS).get(name, name)
    if sort == "record":
        return names.of("record_type", name)
    return FIELD_WORDS.get(name) or names.attributes.get(name) or SUBJECT_WORDS.get(sort) or name or "as YAML"
