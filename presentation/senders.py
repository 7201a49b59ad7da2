"""The sender document: whom messages of one channel come from, and what a mail's domain has to say about them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from governance.door import CheckContext, DocumentModel, Finding, Kind, Like, Role, Text, pointer
from presentation.channels import CHANNEL_WORDS, Channel, Country
from presentation.characters import Body, FixedLine, fixed
from presentation.parts import MailAddress, Sender, SmsSender

MAILBOXES = frozenset(  # everybody's: their owners forbid mail that doesn't leave their own machines
    {"aol.com", "gmail.com", "gmx.de", "gmx.net", "googlemail.com", "hotmail.com", "icloud.com", "live.com", "me.com", "msn.com"}
    | {"outlook.com", "proton.me", "protonmail.com", "qq.com", "web.de", "yahoo.co.jp", "yahoo.co.uk", "yahoo.com", "ymail.com"}
)
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_TOLL_FREE = re.compile(r"\+1(800|833|844|855|866|877|888)")


def ascii_domain(text: str) -> str:
    """A domain as DNS knows it: lower case, in its ASCII form, without a dot at the end. Raises ValueError for what is none."""
    try:
        name = text.strip().rstrip(".").lower().encode("idna").decode().lower() if not text.isascii() else text.strip().rstrip(".").lower()
    except UnicodeError:
        raise ValueError("a domain such as mail.example.com") from None
    if len(name) > 253 or not _NAME.fullmatch(name):
        raise ValueError("a domain such as mail.example.com")
    return name


Domain = Annotated[str, AfterValidator(ascii_domain)]
Selector = Annotated[str, Like(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9_])?", "a selector such as s1")]


class SenderBody(DocumentModel):
    """One sender of one channel. A template names it by key instead of writing a sender out."""

    title: Annotated[str, Text(120)]
    channel: Channel
    name: FixedLine = Field(default="", max_length=100, json_schema_extra={"help": "E-mail: what inboxes show before the subject."})
    address: MailAddress = Field(default="", title="E-mail address")
    reply_to: MailAddress = Field(default="", title="Answers go to", json_schema_extra={"help": "Where the template says nothing."})
    postal_address: Annotated[Body, AfterValidator(fixed)] = Field(
        default="",
        max_length=500,
        title="Postal address of the firm",
        description="Stands in every footer that gives none of its own.",
        json_schema_extra={"help": "Stands in every footer that gives none of its own. Laws on advertising ask for it."},
    )
    dkim_selectors: list[Selector] = Field(
        default_factory=list,
        max_length=8,
        title="DKIM selectors",
        description="Under which names the vendor's public keys stand in DNS.",
        json_schema_extra={"item": "selector", "help": "As your vendor names them, such as s1: the part before ._domainkey."},
    )
    dkim_domain: Domain | None = Field(
        default=None,
        title="DKIM domain",
        description="The domain that signatures bear (d=); by default the address's own.",
        json_schema_extra={"help": "Where signatures bear another domain than the address."},
    )
    return_path: Domain | None = Field(
        default=None,
        title="Return-path domain",
        description="The domain of yours to which the vendor has bounces sent; without one they go to a domain of the vendor's.",
        json_schema_extra={"help": "The domain of yours to which your vendor has bounces sent, such as bounces.example.com."},
    )
    number: SmsSender = Field(
        default="",
        max_length=40,
        title="Number or word",
        description="SMS and WhatsApp: a number, a short code, a word of 3 to 11 letters and digits, or Twilio's MG….",
        json_schema_extra={
            "help": "SMS and WhatsApp. A number such as +15005550006, a short code, or a word of 3 to 11 letters and digits."
        },
    )
    countries: list[Country] = Field(
        default_factory=list,
        max_length=250,
        description="SMS: where it may be used; everywhere if none is named.",
        json_schema_extra={"item": "country", "help": "SMS: where it may be used. None named: everywhere."},
    )
    registrations: dict[Country, Annotated[str, Text(80)]] = Field(
        default_factory=dict,
        max_length=250,
        description="SMS: the id by which a country's networks know it; in the USA of the 10DLC campaign or the toll-free verification.",
        json_schema_extra={
            "item": "registration",
            "row": ["Country", "Registered as"],
            "help": "SMS to the USA: the id of the 10DLC campaign, or of the toll-free number’s verification.",
        },
    )
    id: Annotated[str, Text(200, min=0)] = Field(
        default="",
        title="Id at the vendor",
        description="Push, WeChat, webhooks: what the vendor knows the sender by.",
        json_schema_extra={"help": "Push, WeChat and webhooks: what the vendor knows it by."},
    )

    @property
    def domain(self) -> str:
        """The domain of the e-mail address as DNS knows it; "" without one."""
        return domain_of(self.address)

    def written_out(self) -> Sender:
        """The same as a template would write it."""
        return Sender(name=self.name, address=self.address, **{"from": self.number})


def domain_of(address: str) -> str:
    """The domain of an address in its ASCII form; "" where there is none that DNS could know."""
    try:
        return ascii_domain(address.rpartition("@")[2]) if "@" in address else ""
    except ValueError:
        return ""


NEEDED = {"email": "address", "sms": "number", "whatsapp": "number"}
FITS = {  # what a channel makes use of
    "email": {"name", "address", "reply_to", "postal_address", "dkim_selectors", "dkim_domain", "return_path"},
    "sms": {"number", "countries", "registrations"},
    "whatsapp": {"name", "number", "id"},
}


def sender_checks(context: CheckContext, body: SenderBody) -> Sequence[Finding]:
    """Whether the channel's own part is there and may be used."""
    needed = NEEDED.get(body.channel, "id")
    found = [] if getattr(body, needed) else [Finding("error", f"/{needed}", "nothing", _what(needed))]
    found += [
        Finding("warning", f"/{name}", "something", f"nothing: {CHANNEL_WORDS[body.channel]} makes no use of it")
        for name in SenderBody.model_fields
        if name not in {"title", "channel", *FITS.get(body.channel, {"name", "id"})} and getattr(body, name)
    ]
    found += _mail(body) if body.channel == "email" else _text(body) if body.channel == "sms" else ()
    return found


