"""A message vendor of our own for tests: it speaks the send contracts of SendGrid, Twilio, FCM, APNs and web push, writes down what
it accepts before it answers, misbehaves on demand, and signs its webhooks.

In a test it stands for the network (`StandIn().transport()`); as a process it is a small threaded server:
`python -m tests.vendor_standin PORT LOG [faults.json]` appends one line `vendor message_id address mono_ns` per accepted message.
"""

from __future__ import annotations

import base64
import json
import random
import re
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from delivery.adapters.base import Fate, VendorRequest, VendorResponse

DROPS = {"drop", "accept_drop"}  # no answer; the second after accepting
PUSH = {"fcm": "/messages:send", "apns": "/3/device/", "webpush": "/webpush/"}  # by a part of their paths
ACCEPTING = {"ok", "accept_drop", "accept_500", "garbage"}
Answer = tuple[int, dict[str, str], bytes]
Exchange = Callable[[VendorRequest], VendorResponse | Fate]


@dataclass(frozen=True, slots=True)
class Accepted:
    """One message that the vendor has taken."""

    seq: int
    vendor: str
    message_id: str
    address: str
    vendor_id: str
    body: str = ""
    sender: str = ""
    at: datetime | None = None
    mono_ns: int = 0  # CLOCK_MONOTONIC, written down before the answer: comparable with time.monotonic_ns() of any process
    account: str = ""  # whose it is, where the request's address says so


