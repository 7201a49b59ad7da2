"""What a template's author and approver should know before it goes out: findings beyond the schema."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

from governance.door import CheckContext, Finding, pointer, policy
from presentation.blocks import AnyBlock, CardBlock, FooterBlock, HeroBlock, HtmlBlock, ImageBlock, walk, walk_repeated
from presentation.content import Content, compose_body
from presentation.documents import TemplateBody
from presentation.fragments import fragment_findings, written_out
from presentation.links import host_of
from presentation.named import Named, in_context
from presentation.parts import LocaleBody, Sender
from presentation.placing import names_placed
from presentation.push import push_findings
from presentation.raw_html import WORDLESS, raw_html_findings
from presentation.rules import link_targets_in, texts
from presentation.segments import segments
from presentation.senders import SenderBody, domain_of
from presentation.sources import known, unknown_parts
from presentation.syntax import names_in, unguarded_names
from presentation.theme import ThemeChange, theme_faults
from presentation.translation.findings import plural_findings, translation_findings

ContentCheck = Callable[[Content], Sequence[Finding]]
_MORE: list[ContentCheck] = []
_GOOD_SUBJECT = 70
At = tuple[str | int, ...]
Level = Literal["error", "warning"]


def add_content_check(check: ContentCheck) -> None:
    """Let a later room add findings to every template that is saved (rendering: sizes, SMS parts)."""
    if check not in _MORE:
        _MORE.append(check)


def template_checks(context: CheckContext, body: TemplateBody) -> list[Finding]:
    """All findings about one template."""
    named = in_context(context, body)
    sender = named.sender.written_out() if named.sender else body.written_sender
    found = [*_document(body, named), *(_named(body, named.sender) if body.sender_key else _written(body))]
    found += _attributes(context, body)
    found += unknown_parts(context, body)
    latest = context.draft("template", context.key)
    found += raw_html_findings(context, body.locales, latest.locales if latest is not None else {})
    personal = _personal(context, body)
    for tag, locale in body.locales.items():
        found += _locale(body, locale, ("locales", tag), personal, sender, list(written_out(locale.blocks, tag, named.fragments)))
        for place, level, said, expected in fragment_findings(locale.blocks, body.variables, tag, named.fragments):
            found.append(Finding(level, pointer(("locales", tag, "blocks", place)), said, expected))
    found += _translations(context, body)
    content = compose_body(context.key or "draft", body, named)
    for check in _MORE:
        found += check(content)
    return found


def _translations(context: CheckContext, body: TemplateBody) -> Iterator[Finding]:
    """Plurals without a form that their language has; texts of other locales that are missing or older than their source, as seriously
    as the workspace's policy takes them."""
    for tag, locale in body.locales.items():
        for path, text in texts(locale):
            yield from plural_findings(text, tag, pointer(("locales", tag, *path)))
    if len(body.locales) > 1:
        yield from translation_findings(body, policy(context.workspace_id).translations)


def _document(body: TemplateBody, named: Named) -> Iterator[Finding]:
    if body.message_class == "promotional" and body.topic is None:
        yield Finding("error", "/topic", "nothing", "the topic whose subscribers may get this")
    if len(body.locales) == 1:
        yield Finding("note", "/locales", f"only {next(iter(body.locales))}", "further locales if the audience has people who read others")
    if not body.theme_key or isinstance(body.theme, ThemeChange):  # a theme that is only named has checks of its own
        for finding in theme_faults(named.theme_of(body)) if body.channel == "email" else ():
            yield replace(finding, path="/theme" + finding.path)
    yield from _variables(body)


def _written(body: TemplateBody) -> Iterator[Finding]:
    """What is wrong with a sender that the template writes out."""
    sender = body.written_sender
    if body.channel == "email" and not sender.address:
        yield Finding("error", "/sender/address", "nothing", "the address that this mail comes from")
    if body.channel == "email" and not sender.name:
        yield Finding("warning", "/sender/name", "nothing", "a name that readers recognise")
    if body.channel == "sms" and not sender.number:
        yield Finding("note", "/sender/from", "nothing", "a number or word; without one the route's own sender is used")
    if body.message_class == "promotional" and body.channel == "email" and not body.reply_to:
        yield Finding("note", "/reply_to", "nothing", "an address that someone reads")


def _named(body: TemplateBody, named: SenderBody | None) -> Iterator[Finding]:
    """What is wrong with a sender that the template names. (That it exists is checked for every reference.)"""
    if named is None:
        return
    if named.channel != body.channel:
        yield Finding("error", "/sender", f"{body.sender_key}, a sender for {named.channel}", f"a sender for {body.channel}")
    if not named.postal_address:
        for tag, locale in body.locales.items():
            for path, block in walk(locale.blocks, ("locales", tag, "blocks")):
                if isinstance(block, FooterBlock) and not block.address.strip():
                    expected = f"the postal address, here or in the sender {body.sender_key}"
                    yield Finding("error", pointer((*path, "address")), "nothing", expected)


def _variables(body: TemplateBody) -> Iterator[Finding]:
    used: set[str] = set()
    for locale in body.locales.values():
        used |= {name for _, text in texts(locale) for name in names_in(text)}
        used |= names_placed(locale)
    used |= names_in(body.collapse_key)
    for name, variable in body.variables.items():
        if name not in used:
            yield Finding("note", pointer(("variables", name)), "a variable that no text uses", "its use or its removal")
        elif variable.sample is None and variable.fallback is None:
            yield Finding("note", pointer(("variables", name, "sample")), "nothing", "a sample value, for previews")


