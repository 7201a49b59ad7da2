"""What kinds of document exist, and what each asks of its bodies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from governance.findings import Finding, Missing
from governance.roles import Actor, Role
from governance.schema import DocumentModel

M = TypeVar("M", bound=DocumentModel)


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """One document used by another. path: where the body says so (JSON Pointer), for findings."""

    kind: str
    key: str
    path: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Draft(Protocol):
    """Reads a document as it stands now: its latest revision's model, or None where there is none."""

    def __call__(self, kind: str, key: str, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class CheckContext:
    """What a check may look at: other drafts of the same workspace, never the clock."""

    workspace_id: int
    key: str
    actor: Actor | None
    draft: Draft
    now: datetime


def _title(model: Any) -> str:
    return str(getattr(model, "title", "") or "")


@dataclass(frozen=True, slots=True)
class Kind(Generic[M]):
    """One kind of document. `plural` names its folder, address and list; every function is pure but `reach`.

    references: the documents that a body uses; checks: findings beyond the schema (errors block submission);
    reach: how many people the latest drafts would reach now, None where that has no meaning;
    legal_fields: top-level fields whose change only a person with `legal` may approve; save_role: who may save.
    """

    name: str
    plural: str
    title: str
    schema: type[M]
    title_of: Callable[[M], str] = _title
    references: Callable[[M], Sequence[Ref]] = lambda model: ()
    checks: Callable[[CheckContext, M], Sequence[Finding]] = lambda context, model: ()
    reach: Callable[[int, M, datetime], int | None] | None = None
    legal_fields: tuple[str, ...] = ("message_class",)
    save_role: Role = Role.AUTHOR


_KINDS: dict[str, Kind[Any]] = {}


def register(new: Kind[Any]) -> None:
    """Make a kind known; each room does so when it starts. The same name twice is a programming error."""
    if _KINDS.get(new.name, new) is not new:
        raise ValueError(f"the kind {new.name} is registered twice")
    _KINDS[new.name] = new


def kind(name: str) -> Kind[Any]:
    """The kind of that name. Raises Missing with those that exist."""
    try:
        return _KINDS[name]
    except KeyError:
        raise Missing(f"no document kind {name[:40]!r}: expected one of {', '.join(sorted(_KINDS))}") from None


def kind_of_plural(plural: str) -> Kind[Any]:
    """The kind whose folder and address this is. Raises Missing."""
    for known in _KINDS.values():
        if known.plural == plural:
            return known
    raise Missing(f"no documents {plural[:40]!r}: expected one of {', '.join(sorted(each.plural for each in _KINDS.values()))}")


def kinds() -> list[Kind[Any]]:
    """All kinds, by name."""
    return [_KINDS[name] for name in sorted(_KINDS)]
