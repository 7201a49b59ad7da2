"""A file that came back from translators, taken into a template: checked, compared with what was changed meanwhile, never in part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from governance import door as governance
from governance.door import Actor, Body, Finding, Invalid, Revision, Role, allow, parse, shorten
from presentation.documents import TemplateBody
from presentation.locales import canonical
from presentation.translation import po, xliff
from presentation.translation.exchange import MAX_BYTES, Heard, Incoming, Outgoing
from presentation.translation.messages import messages, text_of
from presentation.translation.placeholders import unkept
from presentation.translation.records import Translated, Translations, fingerprint
from presentation.translation.units import Unit, units, with_texts

Format = Literal["po", "xliff"]
WRITERS: dict[Format, Callable[[Outgoing], bytes]] = {"po": po.write, "xliff": xliff.write}
BOTH: tuple[Format, ...] = ("po", "xliff")
SUFFIXES: dict[Format, str] = {"po": "po", "xliff": "xlf"}
_BOMS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an import did, by unit id.

    stale: the source was changed since the file was made; conflicts: translated both in the file and in the template meanwhile, where the
    template's text stays; gone: texts that the template no longer has. tag, made_from, base: of which locale, of which revision, and on
    top of which.
    """

    body: Body
    changed: Sequence[str] = ()
    confirmed: Sequence[str] = ()
    stale: Sequence[str] = ()
    conflicts: Sequence[str] = ()
    gone: Sequence[str] = ()
    tag: str = ""
    made_from: int = 0
    base: int = 0
    revision: Revision | None = None

    @property
    def words(self) -> list[str]:
        """What was done and what wasn't, a line each."""
        told = [
            (self.changed, "translated"),
            (self.confirmed, "said to be right as it is"),
            (self.stale, "translated from words that were changed since: stale"),
            (self.conflicts, "translated in the template meanwhile, which stays"),
            (self.gone, "no longer in the template"),
        ]
        return [f"{len(ids)} {words}: {', '.join(ids[:8])}{' …' if len(ids) > 8 else ''}" for ids, words in told if ids]


def export(body: TemplateBody, key: str, number: int, tag: str, format: Format) -> bytes:
    """The translation file of a template's revision. Raises Invalid for a locale that there is none of, or the default one."""
    tag = locale_to(body, tag)
    said = [message for unit in units(body, tag) for message in messages(unit, tag)]
    return WRITERS[format](Outgoing(key, number, body.default_locale, tag, said))


def read(data: bytes) -> Incoming:
    """What a file says, PO or XLIFF by its first sign. Raises Invalid."""
    if len(data) > MAX_BYTES:
        raise Invalid([Finding("error", "", f"{len(data):,} bytes", f"at most {MAX_BYTES:,}")])
    start = data[:400].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        raise Invalid([Finding("error", "", "an empty file", "a PO or XLIFF file as it was exported")])
    return xliff.read(data) if start.startswith((b"<", *_BOMS)) else po.read(data)


def look(workspace_id: int, key: str, data: bytes, *, tag: str = "") -> Outcome:
    """What an import would do, nothing of it done.

    tag: the locale that is expected, "" for whichever the file is for. Raises Invalid, naming units and placeholders; Missing.
    """
    incoming = read(data)
    view = governance.document(workspace_id, "template", key)
    latest = view.latest
    if incoming.key != key:
        raise Invalid([Finding("error", "/original", f"a file of template {shorten(incoming.key)}", f"one of template {key}")])
    if tag and locale_to(latest.model, incoming.tag) != locale_to(latest.model, tag):
        raise Invalid([Finding("error", "/language", shorten(incoming.tag or "nothing"), f"a translation to {tag}")])
    incoming = replace(incoming, tag=locale_to(latest.model, incoming.tag))
    if not 1 <= incoming.number <= latest.number:
        raise Invalid([Finding("error", "/revision", f"revision {incoming.number}", f"one of the {latest.number} there are")])
    before = latest if incoming.number == latest.number else governance.revision(workspace_id, "template", key, incoming.number)
    outcome = merge(latest.body, latest.model, incoming, _texts_before(before, incoming.tag))
    parse(TemplateBody, outcome.body)
    return replace(outcome, tag=incoming.tag, made_from=incoming.number, base=latest.number)


def take_in(actor: Actor, key: str, data: bytes, *, tag: str = "", note: str = "", now: datetime) -> Outcome:
    """A new draft with the file's translations; `revision` is None where they change nothing. Raises what `look` raises; Refused; Stale
    where somebody saved in this very moment."""
    allow(actor, Role.AUTHOR, "documents:write")
    outcome = look(actor.workspace_id, key, data, tag=tag)
    if not outcome.changed and not outcome.confirmed:
        return outcome
    words = note or f"Translation to {outcome.tag} of revision {outcome.made_from}"
    saved = governance.save(actor, "template", key, outcome.body, base=outcome.base, note=words, now=now)
    return replace(outcome, revision=saved)


