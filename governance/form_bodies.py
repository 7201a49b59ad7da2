"""A whole document in a plain HTML form: field names are JSON Pointers with a type, buttons are steps.

`/title` is text, `/caps/0/max:int` a whole number. A form that carries them all can be changed step by step on the server
(add, remove, move), so every editor works without scripts and loses nothing.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable
from typing import Any

from governance.findings import Finding, Invalid, shorten
from governance.form_values import read_value

Pair = tuple[str, str]
NAME = re.compile(r"(?P<path>(?:/[^/:]*)+)(?::(?P<type>[a-z]+)(?P<optional>\?)?)?")
LARGEST_INDEX = 20_000
LEFT_OUT = object()


def read_body(pairs: Iterable[Pair]) -> dict[str, Any]:
    """The body that a form's fields describe; names that are no pointers are ignored.

    Types: those of form_values, empty (an empty list or object to start with) and usual (JSON of what counts where nothing is
    said: a field that ends up the same stays unsaid). `?` after the type: an empty field is left out. A value that doesn't fit
    its type stays text, so that the schema names it.
    """
    root: dict[str, Any] = {}
    usual: dict[str, Any] = {}
    begun: set[str] = set()
    for name, value in pairs:
        found = NAME.fullmatch(name)
        if found is None:
            continue
        optional = bool(found["optional"]) or name.endswith("?")
        if found["type"] == "usual":
            usual[found["path"]] = read_value("json", value)
            if isinstance(usual[found["path"]], list):
                _put(root, parts(found["path"]), [])
            continue
        if found["type"] == "empty":
            begun.add(found["path"])
        plain = read_value(found["type"] or "text", value.replace("\r\n", "\n"))
        if optional and value == "":
            plain = LEFT_OUT
        if plain is not LEFT_OUT:
            _put(root, parts(found["path"]), plain)
    listed = _listed(root)
    assert isinstance(listed, dict)
    for path, value in usual.items():
        if look_up(listed, path) == value:
            _unsay(listed, path, begun)
    return listed


def _unsay(body: dict[str, Any], path: str, begun: set[str]) -> None:
    """Take a field out, and what holds it if that was begun for this field only."""
    _take_out(body, path)
    holder = path.rpartition("/")[0]
    while holder and look_up(body, holder) == {} and holder not in begun:
        _take_out(body, holder)
        holder = holder.rpartition("/")[0]


def parts(path: str) -> list[str]:
    """The parts of a JSON Pointer."""
    return [part.replace("~1", "/").replace("~0", "~").replace("~2", ":") for part in path.split("/")[1:]]


class _Places(dict[int, Any]):
    """A list while it is being put together: places may have gaps."""


def _put(root: dict[str, Any], way: list[str], value: Any) -> None:
    here: Any = root
    for step, part in enumerate(way):
        last = step == len(way) - 1
        key: Any = int(part) if isinstance(here, _Places) and part.isascii() and part.isdigit() and int(part) <= LARGEST_INDEX else part
        if last:
            if key not in here or not isinstance(value, (dict, list)) or value:
                here[key] = _as_places(value)
            return
        following = way[step + 1]
        fresh: Any = _Places() if following.isascii() and following.isdigit() else {}
        below = here.setdefault(key, fresh)
        if not isinstance(below, dict):
            below = here[key] = fresh
        elif not below and isinstance(fresh, _Places) and not isinstance(below, _Places):
            below = here[key] = fresh
        here = below


def _as_places(value: Any) -> Any:
    if isinstance(value, list):
        return _Places({place: _as_places(item) for place, item in enumerate(value)})
    if isinstance(value, dict):
        return {key: _as_places(item) for key, item in value.items()}
    return value


def _listed(value: Any) -> Any:
    if isinstance(value, _Places):
        ordered = sorted(value, key=lambda key: (isinstance(key, str), key))
        return [_listed(value[key]) for key in ordered]
    if isinstance(value, dict):
        return {key: _listed(inner) for key, inner in value.items()}
    return value


def escape_part(key: str) -> str:
    """One part of a pointer as it stands in a field's name."""
    return key.replace("~", "~0").replace("/", "~1").replace(":", "~2")


def look_up(body: Any, path: str) -> Any:
    """The value at a pointer, or None."""
    here = body
    for part in parts(path):
        if isinstance(here, dict):
            here = here.get(part)
        elif isinstance(here, list) and part.isascii() and part.isdigit() and int(part) < len(here):
            here = here[int(part)]
        else:
            return None
    return here


