"""The attribute catalogue: what may be known about a person, of which type and how sensitive. Document kind `attribute`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Annotated, Any, Literal, Protocol, Self, get_args

from pydantic import Field, JsonValue, model_validator

from audience.compound import parts
from audience.rules.bound import Type
from audience.rules.limits import MAX_NAME, fail
from audience.rules.nodes import Attribute, Property, walk
from audience.sources import source_of
from audience.values import AttributeType, PlainType
from governance import door as governance
from governance.door import CheckContext, DocumentModel, Finding, Kind, Role, Text

Sensitivity = Literal["public", "internal", "personal", "sensitive"]
MAX_ATTRIBUTES = 200  # of one person
MAX_FIELDS = 30  # of one object
TYPE_WORDS: dict[str, JsonValue] = {
    "text": "A text",
    "number": "A number",
    "boolean": "Yes or no",
    "date": "A day",
    "datetime": "A day and time",
    "list": "Several texts",
    "object": "An object with fields",
    "score": "A score that a model made, with its moment",
    "place": "A place on earth",
}
PRIVACY_WORDS: dict[str, JsonValue] = {
    "public": "Public",
    "internal": "For use inside the company",
    "personal": "Personal",
    "sensitive": "Sensitive",
}
TAKEN = ("external_id", "email", "phone", "locale", "country", "zone", "created_at")


class Private(Protocol):
    """Anything that says how private it is."""

    @property
    def sensitivity(self) -> Sensitivity: ...


class FieldBody(DocumentModel):
    """One field of an object; rules call it by the attribute's name, a dot and its own."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", title="Name")
    type: PlainType = Field(title="What it holds", json_schema_extra={"words": {name: TYPE_WORDS[name] for name in get_args(PlainType)}})


How = Literal["count", "sum", "average", "smallest", "largest", "first", "last"]
HOW_WORDS: dict[str, JsonValue] = {
    "count": "How often",
    "sum": "The total of a property",
    "average": "The average of a property",
    "smallest": "The smallest value of a property",
    "largest": "The largest value of a property",
    "first": "When for the first time",
    "last": "When for the last time",
}


class Computed(DocumentModel):
    """What an attribute is computed from: the events of a name, ever or in the last days."""

    event: Annotated[str, Text(MAX_NAME)] = Field(title="Event")
    how: How = Field(title="What of it", json_schema_extra={"words": HOW_WORDS})
    of: Annotated[str, Text(MAX_NAME, min=0)] = Field(default="", title="Property", json_schema_extra={"help": "Whose numbers are taken."})
    days: int | None = Field(default=None, ge=1, le=3_650, title="Days", json_schema_extra={"help": "How far back; nothing: all time."})
    where: list[Property] = Field(default_factory=list, max_length=20, title="Only events in which")

    @model_validator(mode="after")
    def _of_fits(self) -> Self:
        if (self.how in ("count", "first", "last")) == bool(self.of):
            expected = "no property" if self.of else 'the property that is meant, such as "total"'
            fail([(("of",), self.of or "nothing", expected)])
        return self


class AttributeBody(DocumentModel):
    """One attribute; its name is the document's key."""

    title: Annotated[str, Text(120)]
    type: AttributeType = Field(title="What it holds", json_schema_extra={"words": TYPE_WORDS})
    fields: list[FieldBody] = Field(
        default_factory=list, max_length=MAX_FIELDS, title="Fields", json_schema_extra={"help": "Of an object only."}
    )
    description: Annotated[str, Text(2_000, min=0, lines=True)] = ""
    unit: Annotated[str, Text(40, min=0)] = Field(default="", json_schema_extra={"help": "Such as nights or USD."})
    sensitivity: Sensitivity = Field(default="internal", title="How private it is", json_schema_extra={"words": PRIVACY_WORDS})

    source: Annotated[str, Text(200, min=0)] = Field(default="", title="Where it comes from", json_schema_extra={"help": "A system."})
    owner: Annotated[str, Text(200, min=0)] = Field(default="", title="Who answers for it")
    computed: Computed | None = Field(default=None, title="Computed from events")
    deprecated: Annotated[str, Text(300, min=0)] = Field(
        default="", title="Deprecated", json_schema_extra={"help": "Why no new rule should ask for it, and what to ask for instead."}
    )

    @model_validator(mode="after")
    def _computed_fits(self) -> Self:
        if self.computed is not None:
            holds = "datetime" if self.computed.how in ("first", "last") else "number"
            if self.type != holds:
                fail([(("type",), self.type, f"{holds}: that is what “{self.computed.how}” of events is")])
        return self

    @model_validator(mode="after")
    def _fields_fit(self) -> Self:
        names = [each.name for each in self.fields]
        if (self.type == "object") != bool(names):
            expected = "at least one: an object is asked by its fields" if self.type == "object" else "none: only an object has fields"
            fail([(("fields",), f"{len(names)} fields", expected)])
        twice = [place for place, name in enumerate(names) if name in names[:place]]
        if twice:
            fail([(("fields", place, "name"), names[place], "a name that no other field has") for place in twice])
        return self


