"""Throw or release a kill switch from the shell."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from delivery.control import kill, switches
from delivery.standstill import left_before, standstill
from governance.door import DoorCommand, Report


class Command(DoorCommand):
    """`kill_switch on --vendor sendgrid --reason "…" --as USER`: the same rights and the same audit trail as the console's."""

    help = "Stop a vendor, a campaign or the whole workspace at once, or let it go on."
    needs_person = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("do", choices=["on", "off"], help="on: nothing of it goes out any more; off needs an approver")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--vendor", default="", metavar="KEY", help="only what goes by this vendor")
        what.add_argument("--campaign", default="", metavar="KEY", help="only this campaign; without either of them everything stops")
        parser.add_argument("--reason", required=True, help="why, in a few words; everybody sees it")
        parser.add_argument("--json", action="store_true", help="print the switches that are on as JSON")

    def act(self, do: str, *, vendor: str, campaign: str, reason: str, **_: Any) -> Report:
        scope, on = "vendor" if vendor else "campaign" if campaign else "workspace", do == "on"
        key, space = vendor or campaign, self.workspace.pk
        kill(self.actor, scope, key, on, reason=reason, now=timezone.now())  # type: ignore[arg-type]  # it is one of the three
        left = left_before(standstill(space, scope=scope, key=key)) if on else ""
        what = f"{scope} {key}" if key else "the whole workspace"
        said = f"the kill switch for {what} is {'on: nothing of it goes out.' if on else 'off again.'}{left}"
        return Report((said,), {"items": [{"scope": row.scope, "key": row.key, "reason": row.reason} for row in switches(space)]})
