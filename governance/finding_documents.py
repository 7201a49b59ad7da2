"""Finding documents of every kind by a few letters, for the command palette."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Case, Q, When
from django.db.models.functions import Length

from governance import kinds
from governance.kinds import Ref
from governance.models import Document
from governance.pages import document_address, pages_of


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """A document's name and address."""

    title: str
    kind_title: str
    icon: str
    href: str


def find_documents(workspace_id: int, text: str, *, limit: int) -> list[FoundDocument]:
    """Documents whose title or key contains every word: those called just that first, then the shortest titles. One query."""
    known = {sort.name: sort for sort in kinds.kinds()}
    rows = Document.objects.filter(workspace_id=workspace_id, kind__in=known, latest__isnull=False)
    for word in text.split()[:8]:
        rows = rows.filter(Q(title__icontains=word) | Q(key__icontains=word))
    return [
        FoundDocument(row.title or row.key, known[row.kind].title, pages_of(row.kind).icon, document_address(row.kind, row.key))
        for row in rows.order_by(Case(When(title__iexact=text.strip(), then=0), default=1), Length("title"), "-updated_at", "pk")[:limit]
    ]


def used_by(workspace_id: int, kind_name: str) -> dict[str, list[Ref]]:
    """Which latest drafts use each document of a kind. One query."""
    users: dict[str, list[Ref]] = {}
    rows = Document.objects.filter(workspace_id=workspace_id, latest__isnull=False).values_list("kind", "key", "latest__uses")
    for user_kind, user_key, uses in rows.order_by("kind", "key"):
        for used_kind, used_key in uses:
            if used_kind == kind_name:
                users.setdefault(used_key, []).append(Ref(user_kind, user_key))
    return users
