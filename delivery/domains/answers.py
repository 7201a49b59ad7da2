"""What DNS said, as plain data: kept with its moment, and asked again without a network.

Answers come from strangers. They are cut to a size, freed of control characters, and never more than text. A server that says nothing,
or says that it can't, has not answered: that is neither "there is such a record" nor "there is none".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

Status = Literal["found", "nothing", "no_such_name", "unanswered"]
Kind = Literal["TXT", "MX", "A", "AAAA"]
MOST_RECORDS = 64
LONGEST = 4_096  # characters of one record
MOST_KEPT = 150  # questions about one domain
LONGEST_ANSWER = 32_768  # characters of all of them
KEPT_IN_SILENCE = timedelta(days=3)  # for how long an earlier answer counts where there is none now
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Answer:
    """One question's answer. canonical: where aliases led, "" where there were none; why: what kept it unanswered, in words;
    at: when it was given (ISO 8601), "" for one that was never asked for."""

    status: Status
    records: tuple[str, ...] = ()
    canonical: str = ""
    why: str = ""
    at: str = ""

    @property
    def known(self) -> bool:
        """Whether the DNS answered at all."""
        return self.status != "unanswered"


Ask = Callable[[str, Kind], Answer]
"""Asks the DNS for the records of a name. Never raises: what went wrong is an unanswered Answer."""

NEVER_ASKED = Answer("unanswered", why="it was not looked up yet")


def bounded(records: list[str]) -> tuple[str, ...]:
    """Records as they are kept: printable, cut, those that say what they are first, not too many."""
    clean = sorted(
        (_UNPRINTABLE.sub("\ufffd", text[:LONGEST]) for text in records), key=lambda text: (not text.lower().startswith("v="), text)
    )
    kept, size = [], 0
    for text in clean[:MOST_RECORDS]:
        size += len(text)
        if size > LONGEST_ANSWER:
            break
        kept.append(text)
    return tuple(kept)


class Recorder:
    """Asks once per question, and keeps what was said."""

    def __init__(self, ask: Ask, *, now: datetime) -> None:
        self._ask, self._at = ask, now.isoformat(timespec="seconds")
        self.answers: dict[str, Answer] = {}

    def __call__(self, name: str, kind: Kind) -> Answer:
        place = f"{kind} {name}"
        if place not in self.answers:
            said = self._ask(name, kind)
            self.answers[place] = Answer(said.status, said.records, said.canonical, said.why, self._at)
        return self.answers[place]


class Recorded:
    """Answers that were kept. What was not asked, or too long ago, is unanswered."""

    def __init__(self, kept: Mapping[str, Any], *, now: datetime, within: timedelta = KEPT_IN_SILENCE) -> None:
        self._kept, self._oldest = kept, (now - within).isoformat(timespec="seconds")

    def __call__(self, name: str, kind: Kind) -> Answer:
        found = read(self._kept.get(f"{kind} {name}"))
        if found is None:
            return NEVER_ASKED
        if found.at < self._oldest:
            return Answer("unanswered", why="it was last looked up too long ago", at=found.at)
        return found


def read(kept: Any) -> Answer | None:
    """A kept answer; None for what isn't one."""
    if not isinstance(kept, Mapping):
        return None
    return Answer(kept["status"], tuple(kept["records"]), kept["canonical"], kept["why"], kept["at"])


def merged(before: Mapping[str, Any], new: Mapping[str, Answer], *, now: datetime) -> dict[str, dict[str, Any]]:
    """What is to be kept: the new answers, and in the place of silence earlier ones that aren't old.

    Silence ends a walk, so what lies behind it wasn't asked: where there was any, that is kept, too.
    """
    oldest = (now - KEPT_IN_SILENCE).isoformat(timespec="seconds")
    earlier = {place: said for place, kept in before.items() if (said := read(kept)) and said.known and said.at >= oldest}
    silent = {place for place, said in new.items() if not said.known}
    whole = {**(earlier if silent else {}), **new, **{place: earlier[place] for place in silent & set(earlier)}}
    return {place: asdict(whole[place]) for place in list(whole)[-MOST_KEPT:]}
