"""E-mail addresses and phone numbers, locales, zones and countries: each in the one form that is kept, or words that say why not."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import phonenumbers
from babel import Locale
from babel.core import get_global
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumberType, ValidationResult

MAX_EMAIL, MAX_LOCAL = 254, 64


class BadAddress(ValueError):
    """Something that can't be kept. The words complete "expected …"; found: what was seen, without the value itself."""

    def __init__(self, expected: str, found: str = "") -> None:
        self.found = found
        super().__init__(expected)


# ── e-mail ────────────────────────────────────────────────────────────────────────────────────────────────────────

_EMAIL = "one e-mail address such as ann@example.com"
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_NOWHERE = frozenset(SPECIAL_USE_DOMAIN_NAMES) - {"test"}  # never leads to a mailbox; .test is for trying things out


def email_address(text: str) -> tuple[str, str]:
    """An address as it is sent to (its case kept, its domain in ASCII) and the key by which duplicates are found. Raises BadAddress."""
    text = text.strip(" ")
    local, _, domain = text.rpartition("@")
    if len(text) <= MAX_EMAIL and len(local) <= MAX_LOCAL and _LOCAL.fullmatch(local) and (plain := _plain_domain(domain)):
        return f"{local}@{plain}", text.lower()
    _refuse_oddities(text)
    try:
        checked = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise BadAddress(f"an e-mail address such as ann@example.com ({_words(error)})", f"{len(text)} characters") from None
    sent = f"{unicodedata.normalize('NFC', checked.local_part)}@{checked.ascii_domain}"
    return sent, unicodedata.normalize("NFC", sent.casefold())


def _refuse_oddities(text: str) -> None:
    """What is not one plain address, in words of its own."""
    if not text:
        raise BadAddress(_EMAIL, "nothing")
    for char in text:
        if unicodedata.category(char) in {"Cc", "Cs", "Cf", "Zl", "Zp"}:
            raise BadAddress("an e-mail address without control characters", f"the control character U+{ord(char):04X}")
    if text.startswith('"'):
        raise BadAddress("an e-mail address without quotation marks", "a quoted name before the @")
    if any(char in text for char in ",;") or (text.count("@") > 1 and " " in text):
        raise BadAddress(_EMAIL, "several addresses")
    if text.count("@") > 1:
        raise BadAddress(_EMAIL, "more than one @")
    local, _, domain = text.rpartition("@")
    if domain.startswith("["):
        raise BadAddress("a domain name: address literals are not allowed", "an address literal after the @")
    if len(local.encode()) > MAX_LOCAL or len(text) > MAX_EMAIL:
        raise BadAddress(
            f"at most {MAX_LOCAL} characters before the @ and {MAX_EMAIL} in all", f"{len(local)} before the @, {len(text)} in all"
        )
    if local and domain and "." not in domain:
        raise BadAddress("a domain with a dot, as in example.com", "a domain that has no dot")


@lru_cache(maxsize=10_000)
def _plain_domain(domain: str) -> str:
    """A dotted ASCII domain in lower case, "" for anything else: the common case, at a fraction of the full parser's cost."""
    labels = domain.split(".")
    if len(labels) < 2 or len(labels[-1]) < 2 or not labels[-1].isalpha() or labels[-1].lower() in _NOWHERE:
        return ""
    return domain.lower() if all(_LABEL.fullmatch(label) and label[2:4] != "--" for label in labels) else ""


def _words(error: EmailNotValidError) -> str:
    words = " ".join(str(error).split()).rstrip(".")
    return words[:1].lower() + words[1:120]


_SEEMS_AN_ADDRESS = re.compile(r"[^\s@:/]+@[^\s@]+|\+?\d(?:[\s().-]?\d){7,}")


def without_addresses(text: str) -> str:
    """Words that quote somebody's value, with whatever seems to be an address or a phone number struck out."""
    return _SEEMS_AN_ADDRESS.sub("…", text)


# ── phone ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_PHONE = "a number with its country code, such as +442079460123"
_PARSING = {
    NumberParseException.TOO_SHORT_AFTER_IDD: "a number that is too short",
    NumberParseException.TOO_SHORT_NSN: "a number that is too short",
    NumberParseException.TOO_LONG: "a number that is too long",
}
_LENGTHS = {
    ValidationResult.TOO_SHORT: "too short",
    ValidationResult.TOO_LONG: "too long",
    ValidationResult.INVALID_LENGTH: "of the wrong length",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "without an area code",
}
_TEXTED = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.PERSONAL_NUMBER, PhoneNumberType.UNKNOWN}


