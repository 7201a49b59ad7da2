"""Blocks that stand there on a condition, or once for each item of a list: what authors write, and what it means exactly."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from jinja2 import nodes

from presentation.syntax import syntax, tokens

MOST_ITEMS = 20  # of one repeated block, in one message


@lru_cache(maxsize=8192)
def bound(expression: str, name: str, over: str, index: int) -> str:
    """The expression with one item of a list in the place of the name that stands for it: `listing.city` as `listings[2].city`."""
    written, before = "", ""
    for kind, value in tokens(expression):
        written += f"{over}[{index}]" if kind == "name" and value == name and before not in {".", "|"} else value
        before = before if kind == "whitespace" else value
    return written


@lru_cache(maxsize=1024)
def guarded(condition: str) -> str:
    """The condition, asked only where everything it reads is there: one that reads something missing isn't met.

    What stands inside `|default(…)` or `is defined` may be missing, as in every expression.
    """
    asked = dict.fromkeys(step for chain in _chains(syntax(condition)) for step in chain)
    return " and ".join([*(f"{step} is defined" for step in asked), f"({condition})"])


def _chains(node: nodes.Node) -> Iterator[list[str]]:
    """Each path that the condition reads without asking for it, as its steps: order, order["city"]."""
    if isinstance(node, nodes.Filter) and node.name == "default":
        for argument in node.args:
            yield from _chains(argument)
    elif isinstance(node, nodes.Test):
        return
    elif isinstance(node, (nodes.Name, nodes.Getattr, nodes.Getitem)):
        if chain := _chain(node):
            yield chain
    else:
        for child in node.iter_child_nodes():
            yield from _chains(child)


def _chain(node: nodes.Node) -> list[str]:
    if isinstance(node, nodes.Name):
        return [node.name]
    if not isinstance(node, (nodes.Getattr, nodes.Getitem)):
        return []
    before = _chain(node.node)
    step = node.attr if isinstance(node, nodes.Getattr) else node.arg.value  # type: ignore[attr-defined]  # the grammar lets nothing else in
    return [*before, f"{before[-1]}[{step!r}]"] if before else []
