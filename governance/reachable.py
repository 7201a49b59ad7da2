"""Which addresses an author's document may make this machine talk to: public ones, and networks inside that the installation names.

Law: whoever connects by `addresses_of` connects to an address that it gave, never to the name again. What is looked up twice may
be answered twice.
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Sequence
from pathlib import Path

import dns.exception
import dns.nameserver
import dns.resolver

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
HOSTS = Path("/etc/hosts")
MOST = 20  # addresses of one name that are looked at
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_INSIDE = (
    ipaddress.IPv6Network("::/96"),  # IPv4 in disguise, as it once was
    ipaddress.IPv6Network("::ffff:0:0:0/96"),  # and as translators write it
    ipaddress.IPv6Network("64:ff9b:1::/48"),  # an operator's own NAT64
    ipaddress.IPv6Network("fec0::/10"),  # site-local, before there were unique local addresses
    ipaddress.IPv4Network("192.88.99.0/24"),  # relays of 6to4
    ipaddress.IPv4Network("100.64.0.0/10"),  # behind a carrier's NAT
)


class Unreachable(Exception):
    """Nobody may or can be connected to by this host. Its words name neither the host nor an address."""


class Barred(Unreachable):
    """It leads to where documents may not reach."""


def networks_of(text: str) -> tuple[Network, ...]:
    """Networks as a setting names them, comma-separated. Raises ValueError in words."""
    found = []
    for item in filter(None, (each.strip() for each in text.split(","))):
        try:
            found.append(ipaddress.ip_network(item))
        except ValueError:
            raise ValueError(f"networks such as 10.20.0.0/16 or fd00::/8, comma-separated, not {item[:60]!r}") from None
    return tuple(found)


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet, whatever form it hides another in."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return False
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if hidden := [each for each in inner if each is not None]:
            return address.teredo is None and all(map(is_public, hidden))
    if any(address in network for network in _INSIDE if network.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback)


def may_reach(address: Address, allowed: Sequence[Network]) -> bool:
    """Whether a document may make this machine connect to an address. allowed: networks inside that the installation names."""
    return is_public(address) or is_inside(address, allowed)


def is_inside(address: Address, allowed: Sequence[Network]) -> bool:
    """Whether it lies in one of these networks, written as it is or as IPv6 that stands for it."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    forms = [each for each in (address, mapped) if each is not None]
    return any(each in network for each in forms for network in allowed if network.version == each.version)


def plain_host(host: str) -> str:
    """A host in the one form in which it is looked up. Raises Unreachable for what isn't a name or an address in its usual form, such
    as numbers that some programs read as addresses."""
    text = host.lower().removesuffix(".")
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    if ":" in text:
        try:
            return str(ipaddress.IPv6Address(text)) if "%" not in text else _no_host()
        except ValueError:
            return _no_host()
    if _NUMBER.fullmatch(text.rpartition(".")[2]):
        try:
            return str(ipaddress.IPv4Address(text))
        except ValueError:
            return _no_host()
    return text if len(text) <= 253 and _NAME.fullmatch(text) else _no_host()


def _no_host() -> str:
    raise Unreachable("a host that is neither a name nor an address in its usual form")


def addresses_of(host: str, *, allowed: Sequence[Network], servers: str = "", seconds: float = 5.0) -> list[Address]:
    """The addresses behind a host, each of which may be reached.

    servers: name servers as `address:port`, comma-separated; "": this machine's. Raises Barred where a single one may not be reached: a
    name that leads inside is not to be trusted with the rest. Raises Unreachable where there is none.
    """
    name = plain_host(host)
    try:
        found: list[Address] = [ipaddress.ip_address(name)]
    except ValueError:
        found = _of_this_machine(name) or _asked(name, servers, seconds)
    if not found:
        raise Unreachable("a host without an address")
    if not all(may_reach(address, allowed) for address in found):
        raise Barred("an address that isn't public, and in no network of OMNI_CONTENT_NETWORKS")
    return found


def _of_this_machine(name: str) -> list[Address]:
    """What the hosts file says."""
    if name == "localhost" or name.endswith(".localhost"):
        return [ipaddress.IPv4Address("127.0.0.1")]
    try:
        lines = HOSTS.read_text(errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for words in (line.partition("#")[0].split() for line in lines):
        if name in (word.lower() for word in words[1:]):
            try:
                found.append(ipaddress.ip_address(words[0]))
            except ValueError:
                continue
    return found[:MOST]


def _asked(name: str, servers: str, seconds: float) -> list[Address]:
    """What name servers say, within so many seconds."""
    until, found, silent = time.monotonic() + seconds, list[Address](), False
    resolver = _resolver(servers)
    for kind in ("A", "AAAA"):
        try:
            said = resolver.resolve(name, kind, raise_on_no_answer=False, search=not servers, lifetime=max(0.05, until - time.monotonic()))
            found += [ipaddress.ip_address(record.to_text()) for record in said.rrset or ()]
        except dns.resolver.NXDOMAIN:
            break
        except dns.exception.Timeout:
            silent = True
            break
        except (dns.exception.DNSException, OSError, ValueError):
            silent = True
    if not found and silent:
        raise Unreachable("a host whose name servers don't answer")
    return found[:MOST]


def _resolver(servers: str) -> dns.resolver.Resolver:
    try:
        made = dns.resolver.Resolver(configure=not servers.strip())
    except (dns.exception.DNSException, OSError):
        raise Unreachable("no name server to ask") from None
    if servers.strip():
        made.nameservers = [_server(item.strip()) for item in servers.split(",") if item.strip()]
    made.cache = None
    return made


def _server(text: str) -> dns.nameserver.Nameserver:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or (":" in host and not host.startswith("[")):
        host, port = text, "53"
    return dns.nameserver.Do53Nameserver(host.strip("[]"), int(port))
