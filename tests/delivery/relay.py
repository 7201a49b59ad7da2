"""A mail relay on real sockets: it says what a test tells it to, and writes down what it has taken."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.delivery.wire import Line, Wire, serving

OFFERS = ("PIPELINING", "SIZE 1000000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "AUTH PLAIN LOGIN")


@dataclass
class Relay:
    """say: the answer to a command ("MAIL", "RCPT", "DATA", "TEXT", "GREETING", …) with its argument; "": the usual one, "drop": the
    line goes dead, "hang": nothing is said, "drop after": dead after taking the mail."""

    offers: tuple[str, ...] = OFFERS
    say: Callable[[str, str], str] = lambda verb, argument: ""
    tls: ssl.SSLContext | None = None
    after_starttls: bytes = b""
    taken: list[tuple[str, str, bytes]] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    users: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, line: Line) -> None:
        _Talk(self, line).serve()


class _Talk:
    def __init__(self, relay: Relay, line: Line) -> None:
        self.relay, self.line, self.got = relay, line, b""
        self.secure = False

    def serve(self) -> None:
        if not self.answer("GREETING", "", "220 relay.test ESMTP"):
            return
        sender = recipient = ""
        while command := self.read_line():
            verb, _, argument = command.partition(" ")
            verb = verb.upper()
            self.relay.heard.append(command)
            if verb == "EHLO":
                offers = [one for one in self.relay.offers if not (one == "STARTTLS" and self.secure)]
                lines = ["relay.test", *offers]
                self.answer(verb, argument, "\r\n".join([f"250-{each}" for each in lines[:-1]] + [f"250 {lines[-1]}"]))
            elif verb == "STARTTLS" and self.relay.tls is not None:
                self.line.say(b"220 Go ahead\r\n" + self.relay.after_starttls)
                self.line.sock, self.got, self.secure = self.relay.tls.wrap_socket(self.line.sock, server_side=True), b"", True
            elif verb == "AUTH":
                self.authenticate(argument)
            elif verb == "MAIL":
                said = self.relay.say(verb, argument)
                sender = "" if said.startswith(("4", "5")) else argument
                if not self.told(said or "250 2.1.0 Ok"):
                    return
            elif verb == "RCPT":
                said = self.relay.say(verb, argument) if sender else "503 5.5.1 Sender first"
                recipient = "" if said.startswith(("4", "5")) else argument
                if not self.told(said or "250 2.1.5 Ok"):
                    return
            elif verb == "DATA":
                if not recipient:
                    self.line.say(b"503 5.5.1 Recipient first\r\n")
                elif not self.take(sender, recipient):
                    return
                sender = recipient = ""
            elif verb == "RSET":
                sender = recipient = ""
                self.line.say(b"250 2.0.0 Ok\r\n")
            elif verb == "QUIT":
                self.line.say(b"221 2.0.0 Bye\r\n")
                return
            else:
                self.line.say(b"502 5.5.2 What?\r\n")

    def take(self, sender: str, recipient: str) -> bool:
        said = self.relay.say("DATA", recipient) or "354 Go on"
        if not self.told(said) or not said.startswith("354"):
            return said[:1] in "45"
        self.got = b"\r\n" + self.got
        while b"\r\n.\r\n" not in self.got:
            if not self.more():
                return False
        text, _, self.got = self.got.partition(b"\r\n.\r\n")
        said = self.relay.say("TEXT", recipient)
        if not said.startswith(("4", "5")):
            self.relay.taken.append((sender, recipient, (text + b"\r\n").replace(b"\r\n..", b"\r\n.")[2:]))
        return self.told(said or f"250 2.0.0 Ok: queued as Q{len(self.relay.taken)}")

    def authenticate(self, argument: str) -> None:
        kind, _, first = argument.partition(" ")
        if kind == "PLAIN":
            _, user, password = base64.b64decode(first).decode().split("\0")
        else:
            self.line.say(b"334 VXNlcm5hbWU6\r\n")
            user = base64.b64decode(self.read_line()).decode()
            self.line.say(b"334 UGFzc3dvcmQ6\r\n")
            password = base64.b64decode(self.read_line()).decode()
        self.relay.users.append((user, password))
        self.answer("AUTH", user, "235 2.7.0 Welcome")

    def answer(self, verb: str, argument: str, usual: str) -> bool:
        return self.told(self.relay.say(verb, argument) or usual)

    def told(self, said: str) -> bool:
        if said.startswith("drop"):
            self.line.reset()
            return False
        if said.startswith("hang"):
            self.line.until_closed()
            return False
        self.line.say(f"{said}\r\n".encode())
        return True

    def read_line(self) -> str:
        while b"\r\n" not in self.got:
            if not self.more():
                return ""
        one, _, self.got = self.got.partition(b"\r\n")
        return one.decode()

    def more(self) -> bool:
        try:
            data = self.line.sock.recv(65_536)
        except OSError:
            return False
        self.got += data
        return bool(data)


@contextmanager
def relaying(relay: Relay, *, tls: ssl.SSLContext | None = None) -> Iterator[Wire]:
    """The relay, until the block ends. tls: from the first byte on."""
    with serving(relay, tls=tls) as wire:
        yield wire
