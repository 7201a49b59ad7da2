"""What a domain's SPF record says (RFC 7208), with everything that it includes. What a macro names depends on the mail, so
it is counted and not followed: what follows from it can't be judged here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from delivery.domains.answers import Answer, Ask, Kind

MOST_LOOKUPS = 10  # RFC 7208, 4.6.4: one more, and receivers call the whole record broken
MOST_VOID = 2  # the same of look-ups that find nothing
WALKED = 25  # look-ups after which counting ends
_TERM = re.compile(r"(?P<qualifier>[+?~-]?)(?P<name>[a-z][a-z0-9_.-]*)(?P<rest>[:=/].*)?", re.IGNORECASE | re.ASCII)
COSTLY = frozenset({"include", "a", "mx", "ptr", "exists", "redirect"})
FREE = frozenset({"all", "ip4", "ip6", "exp"})
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)+\.?", re.IGNORECASE | re.ASCII)


@dataclass(slots=True)
class Spf:
    """status: found, none, many (more than one record), broken, or unanswered. records: as they stand; broken: why it is, in words;
    included: names whose records count here; ending: the qualifier of `all`, "" where nothing is said. void: look-ups of names that
    have nothing; macros: the terms whose name depends on the mail, so that nobody can say beforehand what they let through."""

    status: Literal["found", "none", "many", "broken", "unanswered"]
    records: tuple[str, ...] = ()
    canonical: str = ""
    broken: str = ""
    why: str = ""
    lookups: int = 0
    included: set[str] = field(default_factory=set)
    ending: str = ""
    void: int = 0
    macros: list[str] = field(default_factory=list)


def records_in(answer: Answer) -> tuple[str, ...]:
    """The SPF records among a name's texts."""
    return tuple(text for text in answer.records if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 "))


def read(domain: str, ask: Ask) -> Spf:
    """The record of a domain, and of all that it includes."""
    said = ask(domain, "TXT")
    if not said.known:
        return Spf("unanswered", why=said.why)
    found = records_in(said)
    if len(found) != 1:
        return Spf("many" if found else "none", found, said.canonical)
    report = Spf("found", found, said.canonical)
    report.ending = _walk(domain, found[0], report, ask, (domain,))
    if report.status == "found" and report.lookups > MOST_LOOKUPS:
        report.status, report.broken = "broken", f"{report.lookups if report.lookups < WALKED else f'{WALKED} or more'} DNS look-ups"
    elif report.status == "found" and report.void > MOST_VOID:
        report.status, report.broken = "broken", f"{report.void} of its look-ups find nothing, and receivers stop at {MOST_VOID}"
    return report


def _walk(domain: str, record: str, report: Spf, ask: Ask, way: tuple[str, ...]) -> str:
    """Count and follow one record's terms; its own ending."""
    ending, redirect = "", ""
    for word in record.split()[1:]:
        term = _TERM.fullmatch(word)
        name, rest = (term["name"].lower(), term["rest"] or "") if term else ("", "")
        if term is None or (name not in COSTLY | FREE and not rest.startswith("=")):
            return _break(report, f"“{word[:60]}” in the record of {domain} means nothing")
        if name == "all":
            ending = term["qualifier"] or "+"
            break  # what follows never counts
        if name in COSTLY:
            report.lookups += 1
        if "%{" in rest and name in COSTLY:
            report.macros.append(word[:80])
        if name in ("a", "mx", "exists"):
            _note_void(name, rest, domain, report, ask)
        if name == "redirect":
            redirect = rest[1:]
        if name == "include":
            _follow(rest[1:], report, ask, way)
        if report.status != "found":
            return ""
    if not ending and redirect:
        return _follow(redirect, report, ask, way)
    return ending


def _follow(target: str, report: Spf, ask: Ask, way: tuple[str, ...]) -> str:
    """The ending of an included or redirected record."""
    target = target.lower().rstrip(".")
    if "%" in target or report.lookups > WALKED:
        return ""
    if not _HOST.fullmatch(target) or len(target) > 253:
        return _break(report, f"it includes “{target[:60]}”, which is no domain")
    if target in way:
        return _break(report, f"{target} includes itself")
    report.included.add(target)
    said = ask(target, "TXT")
    if not said.known:
        report.status, report.why = "unanswered", f"{target}, which it includes: {said.why}"
        return ""
    found = records_in(said)
    if len(found) != 1:
        return _break(report, f"it includes {target}, which has {'no SPF record' if not found else 'more than one'}")
    if said.canonical:
        report.included.add(said.canonical)
    return _walk(target, found[0], report, ask, (*way, target))


def _note_void(name: str, rest: str, domain: str, report: Spf, ask: Ask) -> None:
    """Whether the name that a term looks up has anything. Silence isn't counted, and of an address either kind is enough."""
    target = (rest[1:] if rest.startswith(":") else domain + rest).partition("/")[0].lower().rstrip(".")
    if "%" in target or report.lookups > WALKED or not _HOST.fullmatch(target) or len(target) > 253:
        return
    kinds: tuple[Kind, ...] = {"mx": ("MX",), "exists": ("A",)}.get(name, ("A", "AAAA"))  # type: ignore[assignment]
    report.void += all(ask(target, kind).status in ("nothing", "no_such_name") for kind in kinds)


def _break(report: Spf, why: str) -> str:
    report.status, report.broken = "broken", why
    return ""
