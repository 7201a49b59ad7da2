"""The shape of an answer: what was found about a domain, how good that is, and how to mend it in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["good", "caution", "bad", "unknown"]
Check = Literal["spf", "dkim", "dmarc", "alignment", "return_path", "mail", "replies", "one_click", "complaints"]
REQUIRED = frozenset({"spf", "dkim", "dmarc", "alignment", "one_click"})
"""What the mailbox providers' rules for bulk mail ask for."""
TITLES: dict[str, str] = {
    "spf": "SPF",
    "dkim": "DKIM",
    "dmarc": "DMARC",
    "alignment": "Alignment",
    "return_path": "Bounces",
    "mail": "Mail to the domain",
    "replies": "Answers",
    "one_click": "One-click unsubscribe",
    "complaints": "Complaints",
}
AGAIN = "Check again. If it stays so, ask whoever runs the domain's name servers"


@dataclass(frozen=True, slots=True)
class Record:
    """A record to add or to change, as DNS hosts ask for it."""

    kind: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one question. found and fix are plain sentences without a full stop; record: what to add, word for word."""

    check: Check
    level: Level
    found: str
    fix: str = ""
    record: Record | None = None

    @property
    def title(self) -> str:
        """The question in a word."""
        return TITLES[self.check]

    @property
    def required(self) -> bool:
        """Whether bulk mail must have it."""
        return self.check in REQUIRED
