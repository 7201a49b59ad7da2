from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from governance.command import DoorCommand, Report
from governance.folders import export


class Command(DoorCommand):
    help = "Write every document to DIR/<plural>/<key>.yaml, always the same bytes for the same document."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dir", type=Path, help="the folder; it is made if need be, and nothing in it is deleted")
        parser.add_argument("--released", action="store_true", help="what is in force, instead of the latest revisions")

    def act(self, dir: Path, *, released: bool, **_: Any) -> Report:
        dir.mkdir(parents=True, exist_ok=True)
        written, strangers = export(self.workspace.pk, dir, released=released)
        lines = [f"written    {name}" for name in written]
        lines += [f"stranger   {name}: no document stands behind it" for name in strangers]
        return Report((*lines, f"{len(written)} files written"))
