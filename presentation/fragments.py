"""Fragments: blocks that many templates share, with revisions, an approval and a history of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator

from governance.door import CheckContext, DocumentModel, Finding, Kind, Ref, Text, parse, pointer
from presentation.blocks import AnyBlock, Block, FooterBlock, FragmentBlock, PlacedBlock
from presentation.documents import TemplateBody
from presentation.faults import Fault, raise_faults
from presentation.locales import choose_locale
from presentation.parts import LocaleBody, Sender, Variable
from presentation.raw_html import raw_html_findings
from presentation.rules import block_faults, locale_faults, text_faults, variable_faults
from presentation.sources import sources_of
from presentation.theme import Theme, ThemeBody


class FragmentLocale(DocumentModel):
    """One translation of a fragment."""

    blocks: list[Block] = Field(min_length=1, max_length=60)


class FragmentBody(DocumentModel):
    """Blocks in every language, and the variables that they read."""

    title: Annotated[str, Text(120)]
    default_locale: str
    fallbacks: dict[str, list[str]] = Field(default_factory=dict)
    variables: dict[str, Variable] = Field(default_factory=dict, max_length=60)
    locales: dict[str, FragmentLocale] = Field(min_length=1, max_length=100)

    @model_validator(mode="after")
    def _sound(self) -> FragmentBody:
        declared = {name: variable.type for name, variable in self.variables.items()}
        faults = [*variable_faults(declared), *locale_faults(self.locales, self.default_locale, self.fallbacks)]
        for tag, locale in self.locales.items():
            content, at = as_locale(locale), ("locales", tag)
            faults += [*block_faults(content, at), *text_faults(content, "email", declared, at)]
            faults += [
                Fault((*at, "blocks", place), "a fragment in a fragment", "blocks: fragments hold no other fragments")
                for place, block in enumerate(locale.blocks)
                if isinstance(block, FragmentBlock)
            ]
        raise_faults("FragmentBody", faults)
        return self


Fragments = Mapping[str, FragmentBody]
Level = Literal["error", "warning"]


def as_locale(locale: FragmentLocale) -> LocaleBody:
    """A fragment's translation as one of a template that has nothing else."""
    return LocaleBody(blocks=list(locale.blocks))


def written_out(blocks: Sequence[AnyBlock], locale: str, fragments: Fragments) -> Iterator[AnyBlock]:
    """The blocks with those of fragments in their places, in the language that fits; a fragment that isn't there leaves nothing.

    Ids of a fragment's blocks begin with that of the block that names it; its condition holds for each of them but a footer.
    """
    for block in blocks:
        if not isinstance(block, FragmentBlock):
            yield block
        elif fragment := fragments.get(block.fragment):
            tag = choose_locale(fragment.locales, locale, fragment.default_locale, fragment.fallbacks)
            yield from (_placed(block, inner) for inner in fragment.locales[tag].blocks)


def _placed(holder: FragmentBlock, block: AnyBlock) -> AnyBlock:
    changes: dict[str, object] = {"id": f"{holder.id}.{block.id}"}
    if holder.when is not None and isinstance(block, PlacedBlock):
        changes["when"] = f"({holder.when}) and ({block.when})" if block.when is not None else holder.when
    return block.model_copy(update=changes)


def all_variables(own: Mapping[str, Variable], fragments: Fragments) -> dict[str, Variable]:
    """A template's variables and those of its fragments; where two mean different things, the template's."""
    found: dict[str, Variable] = {}
    for fragment in fragments.values():
        found |= fragment.variables
    return found | dict(own)


def fragment_findings(
    blocks: Sequence[AnyBlock], own: Mapping[str, Variable], tag: str, fragments: Fragments
) -> Iterator[tuple[int, Level, str, str]]:
    """What a template's author should know about the fragments in one of its languages: place of the block, level, found, expected."""
    for place, block in enumerate(blocks):
        fragment = fragments.get(block.fragment) if isinstance(block, FragmentBlock) else None
        if fragment is None or not isinstance(block, FragmentBlock):
            continue
        for name, variable in fragment.variables.items():
            if name in own and (own[name].source, own[name].type) != (variable.source, variable.type):
                expected = f"another name: in fragment {block.fragment} it is read from {variable.source}"
                yield place, "error", f"variable {name}, read from {own[name].source}", expected
        chosen = choose_locale(fragment.locales, tag, fragment.default_locale, fragment.fallbacks)
        if chosen.split("-")[0] != tag.split("-")[0]:
            yield place, "warning", f"fragment {block.fragment} in {chosen}", f"its translation into {tag}"
        if block.when is not None and any(isinstance(inner, FooterBlock) for inner in fragment.locales[chosen].blocks):
            yield place, "warning", "a condition on a footer", "none: a footer is there for everybody, whatever is said here"


def alone(body: FragmentBody) -> TemplateBody:
    """A letter that is nothing but the fragment: to look at."""
    return TemplateBody.model_construct(
        title=body.title,
        channel="email",
        message_class="service",
        topic=None,
        sender=Sender(),
        reply_to=None,
        default_locale=body.default_locale,
        fallbacks=body.fallbacks,
        tracking=None,
        collapse_key="",
        ttl=None,
        theme=Theme(),
        variables=body.variables,
        locales={tag: LocaleBody(subject=body.title, blocks=list(locale.blocks)) for tag, locale in body.locales.items()},
    )


_SAMPLE = (
    {"type": "heading", "id": "title", "text": "A letter in these colours"},
    {
        "type": "text",
        "id": "words",
        "text": "Running text with **emphasis** and [a link](https://example.com/).\n\n> A quote.",
    },
    {"type": "button", "id": "go", "label": "A button", "href": "https://example.com/"},
    {"type": "divider", "id": "line"},
    {"type": "button", "id": "other", "label": "Another", "href": "https://example.com/", "look": "outlined"},
    {"type": "footer", "id": "footer", "text": "Quiet words at the end.", "address": "Quay Street 1, Bristol"},
)


def dressed(theme: ThemeBody) -> TemplateBody:
    """A letter that wears a theme: to look at."""
    body = parse(FragmentBody, {"title": theme.title, "default_locale": "en", "locales": {"en": {"blocks": list(_SAMPLE)}}})
    return alone(body).model_copy(update={"theme": Theme(**{name: getattr(theme, name) for name in Theme.model_fields})})


def _references(body: FragmentBody) -> list[Ref]:
    return sources_of(body.variables)


def _checks(context: CheckContext, body: FragmentBody) -> list[Finding]:
    latest = context.draft("fragment", context.key)
    found = raw_html_findings(context, body.locales, latest.locales if latest is not None else {})
    if len(body.locales) == 1:
        found.append(Finding("note", "/locales", f"only {next(iter(body.locales))}", "the languages of the templates that use it"))
    original = [block.id for block in body.locales[body.default_locale].blocks]
    for tag, locale in body.locales.items():
        missing = [name for name in original if name not in {block.id for block in locale.blocks}]
        if missing:
            where = pointer(("locales", tag, "blocks"))
            found.append(Finding("warning", where, f"without {', '.join(missing[:5])}", f"the blocks of {body.default_locale}"))
    return found


FRAGMENT = Kind("fragment", "fragments", "Fragment", FragmentBody, references=_references, checks=_checks)
