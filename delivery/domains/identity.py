"""One way in which mail leaves, as far as the DNS knows about it: who it is from, who signs it, where its bounces go."""

from __future__ import annotations

from dataclasses import dataclass

from delivery.adapters.mail_facts import MailFacts
from presentation import door as presentation
from presentation.door import Content, SenderBody


@dataclass(frozen=True, slots=True)
class Identity:
    """domain: of the From address; selectors, dkim_domain, return_path: as the sender names them, empty where it doesn't;
    reply_domain: where answers go. All in DNS's own form."""

    domain: str
    selectors: tuple[str, ...] = ()
    dkim_domain: str = ""
    return_path: str = ""
    reply_domain: str = ""


@dataclass(frozen=True, slots=True)
class PlannedMail:
    """One template of a launch. path: where the campaign names it; addressless: its locales that show no postal address."""

    path: str
    identity: Identity
    addressless: tuple[str, ...] = ()


def of_address(address: str, reply_to: str = "", named: SenderBody | None = None) -> Identity:
    """The identity of an e-mail address, with what a sender document says about it."""
    replies = presentation.domain_of(reply_to or (named.reply_to if named else ""))
    if named is None:
        return Identity(presentation.domain_of(address), reply_domain=replies)
    return Identity(
        presentation.domain_of(address),
        tuple(named.dkim_selectors),
        named.dkim_domain or "",
        named.return_path or "",
        replies,
    )


def planned_mail(path: str, content: Content) -> PlannedMail:
    """What a launch has to know about a template's mail."""
    identity = of_address(content.sender.address, content.reply_to or "", content.named)
    return PlannedMail(path, identity, tuple(content.addressless))


@dataclass(frozen=True, slots=True)
class Mail:
    """An identity as one vendor account sends it. guessed: the selectors are the vendor's usual ones; ours: bounces go to `envelope`,
    a domain of ours; else to one of the vendor's."""

    identity: Identity
    vendor: str
    spf: str
    zones: tuple[str, ...]
    selectors: tuple[str, ...]
    guessed: bool
    dkim_domain: str
    envelope: str
    ours: bool
    named: bool


def sent_by(identity: Identity, facts: MailFacts | None) -> Mail:
    """The identity with what its vendor's account adds. facts: None for a vendor of whom nothing is known."""
    known = facts or MailFacts("")
    envelope = (identity.return_path or known.return_path) if known.own_envelope else ""
    return Mail(
        identity=identity,
        vendor=known.title or "your vendor",
        spf=known.spf,
        zones=known.zones,
        selectors=known.selectors if known.we_sign else identity.selectors or known.selectors,
        guessed=not known.we_sign and not identity.selectors,
        dkim_domain=known.dkim_domain if known.we_sign else identity.dkim_domain or known.dkim_domain or identity.domain,
        envelope=envelope or identity.domain,
        ours=bool(envelope) or not known.own_envelope,
        named=bool(envelope),
    )
