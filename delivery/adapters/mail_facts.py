"""What a vendor of mail needs to find in the DNS of the domain that it sends for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MailFacts:
    """spf: the name that an SPF record includes, "" where there is none to include. zones: where aliases to the vendor's own records
    lead. selectors: those it usually signs with. dkim_domain, return_path: those that an account's settings name.
    we_sign: signatures are made here, by those settings.
    own_envelope: without a return-path domain of the customer's, bounces go to one of the vendor's; else to the From address.
    """

    title: str
    spf: str = ""
    zones: tuple[str, ...] = ()
    selectors: tuple[str, ...] = ()
    dkim_domain: str = ""
    return_path: str = ""
    we_sign: bool = False
    own_envelope: bool = True
