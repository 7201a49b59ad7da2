"""What is asked for one person, what comes back, and what templates are told in the end."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from presentation.services.documents import ContentSourceBody
from presentation.services.paths import value_at
from presentation.values import Plain, UnfitValue, plain

NOTHING: Final = object()
"""The answer of a source that has nothing for whom it was asked about."""


class Unanswered(Exception):
    """A source didn't say what it has. Its words are for people and hold no value, address or secret.

    rests: whether the source itself is in trouble, so that asking it on and on makes it worse.
    """

    def __init__(self, words: str, *, rests: bool = True) -> None:
        super().__init__(words)
        self.rests = rests


@dataclass(frozen=True, slots=True)
class Ask:
    """A question: equal ones have one answer. url: of a service, filled; about: the id in a batch, or the key in a table."""

    url: str = ""
    about: Hashable = None


@dataclass(frozen=True, slots=True)
class Unaskable:
    """There is no question for this person. why: words without a value."""

    why: str


@dataclass(frozen=True, slots=True)
class Told:
    """The fields of a source for one person. stood_in: those that took their fallback; why: what was amiss, "" where nothing was.

    A field that is not among the values is missing, and why says so.
    """

    values: Mapping[str, Plain] = field(default_factory=dict)
    stood_in: tuple[str, ...] = ()
    why: str = ""


def told(body: ContentSourceBody, answer: Any) -> Told:
    """The fields as they stand in an answer, by their types; NOTHING is an answer, too."""
    if answer is NOTHING:
        return untold(body, "it has nothing here")
    values: dict[str, Plain] = {}
    stood_in, amiss = [], []
    for name, shown in body.response.items():
        try:
            value = plain(value_at(answer, shown.path), shown.type)
            fault = f"{name} isn't in the answer"
        except UnfitValue as error:
            value, fault = None, f"{name} should be {error}"
        if value is None:
            value = plain(shown.fallback, shown.type)
            amiss.append(fault)
            stood_in += [name] if value is not None else []
        if value is not None:
            values[name] = value
    return Told(values, tuple(stood_in), "; ".join(amiss[:5]))


def untold(body: ContentSourceBody, why: str) -> Told:
    """What there is without an answer: every fallback, or nothing."""
    if body.on_missing == "skip":
        return Told(why=why)
    found = {name: plain(shown.fallback, shown.type) for name, shown in body.response.items()}
    values = {name: value for name, value in found.items() if value is not None}
    return Told(values, tuple(values), why)