def _what(needed: str) -> str:
    return {"address": "the address that its mail comes from", "number": "a number, a short code or a word"}.get(
        needed, "what the vendor knows it by"
    )


def _mail(body: SenderBody) -> Iterator[Finding]:
    if not body.name:
        yield Finding("warning", "/name", "nothing", "a name that readers recognise")
    if body.domain in MAILBOXES:
        expected = "an address at a domain of your own: the mailbox provider forbids its domain to others, and their mail is refused"
        yield Finding("error", "/address", body.domain, expected)
    if not body.postal_address:
        yield Finding("warning", "/postal_address", "nothing", "the firm's postal address: promotional mail must show one")
    if not body.dkim_selectors:
        yield Finding("note", "/dkim_selectors", "nothing", "the selectors of your vendor, so that its keys can be looked up in DNS")


def _text(body: SenderBody) -> Iterator[Finding]:
    word = bool(re.search("[A-Za-z]", body.number)) and not body.number.startswith("MG")
    north_america = sorted({"US", "CA"} & set(body.countries))
    if word and north_america:
        at = pointer(("countries", body.countries.index(north_america[0])))
        yield Finding("error", at, f"a word as sender in {north_america[0]}", "a number there: networks don't carry words")
    if not word and body.number.startswith(("+1", "MG")) and "US" in (body.countries or ("US",)) and "US" not in body.registrations:
        kind = "the toll-free number's verification" if _TOLL_FREE.match(body.number) else "the registered 10DLC campaign"
        level: Literal["error", "warning"] = "error" if body.number.startswith("+1") else "warning"
        yield Finding(level, "/registrations", "none for the USA", f"the id of {kind}: unregistered texts to the USA are blocked")


SENDER = Kind("sender", "senders", "Sender", SenderBody, checks=sender_checks, save_role=Role.ADMIN)
