"""Whether a domain's mail will be believed: one verdict per question, with what was found and how to mend it in plain words.

Pure: what DNS says is asked through `ask`, which may be a name server or what was kept of one. Silence is "unknown", never "good".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from delivery.domains import dkim_keys, dmarc, spf
from delivery.domains.answers import Ask
from delivery.domains.arrivals import one_click, reached, return_path
from delivery.domains.dkim_keys import Key
from delivery.domains.dmarc import Dmarc
from delivery.domains.identity import Mail
from delivery.domains.spf import Spf
from delivery.domains.verdict import AGAIN, Level, Record, Verdict


def check(mail: Mail, ask: Ask, *, public_url: str) -> list[Verdict]:
    """Every verdict about mail that leaves so. public_url: where people unsubscribe."""
    domain, envelope = mail.identity.domain, spf.read(mail.envelope, ask)
    keys = [dkim_keys.read(selector, mail.dkim_domain, ask) for selector in mail.selectors]
    policy = dmarc.read(domain, ask)
    of_spf, of_dkim = _spf(mail, envelope), _dkim(mail, keys)
    verdicts = [of_spf, *of_dkim, _dmarc(policy), _alignment(mail, policy, of_spf, of_dkim), *return_path(mail, policy, ask)]
    verdicts.append(reached("mail", domain, ask))
    if mail.identity.reply_domain not in ("", domain):
        verdicts.append(reached("replies", mail.identity.reply_domain, ask))
    return [*verdicts, one_click(public_url)]


# ── SPF ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _spf(mail: Mail, said: Spf) -> Verdict:
    at, wanted = mail.envelope, f"include:{mail.spf}" if mail.spf else "ip4:203.0.113.7"
    fresh = Record("TXT", at, f"v=spf1 {wanted} ~all")
    example = "" if mail.spf else ", with the addresses that your relay sends from in the place of 203.0.113.7"
    if said.status == "unanswered":
        return Verdict("spf", "unknown", f"DNS didn't say what {at} has: {said.why}", AGAIN)
    if said.status == "none":
        return Verdict("spf", "bad", f"{at} has no SPF record", f"Add this TXT record at {at}{example}", fresh)
    if said.status == "many":
        whole = Record("TXT", at, _joined(said.records))
        return Verdict("spf", "bad", f"{at} has {len(said.records)} SPF records, so receivers use none", "Put them into one record", whole)
    if said.status == "broken" and said.broken.endswith("look-ups"):
        fix = "Take out what no longer sends for you, or move your vendor's mail to a subdomain: receivers stop at 10 look-ups"
        return Verdict("spf", "bad", f"The SPF record of {at} needs {said.broken}", fix)
    if said.status == "broken":
        return Verdict("spf", "bad", f"The SPF record of {at} can't be used: {said.broken}", "Mend or remove that part of the record")
    return _spf_found(mail, said)


def _spf_found(mail: Mail, said: Spf) -> Verdict:
    at, record = mail.envelope, said.records[0]
    if said.ending == "+":
        mended = Record("TXT", at, _ended(record))
        return Verdict("spf", "bad", f"The SPF record of {at} lets everybody send (+all)", "Let it end with ~all", mended)
    if said.macros and ((mail.spf and not _includes(mail, said)) or not said.ending):
        found = f"The SPF record of {at} says “{said.macros[0]}”, and what that lets through depends on each mail"
        return Verdict(
            "spf", "unknown", found, f"Ask whoever wrote it whether {mail.vendor} may send; a test mail’s headers tell (spf=pass)"
        )
    if mail.spf and not _includes(mail, said):
        fix = f"Add include:{mail.spf} to it"
        level: Level = "bad" if mail.ours else "caution"
        return Verdict("spf", level, f"The SPF record of {at} doesn't name {mail.vendor}", fix, Record("TXT", at, _with(record, mail.spf)))
    if said.ending not in ("~", "-"):
        fix = "Let it end with ~all, so that others' mail is told apart"
        return Verdict("spf", "caution", f"The SPF record of {at} forbids nobody", fix, Record("TXT", at, _ended(record)))
    who = f", and names {mail.vendor}" if mail.spf else ""
    many = f"{said.lookups} of at most {spf.MOST_LOOKUPS} look-ups"
    return Verdict("spf", "good", f"{at} has one SPF record{who}, with {many}")


def _includes(mail: Mail, said: Spf) -> bool:
    names = {*said.included, said.canonical}
    return mail.spf in names or any(name == zone or name.endswith("." + zone) for name in names for zone in mail.zones)


def _ended(record: str) -> str:
    words = [word for word in record.split() if word.lower().lstrip("+?~-") != "all"]
    return " ".join([*words, "~all"])


def _with(record: str, include: str) -> str:
    words = record.split()
    return " ".join([words[0], f"include:{include}", *words[1:]])


def _joined(records: Sequence[str]) -> str:
    words = [word for record in records for word in record.split()[1:] if word.lower().lstrip("+?~-") != "all"]
    return " ".join(["v=spf1", *dict.fromkeys(words), "~all"])


# ── DKIM ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _dkim(mail: Mail, keys: Sequence[Key]) -> list[Verdict]:
    if not keys:
        found = "It isn't known under which selectors the keys of your mail stand"
        return [Verdict("dkim", "unknown", found, "Write a sender, with the selectors that your vendor shows you")]
    if mail.guessed:
        return [_guessed(mail, keys)]
    verdicts = [_key(mail, key) for key in keys]
    works = any(verdict.level in ("good", "caution") for verdict in verdicts)
    return [_spare(verdict) if works and verdict.level == "bad" else verdict for verdict in verdicts]


def _spare(verdict: Verdict) -> Verdict:
    """A key that is missing while another one signs: mail is believed until the vendor changes over."""
    return replace(verdict, level="caution", found=f"{verdict.found}. Another selector has a key that works, so mail is signed as yet")


def _guessed(mail: Mail, keys: Sequence[Key]) -> Verdict:
    """The vendor's usual names: one good key is enough, and other names are possible."""
    order: tuple[str, ...] = ("good", "weak", "unanswered", "bad", "none")
    best = min(keys, key=lambda key: order.index(key.status))
    if best.status != "none":
        return _key(mail, best)
    names = " and ".join(key.name for key in keys)
    shown = f"Have {mail.vendor} show you the records for {mail.dkim_domain}, and add them"
    fix = f"{shown}. If it names other selectors, write a sender with them"
    return Verdict("dkim", "bad", f"There is no key at {names}, where {mail.vendor} usually has it", fix)


