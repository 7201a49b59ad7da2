"""The steps of the rule builder that move a condition or a group to another place of the tree.

    wrap:/path     it gets a group of its own         unwrap:/path   the group's conditions stand in its place
    in:/path       to the end of the group above it   out:/path      behind the group that it stands in
    move:/path:/rule/of/2/of/0                        before what stands there now, or to the end of that group

Whatever moves keeps all its fields. A step that would nest groups deeper than a rule may is refused in words.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

from audience.rules.limits import MAX_DEPTH
from governance.door import Body, Finding, Invalid, field_id, focus_after

Way = tuple[int, ...]  # places from the whole rule down


def steps(step: str, form: Body) -> Body | None:
    """The form after one of these steps; None for a step that isn't one. Raises Invalid."""
    moved = _moved(step, form)
    return None if moved is None else moved[0]


def focus(step: str, before: Body, after: Body) -> str:
    """The id of what should have the focus after a step: the handle of what was moved or copied, so that it can be moved on."""
    moved = _moved(step, before)
    if moved is not None:
        path = _path(moved[1])
        return field_id(path) + ("" if step.startswith(("wrap:", "unwrap:")) else "-grip")
    found = focus_after(step, after)
    return f"{found}-grip" if re.match(r"(up|down|copy):/rule(/of/\d+)+$", step) else found


def _moved(step: str, form: Body) -> tuple[Body, Way] | None:
    """The form after the step, and where what it is about stands then."""
    verb, _, rest = step.partition(":")
    if verb not in _VERBS:
        return None
    path, _, target = rest.partition(":")
    rule, way = copy.deepcopy(form.get("rule")), _way(path)
    if not way:
        raise _nothing(step)
    end = _VERBS[verb](rule, way, _way(target))
    if _height(rule) > MAX_DEPTH:
        expected = f"at most {MAX_DEPTH} groups inside each other: it can stand further out"
        raise Invalid([Finding("error", "/rule", "groups nested deeper than a rule may", expected)])
    return {**form, "rule": rule}, end


def _wrap(rule: Any, way: Way, _: Way) -> Way:
    siblings = _siblings(rule, way)
    siblings[way[-1]] = {"word": "any", "of": [siblings[way[-1]]]}
    return way


def _unwrap(rule: Any, way: Way, _: Way) -> Way:
    siblings = _siblings(rule, way)
    if _is_group(siblings[way[-1]]):
        siblings[way[-1] : way[-1] + 1] = siblings[way[-1]]["of"]
    return way


def _into(rule: Any, way: Way, _: Way) -> Way:
    """Into the nearest group above it, as the last there."""
    siblings = _siblings(rule, way)
    above = next((place for place in range(way[-1] - 1, -1, -1) if _is_group(siblings[place])), None)
    if above is None:
        raise Invalid([Finding("error", "/rule", "no group above it", "a group above, in the same group, that it can go into")])
    siblings[above]["of"].append(siblings.pop(way[-1]))
    return (*way[:-1], above, len(siblings[above]["of"]) - 1)


def _out(rule: Any, way: Way, _: Way) -> Way:
    if len(way) < 2:
        raise Invalid([Finding("error", "/rule", "what stands in no group", "something inside a group")])
    node = _siblings(rule, way).pop(way[-1])
    end = (*way[:-2], way[-2] + 1)
    _siblings(rule, way[:-1]).insert(end[-1], node)
    return end


def _move(rule: Any, way: Way, target: Way) -> Way:
    """Before what stands at the target now."""
    if not target or target[: len(way)] == way and len(target) > len(way):
        raise Invalid([Finding("error", "/rule", "a group that would go into itself", "a place outside of it")])
    there, siblings = _siblings(rule, target, beyond=True), _siblings(rule, way)
    node, gap = siblings[way[-1]], object()  # places are those of before: what it leaves is closed up at the end
    siblings[way[-1]] = gap
    there.insert(target[-1], node)
    del siblings[next(place for place, each in enumerate(siblings) if each is gap)]
    return _found(rule, node)


def _found(node: Any, wanted: Any, way: Way = ()) -> Way:
    """Where this very node stands."""
    if node is wanted:
        return way
    inside = node["of"] if _is_group(node) else ()
    return next((found for place, each in enumerate(inside) if (found := _found(each, wanted, (*way, place)))), ())


_VERBS: dict[str, Callable[[Any, Way, Way], Way]] = {"wrap": _wrap, "unwrap": _unwrap, "in": _into, "out": _out, "move": _move}


def _siblings(rule: Any, way: Way, *, beyond: bool = False) -> list[Any]:
    """The list that this place is in. beyond: the place behind its last is one, too."""
    here: Any = rule
    for at in way[:-1]:
        inside = here.get("of") if _is_group(here) else None
        if not isinstance(inside, list) or at >= len(inside):
            raise _nothing(_path(way))
        here = inside[at]
    found = here.get("of") if _is_group(here) else None
    if not isinstance(found, list) or way[-1] >= len(found) + beyond:
        raise _nothing(_path(way))
    return found


def _is_group(node: Any) -> bool:
    return isinstance(node, dict) and isinstance(node.get("of"), list) and "word" in node


def _height(node: Any) -> int:
    """How many groups stand inside each other here, itself included."""
    return 1 + max(map(_height, node["of"]), default=0) if _is_group(node) else 0


def _way(path: str) -> Way:
    return tuple(map(int, re.findall(r"/of/(\d{1,4})", path))) if re.fullmatch(r"/rule(/of/\d{1,4})+", path) else ()


def _path(way: Way) -> str:
    return "/rule" + "".join(f"/of/{place}" for place in way)


def _nothing(what: str) -> Invalid:
    return Invalid([Finding("error", "/rule", what[:80], "a place of this rule")])
