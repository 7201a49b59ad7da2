"""Questions to real name servers: each bounded in time, all together bounded in time and number."""

from __future__ import annotations

import time

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver

from delivery.domains.answers import Answer, Kind, bounded

EACH = 2.0  # seconds for one question
TOGETHER = 6.0  # seconds for all questions about one domain
MOST = 100  # questions about one domain
ALIASES = 8  # aliases followed one after the other
GIVES_UP_AFTER = 2  # silences in a row
OFF = "off"


class Resolver:
    """One round of questions. servers: `host:port`, comma-separated; "": the system's; "off": none is asked."""

    def __init__(self, servers: str, *, together: float = TOGETHER, each: float = EACH) -> None:
        self._each, self._until = each, time.monotonic() + together
        self._asked = self._silences = 0
        self._resolver, self._why = _configured(servers)

    def __call__(self, name: str, kind: Kind) -> Answer:
        """See answers.Ask."""
        seen = {name}
        for _ in range(ALIASES):
            answer, alias = self._once(name, kind)
            if not alias:
                return answer
            if alias in seen:
                return Answer("unanswered", why="its aliases lead in a circle")
            seen.add(alias)
            name = alias
        return Answer("unanswered", why="its aliases lead on and on")

    def _once(self, name: str, kind: Kind) -> tuple[Answer, str]:
        """The answer of one question, or the alias to ask about instead: name servers that follow none leave that to us."""
        left = self._until - time.monotonic()
        if self._resolver is None or left <= 0 or self._asked >= MOST or self._silences >= GIVES_UP_AFTER:
            return Answer("unanswered", why=self._why or "there was no time left to ask"), ""
        self._asked += 1
        try:
            said = self._resolver.resolve(name, kind, raise_on_no_answer=False, search=False, lifetime=min(self._each, left))
            canonical = said.canonical_name.to_text(omit_final_dot=True).lower()
        except dns.resolver.NXDOMAIN:
            self._silences = 0
            return Answer("no_such_name"), ""
        except dns.resolver.LifetimeTimeout:
            self._silences += 1
            return Answer("unanswered", why="no name server answered in time"), ""
        except dns.resolver.NoNameservers:
            self._silences = 0
            return Answer("unanswered", why="the name servers answered with an error"), ""
        except dns.message.ChainTooLong:
            return Answer("unanswered", why="its aliases lead on and on"), ""
        except (dns.exception.DNSException, OSError, ValueError):
            return Answer("unanswered", why="the name servers' answer can't be read"), ""
        self._silences = 0
        alias = canonical if canonical != name.lower().rstrip(".") else ""
        if said.rrset is None:
            return Answer("nothing", canonical=alias), alias
        return Answer("found", bounded([_text(record, kind) for record in said.rrset]), canonical=alias), ""


def _configured(servers: str) -> tuple[dns.resolver.Resolver | None, str]:
    if servers.strip() == OFF:
        return None, "looking up is switched off (OMNI_DNS)"
    try:
        found = dns.resolver.Resolver(configure=not servers.strip())
    except (dns.exception.DNSException, OSError):
        return None, "this machine has no name servers (OMNI_DNS names others)"
    if servers.strip():
        found.nameservers = [_server(item.strip()) for item in servers.split(",") if item.strip()]
    found.use_edns(0, 0, 1232)
    found.cache = None
    return found, ""


def _server(text: str) -> dns.nameserver.Nameserver:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or (":" in host and not host.startswith("[")):
        host, port = text, "53"
    return dns.nameserver.Do53Nameserver(host.strip("[]"), int(port))


def _text(record: object, kind: Kind) -> str:
    if kind == "TXT":
        return b"".join(record.strings).decode("utf-8", "replace")  # type: ignore[attr-defined]
    if kind == "MX":
        return f"{record.preference} {record.exchange.to_text(omit_final_dot=True).lower() or '.'}"  # type: ignore[attr-defined]
    return str(record)
