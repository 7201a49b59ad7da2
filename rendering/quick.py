"""Expressions that need no Jinja: a name, or a part of it by a fixed path, perhaps behind filters whose arguments are fixed.

Filters are the same functions as in the sandbox, and a missing value is the same undefined, so the result is the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from jinja2 import nodes

from presentation.door import names_of, syntax
from rendering.escapes import show
from rendering.sandbox import called, sandbox
from rendering.values import MISSING


@lru_cache(maxsize=8192)
def plan(expression: str, locale: str) -> tuple[tuple[str, ...], Callable[[Any], str] | None]:
    """The variables of an expression, and a function from its only variable to text where that needs no Jinja:
    a name, or a name behind filters whose arguments are fixed. Filters are the same functions as in the sandbox."""
    tree = syntax(expression)
    names = tuple(sorted(names_of(expression)))
    steps: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
    while isinstance(tree, nodes.Filter) and tree.node is not None and all(isinstance(argument, nodes.Const) for argument in tree.args):
        steps.append((sandbox(locale).filters[tree.name], tuple(argument.value for argument in tree.args)))  # type: ignore[attr-defined]
        tree = tree.node
    path: list[tuple[Any, str]] = []
    while isinstance(tree, (nodes.Getattr, nodes.Getitem)) and (isinstance(tree, nodes.Getattr) or isinstance(tree.arg, nodes.Const)):
        path.insert(0, (tree.attr if isinstance(tree, nodes.Getattr) else tree.arg.value, called(tree)))  # type: ignore[attr-defined]
        tree = tree.node
    if not isinstance(tree, nodes.Name):
        return names, None
    return names, _quick(tree.name, tuple(path), tuple(reversed(steps)), sandbox(locale))


def _quick(
    name: str, path: tuple[tuple[Any, str], ...], steps: tuple[tuple[Callable[..., Any], tuple[Any, ...]], ...], environment: Any
) -> Callable[[Any], str]:
    undefined = environment.undefined(name=name)

    def run(value: Any) -> str:
        if value is MISSING:
            value = undefined
        for step, named in path:
            value = environment.item(value, step, named) if type(step) is int else environment.getitem(value, step)
        for function, arguments in steps:
            value = function(value, *arguments)
        return value if type(value) is str and len(value) < 1024 else show(value)

    return run
