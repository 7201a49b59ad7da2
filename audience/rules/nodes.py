"""The nodes of a rule as they are written in a document: strict, and with exact places for every fault.

Exactly one naming key decides what a node is. `read_node` looks it up and validates the node by its own model, so the
place of a fault is the path in the document and not the name of a union's branch.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    field_validator,
    model_validator,
)

from audience.rules.bound import How
from audience.rules.limits import MAX_NAME, check_shape, fail
from audience.rules.values import SPANNED, Apart, Around, Operator, PropertyOperator, Span, Window, shown, value_faults
from governance.door import DocumentModel, Text

ProfileField = Literal["country", "locale", "zone", "created_at", "email", "phone"]
Channel = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")]
Name = Annotated[str, Text(MAX_NAME)]
MAX_COUNT = 1_000_000
MAX_STEPS = 5  # events of a sequence


class _Test(DocumentModel):
    """What a condition on an attribute, a profile field or a property has: an operator and its value."""

    op: Operator
    value: Any = Field(default=None, description="a text, number, true/false, list or span, as the operator asks")

    @field_validator("value")
    @classmethod
    def _fits(cls, value: Any, info: ValidationInfo) -> Any:
        op = info.data.get("op")
        if op in SPANNED and isinstance(value, dict):
            return Span.model_validate(value)
        if op == "near" and isinstance(value, dict):
            return Around.model_validate(value)
        if op is not None and (faults := value_faults(op, value)):
            fail(faults)
        return value

    @model_validator(mode="after")
    def _given(self) -> Self:
        if "value" not in self.model_fields_set and (faults := value_faults(self.op, None)):
            fail([(("value", *where), found, f'a "value": {expected}') for where, found, expected in faults])
        return self


class _Dated(_Test):
    """A test whose days may be those of the person's own zone instead of UTC's."""

    zone: Literal["own"] | None = None


class Attribute(_Dated):
    """A condition on an attribute of the catalogue. fresh: a score that is older is as good as none."""

    attribute: Name
    fresh: Span | None = None


class Profile(_Dated):
    """A condition on a field that every profile has."""

    profile: ProfileField


class Property(_Test):
    """A condition on a property of an event; its type is the type of the value."""

    op: PropertyOperator
    property: Name


class _HowMany(DocumentModel):
    """How many, or how often."""

    op: Literal["at_least", "at_most", "exactly", "never"] = "at_least"
    count: int | None = Field(default=None, ge=0, le=MAX_COUNT)

    @model_validator(mode="after")
    def _count_fits(self) -> Self:
        expected = None
        if self.op == "never" and self.count is not None:
            expected = "no count: “never” takes none"
        elif self.op in ("at_most", "exactly") and self.count is None:
            expected = 'a "count" such as 3'
        elif self.op == "at_least" and self.count == 0:
            expected = "a count of 1 or more: at least 0 would match everyone"
        if expected:
            fail([(("count",), shown(self.count), expected)])
        return self


class _Often(_HowMany):
    """How often, and since when."""

    within: Window | None = None


class Event(_Often):
    """A condition on how often something happened, up to the moment of asking."""

    event: Name
    where: list[Property] = Field(default_factory=list, max_length=20)


class Message(_Often):
    """A condition on how often one of our own messages was sent, arrived, was opened, …: of one campaign or message type, or of all."""

    message: Literal["sent", "delivered", "opened", "clicked", "bounced", "complained", "unsubscribed"]
    campaign: Name | None = None
    channel: Channel | None = None


class Step(DocumentModel):
    """One event of a sequence."""

    event: Name
    where: list[Property] = Field(default_factory=list, max_length=20)


class Sequence(DocumentModel):
    """A condition on events one after the other, each at most `apart` after the one before, or on the last of them staying away.

    within: how long ago the first of them may lie.
    """

    sequence: list[Step] = Field(min_length=2, max_length=MAX_STEPS)
    op: Literal["followed", "not_followed"] = "followed"
    apart: Apart
    within: Window | None = None


class Measure(_Test):
    """A condition on what events come to, up to the moment of asking: the sum, average, smallest or largest of a property's numbers,
    or when they first or last happened."""

    measure: Name
    how: How
    of: Name | None = Field(default=None, description="the property whose numbers are taken; none for first and last")
    op: Literal["gt", "gte", "lt", "lte", "between", "before", "after", "in_last", "more_than_ago"]
    within: Window | None = None
    where: list[Property] = Field(default_factory=list, max_length=20)

    @model_validator(mode="after")
    def _of_fits(self) -> Self:
        timed = self.how in ("first", "last")
        if timed != (self.of is None):
            expected = "no property: it is about when events happened" if timed else 'the property that is meant, such as "total"'
            fail([(("of",), shown(self.of), expected)])
        return self


class RecordField(_Dated):
    """A condition on a field of a record, of the field's type."""

    field: Name


