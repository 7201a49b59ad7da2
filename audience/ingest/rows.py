"""One incoming row about a person: checked against the catalogue, every fault with its field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from audience import addresses, consent
from audience.catalogue import MAX_ATTRIBUTES, Catalogue
from audience.compound import kept
from audience.external_ids import external_id_fault, external_id_of
from audience.values import Unfit, never_was
from governance.door import Finding, pointer, shorten

FIELDS = ("email", "phone", "locale", "country", "zone")
STORED = ("email", "email_key", "phone", "locale", "country", "zone")  # the columns that hold them
Said = tuple[str, str, str]  # channel, topic, state


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """What is said about one person. A field that is None is left as it was; "" clears it. An attribute that is None is removed.

    consents: (channel, topic, "subscribed" | "unsubscribed" | "confirmed": subscribed, and they confirmed it elsewhere). line: where it
    stood in its file or request, for the report. faults: what was wrong with it before it became a row.
    """

    external_id: str
    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    country: str | None = None
    zone: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    consents: tuple[Said, ...] = ()
    line: int = 0
    faults: tuple[Finding, ...] = ()


@dataclass(slots=True)
class CleanRow:
    """A row in the form that is stored: None leaves a column, "" clears it; an attribute that is None is removed.

    overlaid: the lines of later rows about the same person that became part of this one.
    """

    external_id: str
    line: int
    email: str | None = None
    email_key: str | None = None
    phone: str | None = None
    locale: str | None = None
    country: str | None = None
    zone: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    folded: dict[str, Any] = field(default_factory=dict)
    consents: dict[tuple[str, str], str] = field(default_factory=dict)
    overlaid: tuple[int, ...] = ()

    def overlay(self, later: CleanRow) -> None:
        """What a later row about the same person says on top of this one."""
        for name in STORED:
            if (value := getattr(later, name)) is not None:
                setattr(self, name, value)
        self.attributes |= later.attributes
        self.folded |= later.folded
        self.consents |= later.consents
        self.overlaid += (later.line, *later.overlaid)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken, and why. Findings repeat no addresses and no personal values."""

    line: int
    findings: tuple[Finding, ...]


def clean(row: ProfileRow, catalogue: Catalogue) -> CleanRow | Rejected:
    """The row as it is stored, or everything that is wrong with it."""
    faults = list(row.faults)
    made = CleanRow(_external_id(row.external_id, faults), row.line)
    if row.email is not None:
        made.email, made.email_key = _checked("email", row.email, addresses.email_address, faults) or ("", "")
    if row.phone is not None:
        made.phone = _checked("phone", row.phone, addresses.phone_number, faults) or ""
    if row.locale is not None:
        made.locale = _checked("locale", row.locale, addresses.locale_tag, faults) or ""
    if row.country is not None:
        made.country = _checked("country", row.country, addresses.country_code, faults) or ""
    if row.zone is not None:
        made.zone = _checked("zone", row.zone, addresses.zone_name, faults) or ""
    _attributes(row.attributes, catalogue, made, faults)
    _consents(row.consents, made, faults)
    return Rejected(row.line, tuple(faults)) if faults else made


def _external_id(value: object, faults: list[Finding]) -> str:
    fault = external_id_fault(value)
    if fault:
        faults.append(fault)
    return external_id_of(value) if isinstance(value, str) else ""


def _checked(name: str, value: object, normalise: Callable[[str], Any], faults: list[Finding]) -> Any:
    """The value in its one form, "" for nothing. Addresses are told by their length only."""
    if not isinstance(value, str):
        faults.append(Finding("error", f"/{name}", type(value).__name__, "text"))
        return ""
    if not value.strip():
        return ""
    try:
        return normalise(value)
    except addresses.BadAddress as bad:
        found = bad.found or (f"{len(value):,} characters" if name in ("email", "phone") else shorten(addresses.without_addresses(value)))
        faults.append(Finding("error", f"/{name}", found, str(bad)))
        return ""


def _attributes(given: Mapping[str, Any], catalogue: Catalogue, made: CleanRow, faults: list[Finding]) -> None:
    if len(given) > MAX_ATTRIBUTES:
        faults.append(Finding("error", "/attributes", f"{len(given):,} attributes", f"at most {MAX_ATTRIBUTES} attributes"))
        return
    for name, value in given.items():
        body = catalogue.get(name)
        if body is None:
            faults.append(
                Finding("error", pointer(["attributes", name]), shorten(name), "an attribute of the catalogue; add it there first")
            )
        elif body.computed is not None:
            faults.append(Finding("error", pointer(["attributes", name]), "a value", "none: it is computed from events"))
        else:
            try:
                made.attributes[name], compared = kept(name, body, value)
                made.folded.update(compared)
            except Unfit as unfit:
                secret = body.type not in ("number", "boolean", "date", "datetime") or body.sensitivity in ("personal", "sensitive")
                found = unfit.found if secret or never_was(value) else addresses.without_addresses(shorten(value))
                faults.append(Finding("error", pointer(["attributes", name]), found, str(unfit)))


def _consents(given: tuple[Said, ...], made: CleanRow, faults: list[Finding]) -> None:
    for channel, topic, state in given:
        where = pointer(["consents", f"{channel}:{topic}"])
        wrong = consent.faults(channel, topic, "subscribed" if state == consent.CONFIRMED else state)
        faults += [Finding("error", where + fault.path, fault.found, fault.expected) for fault in wrong]
        if not wrong:
            made.consents[channel, topic] = state
