"""Dictionaries of texts, numbers and objects as rows of a form, and back: `{"DE": 300}` ↔ `[{"name": "DE", "value": 300, "was": "DE"}]`.

`was` is the name that the row had when the page was drawn: a value keeps its form as long as its name stays, and takes the form
that is known for its name when the name is new ("yes" for a setting that is on or off). `short` is there where an object was written
as the one member that the schema calls so, and is so again while it says nothing else; a new one is, too.
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
ROW = frozenset({"name", "value", "was", "short"})


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


def object_schema(resolver: Resolver, plain: Schema) -> Schema | None:
    """What the values of a dictionary of objects are, all of one form; None for a schema that is something else."""
    inner = plain.get("additionalProperties") if plain.get("type") == "object" and "properties" not in plain else None
    found = resolver.resolve(inner, None)[0] if isinstance(inner, Mapping) else {}
    return found if "properties" in found else None


def _texts(form: Schema) -> bool:
    return form.get("type") == "array" and form.get("items", {}).get("type") == "string"


Change = Callable[[Schema, Any, str, Callable[[Any, str], Any]], Any]
"""(schema, value, path, what is done with each value of the dictionary at its path) → the value with the dictionary changed."""


def _walk(resolver: Resolver, part: Schema, value: Any, path: str, change: Change) -> Any:
    """The value with every dictionary in it changed that rows can hold."""
    plain, _ = resolver.resolve(part, value)
    if value_schema(resolver, plain) is not None:
        return change({**plain, **part}, value, path, lambda inner, at: inner)
    if (of := object_schema(resolver, plain)) is not None:
        return change({**plain, **part}, value, path, lambda inner, at: _walk(resolver, of, inner, at, change))
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
    """The body as its form holds it. A dictionary with anything but texts, numbers, yes and no or lists of texts stays as it is, and one
    of objects in which something else stands."""
    schema = model.model_json_schema()

    def rows(said: Schema, value: Any, path: str, below: Callable[[Any, str], Any]) -> Any:
        short = said.get("short", "")
        if not isinstance(value, dict):
            return value
        if object_schema(resolver, said) is None:
            return (
                [{"name": name, "value": inner, "was": name} for name, inner in value.items()] if all(map(_flat, value.values())) else value
            )
        if not all(isinstance(inner, dict) or (short and isinstance(inner, str)) for inner in value.values()):
            return value
        made = []
        for name, inner in value.items():
            held = {"value": {short: inner}, "short": "yes"} if isinstance(inner, str) else {"value": inner}
            made.append({"name": name, "was": name, **held, "value": below(held["value"], f"{path}/{escape_part(name)}")})
        return made

    resolver = Resolver(schema.get("$defs", {}))
    return _walk(resolver, schema, body, "", rows)


def to_map(model: type[DocumentModel], form: Any) -> Any:
    """The body that the form describes; empty rows are nothing. Raises Invalid for rows without a name or with the same one."""
    schema = model.model_json_schema()
    faults: list[Finding] = []

    def dictionary(said: Schema, value: Any, path: str, below: Callable[[Any, str], Any]) -> Any:
        if not isinstance(value, list):
            return value
        found: dict[str, Any] = {}
        for place, row in enumerate(value):
            held = row if isinstance(row, dict) else {}
            name, inner = str(held.get("name", "")).strip(), below(held.get("value", ""), f"{path}/{place}/value")
            if not name and not _said(inner):
                continue
            if not name or name in found:
                expected = "a name that no other row has" if name else "a name"
                faults.append(Finding("error", f"{path}/{place}/name", shorten(name) if name else "nothing", expected))
            known = said.get("names", {})
            wanted = known.get(name, "") if isinstance(known, Mapping) and name != held.get("was", "") else ""
            if (
                (short := said.get("short"))
                and isinstance(inner, dict)
                and [*inner] == [short]
                and (held.get("short") or not held.get("was"))
            ):
                inner = inner[short]
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


def _said(value: Any) -> bool:
    """Whether a row's value says anything."""
    return any(map(_said, value.values())) if isinstance(value, dict) else value not in ("", [], None)


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