def phone_number(text: str, *, region: str | None = None) -> str:
    """A number as E.164. region: the country that a number without + is read in. Raises BadAddress."""
    text = text.strip()
    if len(text) > 60:
        raise BadAddress(_PHONE, f"{len(text)} characters")
    if plain := _plain_number(text):
        return plain
    number = _parsed(text, region)
    national = phonenumbers.national_significant_number(number)
    region = phonenumbers.region_code_for_country_code(number.country_code or 0)
    country = region if region.isalpha() else "that code"
    if phonenumbers.is_emergency_number(national, region) or len(national) < 4:
        raise BadAddress(f"a person's {_PHONE[2:]}", "an emergency or short number")
    if number.extension:
        raise BadAddress("a number without an extension", "an extension")
    if (length := phonenumbers.is_possible_number_with_reason(number)) in _LENGTHS:
        raise BadAddress(_PHONE, f"a number that is {_LENGTHS[length]} for {country}")
    if not phonenumbers.is_valid_number(number):
        raise BadAddress(f"a number that somebody in {country} can have", "a number that is not in use")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


_E164 = re.compile(r"\+[1-9][0-9]{8,14}")
_SEPARATORS = str.maketrans("", "", " -.()")
_MANY = 7  # digits after the country code, which no emergency or short number has
_TYPES = ("fixed_line", "mobile", "premium_rate", "toll_free", "shared_cost", "personal_number", "voip", "pager", "uan", "voicemail")


def _plain_number(text: str) -> str:
    """A number with + that is in use, as E.164; "" where the full parser must look: the common case, at a thirtieth of its cost."""
    if text[:1] != "+":
        return ""
    plain = text if _E164.fullmatch(text) else text.translate(_SEPARATORS)
    if not _E164.fullmatch(plain):
        return ""
    for end in (2, 3, 4):
        if (plan := _numbers_of(plain[1:end])) is not None:
            national = plain[end:]
            if len(national) < _MANY or (plan.stripped and plan.stripped.match(national)):
                return ""
            return plain if plan.has(national) else ""
    return ""


@dataclass(frozen=True, slots=True)
class _NumberPlan:
    """The numbers of one country code. stripped: what the full parser takes off their front; regions: for each country that shares
    the code what its numbers begin with, where that decides, and all numbers that are in use there."""

    stripped: re.Pattern[str] | None
    regions: tuple[tuple[re.Pattern[str] | None, re.Pattern[str]], ...]

    def has(self, national: str) -> bool:
        """Whether a number is in use. The first country that it belongs to decides."""
        for begins, used in self.regions:
            if begins is None:
                if used.fullmatch(national):
                    return True
            elif begins.match(national):
                return used.fullmatch(national) is not None
        return False


@lru_cache(maxsize=1_200)
def _numbers_of(code: str) -> _NumberPlan | None:
    """What the library's tables say of a country code; None for none."""
    names = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code))
    if names is None:
        return None
    found = [phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(int(code), name) for name in names]
    tables = [table for table in found if table is not None]
    prefix = tables[0].national_prefix_for_parsing
    regions = [
        (re.compile(one.leading_digits) if one.leading_digits and len(tables) > 1 else None, re.compile(_used(one))) for one in tables
    ]
    return _NumberPlan(re.compile(prefix) if prefix else None, tuple(regions))


def _used(table: phonenumbers.PhoneMetadata) -> str:
    """A pattern of the numbers that are in use: those of any kind, as long as that kind's are."""
    kinds = [pattern for name in _TYPES if (pattern := _sized(getattr(table, name)))]
    return f"(?={_sized(table.general_desc)}$)(?:{'|'.join(kinds) or '(?!)'})"


def _sized(kind: phonenumbers.PhoneNumberDesc | None) -> str:
    if kind is None or not kind.national_number_pattern:
        return ""
    lengths = [length for length in kind.possible_length or () if length > 0]
    if kind.possible_length and not lengths:  # no such numbers there
        return ""
    size = f"(?=(?:{'|'.join(f'[0-9]{{{length}}}' for length in lengths)})$)" if lengths else ""
    return f"(?:{size}(?:{kind.national_number_pattern}))"


def _parsed(text: str, region: str | None) -> phonenumbers.PhoneNumber:
    digits = sum(char.isdigit() for char in text)
    if 0 < digits < 7 and region is None and "+" not in text:
        raise BadAddress(f"a person's {_PHONE[2:]}", "an emergency or short number")
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException as error:
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
            raise BadAddress(_PHONE, "an unknown country code" if "+" in text else "no country code") from None
        raise BadAddress(_PHONE, _PARSING.get(error.error_type, "something else")) from None


def can_receive_texts(phone: str) -> bool:
    """Whether a number of this kind can receive an SMS: fixed lines, premium and shared-cost numbers can't."""
    return phonenumbers.number_type(phonenumbers.parse(phone, None)) in _TEXTED


# ── locale, zone, country ─────────────────────────────────────────────────────────────────────────────────────────

_TAG = re.compile(r"([A-Za-z]{2,3})(?:-([A-Za-z]{4}))?(?:-([A-Za-z]{2}|[0-9]{3}))?((?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*)")
_LOCALE = "a locale such as en-GB, pt-BR or zh-Hant-TW"
_NO_LANGUAGE = {"und", "mul", "zxx", "mis", "root"}
_NO_PLACE = {"ZZ", "QO", "XA", "XB"}
_NO_SCRIPT = {"Zzzz", "Zyyy", "Zinh", "Zxxx"}


