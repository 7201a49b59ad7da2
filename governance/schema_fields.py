"""A form for any kind: its pydantic schema as fields with labels, help, bounds and what the last save objected to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from governance.findings import Finding
from governance.form_bodies import escape_part
from governance.schema import DocumentModel

LONG = 200  # characters from which a text gets several lines
DEEPEST = 6
ACRONYMS = {"sms": "SMS", "email": "E-mail", "id": "ID", "url": "URL", "api": "API"}
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FormField:
    """One field as the template draws it. look: text, lines, number, int, bool, choice, list, json, group, items, absent or fixed."""

    look: str
    path: str
    name: str
    label: str
    help: str = ""
    value: Any = ""
    required: bool = False
    options: Sequence[tuple[str, str]] = ()
    children: Sequence[FormField] = ()
    minimum: Any = None
    maximum: Any = None
    longest: Any = None
    example: str = ""
    fault: Finding | None = None
    removable: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)


def form_fields(model: type[DocumentModel], body: Mapping[str, Any], faults: Sequence[Finding] = ()) -> list[FormField]:
    """The fields of a whole body."""
    schema = model.model_json_schema()
    at = {fault.path: fault for fault in reversed(faults)}
    return list(_members(schema, body, "", schema.get("$defs", {}), at, 0))


def _members(schema: Schema, body: Any, path: str, defs: Schema, faults: Mapping[str, Finding], depth: int) -> Iterator[FormField]:
    values = body if isinstance(body, Mapping) else {}
    needed = set(schema.get("required", ()))
    for name, part in schema.get("properties", {}).items():
        here = f"{path}/{escape_part(name)}"
        value = values.get(name, part.get("default"))
        yield _field(name, part, value, here, defs, faults, name in needed, depth)


def _field(
    name: str, part: Schema, value: Any, path: str, defs: Schema, faults: Mapping[str, Finding], required: bool, depth: int
) -> FormField:
    plain, nullable = _resolve(part, value, defs)
    common: dict[str, Any] = {
        "path": path,
        "label": _label(name),
        "help": str(part.get("description") or ("" if plain.get("type") == "object" else plain.get("description", ""))),
        "required": required and not nullable,
        "fault": faults.get(path),
        "example": str((part.get("examples") or plain.get("examples") or [""])[0]),
    }
    sort = plain.get("type")
    if "const" in plain:
        return FormField("fixed", name=path, value=plain["const"], **common)
    if sort == "object" and "properties" in plain and depth < DEEPEST:
        if value is None and nullable:
            return FormField("absent", name=path, **common)
        children = tuple(_members(plain, value, path, defs, faults, depth + 1))
        return FormField("group", name=path, children=children, removable=nullable, **common)
    if sort == "array" and _holds_objects(plain, defs) and depth < DEEPEST:
        return _items(plain, value, path, defs, faults, common, depth)
    return _leaf(plain, value, path, nullable or not required, common)


def _items(
    plain: Schema, value: Any, path: str, defs: Schema, faults: Mapping[str, Finding], common: dict[str, Any], depth: int
) -> FormField:
    children = []
    for place, item in enumerate(value if isinstance(value, list) else ()):
        at = f"{path}/{place}"
        resolved, _ = _resolve(plain["items"], item, defs)
        parts = tuple(_members(resolved, item, at, defs, faults, depth + 1))
        children.append(FormField("group", at, at, f"{common['label']} {place + 1}", children=parts, fault=faults.get(at), removable=True))
    return FormField("items", name=path, children=tuple(children), **common)


def _leaf(plain: Schema, value: Any, path: str, optional: bool, common: dict[str, Any]) -> FormField:
    sort, mark = plain.get("type"), "?" if optional else ""
    if "enum" in plain:
        options = [(str(option), _label(str(option))) for option in plain["enum"]]
        return FormField("choice", name=f"{path}:text{mark}", value=value if value is not None else "", options=options, **common)
    if sort == "boolean":
        return FormField("bool", name=f"{path}:bool", value=bool(value), **common)
    if sort in {"integer", "number"}:
        kind = "int" if sort == "integer" else "number"
        bounds = {"minimum": _bound(plain, "minimum", "exclusiveMinimum"), "maximum": _bound(plain, "maximum", "exclusiveMaximum")}
        return FormField(kind, name=f"{path}:{kind}{mark}", value="" if value is None else value, **bounds, **common)
    if sort == "array" and plain.get("items", {}).get("type") == "string":
        lines = "\n".join(str(item) for item in value or ())
        return FormField("list", name=f"{path}:list{mark}", value=lines, **common)
    if sort == "string" and isinstance(value, str | None):
        longest = plain.get("maxLength")
        look = "lines" if longest and longest > LONG else "text"
        return FormField(look, name=f"{path}:text{mark}" if mark else path, value=value or "", longest=longest, **common)
    shown = "" if value is None and optional else json.dumps(value, ensure_ascii=False, indent=2)
    return FormField("json", name=f"{path}:json{mark}", value=shown, **common)


def _resolve(part: Schema, value: Any, defs: Schema) -> tuple[Schema, bool]:
    """The schema behind references and "or null"; of several forms the one that the value has. And whether null is allowed."""
    if "$ref" in part:
        target, nullable = _resolve(defs.get(part["$ref"].rpartition("/")[2], {}), value, defs)
        return ({**target, "description": part["description"]} if "description" in part else target), nullable
    forms = part.get("anyOf") or part.get("oneOf")
    if not forms:
        return part, False
    rest = [form for form in forms if form.get("type") != "null"]
    chosen = rest[0] if len(rest) == 1 else _chosen(part, rest, value, defs)
    target, _ = _resolve(chosen, value, defs)
    return target, len(rest) < len(forms)


def _chosen(part: Schema, forms: Sequence[Schema], value: Any, defs: Schema) -> Schema:
    said = part.get("discriminator", {})
    tag = value.get(said.get("propertyName")) if isinstance(value, Mapping) else None
    named = said.get("mapping", {}).get(tag)
    return {"$ref": named} if named else {"type": "any"} if not said else forms[0]


def _holds_objects(plain: Schema, defs: Schema) -> bool:
    return "properties" in _resolve(plain.get("items", {}), None, defs)[0]


def _bound(plain: Schema, closed: str, open_: str) -> Any:
    return plain.get(closed, plain.get(open_))


def _label(name: str) -> str:
    words = ACRONYMS.get(name.lower()) or name.replace("_", " ").replace("-", " ")
    return words[:1].upper() + words[1:]
