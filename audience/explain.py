"""Why a person is in a segment, or isn't: the rule as a tree, each node with its answer and what decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, Case, Count, Max, Value, When

from audience import sentences
from audience.backends.database import condition, matching_events, people
from audience.backends.records_sql import matching_relations
from audience.bitmaps import draw
from audience.catalogue import AttributeBody, attribute_of, hidden_from, value_of
from audience.masking import shown
from audience.models import Profile, Subscription
from audience.names import Names, names_of
from audience.profiles import Person, load
from audience.resolve import Drafts, Question, Segment, question, resolve
from audience.rules import nodes
from audience.rules.binding import Lookup
from audience.rules.bound import Bound, Consented, Counted, Fresh, Leaf, Measured, Member, Related, Tested, Zoned, below, leaves
from governance.door import Actor, DocumentModel, Missing, Role

AT_ONCE = 50  # conditions asked in one query
HIDDEN = "known, not shown"


@dataclass(frozen=True, slots=True)
class Explanation:
    """One node of the rule and its answer for one person.

    node: its word ("all", "attribute", …); path: its place in the rule's document; sentence: the node in English;
    decided: whether the whole answer hangs on this node's; facts: what is known of the person here.
    """

    node: str
    path: str
    matched: bool
    sentence: str
    decided: bool = False
    facts: dict[str, Any] = field(default_factory=dict)
    children: tuple[Explanation, ...] = ()

    def deciding(self) -> list[Explanation]:
        """The conditions that the answer hangs on, from left to right."""
        if not self.children:
            return [self] if self.decided else []
        return [found for child in self.children for found in child.deciding()]


@dataclass(frozen=True, slots=True)
class Sampled:
    """Somebody, and the conditions that brought them into a segment, or keep them out."""

    person: Person
    why: tuple[str, ...]


def explain(
    workspace_id: int, segment: Segment, profile_id: int, *, as_of: datetime, drafts: bool = False, role: Role = Role.APPROVER
) -> Explanation:
    """Why the person is in the segment or not; always the answer that `resolve` gives. role: who is told; addresses and what is sensitive
    nobody is, whatever theirs. Raises Missing and Invalid."""
    profile = people(workspace_id).filter(pk=profile_id).first()
    if profile is None:
        raise Missing("no such profile")
    asked = question(workspace_id, segment, as_of=as_of, drafts=drafts)
    answers = _answers(workspace_id, asked.node, [profile_id])[profile_id]
    tree = _Teller(answers, asked.read, names_of(workspace_id, asked.known)).tell(asked.written, asked.node)
    role = min(role, Role.APPROVER, key=list(Role).index)
    facts = {id(leaf): _facts(workspace_id, leaf, profile, asked.known, role) for leaf in _distinct(asked.node)}
    return _decide(_with_facts(tree, asked.node, facts), True)


def sample(
    workspace_id: int, segment: Segment, many: int, *, as_of: datetime, drafts: bool = False, actor: Actor | None = None
) -> list[Sampled]:
    """Some people of the segment, drawn as if by chance but the same at every look, and why each is in it. actor: who is shown them."""
    ids = draw(resolve(workspace_id, segment, as_of=as_of, drafts=drafts).ids, many, salt=workspace_id)
    found = reasons(workspace_id, segment, ids, as_of=as_of, drafts=drafts)
    return found if actor is None else as_seen(actor, found)


def as_seen(actor: Actor, some: Sequence[Sampled]) -> list[Sampled]:
    """These people as this actor may see them."""
    return [replace(each, person=person) for each, person in zip(some, shown(actor, [each.person for each in some]), strict=True)]


def reasons(workspace_id: int, segment: Segment, ids: Sequence[int], *, as_of: datetime, drafts: Drafts = False) -> list[Sampled]:
    """These people, whether the segment has them or not, and the conditions that decided so; without those who are gone."""
    told = told_of(workspace_id, question(workspace_id, segment, as_of=as_of, drafts=drafts), ids)
    return [
        Sampled(person, tuple(in_words(leaf) for leaf in told[person.id].deciding()))
        for person in load(workspace_id, ids)
        if person.id in told
    ]


def told_of(workspace_id: int, asked: Question, ids: Sequence[int]) -> dict[int, Explanation]:
    """The rule's answer for each of these people, without facts, in a handful of queries."""
    names, answers = names_of(workspace_id, asked.known), _answers(workspace_id, asked.node, ids)
    return {pk: _decide(_Teller(found, asked.read, names).tell(asked.written, asked.node), True) for pk, found in answers.items()}


