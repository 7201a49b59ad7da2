"""A form for any kind: its pydantic schema as fields with labels, help, bounds and what the last save objected to.

What a body doesn't say stays unsaid: a field that was left alone shows its default as a placeholder and sends nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from governance.findings import Finding
from governance.form_bodies import escape_part
from governance.schema import DocumentModel

LONG = 200  # characters from which a text gets several lines
DEEPEST = 6
ACRONYMS = {"sms": "SMS", "email": "E-mail", "id": "ID", "url": "URL", "api": "API"}
Schema = Mapping[str, Any]
NOTHING = object()


@dataclass(frozen=True, slots=True)
class FormField:
    """One field as the template draws it. look: text, lines, number, int, bool, choice, list, json, group, items, absent or fixed.

    given: the body says something here; usual: what counts where it doesn't.
    """

    look: str
    path: str
    name: str
    label: str
    help: str = ""
    value: Any = ""
    given: bool = True
    usual: str = ""
    required: bool = False
    options: Sequence[tuple[str, str]] = ()
    children: Sequence[FormField] = ()
    minimum: Any = None
    maximum: Any = None
    longest: Any = None
    fault: Finding | None = None
    removable: bool = False


@dataclass(frozen=True, slots=True)
class _Reader:
    """What every field of one form is read with."""

    defs: Schema
    faults: Mapping[str, Finding]

    def members(self, schema: Schema, body: Any, usual: Any, path: str, depth: int) -> Iterator[FormField]:
        """The fields of an object. usual: the object that counts where the body says nothing."""
        values = body if isinstance(body, Mapping) else {}
        defaults = usual if isinstance(usual, Mapping) else {}
        needed = set(schema.get("required", ()))
        for name, part in schema.get("properties", {}).items():
            default = defaults.get(name, part.get("default", NOTHING))
            yield self.field(name, part, values.get(name, NOTHING), default, f"{path}/{escape_part(name)}", name in needed, depth)

    def field(self, name: str, part: Schema, value: Any, usual: Any, path: str, required: bool, depth: int) -> FormField:
        """One field, whatever its look."""
        given = value is not NOTHING
        shown = value if given else usual
        plain, nullable = self.resolve(part, None if shown is NOTHING else shown)
        common: dict[str, Any] = {
            "path": path,
            "label": label_of(name),
            "help": str(part.get("description") or ("" if plain.get("type") == "object" else plain.get("description", ""))),
            "required": required and not nullable,
            "fault": self.faults.get(path),
            "given": given,
        }
        if "const" in plain:
            return FormField("fixed", name=path, value=plain["const"], **common)
        if plain.get("type") == "object" and "properties" in plain and depth < DEEPEST:
            if nullable and (shown is None or shown is NOTHING):
                return FormField("absent", name=path, **common)
            children = tuple(self.members(plain, value if given else {}, usual, path, depth + 1))
            return FormField("group", name=path, children=children, removable=nullable, **common)
        if plain.get("type") == "array" and "properties" in self.resolve(plain.get("items", {}), None)[0] and depth < DEEPEST:
            return self.items(plain, value if given else (), path, common, depth)
        examples = part.get("examples") or plain.get("examples") or [""]
        return _leaf(plain, value if given else NOTHING, usual, str(examples[0]), path, nullable or not required, common)

    def items(self, plain: Schema, value: Any, path: str, common: dict[str, Any], depth: int) -> FormField:
        """A list of objects, each a group that can be moved and removed."""
        children = []
        for place, item in enumerate(value if isinstance(value, list) else ()):
            at = f"{path}/{place}"
            resolved, _ = self.resolve(plain["items"], item)
            parts = tuple(self.members(resolved, item, {}, at, depth + 1))
            label = f"{common['label']} {place + 1}"
            children.append(FormField("group", at, at, label, children=parts, fault=self.faults.get(at), removable=True))
        return FormField("items", name=path, children=tuple(children), **common)

    def resolve(self, part: Schema, value: Any) -> tuple[Schema, bool]:
        """The schema behind references and "or null"; of several forms the one that the value has. And whether null is allowed."""
        if "$ref" in part:
            target, nullable = self.resolve(self.defs.get(part["$ref"].rpartition("/")[2], {}), value)
            return ({**target, "description": part["description"]} if "description" in part else target), nullable
        forms = part.get("anyOf") or part.get("oneOf")
        if not forms:
            return part, False
        rest = [form for form in forms if form.get("type") != "null"]
        chosen = rest[0] if len(rest) == 1 else self.chosen(part, rest, value)
        return self.resolve(chosen, value)[0], len(rest) < len(forms)

    def chosen(self, part: Schema, forms: Sequence[Schema], value: Any) -> Schema:
        """Of several forms the one that the value's discriminator names; without one, plain JSON."""
        said = part.get("discriminator", {})
        tag = value.get(said.get("propertyName")) if isinstance(value, Mapping) else None
        named = said.get("mapping", {}).get(tag)
        return {"$ref": named} if named else forms[0] if said else {"type": "any"}


def form_fields(model: type[DocumentModel], body: Mapping[str, Any], faults: Sequence[Finding] = ()) -> list[FormField]:
    """The fields of a whole body."""
    schema = model.model_json_schema()
    reader = _Reader(schema.get("$defs", {}), {fault.path: fault for fault in reversed(faults)})
    return list(reader.members(schema, body, {}, "", 0))


def _leaf(plain: Schema, value: Any, usual: Any, example: str, path: str, optional: bool, common: dict[str, Any]) -> FormField:
    sort, mark, given = plain.get("type"), "?" if optional else "", value is not NOTHING
    default = "" if usual is NOTHING or usual is None else usual
    shown = default if usual is not NOTHING else example
    common = {**common, "usual": _words(shown) if not isinstance(shown, dict) else ""}
    if "enum" in plain:
        options = [(str(option), label_of(str(option))) for option in plain["enum"]]
        return FormField("choice", name=f"{path}:text{mark}", value=value if given and value is not None else "", options=options, **common)
    if sort == "boolean":
        return FormField("bool", name=f"{path}:bool", value=bool(value) if given else bool(default), **common)
    if sort in {"integer", "number"}:
        kind = "int" if sort == "integer" else "number"
        bounds = {"minimum": _bound(plain, "minimum", "exclusiveMinimum"), "maximum": _bound(plain, "maximum", "exclusiveMaximum")}
        return FormField(kind, name=f"{path}:{kind}{mark}", value="" if not given or value is None else value, **bounds, **common)
    if sort == "array" and plain.get("items", {}).get("type") == "string":
        lines = "\n".join(str(item) for item in value or ()) if given else ""
        return FormField("list", name=f"{path}:list{mark}", value=lines, **common)
    if sort == "string" and (not given or isinstance(value, str | None)):
        longest = plain.get("maxLength")
        look = "lines" if longest and longest > LONG else "text"
        return FormField(look, name=f"{path}:text{mark}" if mark else path, value=(value if given else "") or "", longest=longest, **common)
    text = "" if not given or value is None else json.dumps(value, ensure_ascii=False, indent=2)
    return FormField("json", name=f"{path}:json{mark}", value=text, **common)


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)


def _bound(plain: Schema, closed: str, open_: str) -> Any:
    return plain.get(closed, plain.get(open_))


def label_of(name: str) -> str:
    """A field's name as a label: max_per_request → "Max per request"."""
    words = ACRONYMS.get(name.lower()) or name.replace("_", " ").replace("-", " ")
    return words[:1].upper() + words[1:]
