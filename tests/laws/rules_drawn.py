"""Rules as Hypothesis draws them: every node, every operator, values that hit and values that don't."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from audience.rules.fields import FIELD_OPERATORS
from tests.audience.world import CAMPAIGNS, CATALOGUE, DAYS, EVENTS, KEYS, MOMENTS, NUMBERS, SPOTS, STAY, TEXTS

texts = st.one_of(st.sampled_from(TEXTS), st.sampled_from([text[:2] for text in TEXTS if text[:2].strip()]))
numbers = st.one_of(st.sampled_from(NUMBERS), st.integers(-5, 105), st.floats(-10, 110, allow_nan=False))
days = st.sampled_from(DAYS)
moments = st.sampled_from([*MOMENTS, "2026-03-02T10:00:00+01:00"])
day_spans = st.fixed_dictionaries({"amount": st.integers(1, 40), "unit": st.sampled_from(["days", "weeks", "months", "years"])})
spans = st.one_of(day_spans, st.fixed_dictionaries({"amount": st.integers(1, 100), "unit": st.sampled_from(["minutes", "hours"])}))
NO_VALUE = st.none()
arounds = st.builds(
    lambda spot, km: {"lat": spot[0], "lon": spot[1], "km": km},
    st.one_of(st.sampled_from(SPOTS), st.tuples(st.floats(-90, 90), st.floats(-180, 180))),
    st.sampled_from([0.001, 1, 150, 200, 1_000, 10_000, 20_015]),
)


def _listed(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(values, min_size=1, max_size=4)


def _pair(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(values, values).map(lambda pair: sorted(pair))


_ORDERED = dict.fromkeys(("gt", "gte", "lt", "lte"), numbers)
_EQUAL = {"exists": NO_VALUE, "missing": NO_VALUE}
VALUES: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "text": {
        **dict.fromkeys(("is", "is_not", "contains", "starts_with"), texts),
        **{op: _listed(texts) for op in ("in", "not_in")},
        **_EQUAL,
    },
    "number": {
        **dict.fromkeys(("is", "is_not"), numbers),
        **{op: _listed(numbers) for op in ("in", "not_in")},
        **_ORDERED,
        "between": _pair(numbers),
        **_EQUAL,
    },
    "boolean": {"is": st.booleans(), "is_not": st.booleans(), **_EQUAL},
    "date": {
        **dict.fromkeys(("is", "is_not", "before", "after"), days),
        "between": _pair(days),
        **dict.fromkeys(("in_last", "in_next", "more_than_ago"), day_spans),
        "anniversary": st.one_of(NO_VALUE, day_spans),
        **_EQUAL,
    },
    "datetime": {
        **{op: st.one_of(days, moments) for op in ("before", "after")},
        "between": st.one_of(_pair(days), _pair(st.sampled_from(MOMENTS))),
        **dict.fromkeys(("in_last", "in_next", "more_than_ago"), spans),
        "anniversary": st.one_of(NO_VALUE, day_spans),
        **_EQUAL,
    },
    "place": {"near": arounds, **_EQUAL},
    "list": {"contains": texts, "in": _listed(texts), "not_in": _listed(texts), "has_all": _listed(texts), **_EQUAL},
}
_WHOLE: dict[str, st.SearchStrategy[Any]] = {  # values that somebody can have
    "country": st.sampled_from(["DE", "FR", "US"]),
    "locale": st.sampled_from(["de", "fr", "de-AT", "pt"]),
    "zone": st.sampled_from(["Asia/Tokyo", "Europe/Berlin", "Europe/Paris"]),
    "email": st.sampled_from(["p3@example.com", "P77@EXAMPLE.com", "nobody@example.com"]),
    "phone": st.sampled_from(["+49300000003", "+49300000077", "+493023125000"]),
}
_PART: dict[str, st.SearchStrategy[Any]] = {
    "locale": st.sampled_from(["de", "zh", "de-"]),
    "zone": st.sampled_from(["Europe/", "Asia/T", "Z"]),
    "email": st.sampled_from(["1@", "@EXAMPLE", "%", "P1", "p"]),
    "phone": st.sampled_from(["+4930", "+49300000", "+1"]),
}


def _field_value(name: str, op: str) -> st.SearchStrategy[Any]:
    if name == "created_at" or op in _EQUAL:
        return VALUES["datetime"][op]
    if op in ("contains", "starts_with"):
        return _PART[name]
    return _listed(_WHOLE[name]) if op in ("in", "not_in") else _WHOLE[name]


_FIELD_VALUES = {name: {op: _field_value(name, op) for op in operators} for name, operators in FIELD_OPERATORS.items()}


@st.composite
def _tested(draw: st.DrawFn, naming: str, name: str, values: dict[str, st.SearchStrategy[Any]]) -> dict[str, Any]:
    op = draw(st.sampled_from(sorted(values)))
    value = draw(values[op])
    return {naming: name, "op": op} | ({} if value is None else {"value": value})


attributes = st.sampled_from(sorted(CATALOGUE)).flatmap(lambda name: _tested("attribute", name, VALUES[CATALOGUE[name]]))
fields = st.sampled_from(sorted(_FIELD_VALUES)).flatmap(lambda name: _tested("profile", name, _FIELD_VALUES[name]))
properties = st.tuples(st.sampled_from(KEYS), st.sampled_from(["text", "number", "boolean"])).flatmap(
    lambda drawn: _tested("property", drawn[0], VALUES[drawn[1]])
)
windows = st.fixed_dictionaries({"last": st.integers(1, 35), "unit": st.sampled_from(["days", "hours", "weeks", "months"])})


@st.composite
def _events(draw: st.DrawFn) -> dict[str, Any]:
    op = draw(st.sampled_from(["at_least", "at_most", "exactly", "never"]))
    counted = {} if op == "never" else {"count": draw(st.integers(1 if op == "at_least" else 0, 3))}
    within = draw(st.one_of(st.none(), windows))
    where = draw(st.lists(properties, max_size=2))
    return (
        {"event": draw(st.sampled_from(EVENTS)), "op": op}
        | counted
        | ({"within": within} if within else {})
        | ({"where": where} if where else {})
    )


_HOWS = ("sum", "average", "smallest", "largest")
_NUMBERS_OF = {op: VALUES["number"][op] for op in ("gt", "gte", "lt", "lte", "between")}
_MOMENTS_OF = {op: VALUES["datetime"][op] for op in ("before", "after", "between", "in_last", "more_than_ago")}


@st.composite
def _measures(draw: st.DrawFn, how: str | None = None, op: str | None = None) -> dict[str, Any]:
    """What events come to. Without a property's test as often as with one: few events pass any."""
    how = how or draw(st.sampled_from([*_HOWS, "first", "last"]))
    values = _NUMBERS_OF if how in _HOWS else _MOMENTS_OF
    op = op or draw(st.sampled_from(sorted(values)))
    within, where = draw(st.one_of(st.none(), windows)), draw(st.one_of(st.just([]), st.lists(properties, max_size=1)))
    return (
        {"measure": draw(st.sampled_from(EVENTS)), "how": how, "op": op, "value": draw(values[op])}
        | ({"of": draw(st.sampled_from(KEYS))} if how in _HOWS else {})
        | ({"within": within} if within else {})
        | ({"where": where} if where else {})
    )


