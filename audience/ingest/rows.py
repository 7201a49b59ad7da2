"""One incoming row about a person: checked against the catalogue, every fault with its field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from audience import addresses
from audience.catalogue import MAX_ATTRIBUTES, Catalogue, Unfit, comparable
from governance.door import Finding, pointer, shorten

MAX_EXTERNAL_ID = 200
FIELDS = ("email", "phone", "locale", "country", "zone")


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """What is said about one person. A field that is None is left as it was; "" clears it. An attribute that is None is removed.

    line: where it stood in its file or request, for the report.
    """

    external_id: str
    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    country: str | None = None
    zone: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    consents: tuple[tuple[str, str, str], ...] = ()  # (channel, topic, state)
    line: int = 0


@dataclass(slots=True)
class CleanRow:
    """A row in the form that is stored. Values that are "" clear the column."""

    external_id: str
    email: str | None
    email_key: str | None
    phone: str | None
    locale: str | None
    country: str | None
    zone: str | None
    attributes: dict[str, Any]
    folded: dict[str, Any]
    consents: tuple[tuple[str, str, str], ...]
    line: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken, and why. Findings repeat no addresses."""

    line: int
    findings: tuple[Finding, ...]


def clean(row: ProfileRow, catalogue: Catalogue) -> CleanRow | Rejected:
    """The row as it is stored, or everything that is wrong with it."""
    faults: list[Finding] = []
    external_id = _external_id(row.external_id, faults)
    email, email_key = _email(row.email, faults)
    made = CleanRow(
        external_id=external_id,
        email=email,
        email_key=email_key,
        phone=_field("phone", row.phone, addresses.phone_number, faults, personal=True),
        locale=_field("locale", row.locale, addresses.locale_tag, faults),
        country=_field("country", row.country, addresses.country_code, faults),
        zone=_field("zone", row.zone, addresses.zone_name, faults),
        attributes={},
        folded={},
        consents=row.consents,
        line=row.line,
    )
    if len(row.attributes) > MAX_ATTRIBUTES:
        faults.append(Finding("error", "/attributes", f"{len(row.attributes):,} attributes", f"at most {MAX_ATTRIBUTES} attributes"))
    else:
        for name, value in row.attributes.items():
            _attribute(str(name), value, catalogue, made, faults)
    return Rejected(row.line, tuple(faults)) if faults else made


def _external_id(value: Any, faults: list[Finding]) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > MAX_EXTERNAL_ID or not text.isprintable():
        faults.append(Finding("error", "/external_id", shorten(value), f"1 to {MAX_EXTERNAL_ID} printable characters"))
    return text


def _email(value: Any, faults: list[Finding]) -> tuple[str | None, str | None]:
    if value is None or value == "":
        return value, value
    try:
        if not isinstance(value, str):
            raise addresses.BadAddress("text")
        return addresses.email_address(value)
    except addresses.BadAddress as error:
        faults.append(Finding("error", "/email", f"{len(str(value))} characters", str(error)))
        return None, None


def _field(name: str, value: Any, normalise: Any, faults: list[Finding], *, personal: bool = False) -> str | None:
    if value is None or value == "":
        return value  # type: ignore[no-any-return]  # None or ""
    try:
        if not isinstance(value, str):
            raise addresses.BadAddress("text")
        return str(normalise(value))
    except addresses.BadAddress as error:
        faults.append(Finding("error", f"/{name}", f"{len(str(value))} characters" if personal else shorten(value), str(error)))
        return None


def _attribute(name: str, value: Any, catalogue: Catalogue, made: CleanRow, faults: list[Finding]) -> None:
    where = pointer(["attributes", name])
    body = catalogue.get(name)
    if body is None:
        faults.append(Finding("error", where, shorten(name), "an attribute of the catalogue; add it there first"))
    elif value is None:
        made.attributes[name] = made.folded[name] = None
    else:
        try:
            made.attributes[name], made.folded[name] = comparable(body, value)
        except Unfit as error:
            found = type(value).__name__ if body.sensitivity in ("personal", "sensitive") else shorten(value)
            faults.append(Finding("error", where, found, str(error)))
