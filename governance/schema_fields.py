"""A form for any kind: its pydantic schema as fields with labels, help, bounds and what the last save objected to.

What a body doesn't say stays unsaid: a field that was left alone shows its default as a placeholder and sends nothing.
How a field looks is said in the schema: its `title` is the label, and `json_schema_extra` may hold
`help` (instead of the description), `unit` (behind the value), `told` (how it is summed up where it is folded away:
"decimal {}"), `shown_as` ("share": typed as per cent; "money": millionths
typed as an amount of the `currency` beside it), `words` (for choices), `none` (for no choice), `suggestions`, and for lists
and dictionaries `item` (what one is called), `row` (the labels of name and value), `names` (known ones, with their form) and, of
objects, `more` (what their optional fields are about, which are folded away) and `short` (the member that may stand for the whole).
What only a workspace knows is offered besides, by the pointer of the field with * for places: `/topics/*`. With `choose` it is chosen among
that, not typed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from governance.findings import Finding
from governance.form_bodies import escape_part
from governance.schema import DocumentModel
from governance.schema_leaves import NOTHING, FormField, label_of, leaf, texts_once
from governance.schema_rows import Resolver, Schema, object_schema, value_schema

DEEPEST = 6
Offers = Mapping[str, Sequence[tuple[str, str]]]  # by pointer: values and what they are called


class _Reader(Resolver):
    """What every field of one form is read with."""

    def __init__(self, defs: Schema, faults: Mapping[str, Finding], offers: Offers) -> None:
        super().__init__(defs)
        self.faults = faults
        self.offers = offers

    def offered(self, path: str) -> Sequence[tuple[str, str]]:
        """What is offered in the field at a pointer."""
        return self.offers.get(re.sub(r"/\d+(?=/|$)", "/*", path), ())

    def members(self, schema: Schema, body: Any, usual: Any, path: str, depth: int, *, given: bool = True) -> Iterator[FormField]:
        """The fields of an object. usual: the object that counts where the body says nothing; given: it says something."""
        values = body if isinstance(body, Mapping) else {}
        defaults = usual if isinstance(usual, Mapping) else {}
        needed = set(schema.get("required", ())) if given else set()
        for name, part in schema.get("properties", {}).items():
            default = defaults.get(name, part.get("default", NOTHING))
            here = {**defaults, **values}
            yield self.field(name, part, values.get(name, NOTHING), default, f"{path}/{escape_part(name)}", name in needed, depth, here)

    def field(
        self, name: str, part: Schema, value: Any, usual: Any, path: str, required: bool, depth: int, beside: Mapping[str, Any]
    ) -> FormField:
        """One field, whatever its look. beside: the values of its object."""
        given = value is not NOTHING
        shown = value if given else usual
        plain, nullable = self.resolve(part, None if shown is NOTHING else shown)
        described = part.get("description") or ("" if plain.get("type") == "object" else plain.get("description", ""))
        said = {**plain, **part}
        common: dict[str, Any] = {
            "path": path,
            "label": _title(name, part),
            "help": str(said.get("help", described)),
            "required": required and not nullable,
            "fault": self.faults.get(path),
            "given": given,
            "item": str(said.get("item", "")),
            "told": str(said.get("told", "")),
        }
        if "const" in plain:
            return _fixed(path, value if given else plain["const"], common)
        if plain.get("type") == "object" and "properties" in plain and depth < DEEPEST:
            if nullable and (shown is None or shown is NOTHING):
                return FormField("absent", name=path, **common)
            children = tuple(self.members(plain, value if given else {}, usual, path, depth + 1, given=given))
            return FormField("group", name=path, children=children, removable=nullable, **common)
        if plain.get("type") == "array" and "properties" in self.resolve(plain.get("items", {}), None)[0] and depth < DEEPEST:
            return self.items(plain, value if given else (), path, common, depth)
        if value_schema(self, plain) is not None and (isinstance(value, list) or not given):
            return self.rows(plain, said, value if given else (), path, common, beside)
        if object_schema(self, plain) is not None and (isinstance(value, list) or not given) and depth < DEEPEST:
            return self.entries(plain, said, value if given else (), path, common, depth)
        if plain.get("type") == "array" and self.offered(f"{path}/*") and (not given or texts_once(value)):
            return self.picked(value if given else (), path, common)
        examples = part.get("examples") or plain.get("examples") or [""]
        optional = nullable or not required
        found = leaf({**said, "type": plain.get("type")}, value, usual, str(examples[0]), path, optional, _currency(said, beside), common)
        offered = self.offered(path)
        if said.get("choose") and offered and found.look == "text":
            lost = [(found.value, str(found.value))] if found.value and found.value not in dict(offered) else []
            return replace(found, look="choice", options=[*offered, *lost])
        return replace(found, offered=offered)

    def items(self, plain: Schema, value: Any, path: str, common: dict[str, Any], depth: int) -> FormField:
        """A list of objects, each a group that can be moved and removed."""
        children = []
        for place, item in enumerate(value if isinstance(value, list) else ()):
            at = f"{path}/{place}"
            resolved, _ = self.resolve(plain["items"], item)
            parts = tuple(self.members(resolved, item, {}, at, depth + 1))
            label = f"{label_of(common['item'] or common['label'])} {place + 1}"
            children.append(FormField("group", at, at, label, children=parts, fault=self.faults.get(at), removable=True))
        return FormField("items", name=path, children=tuple(children), **common)

    def rows(self, plain: Schema, said: Schema, value: Any, path: str, common: dict[str, Any], beside: Mapping[str, Any]) -> FormField:
        """A dictionary as rows of a name and a value (schema_rows says how the form holds it)."""
        titles, names = said.get("row", ("Name", "Value")), list(said.get("names", ()))
        of_value = value_schema(self, plain) or {}
        children = []
        for place, row in enumerate(value):
            at, held = f"{path}/{place}", row if isinstance(row, Mapping) else {}
            item = held.get("value", NOTHING)
            sort, _ = self.resolve(_form_of(of_value, item), item)
            base = {"given": True, "required": True}
            key = leaf(
                {"type": "string"}, held.get("name", ""), NOTHING, "", f"{at}/name", False, "", self.at(f"{at}/name", titles[0], base)
            )
            key = replace(key, suggestions=names)
            common_value = self.at(f"{at}/value", titles[1], base)
            content = leaf(sort, item, NOTHING, "", f"{at}/value", False, _currency(sort, beside), common_value)
            label = f"{label_of(common['item'] or common['label'])} {place + 1}"
            was = FormField("fixed", f"{at}/was", f"{at}/was", "", value=held.get("was", ""))
            children.append(FormField("row", at, at, label, children=(key, content, was), short=content.short, fault=self.faults.get(at)))
        return FormField("rows", name=path, children=tuple(children), **common)

    def entries(self, plain: Schema, said: Schema, value: Any, path: str, common: dict[str, Any], depth: int) -> FormField:
        """A dictionary of objects: the name of each and what it must say in a row, and folded below it what it may say."""
        of, title, children = object_schema(self, plain) or {}, said.get("row", ("Name",))[0], []
        for place, row in enumerate(value):
            at, held = f"{path}/{place}", row if isinstance(row, Mapping) else {}
            base = self.at(f"{at}/name", title, {"given": True, "required": True})
            key = leaf({"type": "string"}, held.get("name", ""), NOTHING, "", f"{at}/name", False, "", base)
            inside = list(self.members(of, held.get("value", {}), {}, f"{at}/value", depth + 1))
            must, may = [each for each in inside if each.required], [each for each in inside if not each.required]
            wrong = any(f"{fault}/".startswith(f"{each.path}/") for each in may for fault in self.faults)
            more = FormField("folded", f"{at}/more", "", str(said.get("more", "More")), children=may, given=wrong or any(map(_begun, may)))
            kept = [FormField("fixed", f"{at}/{part}", f"{at}/{part}", "", value=held[part]) for part in ("was", "short") if part in held]
            label = f"{label_of(common['item'] or common['label'])} {place + 1}"
            children.append(FormField("entry", at, at, label, children=(key, *must, *kept, more), fault=self.faults.get(at)))
        return FormField("entries", name=path, children=tuple(children), **common)

    def picked(self, value: Any, path: str, common: dict[str, Any]) -> FormField:
        """A list of texts of which some are known: those as boxes to tick, any other typed. Each keeps its place in the list."""
        said, known = [each if isinstance(each, str) else "" for each in value], dict(self.offered(f"{path}/*"))
        options = [
            (option, words, f"{path}/{said.index(option) if option in said else len(said) + place}", option in said)
            for place, (option, words) in enumerate(known.items())
        ]
        label = f"Other {common['item'] or 'one'}, by its key"
        others = [
            leaf({"type": "string"}, each, NOTHING, "", at, True, "", self.at(at, label, {"required": True}))
            for place, each in enumerate(said)
            if each not in known and (at := f"{path}/{place}")
        ]
        wrong = next((self.faults[name] for _, _, name, chosen in options if chosen and name in self.faults), None)
        return FormField("picked", name=path, options=options, children=tuple(others), **{**common, "fault": common["fault"] or wrong})

    def at(self, path: str, label: str, base: dict[str, Any]) -> dict[str, Any]:
        """What is common to one cell of a row."""
        return {"path": path, "label": label, "fault": self.faults.get(path), **base}


def form_fields(
    model: type[DocumentModel], form: Mapping[str, Any], faults: Sequence[Finding] = (), offers: Offers | None = None
) -> list[FormField]:
    """The fields of a whole body, in which dictionaries are rows (schema_rows.to_rows). offers: what the workspace knows."""
    schema = model.model_json_schema()
    reader = _Reader(schema.get("$defs", {}), {fault.path: fault for fault in reversed(faults)}, offers or {})
    return list(reader.members(schema, form, {}, "", 0))


def labels(fields: Iterable[FormField], before: str = "") -> dict[str, str]:
    """What each field is called, with the groups that it is in, by its pointer: "Prices › Price of a message"."""
    found: dict[str, str] = {}
    for field in fields:
        found[field.path] = before + field.label
        inside = before if field.look in {"row", "folded"} else f"{before}{field.label} › "
        found |= labels(field.children, inside)
    return found


def _fixed(path: str, value: Any, common: dict[str, Any]) -> FormField:
    """What has one value only, as it is said; where it goes without saying, it stays unsaid."""
    unsaid = "" if common["given"] or common["required"] else json.dumps(value)
    name, text = (path, value) if isinstance(value, str) else (f"{path}:json", json.dumps(value))
    return FormField("fixed", name=name, value=text, unsaid=unsaid, **common)


def _begun(field: FormField) -> bool:
    """Whether a row was just added that has yet to be filled in."""
    return field.look == "rows" and any(not row.children[0].value for row in field.children)


def _title(name: str, part: Schema) -> str:
    """The label that the schema gives, else one made of the name: pydantic titles every field by itself."""
    title = str(part.get("title", ""))
    return label_of(name) if title in ("", name.title().replace("_", " ").strip()) else title


def _currency(said: Schema, beside: Mapping[str, Any]) -> str:
    found = beside.get(str(said.get("currency", ""))) if said.get("shown_as") == "money" else ""
    return found if isinstance(found, str) else ""


def _form_of(schema: Schema, value: Any) -> Schema:
    """Of the forms that a dictionary's values may have, the one that this value has; text for a new one."""
    forms = schema.get("anyOf")
    if not forms:
        return schema
    wanted = "boolean" if isinstance(value, bool) else "array" if isinstance(value, list) else "string"
    return next((form for form in forms if form.get("type") == wanted), forms[0])
