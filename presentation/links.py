"""Where a link may lead."""

from __future__ import annotations

import re

SCHEMES = ("https", "http", "mailto", "tel", "sms")
OWN_PAGES = ("unsubscribe_url", "preferences_url", "confirm_url")  # addresses of our own that each message has
_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_ORIGIN = re.compile(r"^https?://[^/?#\s\\]+", re.IGNORECASE)
_UNFIT = re.compile(r"[\\\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202e\ufeff]")


def is_own_page(target: str) -> bool:
    """True for a target that is one of the built-in addresses and nothing else."""
    return re.fullmatch(rf"\{{\{{\s*(?:{'|'.join(OWN_PAGES)})\s*\}}\}}", target.strip()) is not None


def fault_in_link(target: str) -> str | None:
    """What is expected instead of `target`, or None when it may be linked to.

    Expressions may stand in the path, the query or the fragment, never in the scheme or the host: whoever controls
    the data must not control where the link leads."""
    if is_own_page(target):
        return None
    if not target.strip():
        return "an address such as https://example.com/offer"
    fixed = target.split("{{", 1)[0]
    if _UNFIT.search(fixed):
        return "an address without spaces, backslashes or invisible characters (write %20 for a space)"
    scheme = _SCHEME.match(fixed)
    if not scheme:
        return "an address that starts with https:// (expressions may follow after the host)"
    if scheme.group(1).lower() not in SCHEMES:
        return "a link with one of the schemes https, http, mailto, tel, sms"
    if scheme.group(1).lower() in {"http", "https"}:
        origin = _ORIGIN.match(fixed)
        if not origin:
            return "a host after the scheme, such as https://example.com/offer"
        if "@" in origin.group():
            return "an address without a user name or password"
        if "{{" in target and origin.end() == len(fixed):
            return "a fixed host followed by / or ?: expressions may stand in the path or the query only"
    return None


def fault_in_image(source: str) -> str | None:
    """What is expected instead of an image address: https only, so that mail clients show it."""
    if not source.lower().startswith("https://"):
        return "an https:// address of an image"
    return fault_in_link(source)


def host_of(target: str) -> str:
    """The lower-case host of an http(s) target, without port; "" for others."""
    origin = _ORIGIN.match(target)
    return origin.group().split("://", 1)[1].split(":")[0].lower() if origin else ""
