"""One SMTP session: greeting, EHLO, STARTTLS, AUTH; then transactions, pipelined where the relay offers it (RFC 2920).

The text of one mail and the envelope of the next travel together, so that a mail costs one round trip.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from base64 import b64encode
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from delivery.adapters.base import VendorRequest, VendorResponse
from delivery.permits import Permit, withheld
from delivery.transports.answers import Answer, Impossible, Unreached, impossible, unanswered, unreached
from delivery.transports.pool import IDLE_SECONDS

LONGEST_REPLY = 16_384  # bytes that may arrive without being a whole reply
_LINE = re.compile(rb"([2-5]\d\d)([ -])(.*)", re.ASCII | re.DOTALL)
_ENHANCED = re.compile(rb"([245]\.\d{1,3}\.\d{1,3})(?:\s|\Z)", re.ASCII)
_PATH = re.compile(r"[^\x00-\x20\x7f<>]{3,400}")


class Lost(Exception):
    """The session is over: closed, or what came isn't SMTP."""


class Refused(Exception):
    """The relay refused the session itself."""

    def __init__(self, answer: VendorResponse) -> None:
        super().__init__(str(answer.status))
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Terms:
    """How a session is held. tls: starttls (required), implicit or none."""

    tls: str
    username: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of the relay. lines: its words, without codes."""

    code: int
    lines: tuple[bytes, ...]

    def at(self, stage: str) -> VendorResponse:
        """As an adapter reads it."""
        found = _ENHANCED.match(self.lines[-1])
        headers = {"stage": stage, **({"enhanced": found.group(1).decode()} if found else {})}
        return VendorResponse(self.code, headers, b"\n".join(self.lines))


class Session(asyncio.Protocol):
    """A connection to a relay."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._got, self._lines = b"", list[bytes]()
        self._replies = deque[Reply]()
        self._waiting: asyncio.Future[None] | None = None
        self._why: object = ""
        self._offers: dict[str, str] = {}
        self._unclean = False
        self.idle_for = IDLE_SECONDS

    @property
    def is_open(self) -> bool:
        """See Connection."""
        return self._transport is not None and not self._transport.is_closing() and not self._replies and not self._why

    def close(self) -> None:
        """See Connection. A goodbye is polite and not waited for."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"QUIT\r\n")
            self._transport.close()

    # ── opening ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def open(self, terms: Terms, context: Callable[[], ssl.SSLContext], host: str) -> None:
        """Up to the point where mails can be handed over. Raises Refused, Impossible, Unreached: nothing of a mail was written."""
        try:
            await self._expect(await self.reply(), "greeting", 220)
            await self._hello()
            if terms.tls == "starttls":
                await self._start_tls(context(), host)
                await self._hello()
            if terms.username:
                await self._authenticate(terms)
        except Lost as error:
            raise Unreached(str(error)) from error

    async def _hello(self) -> None:
        reply = await self._ask(f"EHLO {_our_name()}")
        if reply.code in (500, 502, 504):
            reply = await self._ask(f"HELO {_our_name()}")
        await self._expect(reply, "greeting", 250)
        words = (line.decode("ascii", "replace").partition(" ") for line in reply.lines[1:])
        self._offers = {name.upper(): rest.strip() for name, _, rest in words}

    async def _start_tls(self, context: ssl.SSLContext, host: str) -> None:
        if "STARTTLS" not in self._offers:
            raise Impossible("the relay offers no STARTTLS")
        await self._expect(await self._ask("STARTTLS"), "greeting", 220)
        if self._got or self._lines or self._replies:  # somebody slipped in words that would count as said under TLS
            raise Unreached("words before TLS")
        assert self._transport is not None
        try:
            self._transport = await self._loop.start_tls(self._transport, self, context, server_hostname=host)
        except (OSError, ValueError) as error:
            raise Unreached(type(error).__name__) from error

    async def _authenticate(self, terms: Terms) -> None:
        ways = self._offers.get("AUTH", "").upper().split()
        if "PLAIN" in ways:
            secret = b64encode(f"\0{terms.username}\0{terms.password}".encode()).decode()
            reply = await self._ask(f"AUTH PLAIN {secret}")
        elif "LOGIN" in ways:
            reply = await self._ask("AUTH LOGIN")
            for word in (terms.username, terms.password):
                if reply.code == 334:
                    reply = await self._ask(b64encode(word.encode()).decode())
        else:
            raise Impossible("the relay offers neither AUTH PLAIN nor LOGIN")
        await self._expect(reply, "auth", 235)

    async def _expect(self, reply: Reply, stage: str, code: int) -> None:
        if reply.code != code:
            raise Refused(reply.at(stage))

    # ── mails ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def hand_over(self, jobs: deque[tuple[int, VendorRequest]], answer: Callable[[int, Answer], None], permit: Permit) -> None:
        """One transaction after the other until no job is left or the session is over. Each job that was taken gets its answer,
        and keeps it: a job whose dot was written is in doubt until the relay has said something about it. When cancelled, too.
        No envelope and no text is written without a permit."""
        texted: int | None = None  # whose text was written and not answered
        begun: int | None = None  # whose envelope was written
        try:
            following = self._take(jobs, answer, permit)
            if following is not None:
                begun = following[0]
                self._write(self._envelope(following[1]))
            while following is not None:
                place, request = following
                refusal = await self._accepted(request)
                if refusal is not None:
                    begun = None
                    answer(place, refusal)
                    following = self._take(jobs, answer, permit)
                    if following is not None:
                        begun = following[0]
                        self._write(self._envelope(following[1]))
                    continue
                if not permit.holds():
                    answer(place, withheld())
                    self._over("nothing may be sent")  # a text that a relay waits for can't be taken back in any other way
                    return
                following = self._take(jobs, answer, permit)
                texted, begun = place, None
                text = _stuffed(request.body)
                if following is not None and self._pipelines:
                    begun = following[0]
                    self._write(text + self._envelope(following[1]))
                else:
                    self._write(text)
                reply = await self.reply()
                texted = None
                answer(place, reply.at("message"))
                if following is not None and not self._pipelines:
                    begun = following[0]
                    self._write(self._envelope(following[1]))
        except Lost as error:
            if texted is not None:
                answer(texted, unanswered(error))
            if begun is not None:
                answer(begun, unreached(error))
        except asyncio.CancelledError:
            if texted is not None:
                answer(texted, unanswered("the time was up"))
            if begun is not None:
                answer(begun, unreached("the time was up"))
            raise

    @property
    def _pipelines(self) -> bool:
        return "PIPELINING" in self._offers

    def _take(
        self, jobs: deque[tuple[int, VendorRequest]], answer: Callable[[int, Answer], None], permit: Permit
    ) -> tuple[int, VendorRequest] | None:
        """The next job that this relay can be given; what it can't be given is answered at once."""
        while jobs and self.is_usable and permit.holds():
            place, request = jobs.popleft()
            refusal = self._unfit(request)
            if refusal is None:
                return place, request
            answer(place, refusal)
        return None

    @property
    def is_usable(self) -> bool:
        """Whether it may still carry a transaction."""
        return self._transport is not None and not self._transport.is_closing() and not self._why

    def _unfit(self, request: VendorRequest) -> Answer | None:
        sender, to = request.headers.get("from", ""), request.headers.get("to", "")
        if not _PATH.fullmatch(sender) or not _PATH.fullmatch(to):
            return impossible("an envelope that can't be written")
        if not (sender.isascii() and to.isascii()) and "SMTPUTF8" not in self._offers:
            return VendorResponse(550, {"stage": "rcpt", "enhanced": "5.1.6"}, b"SMTPUTF8 is not offered")
        if not request.body.isascii() and "8BITMIME" not in self._offers:
            return impossible("the relay takes seven bits only: set seven_bit")
        size = self._offers.get("SIZE", "")
        if size.isdigit() and 0 < int(size) < len(request.body):
            return VendorResponse(552, {"stage": "message", "enhanced": "5.3.4"}, b"larger than the relay takes")
        return None

    def _commands(self, request: VendorRequest) -> list[str]:
        sender, to = request.headers["from"], request.headers["to"]
        more = f" SIZE={len(request.body)}" if "SIZE" in self._offers else ""
        if not request.body.isascii():
            more += " BODY=8BITMIME"
        if not (sender.isascii() and to.isascii()):
            more += " SMTPUTF8"
        return [f"MAIL FROM:<{sender}>{more}\r\n", f"RCPT TO:<{to}>\r\n", "DATA\r\n"]

    def _envelope(self, request: VendorRequest) -> bytes:
        """What is written before the first reply is waited for: all of it, or the first command."""
        reset = "RSET\r\n" if self._unclean else ""
        commands = self._commands(request)
        return (reset + ("".join(commands) if self._pipelines else "" if reset else commands[0])).encode()

    async def _accepted(self, request: VendorRequest) -> Answer | None:
        """Read the envelope's replies; None once the relay waits for the text."""
        if self._unclean:
            await self.reply()
            self._unclean = False
            if not self._pipelines:
                self._write(self._commands(request)[0].encode())
        refusal: Answer | None = None
        for number, stage in enumerate(("mail", "rcpt", "data")):
            if number and not self._pipelines:
                self._write(self._commands(request)[number].encode())
            reply = await self.reply()
            if reply.code == 421:
                self._over("the relay is closing")
                return refusal or reply.at(stage)
            wanted = 300 <= reply.code < 400 if stage == "data" else 200 <= reply.code < 300
            if not wanted and refusal is None:
                refusal = reply.at(stage)
                if not self._pipelines:
                    break
            elif stage == "data" and wanted and refusal is not None:
                self._write(b".\r\n")  # it waits for the text of a mail that it has refused
                await self.reply()
        self._unclean = refusal is not None
        return refusal

    # ── lines ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _ask(self, command: str) -> Reply:
        self._write(f"{command}\r\n".encode())
        return await self.reply()

    async def reply(self) -> Reply:
        """The next reply. Raises Lost."""
        while not self._replies:
            if self._why:
                raise Lost(self._why if isinstance(self._why, str) else type(self._why).__name__)
            self._waiting = self._loop.create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        return self._replies.popleft()

    def _write(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise Lost("closed before anything was written") if not self._why else Lost(str(self._why))
        self._transport.write(data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Of asyncio."""
        self._transport = transport  # type: ignore[assignment]  # a stream's transport is a Transport

    def data_received(self, data: bytes) -> None:
        """Of asyncio."""
        *lines, self._got = (self._got + data).split(b"\n")
        for line in lines:
            found = _LINE.fullmatch(line.rstrip(b"\r"))
            if found is None:
                self._over("not SMTP")
                return
            self._lines.append(found.group(3))
            if found.group(2) == b" ":
                self._replies.append(Reply(int(found.group(1)), tuple(self._lines)))
                self._lines = []
        if len(self._got) + sum(map(len, self._lines)) > LONGEST_REPLY:
            self._over("a reply without an end")
            return
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """Of asyncio."""
        self._why = self._why or error or "the connection was closed"
        self._wake()

    def _over(self, why: object) -> None:
        self._why = self._why or why
        if self._transport is not None:
            self._transport.abort()
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


def _stuffed(text: bytes) -> bytes:
    """A mail's text as it travels, its final dot included."""
    if text.startswith(b"."):
        text = b"." + text
    text = text.replace(b"\r\n.", b"\r\n..")
    return text + (b".\r\n" if text.endswith(b"\r\n") else b"\r\n.\r\n")


def _our_name() -> str:
    name = socket.gethostname()
    return name if re.fullmatch(r"[A-Za-z0-9.-]{1,200}", name) and "." in name else "[127.0.0.1]"
