"""The content source document: what a template reads of a service or of a table, and what happens where there is nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, cast

from pydantic import Field, JsonValue, field_validator, model_validator

from governance.door import DocumentModel, Like, Slug, Text
from presentation.characters import Line
from presentation.faults import Fault, raise_faults
from presentation.parts import Variable
from presentation.rules import variable_faults
from presentation.services.paths import path_fault
from presentation.services.url_templates import LONGEST, is_plain, url_faults
from presentation.syntax import names_in
from presentation.values import UnfitValue, VariableType, plain

FIELD = r"[a-z][a-z0-9_]{0,39}"
MOST_FIELDS, MOST_INPUTS = 50, 20
LONGEST_TIMEOUT = 5.0  # seconds
SecretName = Annotated[str, Like(r"[A-Z][A-Z0-9_]{0,59}", "capital letters, digits and _, such as PLACES_TOKEN")]
HeaderName = Annotated[str, Like(r"[A-Za-z][A-Za-z0-9-]{0,59}", "the name of a header, such as X-Api-Key")]
FieldName = Annotated[str, Like(FIELD, "small letters, digits and _, starting with a letter, at most 40 characters")]
Column = Annotated[str, Text(200)]
Member = Annotated[str, Like(r"[A-Za-z_$@][A-Za-z0-9_$@:-]{0,79}", "the name of a member, such as ids")]
_SET_BY_US = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection", "accept", "accept-encoding", "cookie"})


class Shown(DocumentModel):
    """One field that templates may read, and where it stands in an answer or a row. Without a fallback it has to be there."""

    path: str = Field(
        min_length=1,
        max_length=120,
        title="Where",
        description="Steps into the answer or the row, such as places[0].title; a dot: all of it.",
        examples=["places[0].title"],
        json_schema_extra={"help": ""},
    )
    type: VariableType = Field(default="text", title="Type")
    fallback: JsonValue = Field(default=None, title="Otherwise", description="What stands there instead of nothing.")

    @field_validator("path")
    @classmethod
    def _simple_steps(cls, value: str) -> str:
        if expected := path_fault(value):
            raise ValueError(expected)
        return value

    @model_validator(mode="after")
    def _fallback_of_type(self) -> Shown:
        try:
            plain(self.fallback, self.type)
        except UnfitValue as error:
            raise_faults("Shown", [Fault(("fallback",), self.fallback, str(error))])
        return self


class Batch(DocumentModel):
    """One question about many people: their ids are posted as {"NAME": […]}, and the answer says what belongs to whom."""

    input: FieldName = Field(title="Whose ids", description="The input whose values are sent together.", examples=["user"])
    name: Member = Field(default="ids", title="Sent as", description="The member of the posted object that holds them.")
    most: int = Field(default=200, ge=2, le=1_000, title="At most at once")
    answers: str = Field(
        default="",
        max_length=120,
        title="Where the answers are",
        description="Steps to an object with a member per id, or to a list of objects; by default the whole answer.",
    )
    key: str = Field(
        default="",
        max_length=80,
        title="Member with the id",
        description="Of a list: which member of each object says whose it is. Empty: an object with a member per id.",
    )

    @field_validator("answers", "key")
    @classmethod
    def _simple_steps(cls, value: str) -> str:
        if expected := path_fault(value):
            raise ValueError(expected)
        return value


class Service(DocumentModel):
    """A service that answers with JSON over HTTP."""

    url: Line = Field(
        min_length=1,
        max_length=LONGEST,
        title="Address",
        description="With {{ expressions }} over the inputs in path and query; their values are percent-encoded.",
        examples=["https://places.example.com/v1/near?city={{ city }}"],
    )
    secret: SecretName | None = Field(
        default=None,
        title="Key",
        description="The name under which the secret is kept.",
        json_schema_extra={"help": "Never the key itself: the name under which an admin keeps it, such as PLACES_TOKEN."},
    )
    header: HeaderName = Field(
        default="Authorization",
        title="Sent in the header",
        description="Authorization: as `Bearer …`; any other header: as it is.",
        json_schema_extra={"help": "Behind the word Bearer in Authorization, by itself in any other."},
    )
    batch: Batch | None = Field(default=None, title="Many people in one question")
    timeout: float = Field(
        default=2.0, ge=0.1, le=LONGEST_TIMEOUT, title="Waits at most", description="Seconds.", json_schema_extra={"unit": "s"}
    )
    ttl: int = Field(
        default=300,
        ge=0,
        le=86_400,
        title="Remembers for",
        description="Seconds for which a process keeps an answer; 0: not at all.",
        json_schema_extra={"unit": "s"},
    )
    failures: int = Field(
        default=5, ge=1, le=100, title="Rests after", description="Failures in a row after which it is left alone for a while."
    )
    rest: int = Field(
        default=30, ge=1, le=3_600, title="for", description="Seconds for which it is left alone.", json_schema_extra={"unit": "s"}
    )

    @model_validator(mode="after")
    def _keeps_its_secret(self) -> Service:
        faults = []
        if self.secret and is_plain(self.url):
            faults.append(Fault(("url",), "http://", "https://: a secret doesn't travel where anybody can read it"))
        if self.header.lower() in _SET_BY_US:
            faults.append(Fault(("header",), self.header, "a header of the service's own, such as Authorization or X-Api-Key"))
        raise_faults("Service", faults)
        return self


class Weights(DocumentModel):
    """How much words, numbers and categories count beside each other; what has no columns counts nothing."""

    text: float = Field(default=1.0, ge=0, le=100, title="Words")
    numbers: float = Field(default=1.0, ge=0, le=100, title="Numbers")
    categories: float = Field(default=1.0, ge=0, le=100, title="Kinds")

    @model_validator(mode="after")
    def _something_counts(self) -> Weights:
        if not self.text + self.numbers + self.categories:
            raise ValueError("at least one weight above 0")
        return self


class Lookup(DocumentModel):
    """A row of a table, by its key. `manage.py load_table` fills the table."""

    table: Slug = Field(title="Table", description="The key under which it was loaded.", examples=["listings"])
    input: FieldName = Field(title="Looked up by", description="The input whose value is a row's key.", examples=["listing"])


class Likeness(DocumentModel):
    """The rows of a table that are most like those that somebody liked, by text, numbers and categories; never those themselves.

    The answer is an object: `rows`, the nearest first, and `liked`, the rows that were liked.
    """

    table: Slug = Field(title="Table", examples=["listings"])
    liked: FieldName = Field(
        title="Liked",
        description="The input with the keys of rows that somebody liked: a list, or a text with one key.",
        examples=["saved"],
    )
    text: list[Column] = Field(default_factory=list, max_length=10, title="Alike in words", description="Columns of text.")
    numbers: list[Column] = Field(default_factory=list, max_length=20, title="Alike in numbers", description="Columns of numbers.")
    categories: list[Column] = Field(
        default_factory=list, max_length=20, title="Alike in kind", description="Columns that are the same or not, such as a neighbourhood."
    )
    weights: Weights = Field(default_factory=lambda: Weights(), title="How much each counts")
    most: int = Field(default=6, ge=1, le=50, title="Rows at most")

    @model_validator(mode="after")
    def _by_something(self) -> Likeness:
        if not (self.text or self.numbers or self.categories):
            raise ValueError("columns of text, numbers or categories by which rows are alike")
        return self


class ContentSourceBody(DocumentModel):
    """A content source: what it is asked with, where it looks, and the fields that templates may read as content.KEY.FIELD."""

    title: Annotated[str, Text(120)]
    type: Literal["http", "table", "similar"] = Field(
        title="Kind",
        json_schema_extra={"words": {"http": "a service", "table": "a row of a table", "similar": "rows like those somebody liked"}},
    )
    inputs: dict[str, Variable] = Field(
        default_factory=dict,
        max_length=MOST_INPUTS,
        title="Asked with",
        description="Names for what is known of a person or an event, as variables of a template have them.",
        json_schema_extra={"item": "name", "row": ["Name"], "help": "Names for what is known of a person or an event."},
    )
    http: Service | None = Field(default=None, title="Service")
    table: Lookup | None = Field(default=None, title="Row of a table")
    similar: Likeness | None = Field(default=None, title="Rows alike")
    response: dict[str, Shown] = Field(
        min_length=1, max_length=MOST_FIELDS, title="Fields", json_schema_extra={"item": "field", "row": ["Name"]}
    )
    on_missing: Literal["skip", "fallback"] = Field(
        default="skip",
        title="Where there is nothing",
        description="`fallback`: every field's own fallback; `skip`: whoever it would be for is skipped, unless the template has one.",
        json_schema_extra={
            "words": {"skip": "skip the person", "fallback": "take the fallbacks"},
            "help": "Nobody is skipped where the template has a fallback of its own. Taking fallbacks needs one in every field.",
        },
    )

    @property
    def input_types(self) -> dict[str, str]:
        """The inputs and their types."""
        return {name: variable.type for name, variable in self.inputs.items()}

    @property
    def url(self) -> str:
        """The address of a service, "" of anything else."""
        return self.http.url if self.http is not None else ""

    @property
    def about(self) -> str:
        """The input that says whom a batch is about, which row, or what was liked; "" where there is none."""
        if self.table is not None or self.similar is not None:
            return self.table.input if self.table is not None else cast("Likeness", self.similar).liked
        return self.http.batch.input if self.http is not None and self.http.batch is not None else ""

    @model_validator(mode="after")
    def _sound(self) -> ContentSourceBody:
        faults = [Fault(("inputs", *fault.at[1:]), fault.found, fault.expected) for fault in variable_faults(self.input_types)]
        faults += [*self._inputs(), *self._fields(), *self._part()]
        raise_faults("ContentSourceBody", faults)
        return self

    def _inputs(self) -> Iterator[Fault]:
        for name, variable in self.inputs.items():
            if variable.source.startswith("content."):
                yield Fault(("inputs", name, "source"), variable.source, "what is known of the person or the event: no other source")

    def _fields(self) -> Iterator[Fault]:
        declared: dict[str, Any] = {name: field.type for name, field in self.response.items()}
        for fault in variable_faults(declared):
            yield Fault(("response", *fault.at[1:]), fault.found, fault.expected)
        for name, field in self.response.items():
            if self.on_missing == "fallback" and field.fallback is None:
                yield Fault(("response", name, "fallback"), "nothing", "a fallback: on_missing says that fields have one")

    def _part(self) -> Iterator[Fault]:
        for kind in ("http", "table", "similar"):
            if getattr(self, kind) is None and kind == self.type:
                yield Fault((kind,), "nothing", {"http": "the service that is asked"}.get(kind, "the table, and what it is asked with"))
            elif getattr(self, kind) is not None and kind != self.type:
                yield Fault((kind,), "something", f"nothing: the type is {self.type}")
        if self.type == "http" and self.http is not None:
            yield from self._service(self.http)
        elif self.table is not None:
            yield from self._needs(("table", "input"), self.table.input, ("text", "number"))
        elif self.similar is not None:
            yield from self._needs(("similar", "liked"), self.similar.liked, ("list", "text"))

    def _service(self, service: Service) -> Iterator[Fault]:
        faults = list(url_faults(service.url, self.input_types, ("http", "url")))
        yield from faults
        if service.batch is not None:
            yield from self._needs(("http", "batch", "input"), service.batch.input, ("text", "number"))
            if not faults and service.batch.input in names_in(service.url):
                yield Fault(("http", "url"), service.batch.input, "an address without it: a batch sends it for many people at once")

    def _needs(self, at: tuple[str, ...], name: str, types: tuple[str, ...]) -> Iterator[Fault]:
        if name not in self.inputs:
            yield Fault(at, name, f"one of the inputs: {', '.join(self.inputs) or 'there are none'}")
        elif self.inputs[name].type not in types:
            yield Fault(at, name, f"an input that is a {' or a '.join(types)}")
