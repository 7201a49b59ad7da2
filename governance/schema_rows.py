"""Dictionaries of texts and numbers as rows of a form, and back: `{"DE": 300}` ↔ `[{"name": "DE", "value": 300, "was": "DE"}]`.

`was` is the name that the row had when the page was drawn: a value keeps its form as long as its name stays, and takes the form
that is known for its name when the name is new ("yes" for a setting that is on or off).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from governance.findings import Finding, Invalid, shorten
from governance.form_bodies import escape_part, parts
from governance.schema import DocumentModel

Schema = Mapping[str, Any]
FLAT = frozenset({"string", "integer", "number", "boolean"})
SAID = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
ROW = frozenset({"name", "value", "was"})


class Resolver:
    """Follows a schema's references."""

    def __init__(self, defs: Schema) -> None:
        self.defs = defs

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


def value_schema(resolver: Resolver, plain: Schema) -> Schema | None:
    """What the values of a flat dictionary are; None for a schema that is something else."""
    if plain.get("type") != "object" or "properties" in plain:
        return None
    patterns = list(plain.get("patternProperties", {}).values())
    inner = patterns[0] if len(patterns) == 1 else plain.get("additionalProperties")
    if not isinstance(inner, Mapping):
        return None
    forms = inner.get("anyOf", [inner])
    flat = all(form.get("type") in FLAT or _texts(form) for form in forms)
    return inner if flat else None


def _texts(form: Schema) -> bool:
    return form.get("type") == "array" and form.get("items", {}).get("type") == "string"


Change = Callable[[Schema, Any, str], Any]


def _walk(resolver: Resolver, part: Schema, value: Any, path: str, change: Change) -> Any:
    """The value with every flat dictionary in it changed."""
    plain, _ = resolver.resolve(part, value)
    if value_schema(resolver, plain) is not None:
        return change({**plain, **part}, value, path)
    if isinstance(value, dict):
        members = plain.get("properties", {})
        return {
            key: _walk(resolver, members[key], inner, f"{path}/{escape_part(key)}", change) if key in members else inner
            for key, inner in value.items()
        }
    if isinstance(value, list) and isinstance(plain.get("items"), Mapping):
        return [_walk(resolver, plain["items"], inner, f"{path}/{place}", change) for place, inner in enumerate(value)]
    return value


def to_rows(model: type[DocumentModel], body: Any) -> Any:
    """The body as its form holds it. A dictionary with anything but texts, numbers, yes and no or lists of texts stays as it is."""
    schema = model.model_json_schema()

    def rows(_: Schema, value: Any, __: str) -> Any:
        if not isinstance(value, dict) or not all(_flat(inner) for inner in value.values()):
            return value
        return [{"name": name, "value": inner, "was": name} for name, inner in value.items()]

    return _walk(Resolver(schema.get("$defs", {})), schema, body, "", rows)


def to_map(model: type[DocumentModel], form: Any) -> Any:
    """The body that the form describes; empty rows are nothing. Raises Invalid for rows without a name or with the same one."""
    schema = model.model_json_schema()
    faults: list[Finding] = []

    def dictionary(said: Schema, value: Any, path: str) -> Any:
        if not isinstance(value, list):
            return value
        found: dict[str, Any] = {}
        for place, row in enumerate(value):
            held = row if isinstance(row, dict) else {}
            name, inner = str(held.get("name", "")).strip(), held.get("value", "")
            if not name and inner in ("", [], None):
                continue
            if not name or name in found:
                expected = "a name that no other row has" if name else "a name"
                faults.append(Finding("error", f"{path}/{place}/name", shorten(name) if name else "nothing", expected))
            known = said.get("names", {})
            wanted = known.get(name, "") if isinstance(known, Mapping) and name != held.get("was", "") else ""
            found[name] = _as(wanted, inner, f"{path}/{place}/value", faults)
        return found

    body = _walk(Resolver(schema.get("$defs", {})), schema, form, "", dictionary)
    if faults:
        raise Invalid(faults)
    return body


def _as(wanted: str, value: Any, path: str, faults: list[Finding]) -> Any:
    """A value that was typed for a new name, in the form that is known for the name: "yes or no", "list" or text."""
    if wanted == "list" and isinstance(value, str):
        return [item.strip() for item in re.split(r"[,\n]", value) if item.strip()]
    if wanted == "yes or no" and isinstance(value, str):
        if value.strip().lower() not in SAID:
            faults.append(Finding("error", path, shorten(value) if value else "nothing", "yes or no"))
        return SAID.get(value.strip().lower(), value)
    return value


def _flat(value: Any) -> bool:
    return isinstance(value, str | int | float) or (isinstance(value, list) and all(isinstance(item, str) for item in value))


def place_in_rows(path: str, form: Any) -> str:
    """A fault's pointer in the body as the pointer of its field in the form."""
    here, made = form, ""
    for part in parts(path):
        if isinstance(here, list) and (at := _row_named(here, part)) is not None:
            here, made = here[at]["value"], f"{made}/{at}/value"
            continue
        made += f"/{escape_part(part)}"
        if isinstance(here, list):
            here = here[int(part)] if part.isascii() and part.isdigit() and int(part) < len(here) else None
        else:
            here = here.get(part) if isinstance(here, dict) else None
    return made


def _row_named(rows: list[Any], name: str) -> int | None:
    found = [at for at, row in enumerate(rows) if isinstance(row, dict) and set(row) <= ROW and row.get("name") == name and "value" in row]
    return found[-1] if found else None
