"""What a dispatch was made from, by its title."""

from __future__ import annotations

from collections.abc import Iterable

from governance.door import Ref, documents, titles

WRITTEN_AS = {"campaign": "campaign", "event": "campaign", "transactional": "template"}  # kind of dispatch → kind of document


def titles_of(workspace_id: int, dispatches: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Titles by a dispatch's kind and key, from the documents' latest revisions in one query; the key where there is no document."""
    asked = {(kind, key): Ref(WRITTEN_AS.get(kind, kind), key) for kind, key in dispatches}
    found = titles(workspace_id, asked.values()) if asked else {}
    return {each: found[ref] for each, ref in asked.items()}


def route_titles(workspace_id: int) -> dict[str, str]:
    """Titles of the workspace's vendor routes by key, which is what requests know of their account."""
    return {view.key: view.title for view in documents(workspace_id, "vendor_route")}
