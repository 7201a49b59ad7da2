"""Addresses with expressions in path and query: where they lead is written, never computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from urllib.parse import quote, urlsplit

from governance.door import Unreachable, plain_host
from presentation.expressions import problems
from presentation.faults import Fault
from presentation.segments import BadText, segments
from presentation.syntax import names_in

_KEPT = "%/?:@!$&'()*+,;=-._~[]"  # what a written address may hold as it is
LONGEST = 2_000  # characters of an address as it is written


def url_faults(url: str, declared: Mapping[str, str], at: tuple[str | int, ...]) -> Iterator[Fault]:
    """Whatever is wrong with an address. declared: names and types of the inputs that it may use."""
    broken = False
    for problem in problems(url, declared):
        broken = True
        yield Fault(at, str(problem), problem.expected)
    if broken:
        return
    for name in sorted(names_in(url) - set(declared)):
        yield Fault(at, name, f"one of the inputs: {', '.join(declared) or 'there are none'}")
    if expected := _fault(url):
        yield Fault(at, url[:120], expected)


def _fault(url: str) -> str | None:
    try:
        cut = segments(url)
    except BadText as error:
        return str(error)
    if any(not segment.expression and any(char <= " " or char in "\\\x7f" for char in segment.text) for segment in cut):
        return "an address without blanks, control characters and \\"
    first = cut[0].text if cut and not cut[0].expression else ""
    try:
        parts = urlsplit(first)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "an address such as https://places.example.com/v1/{{ city }}"
    if parts.scheme not in ("https", "http"):
        return "an address that begins with https:// and a host, written out"
    if len(cut) > 1 and not (parts.path or parts.query or "?" in first):
        return "the host written out to its end, and a / or ? before the first expression"
    if "@" in parts.netloc:
        return "no user in the address: name a secret instead"
    if "#" in url:
        return "an address without #: that part never leaves a browser"
    if port == 0:
        return "a port from 1 to 65535"
    try:
        plain_host(host.encode("idna").decode() if not host.isascii() else host)
    except (Unreachable, UnicodeError):
        return "a host name such as places.example.com"
    return None


@lru_cache(maxsize=1_024)
def url_parts(url: str) -> tuple[tuple[str, bool], ...]:
    """A sound address in pieces: constant text in ASCII, and expressions (True) between them."""
    found = []
    for place, segment in enumerate(segments(url)):
        text = segment.text
        if not segment.expression and not text.isascii():
            host = (urlsplit(text).netloc if not place else "") or ""
            text = quote(text.replace(host, host.encode("idna").decode(), 1) if host else text, safe=_KEPT)
        found.append((text, segment.expression))
    return tuple(found)


def is_plain(url: str) -> bool:
    """Whether anybody on the way can read what is asked and answered."""
    return url.lower().startswith("http://")