_DATES = {op: VALUES["date"][op] for op in ("in_last", "in_next", "more_than_ago", "anniversary")}
_INSTANTS = {"before": days, "after": days, "between": _pair(days)}


@st.composite
def _zoned(draw: st.DrawFn, op: str | None = None) -> dict[str, Any]:
    """What is counted in the days of the person's own zone."""
    op = op or draw(st.sampled_from([*_DATES, *_INSTANTS]))
    about = {"attribute": "born"} if op in _DATES else draw(st.sampled_from([{"attribute": "seen"}, {"profile": "created_at"}]))
    value = draw({**_DATES, **_INSTANTS}[op])
    return {**about, "op": op, "zone": "own"} | ({} if value is None else {"value": value})


@st.composite
def _own_field(draw: st.DrawFn, op: str | None = None) -> dict[str, Any]:
    op = op or draw(st.sampled_from([*_DATES, *_INSTANTS]))
    value = draw({**_DATES, **_INSTANTS}[op])
    return {"field": "arrival" if op in _DATES else "booked", "op": op, "zone": "own"} | ({} if value is None else {"value": value})


fields_of_stays = st.one_of(st.sampled_from(sorted(STAY)).flatmap(lambda name: _tested("field", name, VALUES[STAY[name]])), _own_field())


