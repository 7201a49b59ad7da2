"""Which DMARC policy a domain is under, and which domains belong together (RFC 9989: the tree is walked, no list of suffixes is kept)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from delivery.domains.answers import Ask
from delivery.domains.dkim_keys import tags

POLICIES = ("none", "quarantine", "reject")
LABELS = 8  # names of more labels are cut to seven after the first question


@dataclass(slots=True)
class Dmarc:
    """status: found, none, many, broken or unanswered. at: the name whose record counts; organisation: the domain under which all
    names are of one hand; policy: what is asked of receivers for mail from the domain itself; exact_dkim, exact_spf: only the very
    same domain is aligned."""

    status: Literal["found", "none", "many", "broken", "unanswered"]
    domain: str
    organisation: str
    at: str = ""
    record: str = ""
    policy: str = ""
    exact_dkim: bool = False
    exact_spf: bool = False
    why: str = ""
    many: tuple[str, ...] = field(default=())

    def aligned(self, other: str, *, exact: bool) -> bool:
        """Whether a signature or an envelope of `other` speaks for the domain."""
        if other == self.domain:
            return True
        return not exact and (other == self.organisation or other.endswith("." + self.organisation))


def read(domain: str, ask: Ask) -> Dmarc:
    """The policy for mail from this domain."""
    records: dict[str, dict[str, str]] = {}
    for name in walked(domain):
        said = ask(f"_dmarc.{name}", "TXT")
        if not said.known:
            return Dmarc("unanswered", domain, domain, why=said.why)
        found = [text for text in said.records if text.split(";")[0].replace(" ", "").lower() == "v=dmarc1"]
        if len(found) > 1 and name == domain:
            return Dmarc("many", domain, domain, at=name, many=tuple(found))
        if len(found) != 1:
            continue
        records[name] = {**tags(found[0]), "": found[0]}
        if records[name].get("psd") == "n" or (records[name].get("psd") == "y" and name != domain):
            break
    if not records:
        return Dmarc("none", domain, domain)
    organisation = _organisation(domain, records)
    at = domain if domain in records else organisation if organisation in records else list(records)[-1]
    return _judged(domain, organisation, at, records[at])


def walked(domain: str) -> Iterator[str]:
    """The domain and those above it, at most eight names."""
    labels = domain.split(".")
    yield domain
    first = len(labels) - LABELS + 1 if len(labels) > LABELS else 1
    for place in range(first, len(labels)):
        yield ".".join(labels[place:])


def _organisation(domain: str, records: dict[str, dict[str, str]]) -> str:
    for name, said in records.items():
        if said.get("psd") == "n":
            return name
        if said.get("psd") == "y" and name != domain:
            return ".".join(domain.split(".")[-name.count(".") - 2 :])
    return list(records)[-1]


def _judged(domain: str, organisation: str, at: str, said: dict[str, str]) -> Dmarc:
    policy = said.get("p", "").lower()
    policy = said.get("sp", policy).lower() if at != domain else policy
    found = Dmarc("found", domain, organisation, at=at, record=said[""], policy=policy)
    found.exact_dkim, found.exact_spf = said.get("adkim", "r").lower() == "s", said.get("aspf", "r").lower() == "s"
    if policy not in POLICIES:
        found.status, found.why = "broken", f"the policy “{policy[:20]}”" if policy else "no policy (p=)"
    return found
