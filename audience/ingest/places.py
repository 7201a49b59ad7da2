"""Where files of people lie: one file or a folder of them, on this machine or in an object storage, with what folders' names say.

A folder like `day=2026-11-28/country=FR/` says so of every row below it (Hive's way). Names that begin with a dot or an underscore are
other programs' marks and are passed over.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote

from audience.ingest.extra import ARROW_STORES, OBJECT_STORES, ObjectStore, object_store
from governance.door import Finding, Invalid, pointer, shorten

MAX_FILES, MAX_NAME = 100_000, 1_000  # names in bytes
EDGE = 64 * 1024  # bytes at each end of a file on this machine that tell it from another one
_NOTHING = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True, slots=True)
class Part:
    """One file. name: its path below the folder that was asked for, or its own name; size: bytes; changed: what tells its state from a
    later one; partitions: what the folders' names say of its rows."""

    name: str
    size: int
    changed: str
    opened: Any  # a path here, or a path in the store
    modified: str = ""  # when it was written, as texts or numbers whose order is that of the times
    store: ObjectStore | None = None
    partitions: Mapping[str, str] = field(default_factory=dict)
    alone: bool = True  # it was named itself, not found in a folder

    def open(self) -> BinaryIO:
        """Its bytes. Raises Invalid if it can't be opened."""
        try:
            return self.store.open(self.opened) if self.store else open(self.opened, "rb")
        except OSError as error:
            raise self.unfit((error.strerror or "an error").lower(), "a file that can be read") from None

    def fingerprint(self) -> str:
        """Another one whenever its bytes were changed, as far as can be told without reading all of them."""
        digest = hashlib.sha256(f"{self.size}\0{self.changed}\0".encode())
        if self.store is None:
            with self.open() as source:
                digest.update(source.read(EDGE))
                source.seek(max(self.size - EDGE, 0))
                digest.update(source.read(EDGE))
        return digest.hexdigest()

    def unfit(self, found: str, expected: str) -> Invalid:
        """What is wrong with the file as a whole."""
        return Invalid([self.fault(found, expected)])

    def fault(self, found: str, expected: str, at: str = "/file") -> Finding:
        """A finding that names the file where there may be several."""
        return Finding("error", at if self.alone else pointer(["file", *self.name.split("/")]), found, expected)

    def naming(self, findings: Any) -> list[Finding]:
        """Findings about something in this file, below its name where there may be several."""
        if self.alone:
            return list(findings)
        at = pointer(["file", *self.name.split("/")])
        return [one if one.path.startswith(at) else Finding(one.level, at + one.path, one.found, one.expected) for one in findings]


def find_parts(place: str) -> list[Part]:
    """The file, or all files of the folder in the order of their names. place: a path, or a URL such as s3://bucket/people/.

    Raises Invalid where nothing can be found, and for folders' names that contradict each other.
    """
    kind, separator, _ = place.partition("://")
    if separator and "::" in place:
        raise _unfit("a URL of several steps", "the URL of a file or folder")
    if not separator or kind == "file":
        parts = _here(Path(place.partition("://")[2] if separator else place))
    elif kind in OBJECT_STORES:
        parts = _in_store(place)
    else:
        raise _unfit(f"a URL that begins with {shorten(kind)}://", f"a path, or a URL that begins with one of {_kinds()}")
    if not parts:
        raise _unfit("a folder without files", "a folder with files of people")
    return _agreeing(parts)


def _kinds() -> str:
    return ", ".join(f"{kind}://" for kind in sorted(OBJECT_STORES | ARROW_STORES | {"file"}))


def _here(path: Path) -> list[Part]:
    try:
        if not path.is_dir():
            stat = path.stat()
            return [Part(_shown(path.name), stat.st_size, str(stat.st_mtime_ns), path, str(stat.st_mtime_ns))]
        return [
            _part(_shown(str(found.relative_to(path))), stat.st_size, str(stat.st_mtime_ns), found, str(stat.st_mtime_ns))
            for found in _files_below(path)
            if (stat := found.stat())
        ]
    except OSError as error:
        raise _unfit((error.strerror or "an error").lower(), "a file or folder that can be read") from None


def _files_below(folder: Path) -> Iterator[Path]:
    count = 0
    for where, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = sorted(name for name in folders if not _passed_over(name))
        for name in sorted(files):
            if not _passed_over(name):
                count += 1
                _bounded(count)
                yield Path(where) / name


def _raise(error: OSError) -> None:
    raise error


def _in_store(place: str) -> list[Part]:
    store, root = object_store(place)
    found = store.find(root)
    _bounded(len(found))
    if not found:
        raise _unfit("nothing there", "the URL of a file or folder that can be read")
    if [each.name for each in found] == [root]:
        return [Part(_shown(root.rpartition("/")[2]), each.size, each.changed, root, each.modified, store) for each in found]
    below = root.rstrip("/") + "/"
    return [
        _part(relative, each.size, each.changed, each.name, each.modified, store)
        for each in found
        if (relative := _shown(each.name.removeprefix(below))) and not any(_passed_over(step) for step in relative.split("/"))
    ]


def _bounded(count: int) -> None:
    if count > MAX_FILES:
        raise _unfit(f"more than {MAX_FILES:,} files", "a part of them at a time")


def _passed_over(name: str) -> bool:
    return name.startswith((".", "_"))


def _shown(name: str) -> str:
    """A name that can be written and kept, whatever bytes it is made of."""
    return name.encode("utf-8", "backslashreplace").decode()


def _part(relative: str, size: int, changed: str, opened: Any, modified: str, store: ObjectStore | None = None) -> Part:
    if len(relative.encode()) > MAX_NAME:
        raise _unfit(f"a path of more than {MAX_NAME:,} bytes", "shorter names")
    part = Part(relative, size, changed, opened, modified, store, alone=False)
    steps = [step for step in relative.split("/")[:-1] if "=" in step]
    said = [(unquote(key), unquote(value)) for key, _, value in (step.partition("=") for step in steps)]
    for place, (key, value) in enumerate(said):
        if not key or key in dict(said[:place]) or not (key + value).isprintable():
            raise part.unfit(f"the folder {shorten(steps[place])}", "each column once in a path, as in day=2026-11-28/country=FR")
    return Part(relative, size, changed, opened, modified, store, partitions_of(relative), alone=False)


def partitions_of(relative: str) -> dict[str, str]:
    """What the folders' names of a path say of the rows below them."""
    said = ((unquote(key), unquote(value)) for key, equals, value in (step.partition("=") for step in relative.split("/")[:-1]) if equals)
    return {key: "" if value == _NOTHING else value for key, value in said}


def _agreeing(parts: list[Part]) -> list[Part]:
    first = parts[0]
    for part in parts:
        if set(part.partitions) != set(first.partitions):
            ours, theirs = (" and ".join(sorted(one.partitions)) or "no columns" for one in (part, first))
            raise part.unfit(f"{shorten(ours)} in the folders' names", f"{shorten(theirs)}, as in {shorten(first.name)}")
    return parts


def _unfit(found: str, expected: str) -> Invalid:
    return Invalid([Finding("error", "/file", found, expected)])
