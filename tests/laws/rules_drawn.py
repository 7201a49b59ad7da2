"""Rules as Hypothesis draws them: every node, every operator, values that hit and values that don't."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.audience.world import CATALOGUE, DAYS, EVENTS, KEYS, MOMENTS, NUMBERS, TEXTS

texts = st.one_of(st.sampled_from(TEXTS), st.sampled_from([text[:2] for text in TEXTS if text[:2].strip()]))
numbers = st.one_of(st.sampled_from(NUMBERS), st.integers(-5, 105), st.floats(-10, 110, allow_nan=False))
days = st.sampled_from(DAYS)
moments = st.sampled_from([*MOMENTS, "2026-03-02T10:00:00+01:00"])
day_spans = st.fixed_dictionaries({"amount": st.integers(1, 40), "unit": st.sampled_from(["days", "weeks", "months", "years"])})
spans = st.one_of(day_spans, st.fixed_dictionaries({"amount": st.integers(1, 100), "unit": st.sampled_from(["minutes", "hours"])}))
NO_VALUE = st.none()


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
        **_EQUAL,
    },
    "datetime": {
        **{op: st.one_of(days, moments) for op in ("before", "after")},
        "between": st.one_of(_pair(days), _pair(st.sampled_from(MOMENTS))),
        **dict.fromkeys(("in_last", "in_next", "more_than_ago"), spans),
        **_EQUAL,
    },
    "list": {"contains": texts, "in": _listed(texts), "not_in": _listed(texts), **_EQUAL},
}
_FIELD_VALUES: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "country": {op: st.sampled_from(["DE", "FR", "US"]) for op in ("is", "is_not")} | _EQUAL,
    "locale": {"is": st.sampled_from(["de", "fr"]), "starts_with": st.sampled_from(["de", "zh"]), "in": _listed(st.just("de-AT"))} | _EQUAL,
    "zone": {"is": st.just("Asia/Tokyo"), "starts_with": st.just("Europe/")} | _EQUAL,
    "email": {"contains": st.sampled_from(["1@", "@EXAMPLE", "%"]), "starts_with": st.just("P1"), "is": st.just("p3@example.com")} | _EQUAL,
    "phone": {"starts_with": st.just("+4930"), "is_not": st.just("+493023125000")} | _EQUAL,
    "created_at": {op: strategy for op, strategy in VALUES["datetime"].items() if op not in ("exists", "missing")},
}


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


consents = st.builds(
    lambda channel, topic: {"consent": {"channel": channel, "topic": topic}},
    st.sampled_from(["email", "sms"]),
    st.sampled_from(["offers", "*", "none"]),
)
conditions = st.one_of(
    attributes,
    attributes,
    fields,
    _events(),
    consents,
    st.sampled_from([{"reachable": "email"}, {"reachable": "sms"}, {"everyone": True}, {"segment": "one"}, {"segment": "two"}]),
)
attribute_conditions = st.one_of(attributes, fields)


def _grouped(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(lambda op, inside: {op: inside}, st.sampled_from(["all", "any", "none"]), st.lists(children, min_size=1, max_size=4))


rules = st.recursive(conditions, _grouped, max_leaves=12)
attribute_rules = st.recursive(attribute_conditions, _grouped, max_leaves=8)