@lru_cache(maxsize=2_000)
def locale_tag(text: str) -> str:
    """A locale in its canonical spelling (BCP 47): en_US → en-US, iw → he. Any known language with any known script and place.

    Raises BadAddress.
    """
    parts = _TAG.fullmatch(text.strip().replace("_", "-")) if len(text) <= 35 else None
    if parts is None:
        raise BadAddress(_LOCALE)
    names = Locale("en")
    language, script, place = _language(parts[1].lower()), (parts[2] or "").title(), (parts[3] or "").upper()
    place = _PLACES.get(place, place)
    variants = [variant.lower() for variant in parts[4].split("-")[1:]]
    if language not in names.languages or language in _NO_LANGUAGE:
        raise BadAddress(_LOCALE, "an unknown language")
    if script and (script not in names.scripts or script in _NO_SCRIPT):
        raise BadAddress(_LOCALE, "an unknown script")
    if place and (place not in names.territories or place in _NO_PLACE):
        raise BadAddress(_LOCALE, "an unknown country or region")
    if any(variant.upper() not in names.variants for variant in variants) or len(set(variants)) < len(variants):
        raise BadAddress(_LOCALE, "an unknown variant")
    return "-".join(part for part in (language, script, place, *variants) if part)


def _language(code: str) -> str:
    """The present code: iw → he, eng → en. Aliases that also name a script are left alone."""
    alias = get_global("language_aliases").get(code, code)
    return alias if alias.isalpha() else code


_PLACES = {old: new[0] for old, new in get_global("territory_aliases").items() if len(new) == 1 and not old.isdigit()}  # UK → GB


def zone_names() -> frozenset[str]:
    """Every time zone by its present name: what `zone_name` can answer."""
    return frozenset(_zones()[0])


@lru_cache(maxsize=2_000)
def zone_name(text: str) -> str:
    """A time zone by its present name: Asia/Calcutta → Asia/Kolkata, EST → America/Panama. Raises BadAddress."""
    text = text.strip()
    present, links = _zones()
    name = links.get(text, text)
    if name in present:
        return name
    if _OFFSET.fullmatch(text):
        raise BadAddress("the name of a time zone such as Asia/Kolkata: an offset does not know summer time", "an offset")
    raise BadAddress("the name of a time zone such as Europe/Paris")


_OFFSET = re.compile(r"(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?", re.I)
_UTC = ("Etc/UTC", "Etc/UCT", "Etc/GMT", "Etc/Universal", "Etc/Zulu", "GMT", "UCT", "Zulu", "Universal")
_RULES = {  # names of rules rather than places, and the place that follows each
    "EST5EDT": "America/New_York",
    "CST6CDT": "America/Chicago",
    "MST7MDT": "America/Denver",
    "PST8PDT": "America/Los_Angeles",
    "WET": "Europe/Lisbon",
    "CET": "Europe/Brussels",
    "MET": "Europe/Brussels",
    "EET": "Europe/Athens",
}


@lru_cache(maxsize=1)
def _zones() -> tuple[frozenset[str], dict[str, str]]:
    """Zone names in present use, and old name → present name, from the IANA database itself.

    Links between places that both are somebody's present zone (Europe/Amsterdam and Europe/Brussels) are not followed.
    """
    database = files("tzdata") / "zoneinfo"
    lines = [line.split() for line in (database / "tzdata.zi").read_text("utf-8").splitlines()]
    inhabited = {line.split("\t")[2] for line in (database / "zone.tab").read_text("utf-8").splitlines() if line[:1] not in ("#", "")}
    own = {line[1] for line in lines if line and line[0] == "Z"}
    links = {line[2]: line[1] for line in lines if line and line[0] == "L" and line[2] not in inhabited}
    links |= dict.fromkeys(_UTC, "UTC") | _RULES
    links.pop("UTC", None)
    return frozenset((own | inhabited | {"UTC"}) - set(links) - {"Factory"}), {old: links.get(new, new) for old, new in links.items()}


@lru_cache(maxsize=1_000)
def country_code(text: str) -> str:
    """An ISO 3166 code of two letters; XK (Kosovo), which ISO leaves to its users, is one too. Raises BadAddress."""
    code = text.strip().upper()
    if code in _countries():
        return code
    instead = _PLACES.get(code)
    hint = f": {instead} is the present code" if instead in _countries() else ""
    raise BadAddress(f"a country code of two letters such as FR{hint}")


def country_codes() -> frozenset[str]:
    """Every country's code: what `country_code` can answer."""
    return _countries()


@lru_cache(maxsize=1)
def _countries() -> frozenset[str]:
    table = (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text("utf-8")
    return frozenset({line[:2] for line in table.splitlines() if line[:1] != "#"} | {"XK"})
