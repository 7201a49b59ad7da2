"""What an export folder holds and up to where: written last, so it never promises what isn't there."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from delivery.history.schema import VERSION
from governance.door import Finding, Invalid, Refused

NAME = "_manifest.json"  # readers of Hive folders pass over names that begin so
Files = dict[str, tuple[int, str]]  # path within the folder: rows, digest


@dataclass(slots=True)
class Seen:
    """One run as it was exported. closed: nothing but an event can change it any more."""

    closed: bool
    state: str
    finished_at: str
    archived: bool
    revised: int
    files: Files = field(default_factory=dict)


@dataclass(slots=True)
class Manifest:
    """events_upto: every event up to this number is exported, but for `undecided` ones."""

    workspace: str
    since: str
    with_people: bool
    schema: int = VERSION
    exports: int = 0
    exported_at: str = ""
    events_upto: int = 0
    undecided: list[int] = field(default_factory=list)
    runs: dict[str, Seen] = field(default_factory=dict)
    events: Files = field(default_factory=dict)
    tables: Files = field(default_factory=dict)  # of runs and people


def load(folder: Path, *, workspace: str, since: str, with_people: bool) -> Manifest:
    """The folder's manifest, a new one where there is none. Raises Invalid where it was begun in another way."""
    try:
        raw = orjson.loads((folder / NAME).read_bytes())
    except FileNotFoundError:
        if any(folder.rglob("*.parquet")):
            raise Invalid([Finding("error", "/to", str(folder), f"an empty folder, or one with a {NAME} of an earlier export")]) from None
        made = Manifest(workspace, since, with_people)
        save(folder, made)  # first of all: what a killed first export leaves behind is known as ours
        return made
    except orjson.JSONDecodeError as broken:
        raise Invalid([Finding("error", "/to", NAME, "a manifest as this command writes it; or another folder")]) from broken
    findings = [
        Finding(
            "error", f"/{name}", str(value)[:60] or "nothing", f"{raw.get(key) or 'nothing'}, as this folder was begun; or a new folder"
        )
        for name, key, value in (
            ("workspace", "workspace", workspace),
            ("since", "since", since),
            ("with-people", "with_people", with_people),
            ("schema", "schema", VERSION),
        )
        if raw.get(key) != value
    ]
    if findings:
        raise Invalid(findings)
    runs = {number: Seen(**{**seen, "files": _files(seen["files"])}) for number, seen in raw["runs"].items()}
    return Manifest(**{**raw, "runs": runs, "events": _files(raw["events"]), "tables": _files(raw["tables"])})


def save(folder: Path, manifest: Manifest) -> None:
    """Put it in place of the old one, durably."""
    made = folder / f".{NAME}.tmp"
    with made.open("wb") as file:
        file.write(orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2))
        file.flush()
        os.fsync(file.fileno())
    made.replace(folder / NAME)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Only one export or archive at a time writes into a folder. Raises Refused for the second, Invalid for a folder that can't be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / ".lock").open("w")
    except OSError as error:
        raise Invalid([Finding("error", "/to", str(folder), f"a folder that can be written to ({error.strerror})")]) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"another export is writing into {folder}") from None
        yield


def _files(raw: dict[str, Any]) -> Files:
    return {path: (int(rows), str(digest)) for path, (rows, digest) in raw.items()}
