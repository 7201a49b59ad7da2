"""How a command acts, what it prints and what its exit status means."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandParser

from governance.findings import DoorError, Invalid, Missing, Refused
from governance.members import DEFAULT, actor_for, default_workspace, operator
from governance.models import User, Workspace
from governance.roles import Actor

DONE, INVALID, REFUSED = 0, 2, 3


@dataclass(frozen=True, slots=True)
class Report:
    """What a command has to say: lines for people, `data` for `--json`, and an exit status."""

    lines: tuple[str, ...] = ()
    data: Any = None
    status: int = field(default=DONE)


def plural(number: int, noun: str) -> str:
    """ "1 row", "2,000 rows"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


class DoorCommand(BaseCommand):
    """A door for operators: `act` does the work; expected failures become lines on stderr.

    Exit status: 0 done, 2 invalid input, 3 refused by policy. Every command takes `--workspace` and `--as USER`;
    without `--as` the actor is the operator, who may look but not save, decide or release (see `needs_person`).
    """

    needs_person: ClassVar[bool] = False
    for_anybody: ClassVar[bool] = False  # who acts makes no difference to what it may do
    workspace: Workspace
    actor: Actor

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        add_common(parser, needs_person=self.needs_person)
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        options.pop("args", None)
        try:
            self.workspace = workspace_of(options.pop("workspace") or DEFAULT)
            self.actor = person(options.pop("as_user"), self.workspace) or operator(self.workspace.pk)
            if self.needs_person and self.actor.user_id is None:
                raise Refused("this needs a person: say who with --as USER")
            report = self.act(**options)
        except DoorError as error:
            self._explain(error)
            raise SystemExit(INVALID if isinstance(error, Invalid | Missing) else REFUSED) from None
        self._print(report or Report(), as_json=bool(options.get("json")))

    def act(self, *args: Any, **options: Any) -> Report | None:
        """Do it, as `self.actor` in `self.workspace`."""
        raise NotImplementedError

    def _explain(self, error: DoorError) -> None:
        if not isinstance(error, Invalid):
            self.stderr.write(error.reason)
        for finding in error.findings:
            self.stderr.write(str(finding))
        if (
            isinstance(error, Refused)
            and not self.needs_person
            and not self.for_anybody
            and self.actor.user_id is None
            and not error.findings
        ):
            self.stderr.write("the operator is assumed: say which person acts with --as USER")

    def _print(self, report: Report, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(report.data, default=str, ensure_ascii=False, indent=2))
        else:
            for line in report.lines:
                self.stdout.write(line)
        if report.status:
            raise SystemExit(report.status)


def add_common(parser: ArgumentParser, *, needs_person: bool) -> None:
    """The arguments that every command has."""
    need = "required: it is recorded and may not approve its own work" if needs_person else "default: the operator"
    parser.add_argument("--workspace", default=DEFAULT, help="key of the workspace (default: %(default)s)")
    parser.add_argument("--as", dest="as_user", metavar="USER", default="", help=f"name of the person who acts ({need})")


def workspace_of(key: str) -> Workspace:
    """The workspace of that key. Raises Missing; the default one is made at first use."""
    found = default_workspace() if key == DEFAULT else Workspace.objects.filter(key=key).first()
    if found is None:
        raise Missing(f"no workspace {key[:60]!r}")
    return found


def person(name: str, workspace: Workspace) -> Actor | None:
    """The member of that name as an actor through a command; None for no name. Raises Missing."""
    if not name:
        return None
    user = User.objects.filter(username=name).first()
    if user is None:
        raise Missing(f"no user {name[:60]!r}")
    return actor_for(user, workspace.pk, "command")
