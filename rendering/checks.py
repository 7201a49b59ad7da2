"""What only shows once a template is compiled: sizes, parts, and whether it renders at all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from governance.door import Finding, Invalid, pointer
from presentation.door import Content
from rendering.preview import Preview, preview

CLIPPED = 102 * 1024  # bytes of HTML after which Gmail cuts a mail off
MOST_OF_A_PUSH = 3_800  # bytes of title, body, link, image and data
_LEAVING_WORDS = re.compile(
    r"\bstop\b|opt[ -]?out|unsubscribe|unsub\b|\bend\b|abmelden|abbestellen|désabonner|désinscri|\bbaja\b|cancelar|disiscri|annulla"
    r"|afmelden|avsluta|afmeld|\bodhl|wypisz|отпис|відпис|إلغاء|ایقاف|لغو|הסר|退订|退訂|回复t|停止|解除|거부|ยกเลิก|hủy|iptal"
    r"|berhenti|रोक|बंद",
    re.IGNORECASE,
)


def check_content(content: Content) -> list[Finding]:
    """Findings about every locale, rendered with samples."""
    found: list[Finding] = []
    for tag in content.locales:
        try:
            shown = preview(content, None, {}, tag)
        except Invalid as invalid:
            return list(invalid.findings)
        found += shown.findings
        found += (
            _sms(content, tag, shown)
            if content.channel == "sms"
            else _push(tag, shown)
            if content.channel == "push"
            else _email(tag, shown)
        )
    return found


def _email(tag: str, shown: Preview) -> Iterator[Finding]:
    if shown.bytes > CLIPPED:
        size = f"{shown.bytes // 1024} kB of HTML"
        yield Finding("warning", pointer(("locales", tag, "blocks")), size, "at most 102 kB: Gmail cuts off the rest, with the footer")


def _push(tag: str, shown: Preview) -> Iterator[Finding]:
    if shown.bytes > MOST_OF_A_PUSH:
        expected = f"at most {MOST_OF_A_PUSH:,} bytes: platforms take 4,096, ids and names of their own included"
        yield Finding("error", pointer(("locales", tag)), f"{shown.bytes:,} bytes with samples", expected)


def _sms(content: Content, tag: str, shown: Preview) -> Iterator[Finding]:
    where, parts = pointer(("locales", tag, "text")), shown.sms_parts
    few = parts is not None and sum(char in parts.odd for char in shown.text) * 10 <= len(shown.text)  # not a script of its own
    if parts is not None and few and parts.encoding == "UCS-2" and parts.parts > 1:
        odd = " ".join(f"{char!r} (U+{ord(char):04X})" for char in parts.odd[:5])
        yield Finding(
            "warning", where, f"{parts.parts} parts because of {odd}", "characters of the GSM alphabet: a part holds 153 of them, else 67"
        )
    if parts is not None and parts.parts > 1:
        level_words = f"{parts.parts} parts ({parts.encoding}, {parts.units} units), with samples"
        yield Finding("warning" if parts.parts > 3 else "note", where, level_words, "one part: each is billed")
    if content.message_class == "promotional" and not _LEAVING_WORDS.search(shown.text) and "preview.invalid/u/" not in shown.text:
        yield Finding("warning", where, "no words on how to opt out", 'a line such as "Reply STOP to opt out", or {{ unsubscribe_url }}')
