"""What the things are called that rules name by keys: for sentences, for the builder and for whoever reads either."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any, Literal

from audience.catalogue import Catalogue, catalogue, titles_of, types_of
from audience.event_types import event_titles
from audience.models import IdList
from audience.record_types import record_types
from audience.rule_words import field_of, field_words
from audience.rules import nodes
from governance import door as governance
from governance.door import DocumentModel

Sort = Literal["segment", "event", "list", "campaign", "record_type"]
_DOCUMENTS = ("segment", "campaign", "record_type")


@dataclass(frozen=True, slots=True)
class Names:
    """attributes: titles by the names that rules use; several: those attributes that hold several texts; others: titles by sort and key;
    fields: titles of records' fields by `field_of`. Where nothing is known, a key stands for itself."""

    attributes: Mapping[str, str] = field(default_factory=dict)
    several: Set[str] = frozenset()
    others: Mapping[tuple[str, str], str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)

    def attribute(self, name: str) -> str:
        """What an attribute, or a part of one, is called."""
        return self.attributes.get(name) or name

    def record_field(self, record: str, name: str) -> str:
        """What a field of a type of records is called, as the builder calls it."""
        return self.fields.get(field_of(record, name)) or field_words(name)

    def of(self, sort: Sort, key: str) -> str:
        """What something is called; an event that has no type by its name's words, as on a person's page."""
        known = self.others.get((sort, key))
        return known or (key.replace("_", " ").replace(".", " ") if sort == "event" else key)


@dataclass(frozen=True, slots=True)
class Named:
    """Something in a rule that is called otherwise than its key."""

    sort: Sort
    key: str
    title: str

    @property
    def words(self) -> str:
        """What sort of thing it is."""
        return self.sort.replace("_", " ")


def names_of(workspace_id: int, known: Catalogue | None = None) -> Names:
    """Everything that rules of this workspace may name, in a handful of queries. known: the catalogue, where it was read already."""
    known = catalogue(workspace_id) if known is None else known
    several = {name for name, type_ in types_of(known).items() if type_ == "list"}
    others: dict[tuple[str, str], str] = dict(governance.titles_of_kinds(workspace_id, _DOCUMENTS))
    others |= {("list", key): title for key, title in IdList.objects.filter(workspace_id=workspace_id).values_list("key", "title")}
    others |= {("event", name): title for name, title in event_titles(workspace_id).items()}
    fields = {field_of(key, each.name): each.title for key, body in record_types(workspace_id).items() for each in body.fields}
    return Names(titles_of(known), several, others, fields)


def named_in(rule: DocumentModel, names: Names) -> list[Named]:
    """What the rule names by keys and the sentence by titles, in its order: attributes aside, which have one name everywhere."""
    found: dict[tuple[Sort, str], None] = {}
    for _, node in nodes.walk(rule):
        found.update(dict.fromkeys(_keys(node)))
    return [Named(sort, key, title) for sort, key in found if (title := names.of(sort, key)) != key]


def _keys(node: Any) -> list[tuple[Sort, str]]:
    if isinstance(node, nodes.Sequence):
        return [("event", step.event) for step in node.sequence]
    if isinstance(node, nodes.Message):
        return [("campaign", node.campaign)] if node.campaign else []
    one = _PARTS.get(type(node))
    return [(one[0], getattr(node, one[1]))] if one else []


_PARTS: Mapping[type, tuple[Sort, str]] = {  # what a node names, and in which of its fields
    nodes.Segment: ("segment", "segment"),
    nodes.OnList: ("list", "list"),
    nodes.Event: ("event", "event"),
    nodes.Measure: ("event", "measure"),
    nodes.Record: ("record_type", "record"),
}
