from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from governance.api_keys import create_api_key
from governance.command import DoorCommand, Report
from governance.roles import SCOPES, Role


class Command(DoorCommand):
    help = "Make an API key that acts for --as USER and print it once; as what and until when it acts is told beside it."
    needs_person = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what it is for")
        parser.add_argument("--role", default=Role.AUTHOR.value, choices=[role.value for role in Role], help="default: %(default)s")
        parser.add_argument("--scope", action="append", default=[], choices=list(SCOPES), help="repeat for several; default: all")
        parser.add_argument("--days", type=int, default=90, help="how long it works (default: %(default)s); 0: until it is revoked")

    def act(self, name: str, *, role: str, scope: list[str], days: int, **_: Any) -> Report:
        now = timezone.now()
        expires = now + timedelta(days=days) if days else None
        _key, text = create_api_key(self.actor, name, Role(role), scope or list(SCOPES), expires, now)
        until = f"until {expires:%Y-%m-%d}" if expires else "until it is revoked"
        self.stderr.write(f"acts for {self.actor.label}, at most as {role}, {until}")
        return Report((text,))