def _attributes(context: CheckContext, body: TemplateBody) -> Iterator[Finding]:
    """Variables whose type is not their attribute's. (That the attribute exists is checked for every reference.)"""
    for name, variable in body.variables.items():
        found = known(context, variable)
        if found is not None and found.type != variable.type:
            yield Finding("warning", pointer(("variables", name, "type")), variable.type, f"{found.type}: so the catalogue says")


def _personal(context: CheckContext, body: TemplateBody) -> frozenset[str]:
    """The variables that may say who somebody is: everything but countries, zones, and attributes known to be harmless."""
    harmless = {"profile.country", "profile.locale", "profile.zone"}
    return frozenset(
        name
        for name, variable in body.variables.items()
        if variable.source not in harmless and getattr(known(context, variable), "sensitivity", "personal") in {"personal", "sensitive"}
    )


def _locale(
    body: TemplateBody, locale: LocaleBody, at: At, personal: frozenset[str], sender: Sender, whole: Sequence[AnyBlock]
) -> Iterator[Finding]:
    """whole: the blocks with those of fragments."""
    yield from _fallbacks_missing(body, locale, at)
    items = {repeat.name: repeat.over for _, _, within in walk_repeated(locale.blocks) for repeat in within}
    fleeting = {name for name, variable in body.variables.items() if variable.source.startswith("content.")}
    fleeting |= {name for name, over in items.items() if over in fleeting}
    for path, target in link_targets_in(locale):
        if fleeting and names_in(target) & fleeting:
            expected = "a link that names what is known without it, where its clicks should be counted"
            yield Finding("note", pointer((*at, *path)), "a link with a value of a content source", expected)
        yield from _link(sender, target, pointer((*at, *path)), personal | {name for name, over in items.items() if over in personal})
    if body.channel != "email":
        yield from push_findings(locale, at) if body.channel == "push" else ()
        return
    yield from _subject(locale, at)
    for path, block in walk(locale.blocks, ("blocks",)):
        if isinstance(block, (ImageBlock, HeroBlock, CardBlock)) and block.src and not block.alt.strip() and not block.decorative:
            yield Finding("error", pointer((*at, *path, "alt")), "nothing", "words for what the picture shows, or decorative: true")
        if isinstance(block, HtmlBlock) and WORDLESS.search(block.html):
            expected = 'alt="…" in every img: words for what it shows, or alt="" for decoration'
            yield Finding("warning", pointer((*at, *path, "html")), "a picture without words", expected)
    yield from _leaving(body, locale, at, whole)
    yield from _same_blocks(body, locale, at)


def _subject(locale: LocaleBody, at: At) -> Iterator[Finding]:
    written = "".join(segment.text for segment in segments(locale.subject) if not segment.expression).strip()
    personal = any(segment.expression for segment in segments(locale.subject))
    if written and not personal and not any(unicodedata.category(char)[0] in "LN" for char in written):
        yield Finding("warning", pointer((*at, "subject")), "emoji only", "some words: screen readers and filters need them")
    if len(written) > _GOOD_SUBJECT:
        yield Finding("warning", pointer((*at, "subject")), f"{len(written)} characters", f"at most {_GOOD_SUBJECT}: phones cut the rest")
    if not locale.preheader.strip():
        yield Finding("note", pointer((*at, "preheader")), "nothing", "a preheader: inboxes show it beside the subject")


def _fallbacks_missing(body: TemplateBody, locale: LocaleBody, at: At) -> Iterator[Finding]:
    for path, text in texts(locale):
        for name in sorted(unguarded_names(text)):
            variable = body.variables.get(name)
            if variable is not None and variable.fallback is None:
                yield Finding(
                    "warning",
                    pointer((*at, *path)),
                    f"{name} without a fallback",
                    f"{{{{ {name}|default(…) }}}} or a fallback: people without it are skipped",
                )


def _link(sender: Sender, target: str, where: str, personal: frozenset[str]) -> Iterator[Finding]:
    host, own = host_of(target), domain_of(sender.address)
    if not host or (own and (host == own or host.endswith("." + own) or own.endswith("." + host))):
        return
    for name in sorted(names_in(target) & personal):
        yield Finding("warning", where, f"{name} in a link to {host}", "no personal data to another domain")


def _leaving(body: TemplateBody, locale: LocaleBody, at: At, whole: Sequence[AnyBlock]) -> Iterator[Finding]:
    """Promotional mail must say who writes and let people leave; service mail should."""
    if body.message_class == "transactional":
        return
    footer = any(isinstance(block, FooterBlock) for _, block in walk(whole))
    said = texts(locale.model_copy(update={"blocks": list(whole)}))
    link = any("unsubscribe_url" in names_in(text) for path, text in said if path != ("text",))
    level: Level = "error" if body.message_class == "promotional" else "warning"
    if not footer and not link:
        yield Finding(level, pointer((*at, "blocks")), "no way to unsubscribe", "a footer block, or a link to {{ unsubscribe_url }}")
    elif not footer:
        yield Finding(
            "warning",
            pointer((*at, "blocks")),
            "no postal address",
            "a footer block: most laws on advertising ask for the sender's address",
        )
    if locale.text is not None and "unsubscribe_url" not in names_in(locale.text):
        yield Finding(level, pointer((*at, "text")), "no way to unsubscribe in the text part", "{{ unsubscribe_url }} in it")


def _same_blocks(body: TemplateBody, locale: LocaleBody, at: At) -> Iterator[Finding]:
    """A translation that lacks blocks of the default locale is usually an oversight."""
    original = body.locales[body.default_locale]
    if locale is original:
        return
    mine = {block.id for _, block in walk(locale.blocks)}
    missing = [block.id for _, block in walk(original.blocks) if block.id not in mine]
    if missing:
        yield Finding("warning", pointer((*at, "blocks")), f"without {', '.join(missing[:5])}", f"the blocks of {body.default_locale}")
