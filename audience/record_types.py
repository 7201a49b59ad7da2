"""What there is beside people, and what may be known of it: bookings, companies, listings. Document kind `record_type`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from audience.catalogue import MAX_FIELDS, PRIVACY_WORDS, FieldBody, Sensitivity
from audience.rules.bound import Type
from audience.rules.limits import Fault, fail
from audience.rules.nodes import Record, walk
from audience.rules.shapes import RecordShape
from governance import door as governance
from governance.door import CheckContext, DocumentModel, Finding, Kind, Text, pointer

MOST = 1_000  # records of a type that one person may have to do with
SHOWN, MOST_SHOWN = 10, 50  # of them in a message
TAKEN = ("external_id", "role")  # what a record has beside its fields
SORTED = ("text", "number", "date", "datetime")  # types that have an order
_ROLE = r"^[a-z][a-z0-9_]{0,39}$"


class RecordFieldBody(FieldBody):
    """One field of a record; rules and templates call it by its name."""

    title: Annotated[str, Text(120, min=0)] = ""
    description: Annotated[str, Text(2_000, min=0, lines=True)] = ""
    unit: Annotated[str, Text(40, min=0)] = Field(default="", json_schema_extra={"help": "Such as nights or USD."})
    sensitivity: Sensitivity = Field(default="internal", title="How private it is", json_schema_extra={"words": PRIVACY_WORDS})
    deprecated: Annotated[str, Text(300, min=0)] = Field(
        default="", json_schema_extra={"help": "Why no new rule should ask for it, and what to ask for instead."}
    )


class RecordTypeBody(DocumentModel):
    """One type of records; its name is the document's key."""

    title: Annotated[str, Text(120)]
    description: Annotated[str, Text(2_000, min=0, lines=True)] = ""
    owner: Annotated[str, Text(200, min=0)] = Field(default="", title="Who answers for it")
    fields: list[RecordFieldBody] = Field(min_length=1, max_length=MAX_FIELDS, title="Fields")
    roles: list[Annotated[str, Field(pattern=_ROLE)]] = Field(
        default_factory=list,
        max_length=10,
        title="As what people have to do with it",
        json_schema_extra={"help": "Such as guest or payer."},
    )
    most_per_person: int = Field(default=MOST, ge=1, le=MOST, title="At most per person")
    order_by: str = Field(
        default="", max_length=40, title="In messages ordered by", json_schema_extra={"help": "A field; nothing: the newest first."}
    )
    order: Literal["ascending", "descending"] = Field(default="descending", title="In which order")
    shown: int = Field(default=SHOWN, ge=1, le=MOST_SHOWN, title="At most in a message")
    keep_unrelated: bool = Field(
        default=True,
        title="Keep without people",
        json_schema_extra={"help": "Else a record goes when the last of its people is forgotten."},
    )
    deprecated: Annotated[str, Text(300, min=0)] = Field(
        default="", json_schema_extra={"help": "Why no new rule should ask for it, and what to ask for instead."}
    )

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        names = [each.name for each in self.fields]
        faults: list[Fault] = []
        for place, name in enumerate(names):
            if name in TAKEN or name in names[:place]:
                expected = "another name: every record has one" if name in TAKEN else "a name that no other field has"
                faults.append((("fields", place, "name"), name, expected))
        faults += [(("roles", place), role, "each role once") for place, role in enumerate(self.roles) if role in self.roles[:place]]
        if self.order_by and self.types.get(self.order_by) not in SORTED:
            sortable = ", ".join(name for name, type_ in self.types.items() if type_ in SORTED)
            faults.append((("order_by",), self.order_by, f"one of the fields {sortable}" if sortable else "nothing: no field has an order"))
        if faults:
            fail(faults)
        return self

    @property
    def types(self) -> dict[str, Type]:
        """The fields and their types."""
        return {each.name: each.type for each in self.fields}

    @property
    def shape(self) -> RecordShape:
        """What rules may ask about."""
        return RecordShape(self.types, tuple(self.roles))

    def field(self, name: str) -> RecordFieldBody | None:
        """The field of that name."""
        return next((each for each in self.fields if each.name == name), None)


def _checks(context: CheckContext, body: RecordTypeBody) -> Sequence[Finding]:
    """What is taken away, or held as another type, must not be asked for by what is in force."""
    try:
        before: RecordTypeBody = governance.released(context.workspace_id, RECORD_TYPE.name, context.key).model
    except governance.Missing:
        return []
    lost = [name for name, _ in before.types.items() - body.types.items()]
    roles = [role for role in before.roles if role not in body.roles]
    found = [each for name in sorted(lost) if (each := _lost_field(context, body, name))]
    for role in roles:
        if users := _users(context, partial(_asks_role, role)):
            found.append(Finding("error", "/roles", f"no {role}", f"what released segments ask for ({', '.join(users[:5])})"))
    return found


def _asks_role(role: str, node: Record) -> bool:
    return node.role == role


def _lost_field(context: CheckContext, body: RecordTypeBody, name: str) -> Finding:
    now = body.types.get(name)
    places = [place for place, each in enumerate(body.fields) if each.name == name]
    at, said = (pointer(("fields", places[0], "type")), str(now)) if places else ("/fields", f"no {name}")
    users = _users(context, lambda node: any(test.field == name for test in node.where))
    if users:
        expected = f"what released segments ask for ({', '.join(users[:5])}); make another field, and deprecate this one"
        return Finding("error", at, said, expected)
    return Finding("warning", at, said, "what is released: values that are kept already count as unknown until they are sent again")


def _users(context: CheckContext, asks: Callable[[Record], bool]) -> list[str]:
    """The released segments with a condition on this type that `asks` says yes to."""
    return [
        view.key
        for view in governance.all_released(context.workspace_id, "segment")
        if any(isinstance(node, Record) and node.record == context.key and asks(node) for _, node in walk(view.model.rule))
    ]


RECORD_TYPE = Kind(name="record_type", plural="record-types", title="Record type", schema=RecordTypeBody, checks=_checks)
RecordTypes = Mapping[str, RecordTypeBody]


def record_types(workspace_id: int) -> dict[str, RecordTypeBody]:
    """All types by key: as released, or as drafted where there is no released one yet."""
    drafts = {key: governance.parse(RecordTypeBody, body) for key, body in governance.drafted(workspace_id, RECORD_TYPE.name).items()}
    in_force: dict[str, RecordTypeBody] = {view.key: view.model for view in governance.all_released(workspace_id, RECORD_TYPE.name)}
    return dict(sorted({**drafts, **in_force}.items()))


def record_type(workspace_id: int, key: str) -> RecordTypeBody:
    """One of them. Raises Missing."""
    known = record_types(workspace_id).get(key)
    if known is None:
        raise governance.Missing("no record type of this key: make the document first")
    return known


def record_shapes(workspace_id: int) -> dict[str, RecordShape]:
    """What rules may ask about, by type."""
    return {key: body.shape for key, body in record_types(workspace_id).items()}