def listed(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one: forms can be forged, pages must still be drawn."""
    return value if isinstance(value, list) else []


def mapped(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def place(body: Any, path: str, value: Any) -> Any:
    """A copy of the body with `value` at the pointer."""
    made = copy.deepcopy(body)
    way = parts(path)
    holder = look_up(made, path.rpartition("/")[0]) if len(way) > 1 else made
    if isinstance(holder, dict):
        holder[way[-1]] = value
    elif isinstance(holder, list) and way[-1].isdigit() and int(way[-1]) < len(holder):
        holder[int(way[-1])] = value
    return made


def take_step(body: dict[str, Any], step: str, make: Callable[[str, str, Any], Any] | None = None) -> dict[str, Any]:
    """The body after one button: `add:/path:what`, `remove:/path`, `up:/path`, `down:/path`, `copy:/path`,
    `set:/path:what` (put something where nothing was), `clear:/path` (take it out), `null:/path` (none, said on purpose).

    make(path, what, body): the new item for `add` and `set`. Raises Invalid for a step that means nothing here.
    """
    verb, _, rest = step.partition(":")
    path, _, what = rest.partition(":")
    if not path.startswith("/") or path == "/":
        raise _no_step(step)
    changed = copy.deepcopy(body)
    if verb == "add":
        _add(changed, path, make(path, what, changed) if make else "")
    elif verb == "set":
        changed = place(changed, path, make(path, what, changed) if make else {})
    elif verb == "null":
        changed = place(changed, path, None)
    elif verb == "clear":
        _take_out(changed, path)
    elif verb in {"remove", "up", "down", "copy"}:
        holder, at = look_up(changed, path.rpartition("/")[0]) if path.count("/") > 1 else changed, parts(path)[-1:]
        if not isinstance(holder, list) or not at or not at[0].isdigit() or int(at[0]) >= len(holder):
            raise _no_step(step)
        _rearrange(holder, int(at[0]), verb)
    else:
        raise _no_step(step)
    return changed


def focus_after(step: str, body: dict[str, Any]) -> str:
    """The id of the element that should have the focus when a step is done: the item where it is now, or what is left."""
    verb, _, rest = step.partition(":")
    path, at = rest.partition(":")[0], parts(rest.partition(":")[0])
    holder = path.rpartition("/")[0]
    if verb == "add":
        items = look_up(body, path)
        return field_id(f"{path}/{len(items) - 1}") if isinstance(items, list) and items else field_id(path)
    if verb in {"up", "down", "copy"} and at and at[-1].isdigit():
        items = look_up(body, holder)
        last = len(items) - 1 if isinstance(items, list) else 0
        place = min(last, max(0, int(at[-1]) + (-1 if verb == "up" else 1)))
        return field_id(f"{holder}/{place}")
    return field_id(holder) if verb == "remove" else field_id(path)


def field_id(path: str) -> str:
    """The HTML id of the field at a pointer: `/locales/en/subject` is `f-locales-en-subject`."""
    return "f" + re.sub(r"[/.~]", "-", path.replace("~1", "-").replace("~0", "-"))


def _add(body: dict[str, Any], path: str, item: Any) -> None:
    here = look_up(body, path)
    if isinstance(here, list):
        here.append(item)
        return
    holder = look_up(body, path.rpartition("/")[0]) if path.count("/") > 1 else body
    if isinstance(holder, dict):
        holder[parts(path)[-1]] = [item]


def _take_out(body: dict[str, Any], path: str) -> None:
    holder = look_up(body, path.rpartition("/")[0]) if path.count("/") > 1 else body
    if isinstance(holder, dict):
        holder.pop(parts(path)[-1], None)


def _rearrange(items: list[Any], at: int, verb: str) -> None:
    if verb == "remove":
        del items[at]
    elif verb == "copy":
        items.insert(at + 1, copy.deepcopy(items[at]))
    elif verb == "up" and at > 0:
        items[at - 1], items[at] = items[at], items[at - 1]
    elif verb == "down" and at + 1 < len(items):
        items[at + 1], items[at] = items[at], items[at + 1]


def _no_step(step: str) -> Invalid:
    return Invalid([Finding("error", "", shorten(step), "a step that this editor offers")])
