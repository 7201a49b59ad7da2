"""Where mail to a domain arrives, and where those who want no more of ours can say so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal
from urllib.parse import urlsplit

from delivery.domains.answers import Answer, Ask
from delivery.domains.dmarc import Dmarc
from delivery.domains.identity import Mail
from delivery.domains.verdict import AGAIN, Record, Verdict


def return_path(mail: Mail, policy: Dmarc, ask: Ask) -> Iterator[Verdict]:
    """Whether bounces reach somebody, and whether the envelope can speak for the From domain."""
    if not mail.ours:
        fix = f"Have {mail.vendor} use a domain of yours for bounces, and write it into the sender as its return-path domain"
        yield Verdict("return_path", "caution", f"Bounces go to a domain of {mail.vendor}, so SPF can't speak for you", fix)
    elif mail.named:
        said, known = ask(mail.envelope, "MX"), f"The return-path domain {mail.envelope}"
        if not said.known:
            yield Verdict("return_path", "unknown", f"DNS didn't say where bounces to {mail.envelope} go: {said.why}", AGAIN)
        elif said.status != "found" and not said.canonical:
            fix = f"Add the record that {mail.vendor} shows for it (an MX or a CNAME)"
            yield Verdict("return_path", "bad", f"{known} takes no mail, so bounces are lost", fix)
        elif policy.status == "found" and not policy.aligned(mail.envelope, exact=policy.exact_spf):
            exact = "exactly " if policy.exact_spf else ""
            fix = f"Use {exact}{mail.identity.domain} or let DKIM speak for you" if exact else f"Use a name below {policy.organisation}"
            yield Verdict("return_path", "caution", f"{known} doesn't speak for {mail.identity.domain}", fix)
        else:
            yield Verdict("return_path", "good", f"Bounces go to {mail.envelope}, which takes mail")


def reached(question: Literal["mail", "replies"], domain: str, ask: Ask) -> Verdict:
    """Whether a domain takes mail: people answer, and receivers doubt senders who can't be written to."""
    said = ask(domain, "MX")
    if not said.known:
        return Verdict(question, "unknown", f"DNS didn't say where mail to {domain} goes: {said.why}", AGAIN)
    if said.status == "no_such_name":
        return Verdict(question, "bad", f"There is no domain {domain}", "Correct the address, or register the domain")
    fresh = Record("MX", domain, f"10 mail.{domain}")
    if said.status == "found":
        servers = [text.rpartition(" ")[2][:253] for text in said.records]
        if all(server in ("", ".") for server in servers):
            return Verdict(question, "bad", f"{domain} says that it takes no mail", "Name the server that takes its mail", fresh)
        return Verdict(question, "good", f"Mail to {domain} is taken by {servers[0]}")
    return _without_mx(question, domain, fresh, ask(domain, "A"), ask(domain, "AAAA"))


def _without_mx(question: Literal["mail", "replies"], domain: str, fresh: Record, *addresses: Answer) -> Verdict:
    if any(said.status == "found" for said in addresses):
        fix = "Name the server that takes its mail, and make sure that somebody reads it"
        return Verdict(question, "caution", f"{domain} has an address, but names no server that takes its mail", fix, fresh)
    if any(not said.known for said in addresses):
        return Verdict(question, "unknown", f"DNS didn't say where mail to {domain} goes", AGAIN)
    return Verdict(question, "bad", f"{domain} takes no mail: who answers gets an error", "Name the server that takes its mail", fresh)


def one_click(public_url: str) -> Verdict:
    """Whether a mailbox provider can reach what our List-Unsubscribe headers name (RFC 8058: HTTPS, no other scheme)."""
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    if parts.scheme != "https":
        found = f"The unsubscribe links of mails begin with {public_url}: mailbox providers take https only"
        return Verdict("one_click", "bad", found, "Set OMNI_PUBLIC_URL to the https:// address under which people reach this instance")
    if host == "localhost" or "." not in host or host.startswith("127."):
        found = f"The unsubscribe links of mails lead to {host}, which nobody else can reach"
        return Verdict("one_click", "bad", found, "Set OMNI_PUBLIC_URL to the https:// address under which people reach this instance")
    return Verdict("one_click", "good", f"Both List-Unsubscribe headers are in every promotional mail and lead to {host}")
