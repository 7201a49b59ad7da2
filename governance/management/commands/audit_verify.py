from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from governance.audit import verify
from governance.command import INVALID, DoorCommand, Report
from governance.findings import Finding, Invalid


class Command(DoorCommand):
    help = "Walk the audit chain and name the first entry that is missing or was altered. Exit status 2 if there is one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--expect", default="", metavar="N:HASH", help="an end that this command printed earlier: proves that nothing was cut off since"
        )

    def act(self, expect: str, **_: Any) -> Report:
        chain = verify(self.workspace.pk, expected=_expected(expect))
        if chain.fault:
            return Report((f"the chain is broken: {chain.fault}", f"{chain.entries:,} entries before it are whole"), status=INVALID)
        return Report((f"{chain.entries:,} entries, all whole", f"end {chain.entries}:{chain.head}"))


def _expected(text: str) -> tuple[int, str] | None:
    if not text:
        return None
    number, _, digest = text.partition(":")
    if not number.isdigit() or len(digest) != 64:
        raise Invalid([Finding("error", "--expect", text[:80], "number:hash, as this command printed it")])
    return int(number), digest
