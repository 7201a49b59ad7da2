"""What a vendor of our own is made of."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. Header names are lower case; the path has no query."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        parsed = json.loads(self.body)
        assert isinstance(parsed, dict)
        return parsed


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, and the (address, message id) pairs that the vendor accepts with it. then: what it remembers once it has."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    accepted: tuple[tuple[str, str], ...] = ()
    then: Callable[[], object] = lambda: None


class Contract(Protocol):
    """One vendor, as a module."""

    NAME: str

    def matches(self, asked: Asked) -> bool:
        """Whether this vendor is asked."""

    def answer(self, asked: Asked, number: int) -> Answered:
        """What it says to its request of this number."""

    def error(self, status: int) -> Answered:
        """How it says that something is wrong."""


def as_json(status: int, said: object, **more: Any) -> Answered:
    return Answered(status, json.dumps(said).encode(), {"content-type": "application/json"}, **more)
