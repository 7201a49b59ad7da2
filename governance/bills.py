"""The bill of materials: a document and everything it uses, transitively, and the hash that people vouch for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from django.db.models import Q

from governance import canonical
from governance.findings import Finding, Missing, Refused
from governance.kinds import Ref
from governance.models import Document, Revision

LARGEST = 2_000  # documents below one
Rows = Mapping[Ref, Document]


@dataclass(frozen=True, slots=True)
class BillItem:
    """One revision in a bill. changed: it is not what is released now."""

    kind: str
    key: str
    number: int
    sha256: str
    released_number: int | None
    changed: bool
    document_id: int
    revision_id: int
    author_id: int | None

    @property
    def ref(self) -> Ref:
        """Which document this is a revision of."""
        return Ref(self.kind, self.key)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, as it is stored with a submission."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Bill:
    """Sorted items and their hash. missing: documents that are named below and don't exist (or aren't released)."""

    items: tuple[BillItem, ...]
    hash: str
    missing: tuple[Ref, ...] = ()

    @property
    def changed(self) -> tuple[BillItem, ...]:
        """What a release of this bill would put in force."""
        return tuple(item for item in self.items if item.changed)

    def item(self, kind: str, key: str) -> BillItem | None:
        """The item of one document, if it is in the bill."""
        return next((item for item in self.items if (item.kind, item.key) == (kind, key)), None)


def bill_hash(items: Iterable[BillItem]) -> str:
    """SHA-256 over the sorted (kind, key, revision sha256)."""
    return canonical.sha256(sorted([item.kind, item.key, item.sha256] for item in items))


def bill(workspace_id: int, kind: str, key: str, *, of: Literal["draft", "released"]) -> Bill:
    """draft: latest revisions all the way down; released: by the released pointers. Raises Missing where the document has none."""
    return bill_of(workspace_id, Ref(kind, key), (lambda row: row.latest) if of == "draft" else (lambda row: row.released))


def bill_of(workspace_id: int, root: Ref, pick: Callable[[Document], Revision | None]) -> Bill:
    """The bill of `root` where `pick` says which revision of a document counts."""
    rows, missing = _walk(workspace_id, root, pick)
    if root in missing:
        raise Missing(f"no such revision of {root.kind} {root.key[:80]!r}")
    items = tuple(_item(rows[ref], pick) for ref in sorted(rows))
    return Bill(items, bill_hash(items), tuple(sorted(missing)))


def find_loop(workspace_id: int, root: Ref, uses: Iterable[Ref], pick: Callable[[Document], Revision | None]) -> list[Ref]:
    """The way from `root` back to itself through `uses` and what those use, or nothing."""
    came_from: dict[Ref, Ref] = {}
    level = list(dict.fromkeys(uses))
    came_from.update(dict.fromkeys(level, root))
    while level and root not in came_from:
        found = _load(workspace_id, level)
        below = {used: ref for ref in level if ref in found and (chosen := pick(found[ref])) for used in refs_of(chosen)}
        level = [used for used in below if used not in came_from]
        came_from.update({used: below[used] for used in level})
    if root not in came_from:
        return []
    way = [root]
    while (before := came_from[way[-1]]) != root:
        way.append(before)
    return [root, *reversed(way[1:]), root]


def loop_finding(way: list[Ref], path: str) -> Finding:
    """What to say about documents that use each other in a circle."""
    return Finding("error", path, "a loop: " + " → ".join(map(str, way)), "documents that don't use themselves through others")


def refs_of(revision: Revision) -> list[Ref]:
    """What a stored revision uses."""
    return [Ref(kind, key) for kind, key in revision.uses]


def _walk(workspace_id: int, root: Ref, pick: Callable[[Document], Revision | None]) -> tuple[dict[Ref, Document], set[Ref]]:
    """One query per level, so the depth and not the number of documents costs."""
    rows: dict[Ref, Document] = {}
    missing: set[Ref] = set()
    level = [root]
    while level:
        if len(rows) > LARGEST:
            raise Refused(f"more than {LARGEST:,} documents are used below {root}")
        found = _load(workspace_id, level)
        below: dict[Ref, None] = {}
        for ref in level:
            chosen = pick(found[ref]) if ref in found else None
            if chosen is None:
                missing.add(ref)
                continue
            rows[ref] = found[ref]
            below.update(dict.fromkeys(refs_of(chosen)))
        level = [ref for ref in below if ref not in rows and ref not in missing]
    return rows, missing


def _load(workspace_id: int, refs: Iterable[Ref]) -> dict[Ref, Document]:
    by_kind: dict[str, list[str]] = {}
    for ref in refs:
        by_kind.setdefault(ref.kind, []).append(ref.key)
    wanted = Q(pk__in=[])
    for kind, keys in by_kind.items():
        wanted |= Q(kind=kind, key__in=keys)
    rows = Document.objects.filter(wanted, workspace_id=workspace_id).select_related("latest", "released")
    return {Ref(row.kind, row.key): row for row in rows}


def _item(row: Document, pick: Callable[[Document], Revision | None]) -> BillItem:
    chosen, live = pick(row), row.released
    assert chosen is not None
    return BillItem(
        kind=row.kind,
        key=row.key,
        number=chosen.number,
        sha256=chosen.sha256,
        released_number=live.number if live else None,
        changed=live is None or live.sha256 != chosen.sha256,
        document_id=row.pk,
        revision_id=chosen.pk,
        author_id=chosen.author_id,
    )