class Record(_HowMany):
    """A condition on how many records of a type somebody has to do with, in one role or in any, of which all of `where` holds."""

    record: Name
    role: Name | None = None
    where: list[RecordField] = Field(default_factory=list, max_length=20)


class ShareOf(DocumentModel):
    """So many percent, by chance, but always the same people; another salt draws others. percent: at most four digits after the point."""

    percent: float = Field(gt=0, lt=100, allow_inf_nan=False)
    salt: Name

    @field_validator("percent")
    @classmethod
    def _whole(cls, value: float) -> float:
        if value != round(value, 4):
            fail([((), shown(value), "at most four digits after the point, such as 12.5")])
        return value


class Share(DocumentModel):
    """A condition that a part of everybody meets."""

    share: ShareOf


class Segment(DocumentModel):
    """A condition on another segment: in it."""

    segment: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]


class OnList(DocumentModel):
    """A condition on an uploaded list of people: on it."""

    list: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]


class ConsentTo(DocumentModel):
    """A topic of a channel; "*" is the channel as a whole. state: pending asks for those who were asked to confirm and can still do so."""

    channel: Channel
    topic: Name
    state: Literal["subscribed", "pending"] = "subscribed"


class Consent(DocumentModel):
    """A condition on consent: subscribed to the topic, and not unsubscribed from the whole channel; or pending."""

    consent: ConsentTo


class Reachable(DocumentModel):
    """A condition on having an address of a channel: for push, a device."""

    reachable: Literal["email", "sms", "push"]


class Everyone(DocumentModel):
    """Every profile of the workspace, said on purpose."""

    everyone: Literal[True]


class Trigger(DocumentModel):
    """A condition on the very event that triggers; only where an event is at hand."""

    trigger: Property


def read_node(value: object) -> DocumentModel:
    """The node that `value` describes, by its naming key."""
    if isinstance(value, DocumentModel):
        return value
    if not isinstance(value, dict):
        fail([((), shown(value), f"a group or a condition: an object with one of {', '.join(NODES)}")])
    named = [name for name in NODES if name in value]
    if len(named) != 1:
        found = " and ".join(named) if named else "none of them"
        fail([((), found, f"exactly one of {', '.join(NODES)}")])
    return NODES[named[0]].model_validate(value)


def _not_empty(children: object) -> object:
    if isinstance(children, list) and not children:
        fail([((), "an empty group", 'at least one condition: an empty group would match everyone; say {"everyone": true} on purpose')])
    return children


def _written(node: DocumentModel) -> dict[str, Any]:
    """The node as it was written, without the defaults that nobody typed."""
    return node.model_dump(exclude_unset=True)


Node = Annotated[
    DocumentModel,
    PlainValidator(read_node, json_schema_input_type=dict[str, Any]),
    PlainSerializer(_written, return_type=dict[str, Any]),
]
Children = Annotated[list[Node], BeforeValidator(_not_empty)]


class All(DocumentModel):
    """Every child must match."""

    all: Children


class Any_(DocumentModel):
    """At least one child must match."""

    any: Children


class None_(DocumentModel):
    """No child may match."""

    none: Children


NODES: dict[str, type[DocumentModel]] = {
    "all": All,
    "any": Any_,
    "none": None_,
    "attribute": Attribute,
    "profile": Profile,
    "event": Event,
    "measure": Measure,
    "sequence": Sequence,
    "message": Message,
    "record": Record,
    "share": Share,
    "segment": Segment,
    "list": OnList,
    "consent": Consent,
    "reachable": Reachable,
    "everyone": Everyone,
    "trigger": Trigger,
}


def children_of(node: DocumentModel) -> tuple[str, list[DocumentModel]]:
    """A group's word and children; ("", []) for a condition."""
    if isinstance(node, All):
        return "all", node.all
    if isinstance(node, Any_):
        return "any", node.any
    if isinstance(node, None_):
        return "none", node.none
    return "", []


def walk(node: DocumentModel, at: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], DocumentModel]]:
    """Every node of the tree with its place, parents first."""
    word, children = children_of(node)
    found = [(at, node)]
    for place, child in enumerate(children):
        found.extend(walk(child, (*at, word, place)))
    return found


def _without_trigger(node: DocumentModel) -> DocumentModel:
    places = [at for at, child in walk(node) if isinstance(child, Trigger)]
    if places:
        expected = "one only where an event triggers (a campaign's trigger)"
        fail([((*at, "trigger"), "a condition on the triggering event", expected) for at in places])
    return node


TriggerRule = Annotated[Node, BeforeValidator(check_shape)]
"""A rule that may ask about the event that triggers."""
Rule = Annotated[Node, BeforeValidator(check_shape), AfterValidator(_without_trigger)]
"""A rule about profiles."""
