"""Refuses bodies that hold a password or a vendor's key: documents say `secret: NAME` instead."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from governance.findings import Finding, pointer

SHAPES: dict[str, re.Pattern[str]] = {
    "a SendGrid key": re.compile(r"(?<![\w.-])SG\.[\w-]{16,64}\.[\w-]{16,64}(?![\w-])"),
    "a Twilio key": re.compile(r"(?<![0-9A-Za-z])SK[0-9a-f]{32}(?![0-9A-Za-z])"),
    "a Twilio account with its token": re.compile(r"(?<!\w)AC[0-9a-f]{32}\W{1,3}[0-9a-f]{32}(?!\w)"),
    "an AWS access key": re.compile(r"(?<![0-9A-Za-z])(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Za-z])"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a GitHub token": re.compile(r"(?<!\w)(?:gh[pousr]_[0-9A-Za-z]{36,}|github_pat_\w{60,})"),
    "a Slack token": re.compile(r"(?<!\w)xox[abeoprs]-[0-9A-Za-z-]{20,}"),
    "a Google API key": re.compile(r"(?<!\w)AIza[\w-]{35}(?![\w-])"),
    "a Stripe key": re.compile(r"(?<!\w)[rs]k_(?:live|test)_[0-9A-Za-z]{16,}"),
    "an OMNI API key": re.compile(r"(?<!\w)omni_[0-9a-z]{8,16}_[\w-]{30,}"),
    "a signed token": re.compile(r"(?<![\w.-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}"),
    "a password in an address": re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@]+:[^\s/:@{}]{3,}@"),
}
WORD = re.compile(
    r"(?:api|access|auth|secret|private|signing|vault|account)?[_ -]?(?:key|token|secret|passw(?:or)?d|pwd|credentials?)", re.I
)
SAID = re.compile(rf"(?<![0-9A-Za-z]){WORD.pattern}(?![0-9A-Za-z])[\"']?\s*(?:[:=]|is\b)\s*[\"']?(?P<value>[\w+/=.~-]{{16,}})", re.I)
NAME_FIELDS = frozenset({"secret", "secret_name"})
NAME_PART = re.compile(r"[A-Za-z]+\d{0,4}|\d{1,6}")  # "spring-sale-2026", "TWILIO_AUTH_TOKEN_2"
HEX32 = re.compile(r"[0-9a-f]{32,}", re.I)
EXPECTED = "no credential: keep it with `manage.py set_secret NAME` and say `secret: NAME`"


def credential_findings(body: object) -> list[Finding]:
    """An error for each value that looks like a credential, naming its place and shape and never repeating it."""
    return list(_search(body, (), ""))


def _search(value: object, at: tuple[object, ...], field: str) -> Iterator[Finding]:
    if isinstance(value, dict):
        twilio = _twilio_pair(value)
        for key, inner in value.items():
            if key == twilio:
                yield Finding("error", pointer((*at, key)), "what looks like a Twilio token", EXPECTED)
            else:
                yield from _search(inner, (*at, key), str(key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _search(inner, (*at, place), field)
    elif isinstance(value, str) and (shape := _shape(value, field)):
        yield Finding("error", pointer(at), f"what looks like {shape}", EXPECTED)


def _twilio_pair(fields: dict[str, object]) -> str | None:
    """The field with 32 hexadecimal digits beside an account id, if any."""
    texts = {key: value for key, value in fields.items() if isinstance(value, str)}
    if not any(re.fullmatch(r"AC[0-9a-f]{32}", value) for value in texts.values()):
        return None
    return next((key for key, value in texts.items() if re.fullmatch(r"[0-9a-f]{32}", value)), None)


def _shape(text: str, field: str) -> str:
    for shape, pattern in SHAPES.items():
        if pattern.search(text):
            return shape
    if any(_random(said["value"]) for said in SAID.finditer(text)):
        return "a key or password"
    if field not in NAME_FIELDS and WORD.search(field) and _random(text.strip()):
        return "a key or password"
    return ""


def _random(text: str) -> bool:
    """Long, of mixed characters and high entropy: neither words nor a name nor a template expression."""
    if len(text) < 16 or re.search(r"[\s{}<>]", text):
        return False
    if HEX32.fullmatch(text):
        return True
    if all(NAME_PART.fullmatch(part) for part in re.split(r"[-_.]", text)):
        return False
    mixed = sum(bool(re.search(kind, text)) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    return mixed >= 2 and bool(re.search("[0-9]", text)) and _bits(text) >= 3.3


def _bits(text: str) -> float:
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
