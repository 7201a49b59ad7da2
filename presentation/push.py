"""A push message's own parts: what may stand in them, and what its author should know."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from governance.door import Finding, pointer
from presentation.faults import Fault
from presentation.links import fault_in_image, fault_in_link
from presentation.segments import written_length

if TYPE_CHECKING:
    from presentation.parts import LocaleBody

LONGEST_TTL = 2_419_200  # seconds: four weeks, what the platforms keep at most
GOOD_TITLE, GOOD_BODY = 50, 150  # characters that a lock screen shows
MAX_TITLE, MAX_BODY = 200, 1_500
PARTS = ("link", "image", "data")  # which only a push message has
At = tuple[str | int, ...]
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")
_OURS = frozenset({"aps", "message_id", "link", "image", "title", "body", "badge", "from", "message_type", "collapse_key", "notification"})
_APP = re.compile(r"([a-z][a-z0-9+.-]{1,39})://[^\s\\\"<>{}]")
_NO_APPS = frozenset({"http", "https", "javascript", "data", "file", "blob", "vbscript", "about", "view-source"})


def push_faults(locale: LocaleBody, at: At) -> Iterator[Fault]:
    """Whatever can't be sent of one translation; its links and expressions are looked at with those of all channels."""
    for field, what, most in (("subject", "title", MAX_TITLE), ("text", "body", MAX_BODY)):
        text = getattr(locale, field) or ""
        if not text.strip():
            yield Fault((*at, field), "nothing", f"the {what} of the notification")
        elif written_length(text) > most:
            yield Fault((*at, field), f"{written_length(text):,} characters", f"at most {most:,} characters")
    for field in ("preheader", "blocks"):
        if getattr(locale, field):
            yield Fault((*at, field), "content of an e-mail", "nothing: a push message has title, body, link, image and data")
    if locale.image and (expected := fault_in_image(locale.image)):
        yield Fault((*at, "image"), locale.image[:80], expected)
    for name in locale.data:
        if not _NAME.fullmatch(name):
            yield Fault((*at, "data", name), name[:60], "a name of at most 40 letters, digits, _, - and dots, beginning with a letter")
        elif name.lower() in _OURS or name.lower().startswith(("google.", "gcm.")):
            yield Fault((*at, "data", name), name, "another name: the platforms or OMNI use this one")


def not_push_faults(locale: LocaleBody, at: At) -> Iterator[Fault]:
    """What only a push message has, in another channel's translation."""
    for field in PARTS:
        if getattr(locale, field):
            yield Fault((*at, field), "content of a push message", "nothing: only push has it")


def fault_in_app_link(target: str) -> str | None:
    """What is expected instead of a link that a tap opens: a web address, or one of an app's own, such as shop://orders/7."""
    found = _APP.match(target)
    return None if found and found[1] not in _NO_APPS else fault_in_link(target)


def push_findings(locale: LocaleBody, at: At) -> Iterator[Finding]:
    """What a lock screen would cut off."""
    for field, good in (("subject", GOOD_TITLE), ("text", GOOD_BODY)):
        length = written_length(getattr(locale, field) or "")
        if length > good:
            yield Finding("warning", pointer((*at, field)), f"{length} characters", f"at most {good}: lock screens cut the rest")
    if not locale.link:
        yield Finding("note", pointer((*at, "link")), "nothing", "where a tap leads; without it the app just opens")


def with_lines(locale: Any) -> Any:
    """A translation as the editor shows it: its data as lines of a name, a colon and a text."""
    data = locale.get("data") if isinstance(locale, Mapping) else None
    if not isinstance(data, Mapping) or not data:
        return locale
    return {**locale, "data": "\n".join(f"{name}: {text}" for name, text in data.items())}


def with_data(locale: Any) -> Any:
    """The same as the document keeps it."""
    if not isinstance(locale, Mapping) or not isinstance(locale.get("data"), str):
        return locale
    lines = [line.partition(":") for line in locale["data"].split("\n") if line.strip()]
    return {**locale, "data": {name.strip(): text.strip() for name, _, text in lines}}