@dataclass
class StandIn:
    """The vendor. fault: what becomes of request number i (from 0): "ok", "drop", "accept_drop", "429", "500", "accept_500",
    "garbage", "401", "400" (nobody named), "400:2" (the third recipient named)."""

    fault: Callable[[int], str] = lambda number: "ok"
    now: Callable[[], datetime] | None = None
    accepted: list[Accepted] = field(default_factory=list)
    requests: int = 0
    refuse: set[str] = field(default_factory=set)  # addresses that SendGrid's side refuses without naming them
    gone: set[str] = field(default_factory=set)  # device tokens that are registered no longer
    log: Path | None = None
    delay: float = 0.0  # seconds that an answer takes, where it is a server
    keeps_text: bool = True  # False: a hundred thousand mails needn't be kept whole to be counted
    prices: dict[str, str] = field(default_factory=dict)  # what messages cost, as Twilio writes it, by its id; the others have none yet
    price_unit: str = "USD"
    questions: list[str] = field(default_factory=list)  # the messages whose price was asked for
    questions_answer: int = 200
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    # ── what a judge asks ─────────────────────────────────────────────────────────────────────────────────────────

    def times(self) -> Counter[str]:
        """How often each message id was accepted."""
        return Counter(one.message_id for one in self.accepted)

    def received_by(self, address: str) -> int:
        """How many messages went to this address."""
        return sum(one.address == address for one in self.accepted)

    # ── the send contract ─────────────────────────────────────────────────────────────────────────────────────────

    def answer(self, method: str, url: str, body: bytes) -> Answer | None:
        """The answer to one request; None: the line goes dead."""
        path = urlsplit(url).path
        if method == "GET" and path.endswith("/Messages.json"):
            return self._listed(_account(path), parse_qs(urlsplit(url).query).get("To", [""])[0])
        if method == "GET" and "/Messages/" in path:
            return self._priced(path.rpartition("/")[2].removesuffix(".json"))
        if path == "/token":
            return _json(200, {"access_token": "ya29.stand-in", "expires_in": 3599})
        with self._lock:
            number, self.requests = self.requests, self.requests + 1
            fault = self.fault(number)
            sendgrid = path.endswith("/v3/mail/send")
            push = next((name for name, mark in PUSH.items() if mark in path), "")
            messages = _sendgrid(body, self.keeps_text) if sendgrid else _pushed(url, body) if push else _twilio(body)
            if fault == "ok" and sendgrid and any(address in self.refuse for _, address, _, _ in messages):
                fault = "400"
            if fault == "ok" and messages[0][1] in self.gone:
                fault = "gone"
            vendor_id = f"{'sg' if sendgrid else 'SM'}{number:032x}"
            if fault in ACCEPTING:
                self._accept("sendgrid" if sendgrid else push or "twilio", messages, vendor_id, _account(path))
        if fault in DROPS:
            return None
        if push:
            return PUSH_ANSWERS[push](fault, vendor_id)
        return _sendgrid_answer(fault, vendor_id) if sendgrid else _twilio_answer(fault, vendor_id)

    def _accept(self, vendor: str, messages: Sequence[tuple[str, str, str, str]], vendor_id: str, account: str = "") -> None:
        at, mono_ns = self.now() if self.now else None, time.monotonic_ns()
        new = [
            Accepted(len(self.accepted) + place, vendor, message_id, address, vendor_id, text, sender, at, mono_ns, account)
            for place, (message_id, address, text, sender) in enumerate(messages)
        ]
        self.accepted += new
        if self.log is not None:
            with self.log.open("a") as log:
                log.writelines(f"{one.vendor} {one.message_id} {one.address} {one.mono_ns}\n" for one in new)

    def _listed(self, account: str, to: str) -> Answer:
        found = [one for one in self.accepted if one.vendor == "twilio" and (one.account, one.address) == (account, to)]
        listed = [
            {
                "sid": one.vendor_id,
                "to": one.address,
                "from": one.sender,
                "body": one.body,
                "date_created": _rfc(one.at),
                "direction": "outbound-api",
            }
            for one in found
        ]
        return 200, {"content-type": "application/json"}, json.dumps({"messages": listed}).encode()

    def _priced(self, vendor_id: str) -> Answer:
        self.questions.append(vendor_id)
        if self.questions_answer != 200:
            return self.questions_answer, {}, b"{}"
        known = any(one.vendor_id == vendor_id for one in self.accepted)
        price = {"sid": vendor_id, "price": self.prices.get(vendor_id), "price_unit": self.price_unit}
        return (200 if known else 404), {"content-type": "application/json"}, json.dumps(price).encode()

    def transport(self) -> Exchange:
        """This vendor as the network of a `Connections`."""

        def exchange(request: VendorRequest) -> VendorResponse | Fate:
            answer = self.answer(request.method, request.url, request.body)
            if answer is None:
                return Fate("ambiguous", detail="no answer (the line is dead)")
            status, headers, body = answer
            return VendorResponse(status, headers, body)

        return exchange

    # ── webhooks ──────────────────────────────────────────────────────────────────────────────────────────────────

    def public_key(self) -> str:
        """As SendGrid shows it."""
        raw = self._key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(raw).decode()

    def events(self, kind: str, accepted: Sequence[Accepted], at: datetime) -> bytes:
        """A SendGrid webhook's body: this event about each of these messages."""
        return json.dumps(
            [
                {
                    "event": kind,
                    "email": one.address,
                    "timestamp": int(at.timestamp()),
                    "sg_event_id": f"{kind}-{one.seq}",
                    "sg_message_id": f"{one.vendor_id}.filter.0",
                    "message_id": one.message_id,
                }
                for one in accepted
            ]
        ).encode()

    def signed(self, body: bytes, at: datetime) -> dict[str, str]:
        """The headers that prove it."""
        moment = str(int(at.timestamp()))
        signature = self._key.sign(moment.encode() + body, ec.ECDSA(hashes.SHA256()))
        return {
            "x-twilio-email-event-webhook-signature": base64.b64encode(signature).decode(),
            "x-twilio-email-event-webhook-timestamp": moment,
        }


def _account(path: str) -> str:
    return path.partition("/Accounts/")[2].partition("/")[0]


def _sendgrid(body: bytes, texts: bool) -> list[tuple[str, str, str, str]]:
    """Message id, address, text, sender of each recipient. texts: False leaves the text out."""
    mail = json.loads(body)
    sender = mail["from"]["email"]
    found = []
    for one in mail["personalizations"]:
        text = mail["content"][0]["value"] if texts else ""
        for tag, value in one.get("substitutions", {}).items() if texts else ():
            text = text.replace(tag, value)
        found.append((one["custom_args"]["message_id"], one["to"][0]["email"], text, sender))
    return found


def _twilio(body: bytes) -> list[tuple[str, str, str, str]]:
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    token = parse_qs(urlsplit(form["StatusCallback"]).query)["message_id"][0]
    return [(token, form["To"], form["Body"], form.get("From", form.get("MessagingServiceSid", "")))]


