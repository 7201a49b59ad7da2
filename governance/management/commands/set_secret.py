from __future__ import annotations

import sys
from typing import Any

from cryptography.fernet import Fernet
from django.core.management.base import CommandParser
from django.utils import timezone

from governance.command import DoorCommand, Report
from governance.findings import Finding, Invalid
from governance.vault import reseal as reseal_all
from governance.vault import set_secret


class Command(DoorCommand):
    help = "Keep a vendor's credential, encrypted: `manage.py set_secret SENDGRID < key.txt`. The value is read from standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", default="", help="what documents call it: letters, digits and _")
        parser.add_argument("--new-vault-key", action="store_true", help="print a new key for OMNI_VAULT_KEYS and stop")
        parser.add_argument("--reseal", action="store_true", help="encrypt every stored secret anew with the newest vault key")

    def act(self, name: str, *, new_vault_key: bool, reseal: bool, **_: Any) -> Report:
        if new_vault_key:
            return Report((Fernet.generate_key().decode(),))
        if reseal:
            return Report((f"{reseal_all(self.actor, now=timezone.now())} secrets are encrypted with the newest key",))
        if not name:
            raise Invalid([Finding("error", "NAME", "nothing", "the secret's name")])
        set_secret(self.actor, name, sys.stdin.read().strip("\r\n"), now=timezone.now())
        return Report((f"the secret {name.upper()} is set",))
