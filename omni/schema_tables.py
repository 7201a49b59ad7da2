"""A document's JSON Schema as Markdown tables: one for the body, one for each object inside it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
HEAD = "| field | type | if left out | |\n|---|---|---|---|\n"
UNBOUNDED = 2**31  # a limit above it says nothing to a reader, except the largest exact number
EXACT = 2**53


def tables(schema: Schema) -> Iterator[tuple[str, str, str]]:
    """(name, what it is, table) of the body, whose name is "", and of every object below it in reading order."""
    defs: Schema = schema.get("$defs", {})
    yield "", _sentence(schema), _table(schema)
    for name in _below(schema, defs):
        if defs[name].get("properties"):
            yield name, _sentence(defs[name]), _table(defs[name])


def _below(schema: Schema, defs: Schema) -> list[str]:
    """Names of the definitions that are used, each after the first that uses it."""
    found: dict[str, None] = {}
    waiting = list(_refs(schema.get("properties", {})))
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = None
            waiting += _refs(defs[name])
    return list(found)


def _refs(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield _named(node)
        for key, value in node.items():
            if key != "discriminator":
                yield from _refs(value)
    elif isinstance(node, list):
        for value in node:
            yield from _refs(value)


def _table(schema: Schema) -> str:
    needed = set(schema.get("required", ()))
    rows = (_row(name, part, name in needed) for name, part in schema.get("properties", {}).items())
    return HEAD + "".join(rows)


def _row(name: str, part: Schema, needed: bool) -> str:
    left_out = "**needed**" if needed else _default(part)
    return f"| `{name}` | {type_of(part)} | {left_out} | {_cell(str(part.get('description', '')))} |\n"


def _default(part: Schema) -> str:
    if "default" not in part:
        return "empty"
    value = part["default"]
    if value is None:
        return "none"
    if value in ("", [], {}):
        return "empty"
    return f"`{_cell(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))}`"


def type_of(part: Schema) -> str:
    """What may stand there, in words: "text, at most 120 characters"."""
    if "$ref" in part:
        return "any JSON value" if _named(part) == "JsonValue" else f"*{_named(part)}*"
    forms = part.get("anyOf") or part.get("oneOf")
    if forms:
        words = [type_of(form) for form in forms if form.get("type") != "null"]
        return " or ".join(words) + (" or none" if len(words) < len(forms) else "")
    if "const" in part:
        return f"`{part['const']}`"
    if "enum" in part:
        return ", ".join(f"`{choice}`" for choice in part["enum"])
    return _plain(part)


def _plain(part: Schema) -> str:
    match part.get("type"):
        case "string":
            return _text(part)
        case "integer" | "number" as sort:
            return _with("whole number" if sort == "integer" else "number", _range(part))
        case "boolean":
            return "`true`, `false`"
        case "array":
            return _with(f"list of {type_of(part.get('items', {}))}", _length(part, "Items", "item"))
        case "object":
            return _map(part)
        case _:
            return "anything"


def _text(part: Schema) -> str:
    if part.get("examples") == ["spring-sale"]:
        return "key"
    pattern = f"like `{_cell(part['pattern'])}`" if "pattern" in part else ""
    example = f"such as `{_cell(part['examples'][0])}`" if part.get("examples") else ""
    return _with("text", _length(part, "Length", "character"), "" if example else pattern, example)


def _map(part: Schema) -> str:
    named: Schema = part.get("patternProperties") or {}
    if named:
        pattern, value = next(iter(named.items()))
        return f"names like `{_cell(pattern)}`, each with: {type_of(value)}"
    more = part.get("additionalProperties")
    return f"names, each with: {type_of(more)}" if isinstance(more, dict) else "object"


def _length(part: Schema, what: str, unit: str) -> str:
    least, most = part.get(f"min{what}", 0), part.get(f"max{what}")
    many = f"{unit}s"
    if most is None:
        return f"at least {least} {unit if least == 1 else many}" if least else ""
    return f"{least} to {most:,} {many}" if least > 1 else f"at most {most:,} {many}"


def _range(part: Schema) -> str:
    words = []
    for name, sign in {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}.items():
        if name in part:
            words.append(f"{sign} {_number(part[name])}")
    return ", ".join(words)


def _number(value: float) -> str:
    return "2^53" if value == EXACT else f"{value:,}" if value > UNBOUNDED else f"{value:g}" if value < 10_000 else f"{value:,.0f}"


def _with(word: str, *limits: str) -> str:
    return ", ".join([word, *(limit for limit in limits if limit)])


def _named(part: Schema) -> str:
    return str(part["$ref"]).rpartition("/")[2]


def _sentence(schema: Schema) -> str:
    return _cell(" ".join(str(schema.get("description", "")).split()))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