def _pushed(url: str, body: bytes) -> list[tuple[str, str, str, str]]:
    path = urlsplit(url).path
    if "/webpush/" in path:  # encrypted for the browser
        return [("", url, "", "")]
    said = json.loads(body)
    if "message" in said:
        told, token = said["message"], said["message"]["token"]
        return [(told["data"]["message_id"], token, json.dumps(told), "")]
    return [(said["message_id"], path.rpartition("/")[2], json.dumps(said), "")]


def _fcm_answer(fault: str, vendor_id: str) -> Answer:
    if fault in ("ok", "garbage"):
        return _json(200, {"name": f"projects/wayfare/messages/{vendor_id}"} if fault == "ok" else {})
    if fault == "gone" or fault.startswith("400"):
        code, status = ("UNREGISTERED", 404) if fault == "gone" else ("INVALID_ARGUMENT", 400)
        return _json(status, {"error": {"code": status, "status": "NOT_FOUND", "details": [{"errorCode": code}]}})
    return _status(fault)


def _apns_answer(fault: str, vendor_id: str) -> Answer:
    if fault in ("ok", "garbage"):
        return 200, {"apns-id": vendor_id} if fault == "ok" else {}, b""
    if fault == "gone" or fault.startswith("400"):
        return _json(410, {"reason": "Unregistered"}) if fault == "gone" else _json(400, {"reason": "PayloadEmpty"})
    return _status(fault)


def _webpush_answer(fault: str, vendor_id: str) -> Answer:
    if fault in ("ok", "garbage"):
        return 201, {"location": f"/m/{vendor_id}"} if fault == "ok" else {}, b""
    return (410, {}, b"") if fault == "gone" else _status(fault[:3] if fault.startswith("400") else fault)


PUSH_ANSWERS = {"fcm": _fcm_answer, "apns": _apns_answer, "webpush": _webpush_answer}


def _json(status: int, said: dict[str, Any]) -> Answer:
    return status, {"content-type": "application/json"}, json.dumps(said).encode()


def _sendgrid_answer(fault: str, vendor_id: str) -> Answer:
    if fault in ("ok", "garbage"):
        return 202, {"x-message-id": vendor_id} if fault == "ok" else {}, b""
    if found := re.fullmatch(r"400:(\d+)", fault):
        field_name = f"personalizations.{found.group(1)}.to.0.email"
        return 400, {}, json.dumps({"errors": [{"message": "Does not contain a valid address.", "field": field_name}]}).encode()
    if fault == "400":
        return 400, {}, json.dumps({"errors": [{"message": "Bad Request", "field": None}]}).encode()
    return _status(fault)


def _twilio_answer(fault: str, vendor_id: str) -> Answer:
    if fault == "ok":
        return 201, {"content-type": "application/json"}, json.dumps({"sid": vendor_id, "status": "queued"}).encode()
    if fault == "garbage":
        return 201, {}, b"<html>"
    if fault.startswith("400"):
        return 400, {}, json.dumps({"code": 21211, "message": "Invalid 'To' Phone Number", "status": 400}).encode()
    return _status(fault)


def _status(fault: str) -> Answer:
    number = int(fault.removesuffix(":unnamed").rsplit("_", 1)[-1])
    return number, {"retry-after": "2"} if fault == "429" else {}, b"{}"


def _rfc(at: datetime | None) -> str | None:
    return at.strftime("%a, %d %b %Y %H:%M:%S +0000") if at else None


# ── as a process ──────────────────────────────────────────────────────────────────────────────────────────────────


def serve(port: int, vendor: StandIn) -> ThreadingHTTPServer:
    """A server on 127.0.0.1 (port 0: any free one); the caller runs and closes it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            answer = vendor.answer(self.command, self.path, body)
            time.sleep(vendor.delay)
            if answer is None:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True
                return
            status, headers, content = answer
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET = _respond

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads, request_queue_size = True, 512  # a hundred callers may connect at once

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A caller that was killed has hung up: no news."""

    return Server(("127.0.0.1", port), Handler)


def faults_by_chance(shares: Mapping[str, float], seed: int = 1) -> Callable[[int], str]:
    """Each fault with its share of the requests; the same for the same request number."""

    def fault(number: int) -> str:
        draw = random.Random(seed * 1_000_003 + number).random()
        for name, share in shares.items():
            if draw < share:
                return name
            draw -= share
        return "ok"

    return fault


def main() -> None:
    port, log, shares = int(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]) if len(sys.argv) > 3 else {}
    server = serve(port, StandIn(fault=faults_by_chance(shares), log=log))
    print("ready", server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