def _checks(context: CheckContext, body: AttributeBody) -> Sequence[Finding]:
    if context.key in TAKEN:
        return [Finding("error", "", f"the key {context.key}", "another name: this is a field that every profile has")]
    if body.computed is not None and source_of(body.computed.event) is not None:
        expected = "an event that is recorded here: rules ask the ledger for this one"
        return [Finding("error", "/computed/event", body.computed.event, expected)]
    if body.computed is not None and (fault := _let_go_sooner(context, body.computed)):
        return [fault]
    try:
        before: AttributeBody = governance.released(context.workspace_id, ATTRIBUTE.name, context.key).model
    except governance.Missing:
        return []
    lost = parts(context.key, before).items() - parts(context.key, body).items()
    if not lost:
        return []
    users = _released_users(context.workspace_id, {name for name, _ in lost})
    if users:
        expected = f"what released segments ask for ({', '.join(users[:5])}); make another attribute, and deprecate this one"
        return [Finding("error", "/type", body.type, expected)]
    expected = f"the released type, {before.type}: values that are kept already match no rule until they are sent again"
    return [Finding("warning", "/type", body.type, expected)]


def _let_go_sooner(context: CheckContext, computed: Computed) -> Finding | None:
    """Where the events are let go before this attribute has done with them, by a released type."""
    for view in governance.all_released(context.workspace_id, "event_type"):
        kept = view.model.keep_days if view.model.name == computed.event else None
        if kept is not None and (computed.days is None or computed.days > kept):
            found = "all time" if computed.days is None else f"{computed.days} days"
            return Finding("error", "/computed/days", found, f"at most {kept} days: older events of this name are let go ({view.key})")
    return None


def _released_users(workspace_id: int, names: Set[str]) -> list[str]:
    """The released segments whose rules ask for one of these."""
    found = []
    for view in governance.all_released(workspace_id, "segment"):
        asked = {node.attribute for _, node in walk(view.model.rule) if isinstance(node, Attribute)}
        if asked & names:
            found.append(view.key)
    return found


ATTRIBUTE = Kind(name="attribute", plural="attributes", title="Attribute", schema=AttributeBody, checks=_checks)
Catalogue = Mapping[str, AttributeBody]


def catalogue(workspace_id: int) -> dict[str, AttributeBody]:
    """All attributes by name: as released, or as drafted where there is no released one yet."""
    drafts = {key: governance.parse(AttributeBody, body) for key, body in governance.drafted(workspace_id, ATTRIBUTE.name).items()}
    in_force: dict[str, AttributeBody] = {view.key: view.model for view in governance.all_released(workspace_id, ATTRIBUTE.name)}
    return dict(sorted({**drafts, **in_force}.items()))


def types_of(known: Catalogue) -> dict[str, Type]:
    """What rules may ask about: every attribute, or the parts of one that has parts, and their types."""
    return {name: type_ for key, body in known.items() for name, type_ in parts(key, body).items()}


def titles_of(known: Catalogue) -> dict[str, str]:
    """What those are called."""
    return {name: body.title + _of(key, name) for key, body in known.items() for name in parts(key, body)}


def _of(key: str, name: str) -> str:
    return f" ({name.removeprefix(key + '.').replace('_', ' ')})" if name != key else ""


def attribute_of(known: Catalogue, name: str) -> AttributeBody | None:
    """The attribute that a rule's name belongs to."""
    return known.get(name) or known.get(name.partition(".")[0])


def hidden_from(role: Role, body: Private | None) -> bool:
    """Whether what people have there isn't for this role: what is sensitive is for admins, what is personal for authors and above.
    body: None for an attribute that is in no catalogue any more."""
    if body is None or body.sensitivity == "sensitive":
        return not role.covers(Role.ADMIN)
    return body.sensitivity == "personal" and not role.covers(Role.AUTHOR)


def shown_to(body: AttributeBody | None) -> str:
    """For whom it is, in words, where it isn't for everybody."""
    return "authors and above" if body is not None and body.sensitivity == "personal" else "admins"


def value_of(attributes: Mapping[str, Any], name: str) -> Any:
    """What is kept of one person under a rule's name, as it is shown."""
    key, _, part = name.partition(".")
    value = attributes.get(key)
    if isinstance(value, dict):
        return value.get(part) if part else value.get("value", value)
    return attributes.get(name)