@st.composite
def _records(draw: st.DrawFn, op: str | None = None, test: st.SearchStrategy[dict[str, Any]] | None = None) -> dict[str, Any]:
    """How many records somebody has to do with: with few tests, which not many records pass."""
    op = op or draw(st.sampled_from(["at_least", "at_most", "exactly", "never"]))
    counted = {} if op == "never" else {"count": draw(st.integers(1 if op == "at_least" else 0, 3))}
    if test is None and draw(st.integers(0, 4)) == 0:
        return {"record": "firm", "op": op} | counted
    where = [draw(test)] if test is not None else draw(st.lists(fields_of_stays, max_size=2))
    role = draw(st.sampled_from([None, None, "guest", "payer"]))
    return {"record": "stay", "op": op} | counted | ({"role": role} if role else {}) | ({"where": where} if where else {})


aparts = st.fixed_dictionaries({"amount": st.integers(1, 40), "unit": st.sampled_from(["days", "hours", "weeks"])})


@st.composite
def _sequences(draw: st.DrawFn, op: str | None = None, steps: int | None = None) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from([*EVENTS, "message.opened"]), min_size=steps or 2, max_size=steps or 4))
    parts = [{"event": name} | ({"where": [test]} if (test := draw(st.one_of(st.none(), st.none(), properties))) else {}) for name in names]
    within = draw(st.one_of(st.none(), windows))
    op = op or draw(st.sampled_from(["followed", "not_followed"]))
    return {"sequence": parts, "op": op, "apart": draw(aparts)} | ({"within": within} if within else {})


@st.composite
def _messages(draw: st.DrawFn, op: str | None = None) -> dict[str, Any]:
    op = op or draw(st.sampled_from(["at_least", "at_most", "exactly", "never"]))
    counted = {} if op == "never" else {"count": draw(st.integers(1 if op == "at_least" else 0, 3))}
    chosen = {"campaign": st.sampled_from([*CAMPAIGNS, "nobody"]), "channel": st.sampled_from(["email", "sms"])}
    named = {of: draw(values) for of, values in chosen.items() if draw(st.booleans())}
    within = draw(st.one_of(st.none(), windows))
    return {"message": "opened", "op": op} | counted | named | ({"within": within} if within else {})


_FRESH = list(VALUES["number"])


@st.composite
def _scores(draw: st.DrawFn, op: str | None = None) -> dict[str, Any]:
    """A score that must not be too old."""
    op = op or draw(st.sampled_from(_FRESH))
    value = draw(VALUES["number"][op])
    return {"attribute": "churn", "op": op, "fresh": draw(spans)} | ({} if value is None else {"value": value})


shares = st.builds(
    lambda percent, salt: {"share": {"percent": percent, "salt": salt}},
    st.sampled_from([0.01, 10, 12.5, 50, 99.99]),
    st.sampled_from(["a", "spring", "ünï", "100 %s"]),
)
consents = st.builds(
    lambda channel, topic, state: {"consent": {"channel": channel, "topic": topic, **({"state": state} if state else {})}},
    st.sampled_from(["email", "sms"]),
    st.sampled_from(["offers", "*", "none"]),
    st.sampled_from(["", "subscribed", "pending"]),
)
conditions = st.one_of(
    attributes,
    attributes,
    fields,
    _events(),
    _measures(),
    _sequences(),
    _messages(),
    _records(),
    _zoned(),
    _scores(),
    shares,
    consents,
    st.sampled_from(
        [{"reachable": "email"}, {"reachable": "sms"}, {"everyone": True}, {"list": "some"}, {"segment": "one"}, {"segment": "two"}]
    ),
)
attribute_conditions = st.one_of(attributes, attributes, fields, _zoned(), _scores())