def merge(body: Body, model: TemplateBody, incoming: Incoming, before: Mapping[str, str] | None = None, *, whole: bool = False) -> Outcome:
    """The body with what the file says. Raises Invalid.

    before: the locale's texts when the file was made, None: as they are now; whole: the targets are whole texts, whose expressions hold
    their own words.
    """
    tag = locale_to(model, incoming.tag)
    if incoming.source != model.default_locale:
        raise Invalid([Finding("error", "/source", shorten(incoming.source or "nothing"), f"a translation from {model.default_locale}")])
    found = {unit.id: unit for unit in units(model, tag)}
    targets = {id: each.target for id, each in incoming.messages.items()}
    heard = {id: each for id, each in incoming.messages.items() if "#" not in id}
    if not whole:
        heard = {id: replace(each, target=text_of(id, each.source, targets, tag)) for id, each in heard.items()}
    faults = [fault for id, each in heard.items() if id in found for fault in _faults(found[id], each)]
    if faults:
        raise Invalid(faults)
    work = _Work(tag, found, dict(model.translations.get(tag, {})))
    for id, each in heard.items():
        work.take(id, each, before)
    return work.outcome(body, model)


def locale_to(body: TemplateBody, tag: str) -> str:
    """The spelling of a locale that one can translate to. Raises Invalid."""
    try:
        name = canonical(tag)
    except ValueError as error:
        raise Invalid([Finding("error", "/locale", shorten(tag or "nothing"), str(error))]) from None
    if name == body.default_locale:
        raise Invalid([Finding("error", "/locale", name, f"another locale than the default one, {name}, which is what is translated")])
    return name


def _texts_before(view: governance.RevisionView, tag: str) -> dict[str, str]:
    """The texts of a locale at that revision; none where today's schema no longer reads it."""
    try:
        return {unit.id: unit.text for unit in units(view.model, tag)}
    except Invalid:
        return {}


def _faults(unit: Unit, heard: Heard) -> Iterator[Finding]:
    """What is wrong with a text that is another than the template's: its placeholders, or its length."""
    if not heard.target.strip() or heard.target == unit.text:
        return
    at, where = f"/units/{unit.id}", f"{heard.where}: " if heard.where else ""
    for found, expected in unkept(heard.source, heard.target, unit.look, unit.text):
        yield Finding("error", at, where + found, expected)
    if unit.longest is not None and len(heard.target) > unit.longest:
        yield Finding("error", at, f"{where}{len(heard.target):,} characters", f"at most {unit.longest:,}")


@dataclass(slots=True)
class _Work:
    """An import under way."""

    tag: str
    units: Mapping[str, Unit]
    records: Translations
    texts: dict[str, str] = field(default_factory=dict)
    confirmed: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    def take(self, id: str, heard: Heard, before: Mapping[str, str] | None) -> None:
        unit, text = self.units.get(id), heard.target
        if unit is None:
            self.gone.append(id)
        elif text.strip() and text != unit.text:
            self._take_text(unit, heard, unit.text if before is None else before.get(id, ""))
        elif text.strip():
            self._take_state(unit, heard)

    def _take_text(self, unit: Unit, heard: Heard, before: str) -> None:
        """A text that is another than the template's: new in the file, new in the template, or both."""
        if heard.target == before:
            return
        if unit.text not in ("", before) and unit.status != "missing":
            self.conflicts.append(unit.id)
            return
        self.texts[unit.id] = heard.target
        self._remember(unit, heard, "reviewed" if heard.state == "reviewed" else "draft")

    def _take_state(self, unit: Unit, heard: Heard) -> None:
        """The same text: the file may say that it has been read, or is right for the source as it was."""
        fits = heard.source == unit.source
        if heard.state == "reviewed" and fits and unit.status != "reviewed":
            self._remember(unit, heard, "reviewed")
            self.confirmed.append(unit.id)
        elif heard.state == "draft" and fits and unit.status in ("stale", "missing"):
            self._remember(unit, heard, "draft")
            self.confirmed.append(unit.id)

    def _remember(self, unit: Unit, heard: Heard, state: Literal["draft", "reviewed"]) -> None:
        self.records[unit.id] = Translated(source=fingerprint(heard.source), text=fingerprint(heard.target), state=state)
        if heard.source != unit.source:
            self.stale.append(unit.id)

    def _begin_to_remember(self) -> None:
        """Translations from before anything was remembered count as made from today's source: from now on a change of it is seen."""
        for unit in self.units.values():
            if unit.status == "draft" and unit.id not in self.records:
                self.records[unit.id] = Translated(source=fingerprint(unit.source), text=fingerprint(unit.text))

    def outcome(self, body: Body, model: TemplateBody) -> Outcome:
        if not self.texts and not self.confirmed:
            return Outcome(body, stale=self.stale, conflicts=self.conflicts, gone=self.gone)
        made = with_texts(body, model, self.tag, self.texts) if self.texts else body
        self._begin_to_remember()
        told = {id: each.model_dump() for id, each in sorted(self.records.items())}
        made = {**made, "translations": {**body.get("translations", {}), self.tag: told}}
        return Outcome(made, list(self.texts), self.confirmed, self.stale, self.conflicts, self.gone)
