"""Which shape of a message a recipient gets: conditions asked, items counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rendering.escapes import Unrenderable
from rendering.outline import Item, Outline, Repeated
from rendering.program import Shape
from rendering.quick import plan
from rendering.sandbox import evaluator
from rendering.values import REPEATABLE


class Shaper:
    """Asks the branches of one message; what was asked of equal values before is remembered."""

    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        self.known: dict[tuple[Any, ...], bool] = {}

    def shape(self, values: Mapping[str, Any]) -> Shape:
        """The shape for a recipient with these values (without what is missing). Raises one of the sandbox' TROUBLES."""
        return self._inside(None, values, None)

    def _inside(self, number: int | None, values: Mapping[str, Any], item: Item | None) -> Shape:
        return tuple(self._branch(inner, values, item) for inner in self.outline.within[number])

    def _branch(self, number: int, values: Mapping[str, Any], item: Item | None) -> Shape | None:
        branch = self.outline.branches[number]
        if isinstance(branch, Repeated):
            items = shown_items(values.get(branch.over, ()), branch)
            return tuple(self._inside(number, values, Item(branch.name, branch.over, index)) for index in range(len(items)))
        test = item.in_place(branch.test) if item is not None else branch.test
        return self._inside(number, values, item) if self._holds(test, values) else None

    def _holds(self, test: str, values: Mapping[str, Any]) -> bool:
        read = [values.get(name) for name in plan(test, self.outline.locale)[0]]
        if any(value is not None and type(value) not in REPEATABLE for value in read):
            return bool(evaluator(test, self.outline.locale)(values))
        key = (test, *((type(value), value) for value in read))
        if key not in self.known:
            self.known[key] = bool(evaluator(test, self.outline.locale)(values))
        return self.known[key]


def shown_items(items: Any, branch: Repeated) -> Any:
    """The items for which a block is repeated. Raises Unrenderable where there are too few."""
    if len(items) < branch.least:
        raise Unrenderable(f"{branch.over} has {len(items)} items, and the message needs {branch.least}")
    return items[: branch.most]