def _grouped(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(lambda op, inside: {op: inside}, st.sampled_from(["all", "any", "none"]), st.lists(children, min_size=1, max_size=4))


rules = st.recursive(conditions, _grouped, max_leaves=12)
attribute_rules = st.recursive(attribute_conditions, _grouped, max_leaves=8)


# ── every kind of condition ───────────────────────────────────────────────────────────────────────────────────────


def _one(naming: str, name: str, op: str, value: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return value.map(lambda drawn: {naming: name, "op": op} | ({} if drawn is None else {"value": drawn}))


def _with_property(key: str, op: str, value: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda name, test: {"event": name, "where": [test]}, st.sampled_from(EVENTS), _one("property", key, op, value))


def _counting(op: str, counts: st.SearchStrategy[Any], within: st.SearchStrategy[Any] | None) -> st.SearchStrategy[dict[str, Any]]:
    count = {} if op == "never" else {"count": counts}
    window = {} if within is None else {"within": within}
    return st.fixed_dictionaries({"event": st.sampled_from(EVENTS), "op": st.just(op), **count, **window})


_COUNTS = {"at_least": st.integers(1, 3), "at_most": st.integers(0, 3), "exactly": st.integers(0, 3), "never": NO_VALUE}
KINDS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    **{f"{name} {op}": _one("attribute", name, op, value) for name, kind in CATALOGUE.items() for op, value in VALUES[kind].items()},
    **{f"{name} {op}": _one("profile", name, op, value) for name, values in _FIELD_VALUES.items() for op, value in values.items()},
    **{
        f"{kind} property {op}": st.sampled_from(KEYS).flatmap(lambda key, op=op, value=value: _with_property(key, op, value))  # type: ignore[misc]
        for kind in ("text", "number", "boolean")
        for op, value in VALUES[kind].items()
    },
    **{f"{op} events": _counting(op, counts, None) for op, counts in _COUNTS.items()},
    **{f"{op} events in a window": _counting(op, counts, windows) for op, counts in _COUNTS.items()},
    **{f"{how} {op} of events": _measures(how, op) for how in _HOWS for op in _NUMBERS_OF},
    **{f"{how} event {op}": _measures(how, op) for how in ("first", "last") for op in _MOMENTS_OF},
    **{f"in the own zone {op}": _zoned(op) for op in (*_DATES, *_INSTANTS)},
    **{f"{steps} events {op}": _sequences(op, steps) for steps in (2, 3, 4) for op in ("followed", "not_followed")},
    **{f"a fresh score {op}": _scores(op) for op in _FRESH},
    **{f"{op} records": _records(op) for op in _COUNTS},
    **{
        f"a record’s {name} {op}": _records("at_least", _one("field", name, op, value))
        for name, kind in STAY.items()
        for op, value in VALUES[kind].items()
    },
    **{f"a record in the own zone {op}": _records("at_least", _own_field(op)) for op in (*_DATES, *_INSTANTS)},
    **{f"messages {op}": _messages(op) for op in _COUNTS},
    "a share": shares,
    "consent": consents,
    "reachable by e-mail": st.just({"reachable": "email"}),
    "reachable by text": st.just({"reachable": "sms"}),
    "everyone": st.just({"everyone": True}),
    "an uploaded list": st.just({"list": "some"}),
    "a segment": st.just({"segment": "one"}),
    "a segment of a segment": st.just({"segment": "two"}),
}
one_of_every_kind = st.fixed_dictionaries(KINDS)
"""A condition of every kind there is: what is drawn by chance alone misses many in a few dozen rules."""
