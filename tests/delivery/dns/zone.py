"""Zones of made-up domains, and a small name server on loopback that answers from one, over UDP and TCP."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from delivery.domains.answers import Answer, Kind, bounded

Zone = Mapping[str, Sequence[str]]
"""Records by "TYPE name"; a record "!timeout", "!servfail", "!loop" or "!garbage" is something that goes wrong."""
WRONG = {"!timeout": "no name server answered in time", "!servfail": "the name servers answered with an error"}


@lru_cache(maxsize=8)
def rsa_key(bits: int) -> str:
    """The public half of an RSA key, as p= has it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=max(bits, 1024)).public_key()
    if bits < 1024:  # too weak to be made here: the numbers alone are enough to be looked at
        key = rsa.RSAPublicNumbers(65537, (1 << (bits - 1)) | 1).public_key()
    return b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


@lru_cache(maxsize=1)
def ed25519_key() -> str:
    """The same of an Ed25519 key."""
    return b64encode(ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def ask_of(zone: Zone) -> Any:
    """What an answering resolver would say of this zone, without a network."""
    names = {place.split(" ", 1)[1] for place in zone}

    def ask(name: str, kind: Kind) -> Answer:
        seen: list[str] = []
        while (alias := zone.get(f"CNAME {name}")) and name not in seen:
            seen.append(name)
            name = alias[0]
        records, canonical = zone.get(f"{kind} {name}", ()), name if seen else ""
        if records and records[0] in WRONG:
            return Answer("unanswered", why=WRONG[records[0]])
        if records:
            return Answer("found", bounded(list(records)), canonical)
        return Answer("nothing" if any(other == name or other.endswith("." + name) for other in names) else "no_such_name", (), canonical)

    return ask


class _Answering:
    def __init__(self, zone: Zone) -> None:
        self.zone, self.asked, self.sick = dict(zone), [], ""  # sick: what goes wrong with every question

    def answer(self, wire: bytes, *, tcp: bool) -> bytes | None:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{kind} {name}")
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        wrong = self.sick or (self.zone.get(f"{kind} {name}") or [""])[0]
        if wrong == "!timeout":
            return None
        if wrong == "!garbage":
            return wire[:2] + b"\xff" * 30
        if wrong == "!servfail":
            reply.set_rcode(dns.rcode.SERVFAIL)
            return reply.to_wire()
        self._fill(reply, question.name, name, kind)
        whole = reply.to_wire(max_size=65_535)
        if tcp or len(whole) <= 1_232:
            return whole
        short = dns.message.make_response(query)
        short.flags |= dns.flags.TC
        return short.to_wire()

    def _fill(self, reply: dns.message.Message, owner: dns.name.Name, name: str, kind: str) -> None:
        """Aliases and what they lead to, as a recursive server answers; "CNAME! name" gives the alias alone, as a lazy one does."""
        for _ in range(20):
            lazy = self.zone.get(f"CNAME! {name}")
            alias = lazy or self.zone.get(f"CNAME {name}")
            if not alias:
                break
            reply.answer.append(dns.rrset.from_text(owner, 60, dns.rdataclass.IN, dns.rdatatype.CNAME, alias[0] + "."))
            if lazy:
                return
            owner, name = dns.name.from_text(alias[0]), alias[0]
        records = self.zone.get(f"{kind} {name}", ())
        if records:
            reply.answer.append(dns.rrset.from_text_list(owner, 60, dns.rdataclass.IN, kind, [_wire(kind, text) for text in records]))
        elif not any(place.split(" ", 1)[1] in (name,) or place.endswith("." + name) for place in self.zone):
            reply.set_rcode(dns.rcode.NXDOMAIN)


def _wire(kind: str, text: str) -> str:
    if kind != "TXT":
        return text + "." if kind == "MX" and not text.endswith(".") else text
    raw = text.encode()
    return " ".join('"' + "".join(f"\\{byte:03d}" for byte in raw[at : at + 255]) + '"' for at in range(0, len(raw) or 1, 255))


@contextmanager
def name_server(zone: Zone) -> Iterator[tuple[str, _Answering]]:
    """`host:port` of a server for this zone, and what it was asked."""
    answering = _Answering(zone)

    class Udp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, channel = self.request
            reply = answering.answer(wire, tcp=False)
            if reply is not None:
                channel.sendto(reply, self.client_address)

    class Tcp(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            (size,) = struct.unpack("!H", self.rfile.read(2))
            reply = answering.answer(self.rfile.read(size), tcp=True) or b""
            self.wfile.write(struct.pack("!H", len(reply)) + reply)

    servers: list[socketserver.BaseServer] = []
    for _ in range(20):  # the same number must be free for both
        udp = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Udp)
        try:
            socketserver.ThreadingTCPServer.allow_reuse_address = True
            servers = [udp, socketserver.ThreadingTCPServer(udp.server_address[:2], Tcp)]  # type: ignore[arg-type]
            break
        except OSError:
            udp.server_close()
            time.sleep(0.01)
    threads = [threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    try:
        host, port = servers[0].server_address[:2]
        yield f"{socket.gethostbyname(str(host))}:{port}", answering
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
