"""Documents as a folder: DIR/<plural>/<key>.yaml, one file per document, and what each of them was exported from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from governance import kinds, yaml_files
from governance.findings import Finding, Invalid, Missing
from governance.kinds import Ref
from governance.models import Document
from governance.revisions import Prepared, prepare

MOST = 5_000  # files of one folder
BASES = ".exported.json"  # file name → sha256 of the revision that was exported; belongs into the repository with the files


@dataclass(frozen=True, slots=True)
class FileDocument:
    """One file's body, ready to be saved. name: its path below the folder; base: sha256 of the revision that was exported into it."""

    name: str
    ready: Prepared
    base: str | None = None


def read_folder(folder: Path) -> list[FileDocument]:
    """Every document of the folder, what is used before what uses it. Raises Invalid with the faults of all files."""
    if not folder.is_dir():
        raise Invalid([Finding("error", str(folder), "no folder", "a folder of <plural>/<key>.yaml files")])
    found: list[FileDocument] = []
    faults: list[Finding] = []
    bases = _bases(folder)
    for path in _paths(folder):
        name = path.relative_to(folder).as_posix()
        try:
            found.append(_read(folder, path, name, bases.get(name)))
        except Invalid as invalid:
            faults += in_file(name, invalid.findings)
    if len(found) > MOST:
        faults.append(Finding("error", str(folder), f"{len(found):,} files", f"at most {MOST:,}"))
    if faults:
        raise Invalid(faults)
    return in_order(found)


def in_file(name: str, findings: Iterable[Finding]) -> list[Finding]:
    """The findings with the file's name before their pointer: "templates/welcome.yaml /subject"."""
    return [Finding(each.level, f"{name} {each.path or '/'}", each.found, each.expected) for each in findings]


def in_order(files: list[FileDocument]) -> list[FileDocument]:
    """What is used comes first; otherwise by name. A loop keeps some order: saving it names the loop."""
    by_ref = {each.ready.ref: each for each in files}
    done: dict[Ref, None] = {}
    for start in sorted(by_ref):
        path: list[tuple[Ref, Iterator[Ref]]] = [(start, iter(sorted(by_ref[start].ready.uses)))] if start not in done else []
        entered = {start}
        while path:
            ref, below = path[-1]
            following = next((used for used in below if used in by_ref and used not in done and used not in entered), None)
            if following is None:
                done[ref] = None
                path.pop()
            else:
                entered.add(following)
                path.append((following, iter(sorted(by_ref[following].ready.uses))))
    return [by_ref[ref] for ref in done]


def export(workspace_id: int, folder: Path, *, released: bool) -> tuple[list[str], list[str]]:
    """Write every document's latest (or released) body. Returns the names of files that were written, and of other
    files in the kinds' folders, which no document stands behind. Unchanged files aren't touched."""
    written: list[str] = []
    known: dict[str, str] = {}
    rows = Document.objects.filter(workspace_id=workspace_id).select_related("latest", "released").order_by("kind", "key")
    for row in rows:
        revision = row.released if released else row.latest
        if revision is None:
            continue
        name = f"{kinds.kind(row.kind).plural}/{row.key}.yaml"
        known[name] = revision.sha256
        if _write(folder / name, yaml_files.write(revision.body)):
            written.append(name)
    _write(folder / BASES, (json.dumps(known, indent=1, sort_keys=True) + "\n").encode())
    strangers = [path.relative_to(folder).as_posix() for path in _paths(folder)]
    return written, sorted(name for name in strangers if name not in known)


def _paths(folder: Path) -> Iterator[Path]:
    """Files one folder deep; hidden ones and notes beside the folders are left alone."""
    for inner in sorted(folder.iterdir()):
        if inner.is_dir() and not inner.name.startswith("."):
            yield from (path for path in sorted(inner.iterdir()) if not path.name.startswith("."))


def _bases(folder: Path) -> dict[str, str]:
    """What `export` noted; nothing where it never wrote here. Raises Invalid for a file that it can't have written."""
    path = folder / BASES
    if not path.exists():
        return {}
    try:
        noted = json.loads(path.read_bytes()) if path.stat().st_size <= yaml_files.LARGEST else None
    except (ValueError, RecursionError):
        noted = None
    if not isinstance(noted, dict) or not all(isinstance(each, str) for each in noted.values()):
        raise Invalid([Finding("error", BASES, "something else", "what `export` writes: file names and hashes")])
    return noted


def _read(folder: Path, path: Path, name: str, base: str | None) -> FileDocument:
    try:
        kind = kinds.kind_of_plural(path.parent.name)
    except Missing as missing:
        raise Invalid([Finding("error", "", f"the folder {path.parent.name[:40]}", missing.reason.partition("expected ")[2])]) from None
    if path.suffix != ".yaml" or not path.is_file() or folder.resolve() not in path.resolve().parents:
        raise Invalid([Finding("error", "", "not a .yaml file of this folder", "files named <key>.yaml")])
    return FileDocument(name, prepare(kind.name, path.stem, yaml_files.read(path.read_bytes())), base)


def _write(path: Path, raw: bytes) -> bool:
    if path.exists() and path.read_bytes() == raw:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(raw)
    unfinished.replace(path)
    return True
