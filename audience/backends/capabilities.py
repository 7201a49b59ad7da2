"""Which engine answers which condition exactly: the table that the planner cuts by, and that the reference page prints."""

from __future__ import annotations

from audience.rules.bound import (
    Addressed,
    AllOf,
    Consented,
    Constant,
    Counted,
    DayOfYear,
    Fresh,
    Leaf,
    Listed,
    Measured,
    Near,
    OneOf,
    Prefix,
    Present,
    Range,
    Related,
    Sequenced,
    Share,
    Substring,
    Tested,
    Zoned,
)

DATABASE, ELASTICSEARCH = "database", "elasticsearch"
_CHECKS = {
    Present: "exists",
    OneOf: "equals one of",
    AllOf: "has all of",
    Prefix: "starts with",
    Substring: "contains text",
    Range: "comparison",
    DayOfYear: "anniversary",
    Near: "near a place",
}
_LEAVES = {
    Fresh: "fresh score",
    Counted: "events",
    Measured: "what events come to",
    Sequenced: "events in sequence",
    Related: "related records",
    Share: "share",
    Listed: "uploaded list",
    Consented: "consent",
    Addressed: "reachable",
    Constant: "everyone",
}
TABLE: dict[str, tuple[str, ...]] = {
    "exists": (DATABASE, ELASTICSEARCH),
    "equals one of": (DATABASE, ELASTICSEARCH),
    "has all of": (DATABASE, ELASTICSEARCH),
    "starts with": (DATABASE, ELASTICSEARCH),
    "contains text": (DATABASE,),  # in the index it would be a wildcard over every term
    "comparison": (DATABASE, ELASTICSEARCH),
    "anniversary": (DATABASE,),
    "near a place": (DATABASE,),
    "fresh score": (DATABASE, ELASTICSEARCH),
    "everyone": (DATABASE, ELASTICSEARCH),
    "reachable": (DATABASE,),
    "consent": (DATABASE,),
    "events": (DATABASE,),
    "what events come to": (DATABASE,),
    "events in sequence": (DATABASE,),
    "related records": (DATABASE,),
    "share": (DATABASE,),
    "uploaded list": (DATABASE,),
}
"""What is asked → the engines that answer it exactly."""


def question(leaf: Leaf) -> str:
    """The row of the table that a condition belongs to."""
    if isinstance(leaf, Zoned):
        return _CHECKS[type(leaf.elsewhere)]
    return _CHECKS[type(leaf.check)] if isinstance(leaf, Tested) else _LEAVES[type(leaf)]


def answers(engine: str, leaf: Leaf) -> bool:
    """Whether the engine answers this condition exactly."""
    return engine in TABLE[question(leaf)]


def capability_table() -> str:
    """The table as Markdown; the reference page holds exactly this text."""
    rows = [f"| {asked} | {_tick(DATABASE in engines)} | {_tick(ELASTICSEARCH in engines)} |" for asked, engines in TABLE.items()]
    return "\n".join(["| condition | database | Elasticsearch |", "|---|---|---|", *rows])


def _tick(yes: bool) -> str:
    return "yes" if yes else "–"
