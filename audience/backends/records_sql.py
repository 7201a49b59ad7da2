"""Conditions on related records, set by set: whoever has so many of them, found from the records' side."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, Count, Exists, Expression, ExpressionWrapper, OuterRef, Q, QuerySet, When
from django.db.models.fields import BooleanField

from audience.backends.checks_sql import Checked
from audience.models import Relation
from audience.rules.bound import Check, FieldTest, OneOf, Related
from audience.sql import on_postgres


def related(workspace_id: int, leaf: Related) -> Q:
    """The condition on a profile: it is true or false, never NULL."""
    found = matching_relations(workspace_id, leaf)
    if leaf.low == 1 and leaf.high is None:
        # PostgreSQL joins what exists and reads what is in a large set again for everybody; with SQLite it is the other way round.
        return Q(Exists(found.filter(profile_id=OuterRef("pk")))) if on_postgres() else Q(pk__in=found.values("profile_id"))
    # In several roles somebody has to do with a record once.
    counted = found.values("profile_id").annotate(times=Count("record_id", distinct=not leaf.role)).filter(times__gte=leaf.low)
    if leaf.high is not None:
        counted = counted.filter(times__lte=leaf.high)
    return Q(pk__in=counted.values("profile_id"))


def matching_relations(workspace_id: int, leaf: Related) -> QuerySet[Relation, Any]:
    """Everyone's relations to the records that a condition counts."""
    found = Relation.objects.filter(record__workspace_id=workspace_id, record__type=leaf.record).order_by()
    if leaf.role:
        found = found.filter(role=leaf.role)
    for test in leaf.where:
        passes = _passes(test)
        found = found.filter(~passes if test.negated else passes)
    return found


def _passes(test: FieldTest) -> Q:
    if not test.cases:
        return Q(_checked(test, test.check))
    cases = [When(Q(Checked("profile__zone", None, "text", OneOf(zones))), then=_answer(test, check)) for zones, check in test.cases]
    return Q(Case(*cases, default=_answer(test, test.check), output_field=BooleanField()))


def _checked(test: FieldTest, check: Check) -> Checked:
    return Checked("record__folded", test.name, test.type, check)


def _answer(test: FieldTest, check: Check) -> Expression:
    return ExpressionWrapper(Q(_checked(test, check)), output_field=BooleanField())