def _key(mail: Mail, key: Key) -> Verdict:
    if key.status == "unanswered":
        return Verdict("dkim", "unknown", f"DNS didn't say what {key.name} has: {key.what}", AGAIN)
    found = f"{key.name} has {key.what}"
    if key.status == "good":
        return Verdict("dkim", "good", found)
    if key.status == "none":
        fix = f"Add the record that {mail.vendor} shows for it. If it shows another name, correct the sender's selectors"
        return Verdict("dkim", "bad", found, fix, Record("TXT", key.name, "v=DKIM1; k=rsa; p=(the key that your vendor shows)"))
    if key.status == "weak":
        return Verdict("dkim", "caution", found, "It works. An RSA key of 2,048 bits, not marked as a test, is believed everywhere")
    return Verdict("dkim", "bad", found, f"Have {mail.vendor} make a new key of 2,048 bits, and put its record in the place of this one")


# ── DMARC, and who speaks for whom ────────────────────────────────────────────────────────────────────────────────


def _dmarc(said: Dmarc) -> Verdict:
    name = f"_dmarc.{said.domain}"
    fresh = Record("TXT", name, f"v=DMARC1; p=none; rua=mailto:dmarc@{said.domain}")
    if said.status == "unanswered":
        return Verdict("dmarc", "unknown", f"DNS didn't say whether {said.domain} has a DMARC policy: {said.why}", AGAIN)
    if said.status == "none":
        fix = f"Add this TXT record at {name}. It only asks for reports, which go to the address after rua="
        return Verdict("dmarc", "bad", f"{said.domain} has no DMARC policy", fix, fresh)
    if said.status == "many":
        keeps = Record("TXT", name, said.many[0])
        return Verdict("dmarc", "bad", f"{name} has {len(said.many)} records, so receivers use none", "Keep one of them", keeps)
    if said.status == "broken":
        fixed = Record("TXT", f"_dmarc.{said.at}", "v=DMARC1; p=none; rua=mailto:dmarc@" + said.at)
        return Verdict(
            "dmarc", "bad", f"The DMARC record of {said.at} has {said.why}", "Let it say p=none, p=quarantine or p=reject", fixed
        )
    inherited = "" if said.at == said.domain else f", by the record of {said.at}"
    exact = [word for word, strict in (("DKIM", said.exact_dkim), ("SPF", said.exact_spf)) if strict]
    strictly = f"; {' and '.join(exact)} must be of exactly {said.domain}" if exact else ""
    return Verdict("dmarc", "good", f"{said.domain} has the policy {said.policy}{inherited}{strictly}")


def _alignment(mail: Mail, policy: Dmarc, of_spf: Verdict, of_dkim: Sequence[Verdict]) -> Verdict:
    """DMARC asks for one of the two to speak for the From domain."""
    domain = mail.identity.domain
    if policy.status == "unanswered":
        return Verdict("alignment", "unknown", f"It isn't known which domains speak for {domain}", AGAIN)
    signs = policy.aligned(mail.dkim_domain, exact=policy.exact_dkim)
    sends = mail.ours and policy.aligned(mail.envelope, exact=policy.exact_spf)
    signed = [verdict.level for verdict in of_dkim]
    if signs and {"good", "caution"} & set(signed):
        return Verdict("alignment", "good", f"Signatures of {mail.dkim_domain} speak for {domain}")
    if sends and of_spf.level in ("good", "caution"):
        found = f"The envelope of {mail.envelope} speaks for {domain}"
        return Verdict("alignment", "caution", found, "Have mail signed for the domain, too: forwarded mail keeps only its signature")
    if (signs and "unknown" in signed) or (sends and of_spf.level == "unknown"):
        return Verdict("alignment", "unknown", f"It isn't known whether anything speaks for {domain}", AGAIN)
    strict = ", as its DMARC record asks for (adkim=s)" if policy.exact_dkim else ""
    fix = f"Have {mail.vendor} sign for {domain} itself{strict}, and publish the key that it shows"
    if not signs:
        found = f"Mail from {domain} is signed for {mail.dkim_domain}, which doesn't speak for it"
        return Verdict("alignment", "bad", found, fix)
    return Verdict("alignment", "bad", f"Nothing speaks for {domain}: neither a valid signature nor the envelope", fix)
