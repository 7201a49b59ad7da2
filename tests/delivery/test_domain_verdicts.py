"""Each state that a domain can be in, what is said of it, and how it is mended: word for word where a record is to be copied."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from delivery.adapters.mail_facts import MailFacts
from delivery.adapters.registry import ADAPTERS
from delivery.domains.answers import Answer
from delivery.domains.identity import Identity, sent_by
from delivery.domains.verdict import Verdict
from delivery.domains.verdicts import check
from tests.delivery.dns.zone import Zone, ask_of, ed25519_key, rsa_key

D = "mail.wayfare.example"
URL = "https://messages.wayfare.example"
SENDGRID = ADAPTERS["sendgrid"].mail_facts({})
RELAY = ADAPTERS["smtp"].mail_facts({"dkim_domain": D, "dkim_selector": "omni"})
KEY = f"v=DKIM1; k=rsa; p={rsa_key(2048)}"
SOUND: Zone = {
    f"TXT {D}": ["google-site-verification=abc", "v=spf1 include:sendgrid.net ~all"],
    "TXT sendgrid.net": ["v=spf1 ip4:167.89.0.0/17 ~all"],
    f"CNAME s1._domainkey.{D}": ["s1.domainkey.u1.wl.sendgrid.net"],
    "TXT s1.domainkey.u1.wl.sendgrid.net": [KEY],
    f"TXT s2._domainkey.{D}": [KEY],
    f"TXT _dmarc.{D}": ["v=DMARC1; p=quarantine; rua=mailto:dmarc@wayfare.example"],
    f"MX {D}": ["10 mx.wayfare.example"],
    "MX wayfare.example": ["10 mx.wayfare.example"],
    f"CNAME em1.{D}": ["u1.wl.sendgrid.net"],
    "TXT u1.wl.sendgrid.net": ["v=spf1 ip4:167.89.1.1 -all"],
    "MX u1.wl.sendgrid.net": ["10 mx.sendgrid.net"],
}
SENDER = Identity(D, selectors=("s1",), return_path=f"em1.{D}", reply_domain="wayfare.example")
PLAIN = replace(SENDER, return_path="")


@dataclass(frozen=True)
class Case:
    """A change of the sound zone, and the verdict that it makes. check: whose verdict; record: what is to be copied."""

    name: str
    change: dict[str, list[str] | None]
    check: str
    level: str
    found: str
    fix: str = ""
    record: str = ""
    sender: Identity = SENDER
    facts: MailFacts | None = field(default=SENDGRID)
    url: str = URL


def many(count: int) -> dict[str, list[str] | None]:
    """A record that includes so many others, and each of them."""
    zone: dict[str, list[str] | None] = {f"TXT s{n}.example": ["v=spf1 ip4:192.0.2.1 ~all"] for n in range(count)}
    names = " ".join(f"include:s{n}.example" for n in range(count))
    return {**zone, f"TXT {D}": [f"v=spf1 include:sendgrid.net {names} ~all"]}


SPF, DMARC, S1 = f"TXT {D}", f"TXT _dmarc.{D}", "TXT s1.domainkey.u1.wl.sendgrid.net"
CASES = [
    Case("spf by the vendor's alias", {}, "spf", "good", f"em1.{D} has one SPF record, and names SendGrid, with 0 of at most 10 look-ups"),
    Case("spf on the domain", {}, "spf", "good", f"{D} has one SPF record, and names SendGrid, with 1 of at most 10", sender=PLAIN),
    Case("no spf", {SPF: []}, "spf", "bad", "has no SPF record", "Add this TXT record", f"TXT {D} v=spf1 include:sendgrid.net ~all", PLAIN),
    Case(
        "two spf records",
        {SPF: ["v=spf1 include:sendgrid.net ~all", "v=spf1 mx -all"]},
        "spf",
        "bad",
        "has 2 SPF records, so receivers use none",
        "Put them into one record",
        f"TXT {D} v=spf1 include:sendgrid.net mx ~all",
        PLAIN,
    ),
    Case("ten look-ups", many(9), "spf", "good", "with 10 of at most 10 look-ups", sender=PLAIN),
    Case(
        "a macro in the place of the vendor",
        {SPF: ["v=spf1 include:%{d}._spf.hosted.example ~all"]},
        "spf",
        "unknown",
        "says “include:%{d}._spf.hosted.example”, and what that lets through depends on each mail",
        "a test mail’s headers tell",
        sender=PLAIN,
    ),
    Case(
        "a macro beside the vendor",
        {SPF: ["v=spf1 include:sendgrid.net exists:%{i}.allowed.example -all"]},
        "spf",
        "good",
        "and names SendGrid, with 2 of at most 10 look-ups",
        sender=PLAIN,
    ),
    Case(
        "a redirect by a macro",
        {SPF: ["v=spf1 include:sendgrid.net redirect=%{d}.hosted.example"]},
        "spf",
        "unknown",
        "says “redirect=%{d}.hosted.example”",
        sender=PLAIN,
    ),
    Case(
        "three look-ups that find nothing",
        {SPF: ["v=spf1 include:sendgrid.net a:old.wayfare.example mx:gone.wayfare.example a:older.wayfare.example ~all"]},
        "spf",
        "bad",
        "3 of its look-ups find nothing, and receivers stop at 2",
        sender=PLAIN,
    ),
    Case(
        "two look-ups that find nothing",
        {SPF: ["v=spf1 include:sendgrid.net a:old.wayfare.example a:older.wayfare.example mx ~all"]},
        "spf",
        "good",
        "with 4 of at most 10 look-ups",
        sender=PLAIN,
    ),
    Case("eleven look-ups", many(10), "spf", "bad", "needs 11 DNS look-ups", "receivers stop at 10 look-ups", sender=PLAIN),
    Case(
        "spf without the vendor, for a return path of ours",
        {"CNAME em1." + D: None, f"TXT em1.{D}": ["v=spf1 mx -all"], f"MX em1.{D}": ["10 mx.example"]},
        "spf",
        "bad",
        "doesn't name SendGrid",
        "Add include:sendgrid.net",
        f"TXT em1.{D} v=spf1 include:sendgrid.net mx -all",
    ),
    Case("spf that lets everybody send", {SPF: ["v=spf1 +all"]}, "spf", "bad", "+all", "end with ~all", f"TXT {D} v=spf1 ~all", PLAIN),
    Case("spf that includes itself", {SPF: [f"v=spf1 include:{D} ~all"]}, "spf", "bad", f"{D} includes itself", "Mend", sender=PLAIN),
    Case(
        "spf that includes nothing",
        {SPF: ["v=spf1 include:gone.example ~all"]},
        "spf",
        "bad",
        "gone.example, which has no SPF",
        sender=PLAIN,
    ),
    Case(
        "spf with a slip",
        {SPF: ["v=spf1 inclide:sendgrid.net ~all"]},
        "spf",
        "bad",
        "“inclide:sendgrid.net”",
        "Mend or remove",
        sender=PLAIN,
    ),
    Case("spf unanswered", {SPF: ["!servfail"]}, "spf", "unknown", "the name servers answered with an error", "Check again", sender=PLAIN),
    Case(
        "spf of an include unanswered",
        {"TXT sendgrid.net": ["!timeout"]},
        "spf",
        "unknown",
        "sendgrid.net, which it includes",
        sender=PLAIN,
    ),
    Case(
        "no spf for a relay",
        {SPF: []},
        "spf",
        "bad",
        "has no SPF",
        "that your relay sends from",
        "v=spf1 ip4:203.0.113.7 ~all",
        facts=RELAY,
    ),
    Case(
        "spf that forbids nobody", {SPF: ["v=spf1 include:sendgrid.net"]}, "spf", "caution", "forbids nobody", "end with ~all", sender=PLAIN
    ),
    Case("dkim", {}, "dkim", "good", f"s1._domainkey.{D} has an RSA key of 2,048 bits"),
    Case(
        "no dkim key",
        {S1: []},
        "dkim",
        "bad",
        "no key (it is an alias of s1.domainkey.u1",
        "SendGrid shows",
        f"TXT s1._domainkey.{D} v=DKIM1",
    ),
    Case("revoked key", {S1: ["v=DKIM1; p="]}, "dkim", "bad", "revoked", "make a new key of 2,048 bits"),
    Case(
        "spare key missing",
        {f"TXT s2._domainkey.{D}": []},
        "dkim",
        "caution",
        "Another selector has a key that works",
        "SendGrid shows",
        f"TXT s2._domainkey.{D} v=DKIM1",
        replace(SENDER, selectors=("s2", "s1")),
    ),
    Case("short key", {S1: [f"p={rsa_key(768)}"]}, "dkim", "bad", "an RSA key of 768 bits", "make a new key of 2,048 bits"),
    Case("key of 1,024 bits", {S1: [f"p={rsa_key(1024)}"]}, "dkim", "caution", "an RSA key of 1,024 bits", "2,048 bits"),
    Case("cut key", {S1: [KEY[:200]]}, "dkim", "bad", "often because a part was lost in copying", "new key"),
    Case("two keys", {S1: [KEY, f"p={rsa_key(1024)}"]}, "dkim", "bad", "2 keys, of which nobody knows which counts"),
    Case("key under test", {S1: [KEY + "; t=y"]}, "dkim", "caution", "marked as a test (t=y)"),
    Case("modern key", {S1: [f"k=ed25519; p={ed25519_key()}"]}, "dkim", "caution", "an Ed25519 key"),
    Case("key for old signatures", {S1: [KEY + "; h=sha1"]}, "dkim", "bad", "a key for sha1 only"),
    Case("key for something else", {S1: [KEY + "; s=tlsrpt"]}, "dkim", "bad", "not for e-mail"),
    Case("dkim unanswered", {S1: ["!timeout"]}, "dkim", "unknown", "no name server answered in time", "Check again"),
    Case(
        "nobody knows the selectors",
        {},
        "dkim",
        "unknown",
        "isn't known under which selectors",
        "Write a sender",
        sender=Identity(D),
        facts=None,
    ),
    Case("the vendor's usual selectors", {}, "dkim", "good", f"s1._domainkey.{D}", sender=Identity(D)),
    Case(
        "none at the usual selectors",
        {S1: [], f"TXT s2._domainkey.{D}": []},
        "dkim",
        "bad",
        "usually has it",
        "other selectors",
        sender=Identity(D),
    ),
    Case("what we sign ourselves", {f"TXT omni._domainkey.{D}": [KEY]}, "dkim", "good", f"omni._domainkey.{D} has an RSA key", facts=RELAY),
    Case("dmarc", {}, "dmarc", "good", f"{D} has the policy quarantine"),
    Case(
        "no dmarc",
        {DMARC: []},
        "dmarc",
        "bad",
        "has no DMARC policy",
        "Add this TXT record",
        f"TXT _dmarc.{D} v=DMARC1; p=none; rua=mailto:dmarc@{D}",
    ),
    Case("two dmarc records", {DMARC: ["v=DMARC1; p=none", "v=DMARC1; p=reject"]}, "dmarc", "bad", "has 2 records", "Keep one of them"),
    Case(
        "dmarc without a policy",
        {DMARC: ["v=DMARC1; rua=mailto:a@b.example"]},
        "dmarc",
        "bad",
        "has no policy (p=)",
        "p=none",
        "TXT _dmarc.",
    ),
    Case(
        "dmarc of the organisation",
        {DMARC: [], "TXT _dmarc.wayfare.example": ["v=DMARC1; p=reject; sp=none"]},
        "dmarc",
        "good",
        "has the policy none, by the record of wayfare.example",
    ),
    Case("dmarc unanswered", {DMARC: ["!servfail"]}, "dmarc", "unknown", "didn't say whether", "Check again"),
    Case("aligned by dkim", {}, "alignment", "good", f"Signatures of {D} speak for {D}"),
    Case(
        "signed for the organisation",
        {"TXT s1._domainkey.wayfare.example": [KEY], DMARC: [], "TXT _dmarc.wayfare.example": ["v=DMARC1; p=none"]},
        "alignment",
        "good",
        f"Signatures of wayfare.example speak for {D}",
        sender=replace(SENDER, dkim_domain="wayfare.example", selectors=("s1",)),
    ),
    Case(
        "strict alignment",
        {
            "TXT s1._domainkey.wayfare.example": [KEY],
            DMARC: ["v=DMARC1; p=none; adkim=s; aspf=s"],
            "TXT _dmarc.wayfare.example": ["v=DMARC1; p=none"],
        },
        "alignment",
        "bad",
        "signed for wayfare.example, which doesn't speak for it",
        f"sign for {D} itself, as its DMARC record asks for (adkim=s)",
        sender=replace(SENDER, dkim_domain="wayfare.example", selectors=("s1",)),
    ),
    Case(
        "signed for somebody else",
        {"TXT s1._domainkey.sendgrid.me": [KEY]},
        "alignment",
        "bad",
        "signed for sendgrid.me",
        f"sign for {D}",
        sender=Identity(D, ("s1",), "sendgrid.me"),
    ),
    Case("aligned by spf alone", {S1: [], f"TXT s2._domainkey.{D}": []}, "alignment", "caution", f"envelope of em1.{D}", "forwarded"),
    Case("aligned by nothing", {S1: [], f"TXT s2._domainkey.{D}": []}, "alignment", "bad", "Nothing speaks for", sender=PLAIN),
    Case("alignment unknown", {DMARC: ["!timeout"]}, "alignment", "unknown", "isn't known which domains speak for"),
    Case("bounces to the vendor", {}, "return_path", "caution", "Bounces go to a domain of SendGrid", "return-path domain", sender=PLAIN),
    Case("bounces to us", {}, "return_path", "good", f"Bounces go to em1.{D}, which takes mail"),
    Case("bounces to nowhere", {f"CNAME em1.{D}": None}, "return_path", "bad", "takes no mail, so bounces are lost", "MX or a CNAME"),
    Case(
        "a domain that takes no mail",
        {f"MX {D}": ["0 ."]},
        "mail",
        "bad",
        "says that it takes no mail",
        "Name the server",
        f"MX {D} 10 mail.{D}",
    ),
    Case("a domain with an address only", {f"MX {D}": [], f"A {D}": ["192.0.2.1"]}, "mail", "caution", "names no server", "somebody reads"),
    Case(
        "answers to a domain that isn't",
        {},
        "replies",
        "bad",
        "There is no domain wayfare.exmaple",
        "Correct",
        sender=replace(SENDER, reply_domain="wayfare.exmaple"),
    ),
    Case("one click", {}, "one_click", "good", "lead to messages.wayfare.example"),
    Case(
        "one click without https",
        {},
        "one_click",
        "bad",
        "mailbox providers take https only",
        "OMNI_PUBLIC_URL",
        url="http://wayfare.example",
    ),
    Case("one click to this machine", {}, "one_click", "bad", "nobody else can reach", "OMNI_PUBLIC_URL", url="https://localhost:8000"),
]


def changed(change: dict[str, list[str] | None]) -> Zone:
    return {place: records for place, records in {**SOUND, **change}.items() if records is not None}


def verdicts(case: Case) -> list[Verdict]:
    return check(sent_by(case.sender, case.facts), ask_of(changed(case.change)), public_url=case.url)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_state_of_a_domain_has_its_verdict_and_its_mending(case: Case) -> None:
    of_it = next(verdict for verdict in verdicts(case) if verdict.check == case.check)
    record = f"{of_it.record.kind} {of_it.record.name} {of_it.record.value}" if of_it.record else ""
    assert (of_it.level, case.found in of_it.found, case.fix in of_it.fix, case.record in record) == (case.level, True, True, True), of_it
    assert bool(of_it.fix) == (case.level != "good"), "what isn't good says what to do"


def test_a_sound_domain_has_nothing_to_mend() -> None:
    assert {verdict.level for verdict in verdicts(CASES[0])} == {"good"}


def test_nothing_is_fine_while_dns_is_silent() -> None:
    said = check(sent_by(SENDER, SENDGRID), lambda name, kind: Answer("unanswered", why="silence"), public_url=URL)
    assert {verdict.level for verdict in said if verdict.check != "one_click"} == {"unknown"}


@pytest.mark.parametrize(
    "hostile",
    [
        "v=spf1 " + "include:a.example " * 3_000,
        "v=spf1 redirect=%{i}.x",
        "v=DMARC1;" + ";" * 9_000,
        "p=" + "A" * 9_000,
        "\x00v=spf1\u202e",
        "v=spf1 \u2028 include:" + "x" * 300 + " -all",
    ],
)
def test_whatever_strangers_write_there_is_a_verdict(hostile: str) -> None:
    every: Any = lambda name, kind: Answer("found", (hostile[:4_096],))  # noqa: E731
    said = check(sent_by(SENDER, SENDGRID), every, public_url=URL)
    assert all(verdict.level in {"good", "caution", "bad", "unknown"} and len(verdict.found) < 500 for verdict in said)
