from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction
from django.utils import timezone

from governance.applying import Applied, Elsewhere, Submitted, apply, submit_roots
from governance.command import DoorCommand, Report
from governance.folders import read_folder


class Command(DoorCommand):
    help = "Save a folder of documents (DIR/<plural>/<key>.yaml) as new revisions: all of them, or none and every reason why."
    needs_person = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dir", type=Path, help="the folder, as `export` writes it")
        parser.add_argument("--dry-run", action="store_true", help="say what would change; save nothing")
        parser.add_argument("--submit", action="store_true", help="also submit for approval what has unreleased changes")
        parser.add_argument("--keep-errors", action="store_true", help="save drafts that the checks object to, as the console does")
        elsewhere = parser.add_mutually_exclusive_group()
        said = "where a document was edited in the console or by API since the export:"
        elsewhere.add_argument("--keep-edits", dest="elsewhere", action="store_const", const="keep", help=f"{said} leave it as it is")
        elsewhere.add_argument(
            "--overwrite", dest="elsewhere", action="store_const", const="overwrite", help=f"{said} save the file over it"
        )
        parser.set_defaults(elsewhere="refuse")
        parser.add_argument("--note", default="", help="a note for the history of every changed document")

    def act(self, dir: Path, *, dry_run: bool, submit: bool, keep_errors: bool, elsewhere: Elsewhere, note: str, **_: Any) -> Report:
        now, files = timezone.now(), read_folder(dir)
        with transaction.atomic():
            done = apply(self.actor, files, note=note, dry_run=dry_run, keep_errors=keep_errors, elsewhere=elsewhere, now=now)
            asked = submit_roots(self.actor, done, note=note, now=now) if submit and not dry_run else Submitted([], [])
        lines = [*_lines(done), _sum(done, dry_run=dry_run)]
        for submission in asked.submissions:
            name = f"{submission.document.kind} {submission.document.key}"
            lines.append(f"submitted  {name}: {submission.approvals_needed} approval(s) needed")
        lines += [f"not submitted  {finding}" for finding in asked.left]
        return Report(tuple(lines))


def _lines(done: list[Applied]) -> list[str]:
    return [line for each in done for line in (each.words, *(f"  {remark.level}: {remark}" for remark in each.remarks))]


def _sum(done: list[Applied], *, dry_run: bool) -> str:
    created = sum(each.created for each in done)
    changed = sum(bool(each.changes) for each in done)
    verb = "would be" if dry_run else "were"
    return f"{len(done)} documents: {created} new, {changed} changed {verb} saved"
