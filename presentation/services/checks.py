"""What the author and approver of a content source should know before templates read it: findings beyond the schema."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from governance.door import CheckContext, Finding, pointer
from presentation.links import host_of
from presentation.services.documents import ContentSourceBody
from presentation.services.url_templates import is_plain
from presentation.sources import known
from presentation.syntax import names_in

_TELLING = ("profile.email", "profile.phone")


def source_checks(context: CheckContext, body: ContentSourceBody) -> Sequence[Finding]:
    """All findings about one content source."""
    found = [*_inputs(context, body)]
    if body.http is not None and is_plain(body.http.url):
        expected = "https://: without it answers can be read and changed on the way, and only OMNI_CONTENT_NETWORKS can be reached"
        found.append(Finding("warning", "/http/url", "http://", expected))
    if body.http is not None and body.http.secret is None:
        found.append(Finding("note", "/http/secret", "nothing", "the name of a secret, unless whoever finds the service may ask it"))
    return found


def _inputs(context: CheckContext, body: ContentSourceBody) -> Iterator[Finding]:
    used = _used(body)
    host = host_of(body.http.url) if body.http is not None else ""
    for name, variable in body.inputs.items():
        about = known(context, variable)
        if name not in used:
            yield Finding("note", pointer(("inputs", name)), "an input that nothing is asked with", "its use or its removal")
        elif about is not None and about.type != variable.type:
            yield Finding("warning", pointer(("inputs", name, "type")), variable.type, f"{about.type}: so the catalogue says")
        if name in used and host and (variable.source in _TELLING or getattr(about, "sensitivity", "") == "sensitive"):
            expected = f"something that says less about people, such as profile.external_id: it is told to {host}"
            yield Finding("warning", pointer(("inputs", name, "source")), variable.source, expected)


def _used(body: ContentSourceBody) -> set[str]:
    """The inputs that something is asked with."""
    return names_in(body.url) | ({body.about} - {""})
