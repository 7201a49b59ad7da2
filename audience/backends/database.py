"""The truth: any rule as one query, on SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, Exists, Expression, ExpressionWrapper, Max, Min, OuterRef, Q, QuerySet, Value, When
from django.db.models.fields import BooleanField
from pyroaring import BitMap64

from audience import sql
from audience.backends.capabilities import DATABASE, answers
from audience.backends.checks_sql import AmongIds, Checked, InShare
from audience.backends.facts import Facts, facts_for
from audience.backends.measures_sql import MeasuredIn
from audience.backends.records_sql import related
from audience.backends.sequences_sql import InSequence
from audience.models import Device, Event, ListMember, Profile, ProfileFacts, Subscription
from audience.rules.bound import (
    Addressed,
    Bound,
    Check,
    Consented,
    Constant,
    Counted,
    Fresh,
    Group,
    Leaf,
    Listed,
    Measured,
    Member,
    OneOf,
    Present,
    PropertyTest,
    Range,
    Related,
    Sequenced,
    Share,
    Tested,
    Zoned,
    joined_alternatives,
)
from audience.sources import source_of

AT_ONCE = 10_000  # ids of `within` in one query
_COLUMNS = {"country": "country", "locale": "locale", "zone": "zone", "email": "email_key", "phone": "phone"}
_ADDRESSES = {"email": "email_key", "sms": "phone"}


class Database:
    """Answers everything. Its bounds keep one statement within SQLite's parser (a stack of 100, expressions of depth 1,000)."""

    name = DATABASE
    max_conditions = 150
    max_depth = 12

    def answers(self, leaf: Leaf) -> bool:
        """Whether the database answers this condition exactly: always."""
        return answers(self.name, leaf)

    def ids(self, workspace_id: int, node: Bound, *, within: BitMap64 | None = None) -> BitMap64:
        """The profiles that match; with `within`, only those of these ids."""
        if within is None:
            found: BitMap64 = self._answered(workspace_id, node, _fetched)
            return found
        rows = people(workspace_id).filter(condition(workspace_id, node))
        found = BitMap64()
        for start in range(0, len(within), AT_ONCE):
            found |= _fetched(rows.filter(AmongIds("pk", list(within[start : start + AT_ONCE]))))
        return found

    def count(self, workspace_id: int, node: Bound) -> int:
        """How many match."""
        many: int = self._answered(workspace_id, node, lambda rows: rows.count())
        return many

    def _answered(self, workspace_id: int, node: Bound, ask: Callable[[QuerySet[Any]], Any]) -> Any:
        """What `ask` makes of the people who match: by their facts, where those know everything that the rule asks of a person's row."""
        facts = facts_for(workspace_id, node)
        if facts is not None:
            answer = ask(ProfileFacts.objects.filter(condition(workspace_id, node, facts), workspace_id=workspace_id))
            if facts.stand():
                return answer
        return ask(people(workspace_id).filter(condition(workspace_id, node)))


def people(workspace_id: int) -> QuerySet[Profile]:
    """Everyone of a workspace whom a rule may match: the erased are nobody."""
    return Profile.objects.filter(workspace_id=workspace_id, gone_at__isnull=True)


def condition(workspace_id: int, node: Bound, facts: Facts | None = None) -> Q:
    """The condition on a profile, with `facts` on a person's facts, that a bound rule stands for; it is true or false, never NULL."""
    if isinstance(node, Group):
        return _group(workspace_id, node, facts)
    if isinstance(node, Member):
        return condition(workspace_id, node.rule, facts)
    found = _of_facts(facts, node) if facts is not None and isinstance(node, Tested | Fresh | Addressed) else None
    if found is None:
        found = _LEAVES[type(node)](workspace_id, node)
    return ~found if getattr(node, "negated", False) else found


def _of_facts(facts: Facts, leaf: Tested | Fresh | Addressed) -> Q | None:
    """The condition on the columns; None where it asks nothing of the person's row."""
    if isinstance(leaf, Fresh):
        return facts.passes(leaf.score) & facts.passes(leaf.made)
    return facts.addressed(leaf.channel) if isinstance(leaf, Addressed) else facts.passes(leaf)


def _group(workspace_id: int, node: Group, facts: Facts | None) -> Q:
    first, *others = joined_alternatives(node)
    joined = condition(workspace_id, first, facts)
    for child in others:
        other = condition(workspace_id, child, facts)
        joined = joined & other if node.op == "all" else joined | other
    return ~joined if node.op == "none" else joined


def _tested(workspace_id: int, leaf: Tested) -> Q:
    return _passes(leaf, leaf.check)


def _fresh(workspace_id: int, leaf: Fresh) -> Q:
    return _tested(workspace_id, leaf.score) & _tested(workspace_id, leaf.made)


def _zoned(workspace_id: int, leaf: Zoned) -> Q:
    """One CASE over the zones: in the year 1900 every place had a time of its own, and SQLite's expressions go only so deep."""
    cases = [When(Q(Checked("zone", None, "text", OneOf(zones))), then=_answer(leaf, check)) for zones, check in leaf.cases]
    return Q(Case(*cases, default=_answer(leaf, leaf.elsewhere), output_field=BooleanField()))


def _answer(leaf: Zoned, check: Check) -> Expression:
    return ExpressionWrapper(_passes(leaf, check), output_field=BooleanField())


def _passes(leaf: Tested | Zoned, check: Check) -> Q:
    if leaf.source == "attribute":
        return Q(Checked("folded", leaf.name, leaf.type, check))
    if leaf.name == "created_at":
        assert isinstance(check, Range)
        return _between("created_at", check)
    return Q(Checked(_COLUMNS[leaf.name], None, "text", check))


