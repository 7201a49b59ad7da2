"""A message as one person would see it, with what is wrong with it: for authors and approvers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from governance.door import Finding, pointer
from presentation.door import Content, Variable, choose_locale
from rendering.fill import fill
from rendering.messages import Failed, Filled
from rendering.partial import compile_untracked
from rendering.sms_parts import SmsParts, sms_parts
from rendering.values import Person, Recipient

BASE_URL = "https://preview.invalid"
SAMPLES: dict[str, object] = {
    "text": "Sample",
    "number": 42,
    "boolean": True,
    "date": "2026-11-30",
    "datetime": "2026-11-30T09:00:00Z",
    "list": ["One", "Two"],
    "object": {},
}


@dataclass(frozen=True, slots=True)
class Preview:
    """The parts as text; html is for a sandboxed frame without scripts. bytes: the HTML's size (SMS: the text's)."""

    locale: str
    subject: str
    preheader: str
    html: str
    text: str
    bytes: int
    findings: tuple[Finding, ...]
    sms_parts: SmsParts | None


def preview(content: Content, person: Person | None, data: Mapping[str, Any], locale: str = "") -> Preview:
    """What this person would get, in the locale asked for or their own. Without a person, samples stand for what is missing.
    A person who would be skipped is a finding, and is shown with samples. Raises Invalid where nothing can be compiled."""
    wanted = locale or ((person.locale or "") if person is not None else "")
    chosen = choose_locale(content.locales, wanted, content.default_locale, content.fallbacks)
    recipient = Recipient(0, person, data, token="preview", locale=chosen)
    compiled = compile_untracked(content, base_url=BASE_URL)
    findings: list[Finding] = []
    outcome = fill(compiled, [recipient])[0] if person is not None else Failed(0, "")
    if isinstance(outcome, Failed):
        if person is not None:
            findings.append(Finding("error", pointer(("locales", chosen)), outcome.detail, "a value: this person would be skipped"))
        outcome = fill(replace(compiled, variables=sampled(content)), [recipient])[0]
    if isinstance(outcome, Failed):
        findings.append(Finding("error", pointer(("locales", chosen)), outcome.detail, "expressions that fit their variables' samples"))
        return Preview(chosen, "", "", "", "", 0, tuple(findings), None)
    return _shown(content, outcome, findings)


def sampled(content: Content) -> dict[str, Variable]:
    """The variables with a sample as fallback where they have none."""
    return {
        name: variable.model_copy(update={"fallback": variable.sample if variable.sample is not None else SAMPLES[variable.type]})
        if variable.sample is not None or variable.fallback is None
        else variable
        for name, variable in content.variables.items()
    }


def _shown(content: Content, filled: Filled, findings: list[Finding]) -> Preview:
    html, text = filled.html, filled.text.decode()
    parts = sms_parts(text) if content.channel == "sms" else None
    return Preview(
        locale=filled.locale,
        subject=filled.subject,
        preheader=filled.preheader,
        html=(html or b"").decode(),
        text=text,
        bytes=len(filled.text if html is None else html),
        findings=tuple(findings),
        sms_parts=parts,
    )
