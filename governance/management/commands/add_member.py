from __future__ import annotations

import sys
from getpass import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser
from django.db import transaction
from django.utils import timezone

from governance.command import DoorCommand, Report
from governance.findings import Finding, Invalid
from governance.members import set_member
from governance.models import User
from governance.roles import Role


class Command(DoorCommand):
    help = "Let a person in or change their role. With --password it asks for a new password, or reads it from standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the name they sign in with")
        parser.add_argument("--role", required=True, choices=[role.value for role in Role], help="what they may do")
        parser.add_argument("--legal", action="store_true", help="they may approve a changed message class")
        parser.add_argument("--email", default="", help="where tests that they send to themselves go")
        parser.add_argument("--password", action="store_true", help="ask for a password, or read it from standard input")

    def act(self, user: str, *, role: str, legal: bool, email: str, password: bool, **_: Any) -> Report:
        person = User.objects.filter(username=user).first() or User(username=user)
        person.email = email or person.email
        if password:
            person.set_password(_password(_typed(), person))
        elif not person.password:
            person.set_unusable_password()
        with transaction.atomic():
            person.save()
            set_member(self.actor, person, role=Role(role), legal=legal, now=timezone.now())
        return Report((f"{user} is {role} of {self.workspace.key}",))


def _typed() -> str:
    return getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().strip("\r\n")


def _password(text: str, person: User) -> str:
    try:
        validate_password(text, person)
    except ValidationError as error:
        raise Invalid([Finding("error", "password", "one that is too easy to guess", " ".join(error.messages))]) from None
    return text
