"""Mail by SMTP through a relay of one's own. Facts: RFC 5321, 3207, 4954, 2920, 6152, 6531, 1870, 3463, 8058."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from delivery.adapters import dkim, mime
from delivery.adapters.base import (
    Account,
    Adapter,
    Fate,
    FateKind,
    Features,
    Limits,
    MailFacts,
    OutgoingRequest,
    Unsendable,
    Unsupported,
    VendorRequest,
    VendorResponse,
)

TLS: Final = {"starttls": "smtp", "implicit": "smtps", "none": "smtp"}
STAGES: Final = frozenset({"greeting", "auth", "mail", "rcpt", "data", "message"})
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:.]+\]", re.ASCII)
_LATER: Final = 30.0  # seconds; a relay that is busy wants to be asked again, not at once
_GREY = re.compile(rb"gr[ae]y-?\s?list", re.IGNORECASE)


class Smtp(Adapter):
    """E-mail through a relay: one transaction per message; the answer to the final dot is its fate.

    The answer is a VendorResponse whose status is the reply's code; header "stage" says what it answered (greeting, auth, mail,
    rcpt, data, message) and "enhanced" holds the enhanced code. Nothing echoes our id: it travels as Message-ID and X-Message-ID,
    which bounces quote. After the dot without an answer a mail is in doubt; before it, surely not accepted.
    """

    key = "smtp"
    title = "SMTP relay"
    channels = frozenset({"email"})
    tried = "lab"
    limits = Limits(recipients_per_request=1, concurrency=200, request_bytes=25_000_000)
    features = Features(attachments=True)
    further_secrets = ("password", "dkim_key")
    settings = ("host", "port", "tls", "username", "connections", "seven_bit", "dkim_domain", "dkim_selector")
    required_settings: ClassVar[Mapping[str, str]] = {"host": "the relay's name, such as smtp.example.com"}
    setting_forms: ClassVar[Mapping[str, str]] = {"seven_bit": "yes or no"}

    def home(self, settings: Mapping[str, Any]) -> str:
        """`smtp://` (STARTTLS) or `smtps://` (TLS from the first byte)."""
        scheme = TLS.get(str(settings.get("tls") or "starttls"), "smtp")
        return f"{scheme}://{settings.get('host', '')}:{settings.get('port') or (465 if scheme == 'smtps' else 587)}"

    def mail_facts(self, settings: Mapping[str, Any]) -> MailFacts:
        """See Adapter. The envelope is the From address; where we sign, the settings say as whom."""
        domain, selector = str(settings.get("dkim_domain") or "").lower(), str(settings.get("dkim_selector") or "")
        return MailFacts(
            "your relay", selectors=(selector,) if selector else (), dkim_domain=domain, we_sign=bool(selector), own_envelope=False
        )

    def secrets_of(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """A password where there is a user, a key where mails are signed."""
        wanted = {"password": settings.get("username"), "dkim_key": settings.get("dkim_domain")}
        return tuple(name for name, needed in wanted.items() if needed)

    def faults(self, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """See Adapter."""
        if not _HOST.fullmatch(str(settings.get("host") or "")):
            yield "host", self.required_settings["host"]
        if settings.get("port") and not (str(settings["port"]).isdigit() and 0 < int(settings["port"]) < 65_536):
            yield "port", "a port, such as 587"
        if settings.get("tls") and settings["tls"] not in TLS:
            yield "tls", f"one of {', '.join(TLS)}"
        if settings.get("connections") and not (str(settings["connections"]).isdigit() and 0 < int(settings["connections"]) <= 100):
            yield "connections", "1 to 100"
        if bool(settings.get("dkim_domain")) != bool(settings.get("dkim_selector")):
            yield "dkim_selector", "both a domain and a selector, or neither"

    def build(self, request: OutgoingRequest, account: Account) -> VendorRequest:
        """One transaction: the mail as the body, its envelope and the session's terms as headers. Raises Unsupported for more than
        one message, Unsendable for an address or a header that mail can't carry."""
        if len(request.messages) != 1:
            raise Unsupported(f"{len(request.messages)} messages in one transaction")
        message, settings = request.messages[0], account.settings
        to = mime.wire_address(message.address)
        filled = message.filled
        body = mime.mail(
            sender=request.sender,
            to=to,
            subject=filled.subject,
            text=filled.text,
            html=filled.html,
            headers=message.headers or filled.headers,
            message_id=message.message_id,
            reply_to=request.reply_to,
            at=request.at,
            attachments=message.attachments,
            seven_bit=bool(settings.get("seven_bit")),
        )
        if settings.get("dkim_domain"):
            domain, selector = str(settings["dkim_domain"]), str(settings["dkim_selector"])
            body = dkim.signed(body, domain=domain, selector=selector, key=account.secrets["dkim_key"], at=request.at)
        if len(body) > self.limits.request_bytes:
            raise Unsendable("permanent_message", "larger than a relay takes")
        return VendorRequest(
            "SMTP", account.base_url, {"from": mime.sender_address(request.sender.address), "to": to, **_terms(account)}, body
        )

    def read(self, response: VendorResponse, message_ids: Sequence[str] = ()) -> Fate:
        """By what was answered, the code, and the enhanced code where there is one."""
        code, stage, enhanced = response.status, response.headers.get("stage", ""), response.headers.get("enhanced", "")
        if stage not in STAGES:
            return Fate("ambiguous", detail="not a relay's reply")
        if stage == "message" and 200 <= code < 300:
            return Fate("accepted", vendor_id=_queued_as(response.body))
        kind, suppress = _meaning(code, stage, enhanced)
        if stage == "rcpt" and 500 <= code < 600 and b"relay" in response.body.lower():
            kind, suppress = "misconfigured", ""  # it doesn't forward for us at all: no word about this person
        culprit = message_ids[0] if kind in ("permanent_address", "permanent_message") and len(message_ids) == 1 else None
        said = f"{code} {enhanced}".strip()
        detail = f"{said} to {stage or 'nothing that was asked'}"
        later = _LATER if kind in ("throttled", "transient") else None
        alone = _means_this_mail(code, stage, enhanced, response.body)
        return Fate(
            kind, retry_after=later, culprit=culprit, suppress=suppress if culprit else "", detail=detail, code=said, only_this=alone
        )


