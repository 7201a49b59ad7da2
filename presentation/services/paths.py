"""Where in an answer a value stands: `places[0].title`, simple steps and nothing else."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

MOST_STEPS = 8
_STEP = re.compile(r"([A-Za-z_$@][A-Za-z0-9_$@:-]{0,79}|[0-9]{1,4})((?:\[[0-9]{1,4}\])*)")


def path_fault(path: str) -> str | None:
    """What was expected of a path that isn't one; None for one that is. "" and "." are the whole answer."""
    if steps_of(path) is None:
        return f"names and places such as places[0].title, at most {MOST_STEPS} steps"
    return None


@lru_cache(maxsize=4_096)
def steps_of(path: str) -> tuple[str | int, ...] | None:
    """The steps of a path, names and places; None where it can't be read."""
    steps: list[str | int] = []
    for part in path.split(".") if path not in ("", ".") else ():
        found = _STEP.fullmatch(part)
        if found is None:
            return None
        steps.append(int(found[1]) if found[1].isdigit() else found[1])
        steps += [int(place) for place in re.findall(r"[0-9]+", found[2])]
    return tuple(steps) if len(steps) <= MOST_STEPS else None


def value_at(answer: Any, path: str) -> Any:
    """What stands at a path of an answer; None where nothing does."""
    for step in steps_of(path) or ():
        if isinstance(step, int) and isinstance(answer, list):
            answer = answer[step] if step < len(answer) else None
        elif isinstance(answer, dict):
            answer = answer.get(str(step))
        else:
            return None
    return answer
