"""A rule in plain English: what a person reads before approving it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from audience.consent import topic_words
from audience.names import Names
from audience.rule_words import BARE, CHANNEL_WORDS, GROUP_WORDS, LISTS, op_words
from audience.rules import nodes
from audience.rules.values import Around, Span, Window
from governance.door import DocumentModel

SHOWN = 5  # values of a list that are spelled out
_FIELDS = {
    "locale": "language",
    "created_at": "profile's creation",
    "zone": "time zone",
    "email": "e-mail address",
    "phone": "phone number",
}
_OWN = " (by the day in their own time zone)"
_MESSAGES = {  # what became of a message: as it is said, and as its opposite
    "sent": ("who were sent", "who were never sent"),
    "delivered": ("who got", "who never got"),
    "opened": ("who opened", "who never opened"),
    "clicked": ("who clicked in", "who never clicked in"),
    "bounced": ("who didn’t get, because it bounced,", "for whom there never bounced"),
    "complained": ("who complained of", "who never complained of"),
    "unsubscribed": ("who unsubscribed by", "who never unsubscribed by"),
}
_CHANNELS = {name: words.removeprefix("by ") for name, words in CHANNEL_WORDS}


def sentence(rule: DocumentModel, names: Names | None = None) -> str:
    """The whole rule as one sentence. names: what things are called; their keys stand in where nothing is given."""
    text = clause(rule, names)
    return f"{text[:1].upper()}{text[1:]}." if text.startswith("everyone") else f"People {text}."


def outline(rule: DocumentModel, names: Names | None = None) -> str:
    """The whole rule with a line for each condition, groups indented below their first line, as the builder has them."""
    word, _ = nodes.children_of(rule)
    return "People for whom " + "\n".join(_outlined(rule, names or Names())) if word else sentence(rule, names)


def _outlined(node: DocumentModel, names: Names) -> Iterator[str]:
    word, children = nodes.children_of(node)
    yield f"{dict(GROUP_WORDS)[word]}:"
    for child in children:
        lines = list(_outlined(child, names)) if nodes.children_of(child)[0] else [clause(child, names)]
        yield f"  – {lines[0]}"
        yield from (f"    {line}" for line in lines[1:])


def clause(node: DocumentModel, names: Names | None = None) -> str:
    """One node as a part of a sentence that begins with "people"."""
    return _clause(node, names or Names(), bare=True)


def _clause(node: DocumentModel, names: Names, *, bare: bool = False) -> str:
    """bare: nothing stands beside this clause, so it needs no brackets."""
    word, children = nodes.children_of(node)
    if not word:
        return _LEAVES[type(node)](node, names)
    if word == "none":
        return _bracketed("everyone" + _except(children, names), bare)
    if word == "any":
        return _bracketed(_joined([_clause(child, names, bare=len(children) == 1) for child in children], "or"), bare or len(children) == 1)
    left_out = [child for group in children if isinstance(group, nodes.None_) for child in group.none]
    wanted = [child for child in children if not isinstance(child, nodes.None_)]
    parts = [_clause(child, names, bare=len(children) == 1) for child in wanted] or ["everyone"]
    return _bracketed(_joined(parts, "and") + (_except(left_out, names) if left_out else ""), bare or len(children) == 1)


def _except(children: list[DocumentModel], names: Names) -> str:
    return f", except those {_joined([_clause(child, names, bare=len(children) == 1) for child in children], 'or')}"


def _bracketed(text: str, bare: bool) -> str:
    return text if bare else f"({text})"


def _joined(parts: list[str], word: str) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def _attribute(node: nodes.Attribute, names: Names) -> str:
    fresh = f", by a score not older than {_span(node.fresh)}," if node.fresh else ""
    asked = _test(node.op, node.value, several=node.attribute in names.several)
    return f"whose {names.attribute(node.attribute)} {asked}{_OWN if node.zone else ''}{fresh}"


def _profile(node: nodes.Profile, names: Names) -> str:
    return f"whose {_FIELDS.get(node.profile, node.profile)} {_test(node.op, node.value)}{_OWN if node.zone else ''}"


def _test(op: str, value: Any, *, several: bool = False, past: bool = False) -> str:
    words = op_words(op, several=several, past=past)
    if op in BARE:
        return words
    if op == "anniversary":
        return f"{words} {_span(value)}" if isinstance(value, Span) else f"{words.partition(' within')[0]} today"
    if op == "between":
        return f"{words} {_value(value[0])} and {_value(value[1])}"
    if op in LISTS:
        return f"{words} {_values(value, 'and' if op == 'has_all' else 'or')}"
    if isinstance(value, Around):
        return f"{words} {value.km:g} km of {value.lat:g}, {value.lon:g}"
    return f"{words} {_span(value) if isinstance(value, Span) else _value(value)}"


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


def _event(node: nodes.Event, names: Names) -> str:
    often = _often(node)
    text = f"who did {_happening(node.event, (), names)} {often}" if often else f"who never did {_happening(node.event, (), names)}"
    return text + _having(node.where) + _in_the_last(node.within)


def _often(node: nodes.Event | nodes.Message) -> str:
    """How often; nothing for never."""
    count = 1 if node.count is None else node.count
    if node.op == "never" or (node.op in ("at_most", "exactly") and count == 0):
        return ""
    times = "once" if count == 1 else "twice" if count == 2 else f"{count:,} times"
    return f"{node.op.replace('_', ' ')} {times}"


def _happening(name: str, where: Sequence[nodes.Property], names: Names) -> str:
    return f"“{names.of('event', name)}”{_having(where)}"


def _having(where: Sequence[nodes.Property]) -> str:
    return f" with {_joined([_property(test) for test in where], 'and')}" if where else ""


def _in_the_last(within: Window | None) -> str:
    return f" in the last {_span(within)}" if within else ""


def _message(node: nodes.Message, names: Names) -> str:
    channel = f" {_CHANNELS.get(node.channel, node.channel)}" if node.channel else ""
    of = f"a{channel} message of “{names.of('campaign', node.campaign)}”" if node.campaign else f"any{channel} message"
    often, (was, never) = _often(node), _MESSAGES[node.message]
    return f"{f'{was} {of} {often}' if often else f'{never} {of}'}{_in_the_last(node.within)}"


def _sequence(node: nodes.Sequence, names: Names) -> str:
    *before, last = (_happening(step.event, step.where, names) for step in node.sequence)
    apart = f"{node.apart.amount:,} {node.apart.unit[:-1] if node.apart.amount == 1 else node.apart.unit}"
    start = f"who did {', then '.join(before)}{_in_the_last(node.within)}"
    each = " of each other" if len(node.sequence) > 2 else ""
    if node.op == "followed":
        return f"{start} and then {last}, within {apart}{each}"
    return f"{start}{f', within {apart}{each},' if len(before) > 1 else ''} and then not {last} within {apart}"


def _measure(node: nodes.Measure, names: Names) -> str:
    which = _happening(node.measure, node.where, names) + _in_the_last(node.within)
    if node.how in ("first", "last"):
        return f"whose {node.how} {which} {_test(node.op, node.value, past=True)}"
    of = {"sum": "total", "average": "average", "smallest": "smallest", "largest": "largest"}[node.how]
    return f"whose {of} {node.of} of all {which} {_test(node.op, node.value)}"


def _record(node: nodes.Record, names: Names) -> str:
    count, kind = 1 if node.count is None else node.count, names.of("record_type", node.record)
    role = f" as “{node.role}”" if node.role else ""
    having = f" that have {_joined([_field(test, node.record, names) for test in node.where], 'and')}" if node.where else ""
    if node.op == "never" or (node.op in ("at_most", "exactly") and count == 0):
        return f"with no “{kind}”{role}{having.replace(' that have', ' that has', 1)}"
    how_many = f"{node.op.replace('_', ' ')} {count:,}"
    return f"with {how_many} “{kind}”{role}{having if count > 1 else having.replace(' that have', ' that has', 1)}"


def _field(test: nodes.RecordField, record: str, names: Names) -> str:
    asked, title = _test(test.op, test.value), names.record_field(record, test.field)
    words = f"{title} that {asked}" if test.op in ("exists", "missing") else f"{title} {asked.removeprefix('is ')}"
    return f"{words}{_OWN if test.zone else ''}"


def _share(node: nodes.Share, names: Names) -> str:
    return f"in a share of {node.share.percent:g} %, drawn for “{node.share.salt}”"


def _property(test: nodes.Property) -> str:
    return f"{test.property} that {_test(test.op, test.value)}" if test.op in ("exists", "missing") else f"{test.property} {_bare(test)}"


def _bare(test: nodes.Property) -> str:
    return _test(test.op, test.value).removeprefix("is ")


def _consent(node: nodes.Consent, names: Names) -> str:
    said = "who agreed to" if node.consent.state == "subscribed" else "who have yet to confirm that they agree to"
    channel = _CHANNELS.get(node.consent.channel, node.consent.channel)
    return f"{said} {channel}" if node.consent.topic == "*" else f"{said} “{topic_words(node.consent.topic)}” by {channel}"


_LEAVES: dict[type[DocumentModel], Callable[[Any, Names], str]] = {
    nodes.Attribute: _attribute,
    nodes.Profile: _profile,
    nodes.Event: _event,
    nodes.Message: _message,
    nodes.Measure: _measure,
    nodes.Sequence: _sequence,
    nodes.Record: _record,
    nodes.Share: _share,
    nodes.Segment: lambda node, names: f"in the segment “{names.of('segment', node.segment)}”",
    nodes.OnList: lambda node, names: f"on the list “{names.of('list', node.list)}”",
    nodes.Consent: _consent,
    nodes.Reachable: lambda node, names: f"who can be reached by {_CHANNELS[node.reachable]}",
    nodes.Everyone: lambda node, names: "everyone",
    nodes.Trigger: lambda node, names: f"whose event has {_property(node.trigger)}",
}
