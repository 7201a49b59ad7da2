"""A message as one person would see it, with what is wrong with it: for authors and approvers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from governance.door import Finding, pointer
from presentation.door import Content, Variable, choose_locale
from rendering.fill import fill
from rendering.lock_screen import lock_screen
from rendering.messages import Failed, Filled
from rendering.partial import compile_untracked
from rendering.program import Compiled
from rendering.sms_parts import SmsParts, sms_parts
from rendering.values import Person, Recipient

Message = TypeVar("Message", Content, Compiled)
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
    """The parts as text; html is for a sandboxed frame without scripts. bytes: the HTML's size (SMS: the text's; push: of all that
    travels). options: what a push message has beside title and body."""

    locale: str
    subject: str
    preheader: str
    html: str
    text: str
    bytes: int
    findings: tuple[Finding, ...]
    sms_parts: SmsParts | None
    options: Mapping[str, Any] = field(default_factory=dict)
    channel: str = "email"

    @property
    def page(self) -> str:
        """What a sandboxed frame shows: a mail's HTML, a push message on a lock screen; "" where there is only text."""
        if self.channel != "push" or not self.text:
            return self.html
        return lock_screen(self.subject, self.text, image=self.options.get("image", ""), locale=self.locale)


def preview(
    content: Content,
    person: Person | None,
    data: Mapping[str, Any],
    locale: str = "",
    *,
    told: Mapping[str, Mapping[str, Any]] | None = None,
    remarks: Sequence[Finding] = (),
) -> Preview:
    """What this person would get, in the locale asked for or their own. Without a person, samples stand for what is missing.
    A person who would be skipped is a finding, and is shown with samples. told: what content sources say, and remarks about that.
    Raises Invalid where nothing can be compiled."""
    wanted = locale or ((person.locale or "") if person is not None else "")
    chosen = choose_locale(content.locales, wanted, content.default_locale, content.fallbacks)
    recipient = Recipient(0, person, data, token="preview", locale=chosen, content=dict(told or {}))
    compiled = compile_untracked(content, base_url=BASE_URL)
    findings = list(remarks)
    outcome = fill(compiled, [recipient])[0] if person is not None else Failed(0, "")
    if isinstance(outcome, Failed):
        if person is not None:
            findings.append(Finding("error", pointer(("locales", chosen)), outcome.detail, "a value: this person would be skipped"))
        outcome = fill(replace(compiled, variables=sampled(content)), [recipient])[0]
    if isinstance(outcome, Failed):
        findings.append(Finding("error", pointer(("locales", chosen)), outcome.detail, "expressions that fit their variables' samples"))
        return Preview(chosen, "", "", "", "", 0, tuple(findings), None)
    return _shown(content, outcome, findings)


def push_bytes(title: str, body: str, options: Mapping[str, Any]) -> int:
    """About what a push message weighs at its platform, whose limit is 4,096: everything that travels, as JSON."""
    return len(json.dumps({"title": title, "body": body, **options}, ensure_ascii=False, separators=(",", ":")).encode())


def without_content(message: Message) -> Message:
    """The same message with samples for what content sources say, where they can't be asked: not yet, or not any more."""
    fleeting = {name for name, variable in message.variables.items() if variable.source.startswith("content.")}
    if not fleeting:
        return message
    return replace(message, variables={name: _sampled(it) if name in fleeting else it for name, it in message.variables.items()})


def sampled(content: Content) -> dict[str, Variable]:
    """The variables with a sample as fallback where they have none."""
    return {name: _sampled(variable) for name, variable in content.variables.items()}


def _sampled(variable: Variable) -> Variable:
    if variable.sample is None and variable.fallback is not None:
        return variable
    return variable.model_copy(update={"fallback": variable.sample if variable.sample is not None else SAMPLES[variable.type]})


def _shown(content: Content, filled: Filled, findings: list[Finding]) -> Preview:
    html, text = filled.html, filled.text.decode()
    parts = sms_parts(text) if content.channel == "sms" else None
    size = push_bytes(filled.subject, text, filled.options) if content.channel == "push" else len(filled.text if html is None else html)
    return Preview(
        locale=filled.locale,
        subject=filled.subject,
        preheader=filled.preheader,
        html=(html or b"").decode(),
        text=text,
        bytes=size,
        findings=tuple(findings),
        sms_parts=parts,
        options=filled.options,
        channel=content.channel,
    )
