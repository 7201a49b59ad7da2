"""Prints the reference page of all management commands: docs/reference/commands.md is this command's output."""

from __future__ import annotations

from argparse import SUPPRESS, Action
from collections.abc import Iterator
from typing import Any

from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand, CommandParser, DjangoHelpFormatter

ROOMS = ("omni", "workflow", "optimization", "delivery", "rendering", "presentation", "audience", "governance")
COMMON = {"--workspace", "--as"}
HEAD = """# Commands

Each is `.venv/bin/python manage.py COMMAND`. This page is written by `manage.py command_reference` from what `--help` says.

Those that say *as a person* take two more options:

- `--as USER`: name of the person who acts. What saves, submits, decides or releases needs it: it is recorded, and nobody approves their
  own work. Elsewhere the operator is assumed.
- `--workspace KEY`: the workspace, by default `default`.

Their exit status is 0 when it is done, 2 when the input is invalid (each finding is a line on stderr) and 3 when policy refuses.
"""


class Command(BaseCommand):
    help = "Print the reference page of all management commands (docs/reference/commands.md)."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(page(), ending="")


def page() -> str:
    """The page, from the commands of our rooms."""
    ours = sorted((room, name) for name, room in get_commands().items() if room in ROOMS)
    return HEAD + "".join(_section(name, load_command_class(room, name)) for room, name in sorted(ours, key=lambda each: each[1]))


def _section(name: str, command: BaseCommand) -> str:
    parser = command.create_parser("manage.py", name)
    actions = [action for action in parser._actions if not _usual(action)]
    rows = "".join(f"| {_name(action)} | {_help(action, parser)} |\n" for action in actions)
    person = " *As a person.*" if _common(parser) else ""
    words = " ".join(str(command.help).split())
    table = f"\n| | |\n|---|---|\n{rows}" if rows else ""
    return f"\n## {name}\n\n{words}{person}\n{table}"


def _common(parser: CommandParser) -> bool:
    return any(COMMON & set(action.option_strings) for action in parser._actions)


def _usual(action: Action) -> bool:
    """Django's own options, and those that the page's head explains."""
    spoken = {*DjangoHelpFormatter.show_last, *COMMON, "--help", "--skip-checks"}
    return action.help == SUPPRESS or bool(spoken & set(action.option_strings))


def _name(action: Action) -> str:
    shown = action.option_strings[-1] if action.option_strings else ""
    return f"`{' '.join(part for part in (shown, *_operand(action)) if part)}`"


def _operand(action: Action) -> Iterator[str]:
    if action.nargs == 0:
        return
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    yield metavar or (action.dest.upper() if action.choices is None or not action.option_strings else "…")


def _help(action: Action, parser: CommandParser) -> str:
    words = (action.help or "") % {"default": action.default, "prog": parser.prog}
    choices = ", ".join(f"`{choice}`" for choice in action.choices or ())
    needed = "needed" if action.required and action.option_strings else ""
    return "; ".join(part for part in (words, choices, needed) if part).replace("|", "\\|")
