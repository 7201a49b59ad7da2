"""Addresses, locales, zones and countries in the one form that is kept; each refusal says what was expected."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers
from babel import Locale, UnknownLocaleError
from babel.core import get_global
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumberType

MAX_EMAIL, MAX_LOCAL = 254, 64
_PHONE_FAULTS = {
    NumberParseException.INVALID_COUNTRY_CODE: "an international number with a known country code, such as +442079460123",
    NumberParseException.NOT_A_NUMBER: "a phone number such as +442079460123",
    NumberParseException.TOO_SHORT_NSN: "a longer phone number",
    NumberParseException.TOO_SHORT_AFTER_IDD: "a longer phone number",
    NumberParseException.TOO_LONG: "a shorter phone number",
}
_LENGTHS = {
    phonenumbers.ValidationResult.TOO_SHORT: "too short",
    phonenumbers.ValidationResult.TOO_LONG: "too long",
    phonenumbers.ValidationResult.INVALID_COUNTRY_CODE: "with an unknown country code",
    phonenumbers.ValidationResult.INVALID_LENGTH: "of the wrong length",
}


class BadAddress(ValueError):
    """The words complete "expected …"."""


def email_address(text: str) -> tuple[str, str]:
    """An address as it is sent to (domain in ASCII) and the key by which duplicates are found. Raises BadAddress."""
    text = text.strip()
    if any(char in text for char in ",;\r\n\t\0") or text.count("@") > 1 and '"' not in text:
        raise BadAddress("one e-mail address")
    if text.startswith('"') or "[" in text:
        raise BadAddress("a plain e-mail address: quoted names and address literals are not allowed")
    if len(text) > MAX_EMAIL or len(text.partition("@")[0]) > MAX_LOCAL:
        raise BadAddress(f"at most {MAX_LOCAL} characters before the @ and {MAX_EMAIL} in all")
    if text.isascii() and _plain_address(text):
        local, _, domain = text.rpartition("@")
        return f"{local}@{domain.lower()}", text.casefold()
    try:
        checked = validate_email(text, check_deliverability=False, allow_smtputf8=True, test_environment=True)
    except EmailNotValidError as error:
        words = str(error).rstrip(".")
        raise BadAddress(f"an e-mail address such as ann@example.com ({words[:1].lower()}{words[1:120]})") from None
    if checked.ascii_domain is None or "." not in checked.ascii_domain:
        raise BadAddress("an e-mail address whose domain has a dot")
    sent = f"{checked.local_part}@{checked.ascii_domain}"
    return sent, unicodedata.normalize("NFC", sent.casefold())


_LOCAL_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+/=?^_`{|}~-.")


def _plain_address(text: str) -> bool:
    """The common case, decided without the full parser, which costs 30 times as much: letters, digits and a dotted ASCII domain."""
    local, _, domain = text.rpartition("@")
    if not local or local[0] == "." or local[-1] == "." or ".." in local or not _LOCAL_CHARS.issuperset(local):
        return False
    labels = domain.split(".")
    if len(labels) < 2 or len(domain) > 253 or not labels[-1].isalpha() or len(labels[-1]) < 2:
        return False
    if domain.lower().startswith("xn--") or ".xn--" in domain.lower():
        return False
    return all(label and len(label) <= 63 and label[0] != "-" and label[-1] != "-" and label.replace("-", "").isalnum() for label in labels)


def phone_number(text: str, *, region: str | None = None) -> str:
    """A number as E.164. region: the country a national number is read in. Raises BadAddress."""
    text = text.strip()
    if len(text) > 40:
        raise BadAddress("a phone number such as +442079460123")
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException as error:
        raise BadAddress(_PHONE_FAULTS.get(error.error_type, "a phone number such as +442079460123")) from None
    if number.extension:
        raise BadAddress("a number without an extension")
    length = phonenumbers.is_possible_number_with_reason(number)
    if length in _LENGTHS:
        where = phonenumbers.region_code_for_country_code(number.country_code or 0)
        raise BadAddress(f"a possible number: this one is {_LENGTHS[length]} for {where}")
    national = phonenumbers.national_significant_number(number)
    if len(national) <= 4 or phonenumbers.is_emergency_number(national, phonenumbers.region_code_for_number(number) or "US"):
        raise BadAddress("a person's number: emergency and short numbers are not allowed")
    if not phonenumbers.is_valid_number(number):
        raise BadAddress("a number that is in use in its country")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def can_receive_texts(phone: str) -> bool:
    """Whether a number of this kind can receive an SMS: fixed lines, premium and shared-cost numbers can't."""
    number = phonenumbers.parse(phone, None)
    kind = phonenumbers.number_type(number)
    return kind in {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.PERSONAL_NUMBER, PhoneNumberType.UNKNOWN}


@lru_cache(maxsize=2_000)
def locale_tag(text: str) -> str:
    """A locale in its canonical spelling: en_US → en-US. Raises BadAddress."""
    try:
        return str(Locale.parse(text.strip().replace("_", "-"), sep="-", resolve_likely_subtags=False)).replace("_", "-")
    except (UnknownLocaleError, ValueError, TypeError):
        raise BadAddress("a locale such as en-GB or pt-BR") from None


@lru_cache(maxsize=2_000)
def zone_name(text: str) -> str:
    """A time zone by its present name: Asia/Calcutta → Asia/Kolkata. Raises BadAddress."""
    text = text.strip()
    if text not in available_timezones() or text.startswith(("posix/", "right/")):
        raise BadAddress("the name of a time zone such as Europe/Paris, not an offset")
    aliases = get_global("zone_aliases")
    return str(aliases.get(text, text)) if ZoneInfo(text) else text


@lru_cache(maxsize=1_000)
def country_code(text: str) -> str:
    """An ISO 3166 code of two letters. Raises BadAddress."""
    code = text.strip().upper()
    if len(code) != 2 or code not in get_global("territory_zones") or code == "ZZ":
        raise BadAddress("a country code of two letters such as FR")
    return code