def _meaning(code: int, stage: str, enhanced: str) -> tuple[FateKind, str]:
    """What a refusal means, and why its address would be suppressed."""
    if not 400 <= code < 600:
        return ("ambiguous" if stage == "message" else "transient"), ""
    if code < 500:
        return ("throttled" if code in (421, 450, 451, 452) else "misconfigured" if code == 454 and stage == "auth" else "transient"), ""
    if stage in ("greeting", "auth") or code in (530, 534, 535, 538) or enhanced == "5.7.8":
        return "misconfigured", ""
    if stage == "mail" and code not in (552,) and not enhanced.startswith(("5.3.4", "5.2.3")):
        return "misconfigured", ""  # the sender is refused, and with it everything that this account sends
    if enhanced.startswith("5.7.") or code in (552, 554):
        return "permanent_message", ""
    if enhanced.startswith("5.1."):
        return "permanent_address", "bounced" if enhanced in ("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10") else ""
    if stage == "rcpt" and code in (550, 551, 553):
        return "permanent_address", ""
    return "permanent_message", ""


def _means_this_mail(code: int, stage: str, enhanced: str, words: bytes) -> bool:
    """Whether a "later" is about one recipient (RFC 6647: a greylist knows the sender, the recipient and the host) or their mailbox,
    and not about the relay or all that we send."""
    if code not in (450, 451, 452) or enhanced.startswith(("4.3.", "4.4.", "4.5.")):
        return False
    return stage == "rcpt" or (stage in ("data", "message") and (enhanced.startswith("4.2.") or bool(_GREY.search(words))))


def _terms(account: Account) -> dict[str, str]:
    """How the session is to be held. Not secret but the password; the whole is never shown."""
    settings = account.settings
    terms = {"tls": str(settings.get("tls") or "starttls"), "connections": str(settings.get("connections") or 8)}
    if settings.get("username"):
        terms |= {"username": str(settings["username"]), "password": account.secrets["password"]}
    return terms


def _queued_as(words: bytes) -> str:
    """The relay's own id, where its words hold one."""
    found = re.search(rb"(?:queued as|id=|\bid)\s*:?\s*<?([A-Za-z0-9._@-]{4,100})", words, re.ASCII)
    return found.group(1).decode() if found else ""
