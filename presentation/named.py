"""The documents that a template names: its sender, its theme and its fragments, as drafted, in force, or frozen with a dispatch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any

from governance import door as governance
from governance.door import RevisionView
from presentation.documents import TemplateBody
from presentation.fragments import FragmentBody
from presentation.senders import SenderBody
from presentation.theme import Theme, ThemeChange, base_of, worn

Dressing = ThemeChange | str | None
_DRESSERS: dict[str, Callable[[Any], Dressing]] = {}


def add_dresser(kind: str, dress_of: Callable[[Any], Dressing]) -> None:
    """Let documents of a later room's kind (campaigns) put another theme on the templates that they use."""
    _DRESSERS[kind] = dress_of


@dataclass(frozen=True, slots=True)
class Named:
    """What a template names, as it is to be used. dress: the theme that is put on instead of the template's own, None where none is."""

    sender: SenderBody | None = None
    themes: Mapping[str, Theme] = field(default_factory=dict)
    fragments: Mapping[str, FragmentBody] = field(default_factory=dict)
    dress: Dressing = None
    digest: str = ""

    def theme_of(self, body: TemplateBody) -> Theme:
        """The theme that a template's mails wear."""
        own = worn(body.theme, self.themes.get(base_of(body.theme)))
        if self.dress is None:
            return own
        return worn(self.dress, self.themes.get(base_of(self.dress)) if base_of(self.dress) else own)


NOTHING = Named()


def refs_of(body: TemplateBody) -> list[tuple[str, str]]:
    """Kind and key of what a template names."""
    named = [("sender", body.sender_key), ("theme", body.theme_key), *(("fragment", key) for key in body.fragment_keys)]
    return [(kind, key) for kind, key in named if key]


def named_documents(bodies: Iterable[TemplateBody], dress: Dressing = None) -> list[tuple[str, str]]:
    """The same for several templates that may wear another theme, each once."""
    base = base_of(dress)
    return sorted({ref for body in bodies for ref in refs_of(body)} | ({("theme", base)} if base else set()))


def in_force(workspace_id: int, body: TemplateBody) -> Named:
    """As released. Raises Missing."""
    return _named([governance.released(workspace_id, kind, key) for kind, key in refs_of(body)])


def drafted(workspace_id: int, body: TemplateBody) -> Named:
    """As drafted; what isn't there, or can't be read, is left out (which the checks say)."""
    views = []
    for kind, key in refs_of(body):
        try:
            view = governance.document(workspace_id, kind, key).latest
            view.model  # noqa: B018  # read here, where it may fail
            views.append(view)
        except (governance.Missing, governance.Invalid):
            continue
    return _named(views)


def in_context(context: governance.CheckContext, body: TemplateBody) -> Named:
    """As drafted beside a template that is being checked."""
    found = {(kind, key): context.draft(kind, key) for kind, key in refs_of(body)}
    return Named(
        sender=found.get(("sender", body.sender_key)),
        themes={key: model for (kind, key), model in found.items() if kind == "theme" and model is not None},
        fragments={key: model for (kind, key), model in found.items() if kind == "fragment" and model is not None},
    )


@lru_cache(maxsize=4_096)
def among(workspace_id: int, template_revision_id: int, pins: tuple[int, ...]) -> tuple[int, ...]:
    """Which of these revisions a template's revision needs: what it names, and what dresses it.

    Revisions never change, so a process may remember it. Raises Missing where one that it names isn't among them.
    """
    body: TemplateBody = governance.revision_by_id(workspace_id, template_revision_id).model
    if not pins and not refs_of(body):
        return ()
    views = [governance.revision_by_id(workspace_id, pin) for pin in pins]
    dressers = [view for view in views if view.kind in _DRESSERS and _DRESSERS[view.kind](view.model) is not None]
    wanted = {*refs_of(body), *(("theme", base) for view in dressers if (base := base_of(_DRESSERS[view.kind](view.model))))}
    found = {(view.kind, view.key): view.id for view in views if (view.kind, view.key) in wanted}
    for kind, key in sorted(wanted - set(found)):
        raise governance.Missing(f"the revision of {kind} {key} that this was frozen with")
    return tuple(sorted({*found.values(), *(view.id for view in dressers)}))


def frozen(workspace_id: int, needed: Sequence[int]) -> Named:
    """As those revisions say, which `among` gave. Raises Missing."""
    return _named([governance.revision_by_id(workspace_id, each) for each in needed])


def _named(views: Sequence[RevisionView]) -> Named:
    dress: Dressing = None
    for view in views:
        if view.kind in _DRESSERS:
            dress = _DRESSERS[view.kind](view.model)
    by_kind: dict[str, dict[str, Any]] = {}
    for view in views:
        by_kind.setdefault(view.kind, {})[view.key] = view.model
    said = "".join(sorted(f"{view.kind}:{view.key}:{view.sha256}" for view in views)) + (repr(dress) if dress is not None else "")
    return Named(
        sender=next(iter(by_kind.get("sender", {}).values()), None),
        themes=by_kind.get("theme", {}),
        fragments=by_kind.get("fragment", {}),
        dress=dress,
        digest=sha256(said.encode()).hexdigest() if said else "",
    )