def _between(column: str, check: Range) -> Q:
    bounds: dict[str, Any] = {}
    if check.low is not None:
        bounds[f"{column}__{'gt' if check.open_low else 'gte'}"] = datetime.fromisoformat(str(check.low))
    if check.high is not None:
        bounds[f"{column}__{'lt' if check.open_high else 'lte'}"] = datetime.fromisoformat(str(check.high))
    return Q(**bounds)


def _counted(workspace_id: int, leaf: Counted) -> Q:
    events, person = matching_events(workspace_id, leaf)
    if leaf.low == 1 and leaf.high is None:
        return Q(Exists(events.filter(**{person: OuterRef("pk")})))
    often = events.order_by().values(person).annotate(times=Count("*")).filter(times__gte=leaf.low)
    if leaf.high is not None:
        often = often.filter(times__lte=leaf.high)
    return Q(pk__in=often.values(person))


def _measured(workspace_id: int, leaf: Measured) -> Q:
    events, person = matching_events(workspace_id, leaf)
    by_person = events.order_by().values(person)
    if leaf.of:
        found = by_person.annotate(fits=MeasuredIn("folded", leaf.of, leaf.how, leaf.check)).filter(fits=True)
    else:
        found = by_person.annotate(moment=(Min if leaf.how == "first" else Max)("at")).filter(_between("moment", leaf.check))
    return Q(pk__in=found.values(person))


def _sequenced(workspace_id: int, leaf: Sequenced) -> Q:
    first, *others = leaf.steps
    steps = [_events(workspace_id, first.event, leaf.since, leaf.until, first.where)]
    steps += [_events(workspace_id, step.event, None, leaf.until, step.where) for step in others]
    return Q(InSequence("pk", steps, leaf.apart, followed=leaf.followed, until=leaf.until))


def matching_events(workspace_id: int, leaf: Counted | Measured) -> tuple[QuerySet[Any], str]:
    """The events that a condition counts, or takes numbers from, of everyone, and the column of the person."""
    events, person = _events(workspace_id, leaf.event, leaf.since, leaf.until, leaf.where)
    if isinstance(leaf, Measured) and leaf.of:
        events = events.filter(Q(Checked("folded", leaf.of, "number", Present())))
    return events, person


def _events(
    workspace_id: int, name: str, since: datetime | None, until: datetime, where: Sequence[PropertyTest]
) -> tuple[QuerySet[Any], str]:
    """The events of a name, wherever they are kept, and the column of the person."""
    source = source_of(name)
    if source is not None:
        return source.rows(workspace_id, name, since, until, _having(where)), source.column
    return recorded(workspace_id, name, since, where).filter(at__lte=until), "profile_id"


def recorded(workspace_id: int, name: str, since: datetime | None, where: Sequence[PropertyTest]) -> QuerySet[Event]:
    """The events of a name that were recorded here, whose properties pass; those that lie ahead among them."""
    events = Event.objects.filter(workspace_id=workspace_id, name=name)
    if since is not None:
        events = events.filter(at__gte=since)
    for test in where:
        passes = Q(Checked("folded", test.name, test.type, test.check))
        events = events.filter(~passes if test.negated else passes)
    return events


def _having(where: Sequence[PropertyTest]) -> dict[str, list[str]]:
    """What each property must be, for a source; of two conditions on one both hold."""
    having: dict[str, list[str]] = {}
    for test in where:
        assert isinstance(test.check, OneOf)
        wanted = [str(one) for one in test.check.values]
        having[test.name] = [one for one in having.get(test.name, wanted) if one in wanted]
    return having


def _consented(workspace_id: int, leaf: Consented) -> Q:
    own = Subscription.objects.filter(workspace_id=workspace_id, profile_id=OuterRef("pk"), channel=leaf.channel)
    if leaf.pending:
        return Q(Exists(own.filter(topic=leaf.topic, state="pending", confirm_until__gt=leaf.at)))
    lasting = Q(expires_at=None) | Q(expires_at__gt=leaf.at)
    agreed = Q(Exists(own.filter(lasting, topic=leaf.topic, state="subscribed")))
    return agreed & ~Q(Exists(own.filter(Q(state="unsubscribed") | Q(refused=True), topic="*")))


def _addressed(workspace_id: int, leaf: Addressed) -> Q:
    if leaf.channel == "push":
        return Q(Exists(Device.objects.filter(workspace_id=workspace_id, profile_id=OuterRef("pk"), invalid_at__isnull=True)))
    return Q(Checked(_ADDRESSES[leaf.channel], None, "text", Present()))


def _fetched(rows: QuerySet[Profile]) -> BitMap64:
    """The ids of the rows, without an object per row."""
    found = BitMap64()
    for some in sql.numbers_of(rows.values_list("pk", flat=True).order_by()):
        found |= BitMap64(some)
    return found


_LEAVES: dict[type[Leaf], Callable[[int, Any], Q]] = {
    Tested: _tested,
    Counted: _counted,
    Measured: _measured,
    Sequenced: _sequenced,
    Related: related,
    Zoned: _zoned,
    Fresh: _fresh,
    Share: lambda workspace_id, leaf: Q(InShare("pk", leaf.salt, leaf.millionths)),
    Listed: lambda workspace_id, leaf: Q(pk__in=ListMember.objects.filter(of=leaf.number).values("profile_id")),
    Consented: _consented,
    Addressed: _addressed,
    Constant: lambda workspace_id, leaf: Q(Value(leaf.everyone, output_field=BooleanField())),
}
