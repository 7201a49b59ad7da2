"""Which content sources a message reads, as they were frozen with it, or as drafted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from governance import door as governance
from presentation.parts import Variable
from presentation.services.fetching import Source

KIND = "content_source"


def source_keys_in(variables: Mapping[str, Variable]) -> frozenset[str]:
    """The keys of the content sources that variables are read from."""
    steps = [variable.source.split(".") for variable in variables.values()]
    return frozenset(key for room, key, *_ in steps if room == "content")


def sources_named(views: Iterable[governance.RevisionView]) -> list[str]:
    """The keys of the content sources that these templates and fragments read, each once."""
    return sorted({key for view in views if view.kind in ("template", "fragment") for key in source_keys_in(view.model.variables)})


@lru_cache(maxsize=4_096)
def sources_among(workspace_id: int, keys: frozenset[str], pins: tuple[int, ...]) -> tuple[Source, ...]:
    """Of these revisions those of the content sources that a message reads. Raises Missing where one isn't among them."""
    if not keys:
        return ()
    views = [governance.revision_by_id(workspace_id, pin) for pin in pins]
    found = {view.key: Source(workspace_id, view.key, view.id, view.model) for view in views if view.kind == KIND and view.key in keys}
    if gone := sorted(keys - found.keys()):
        raise governance.Missing(f"the revision of content source {gone[0]} that this was frozen with")
    return tuple(found[key] for key in sorted(found))


def drafted_sources(workspace_id: int, keys: Iterable[str]) -> list[Source]:
    """The same as drafted; those that aren't there, or can't be read, are left out (which the checks of a template say)."""
    found = []
    for key in sorted(keys):
        try:
            latest = governance.document(workspace_id, KIND, key).latest
            found.append(Source(workspace_id, key, latest.id, latest.model))
        except (governance.Missing, governance.Invalid):
            continue
    return found