def in_words(leaf: Explanation) -> str:
    """A condition and its answer."""
    return leaf.sentence if leaf.matched else f"not: {leaf.sentence}"


def _distinct(node: Bound) -> list[Leaf]:
    return list({id(leaf): leaf for leaf in leaves(node)}.values())


def _answers(workspace_id: int, node: Bound, ids: Sequence[int]) -> dict[int, dict[int, bool]]:
    """Every condition's answer for each of these people: person → id() of the condition → answer."""
    conditions = _distinct(node)
    answers: dict[int, dict[int, bool]] = {}
    for start in range(0, len(conditions), AT_ONCE):
        part = conditions[start : start + AT_ONCE]
        asked = {
            f"answer_{place}": Case(
                When(condition(workspace_id, leaf), then=Value(True)), default=Value(False), output_field=BooleanField()
            )
            for place, leaf in enumerate(part)
        }
        for pk, *found in people(workspace_id).filter(pk__in=ids).annotate(**asked).values_list("pk", *asked):
            answers.setdefault(pk, {}).update({id(leaf): bool(one) for leaf, one in zip(part, found, strict=True)})
    return answers


@dataclass(frozen=True, slots=True)
class _Teller:
    """Puts the rule as written beside the rule as asked, which have the same shape."""

    answers: Mapping[int, bool]
    read: Lookup
    names: Names

    def tell(self, written: DocumentModel, node: Bound) -> Explanation:
        word, children = nodes.children_of(written)
        sentence = sentences.clause(written, self.names)
        if word:
            inside = tuple(self.tell(child, part) for child, part in zip(children, below(node), strict=True))
            matched = (
                all(child.matched for child in inside) if word == "all" else any(child.matched for child in inside) != (word == "none")
            )
            return Explanation(word, node.path, matched, sentence, children=inside)
        if isinstance(node, Member) and (rule := self.read(node.key)) is not None:
            told = self.tell(rule, node.rule)
            return Explanation("segment", node.path, told.matched, sentence, children=(told,))
        return Explanation(_word(written), node.path, self.answers[id(node)], sentence)


def _word(written: DocumentModel) -> str:
    return next(word for word, model in nodes.NODES.items() if isinstance(written, model))


def _decide(told: Explanation, decided: bool) -> Explanation:
    """Mark what the answer hangs on: of an `all` that fails only what failed, of an `any` that holds only what held."""
    turned = told.node == "none"
    children = tuple(
        _decide(child, decided and (child.matched != told.matched if turned else child.matched == told.matched)) for child in told.children
    )
    return replace(told, decided=decided, children=children)


def _with_facts(told: Explanation, node: Bound, facts: Mapping[int, dict[str, Any]]) -> Explanation:
    if not told.children:
        return replace(told, facts=facts.get(id(node), {}))
    inside = tuple(_with_facts(child, part, facts) for child, part in zip(told.children, below(node), strict=True))
    return replace(told, children=inside)


def _facts(workspace_id: int, leaf: Leaf, profile: Profile, known: Mapping[str, AttributeBody], role: Role) -> dict[str, Any]:
    if isinstance(leaf, Fresh):
        return {"value": value_shown(leaf.score, profile, known, role), "made": value_shown(leaf.made, profile, known, role)}
    if isinstance(leaf, Tested | Zoned):
        zone = {"zone": profile.zone or "UTC"} if isinstance(leaf, Zoned) else {}
        return {"value": value_shown(leaf, profile, known, role), **zone}
    if isinstance(leaf, Counted | Measured):
        events, person = matching_events(workspace_id, leaf)
        found = events.filter(**{person: profile.pk}).aggregate(times=Count("*"), last=Max("at"))
        return {"times": found["times"], "last": found["last"]}
    if isinstance(leaf, Related):
        return {"records": matching_relations(workspace_id, leaf).filter(profile_id=profile.pk).values("record_id").distinct().count()}
    if isinstance(leaf, Consented):
        rows = Subscription.objects.filter(
            workspace_id=workspace_id, profile_id=profile.pk, channel=leaf.channel, topic__in=[leaf.topic, "*"]
        )
        return dict(rows.values_list("topic", "state"))
    return {}


def value_shown(leaf: Tested | Zoned, profile: Profile, known: Mapping[str, AttributeBody], role: Role) -> Any:
    """What is known of the person, except where it is an address or an attribute that isn't for the role."""
    value = value_of(profile.attributes, leaf.name) if leaf.source == "attribute" else getattr(profile, leaf.name)
    about = attribute_of(known, leaf.name)
    hidden = leaf.name in ("email", "phone") if leaf.source == "profile" else hidden_from(role, about)
    return HIDDEN if hidden and value is not None else value
