"""A rule in plain English: what a person reads before approving it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from audience.consent import topic_words
from audience.rules import nodes
from audience.rules.values import Span, Window
from governance.door import DocumentModel

SHOWN = 5  # values of a list that are spelled out
_VERBS = {
    "is": "is",
    "is_not": "is not",
    "contains": "contains",
    "starts_with": "starts with",
    "gt": "is more than",
    "gte": "is at least",
    "lt": "is less than",
    "lte": "is at most",
    "before": "is before",
    "after": "is after",
}
_FIELDS = {"created_at": "profile's creation", "zone": "time zone", "email": "e-mail address", "phone": "phone number"}
_CHANNELS = {"email": "e-mail", "sms": "SMS", "push": "push"}


def sentence(rule: DocumentModel, titles: Mapping[str, str] | None = None) -> str:
    """The whole rule as one sentence. titles: what attributes are called; their names stand in where there is none."""
    text = clause(rule, titles)
    return f"{text[:1].upper()}{text[1:]}." if text.startswith("everyone") else f"People {text}."


def clause(node: DocumentModel, titles: Mapping[str, str] | None = None) -> str:
    """One node as a part of a sentence that begins with "people"."""
    return _clause(node, titles or {}, bare=True)


def _clause(node: DocumentModel, titles: Mapping[str, str], *, bare: bool = False) -> str:
    """bare: nothing stands beside this clause, so it needs no brackets."""
    word, children = nodes.children_of(node)
    if not word:
        return _LEAVES[type(node)](node, titles)
    if word == "none":
        return _bracketed("everyone" + _except(children, titles), bare)
    if word == "any":
        return _bracketed(
            _joined([_clause(child, titles, bare=len(children) == 1) for child in children], "or"), bare or len(children) == 1
        )
    left_out = [child for group in children if isinstance(group, nodes.None_) for child in group.none]
    wanted = [child for child in children if not isinstance(child, nodes.None_)]
    parts = [_clause(child, titles, bare=len(children) == 1) for child in wanted] or ["everyone"]
    return _bracketed(_joined(parts, "and") + (_except(left_out, titles) if left_out else ""), bare or len(children) == 1)


def _except(children: list[DocumentModel], titles: Mapping[str, str]) -> str:
    return f", except those {_joined([_clause(child, titles, bare=len(children) == 1) for child in children], 'or')}"


def _bracketed(text: str, bare: bool) -> str:
    return text if bare else f"({text})"


def _joined(parts: list[str], word: str) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def _attribute(node: nodes.Attribute, titles: Mapping[str, str]) -> str:
    return f"whose {titles.get(node.attribute, node.attribute)} {_test(node.op, node.value)}"


def _profile(node: nodes.Profile, titles: Mapping[str, str]) -> str:
    return f"whose {_FIELDS.get(node.profile, node.profile)} {_test(node.op, node.value)}"


def _test(op: str, value: Any) -> str:
    if op in ("in", "not_in"):
        return f"is {'one of' if op == 'in' else 'none of'} {_values(value)}"
    if op == "has_all":
        return f"has all of {_values(value, 'and')}"
    if op == "anniversary":
        return f"has its day of the year {f'within the next {_span(value)}' if isinstance(value, Span) else 'today'}"
    if op in ("exists", "missing"):
        return "is known" if op == "exists" else "is not known"
    if op == "between":
        return f"is between {_value(value[0])} and {_value(value[1])}"
    if isinstance(value, Span):
        return {"in_last": "is in the last {}", "in_next": "is in the next {}", "more_than_ago": "is more than {} ago"}[op].format(
            _span(value)
        )
    return f"{_VERBS[op]} {_value(value)}"


def _span(span: Span | Window) -> str:
    amount = span.amount if isinstance(span, Span) else span.last
    return span.unit[:-1] if amount == 1 and isinstance(span, Window) else f"{amount:,} {span.unit[:-1] if amount == 1 else span.unit}"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value) if isinstance(value, float) else f"“{value}”"


def _values(values: list[object], word: str = "or") -> str:
    told = [_value(value) for value in values[:SHOWN]]
    return _joined(told, word) if len(values) <= SHOWN else f"{', '.join(told)} {word} {len(values) - SHOWN:,} more"


def _event(node: nodes.Event, titles: Mapping[str, str]) -> str:
    count = 1 if node.count is None else node.count
    times = "once" if count == 1 else "twice" if count == 2 else f"{count:,} times"
    never = node.op == "never" or (node.op in ("at_most", "exactly") and count == 0)
    often = {"at_least": f"at least {times}", "at_most": f"at most {times}", "exactly": f"exactly {times}"}.get(node.op, "")
    text = f"who never did “{node.event}”" if never else f"who did “{node.event}” {often}"
    if node.where:
        text += f" with {_joined([_property(test) for test in node.where], 'and')}"
    return f"{text} in the last {_span(node.within)}" if node.within else text


def _measure(node: nodes.Measure, titles: Mapping[str, str]) -> str:
    which = f"“{node.measure}”"
    if node.where:
        which += f" with {_joined([_property(test) for test in node.where], 'and')}"
    if node.within:
        which += f" in the last {_span(node.within)}"
    if node.how in ("first", "last"):
        return f"whose {node.how} {which} {_test(node.op, node.value).replace('is ', 'was ', 1)}"
    of = {"sum": "total", "average": "average", "smallest": "smallest", "largest": "largest"}[node.how]
    return f"whose {of} {node.of} of all {which} {_test(node.op, node.value)}"


def _share(node: nodes.Share, titles: Mapping[str, str]) -> str:
    return f"in a share of {node.share.percent:g} %, drawn for “{node.share.salt}”"


def _property(test: nodes.Property) -> str:
    return f"{test.property} that {_test(test.op, test.value)}" if test.op in ("exists", "missing") else f"{test.property} {_bare(test)}"


def _bare(test: nodes.Property) -> str:
    return _test(test.op, test.value).removeprefix("is ")


_LEAVES: dict[type[DocumentModel], Callable[[Any, Mapping[str, str]], str]] = {
    nodes.Attribute: _attribute,
    nodes.Profile: _profile,
    nodes.Event: _event,
    nodes.Measure: _measure,
    nodes.Share: _share,
    nodes.Segment: lambda node, titles: f"in the segment “{node.segment}”",
    nodes.Consent: lambda node, titles: (
        f"who agreed to “{topic_words(node.consent.topic)}” by {_CHANNELS.get(node.consent.channel, node.consent.channel)}"
        if node.consent.topic != "*"
        else f"who agreed to {_CHANNELS.get(node.consent.channel, node.consent.channel)}"
    ),
    nodes.Reachable: lambda node, titles: f"who can be reached by {_CHANNELS[node.reachable]}",
    nodes.Everyone: lambda node, titles: "everyone",
    nodes.Trigger: lambda node, titles: f"whose event has {_property(node.trigger)}",
}
