"""The adapters' facts as the reference page shows them: docs/reference/vendors.md holds what these functions write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from delivery.adapters import fcm, twilio_codes, wechat, whatsapp_codes
from delivery.adapters.base import Adapter, FateKind
from delivery.adapters.registry import HOUSE

WORDS: dict[FateKind, str] = {
    "accepted": "accepted",
    "permanent_address": "address refused",
    "permanent_message": "message refused",
    "misconfigured": "account needs a person",
    "throttled": "too fast",
    "transient": "surely not accepted, again later",
    "ambiguous": "in doubt",
}


def capability_table() -> str:
    """What each vendor can do, one row per vendor (Markdown)."""
    head = ["vendor", "key in a route", "channels", "messages per request", "open requests", "largest request", "files", "tried against"]
    rows = [
        [
            one.title,
            f"`{one.key}`",
            ", ".join(sorted(one.channels)),
            f"{one.limits.recipients_per_request:,}",
            f"{one.limits.concurrency}",
            _size(one.limits.request_bytes),
            _yes(one.features.attachments),
            one.tried,
        ]
        for one in HOUSE
    ]
    return _table(head, rows)


def promise_table() -> str:
    """What may be relied on with each vendor, one row per vendor (Markdown)."""
    head = ["vendor", "constant text travels once", "different contents in a request", "repeating is safe", "events carry our id"]
    rows = [
        [
            one.title,
            _yes(one.features.substitution),
            _yes(one.features.mixed_content),
            _yes(one.features.idempotency_key),
            _yes(one.features.echoes_message_id),
            _yes(one.features.lookup),
            _yes(one.features.prices),
            ", ".join(one.event_kinds) or "–",
        ]
        for one in HOUSE
    ]
    return _table([*head, "an unanswered request can be looked up", "tells what it charged", "events"], rows)


def account_table() -> str:
    """What a route's document gives, one row per vendor (Markdown)."""
    rows = []
    for one in HOUSE:
        other = [f"`{name}`" for name in one.settings if name not in one.required_settings]
        other += [f"`{name}` (a secret)" for name in one.further_secrets]
        hooks = _names(filter(None, dict.fromkeys((one.webhook_secret, one.greeting_secret))))
        rows.append([one.title, _names(one.secrets), _names(one.required_settings), ", ".join(other) or "–", hooks])
    return _table(["vendor", "secrets", "settings it needs", "other settings", "secrets for webhooks"], rows)


def answer_table() -> str:
    """What each HTTP status means, one row per vendor outside (Markdown). A status in no cell is judged by its class."""
    kinds: list[FateKind] = ["accepted", "permanent_address", "permanent_message", "misconfigured", "throttled", "transient"]
    rows = [[one.title, *(_statuses(one, kind) for kind in kinds)] for one in HOUSE if one.fates]
    return _table(["vendor", *(WORDS[kind] for kind in kinds)], rows)


def twilio_refusals() -> str:
    """What Twilio's codes mean in the answer to a send (Markdown)."""
    rows = [[f"{code}", said.meaning, WORDS[said.kind], said.suppress or "no"] for code, said in sorted(twilio_codes.REFUSALS.items())]
    return _table(["code", "meaning", "what follows", "suppressed"], rows)


def twilio_failures() -> str:
    """What Twilio's codes mean in a status callback (Markdown)."""
    rows = [[f"{code}", said.meaning, _yes(said.permanent)] for code, said in sorted(twilio_codes.FAILURES.items())]
    return _table(["code", "meaning", "suppressed"], rows)


def whatsapp_table() -> str:
    """What WhatsApp's codes mean (Markdown)."""
    rows = [[f"{code}", said.meaning, WORDS[said.kind], said.suppress or "no"] for code, said in sorted(whatsapp_codes.CODES.items())]
    return _table(["code", "meaning", "what follows", "suppressed"], rows)


def wechat_table() -> str:
    """What WeChat's errcodes mean (Markdown)."""
    stale = dict.fromkeys(wechat.STALE, "a new token, and once more; else ")
    rows = [[f"{code}", said.meaning, stale.get(code, "") + WORDS[said.kind]] for code, said in sorted(wechat.CODES.items())]
    return _table(["errcode", "meaning", "what follows"], rows)


def fcm_table() -> str:
    """What FCM's error codes mean (Markdown)."""
    rows = [[f"`{code}`", WORDS[kind], suppress or "no"] for code, (kind, suppress) in sorted(fcm.CODES.items())]
    return _table(["code", "what follows", "suppressed"], rows)


SECTIONS = {
    "capabilities": capability_table,
    "promises": promise_table,
    "accounts": account_table,
    "answers": answer_table,
    "twilio-refusals": twilio_refusals,
    "twilio-failures": twilio_failures,
    "whatsapp-codes": whatsapp_table,
    "wechat-codes": wechat_table,
    "fcm-codes": fcm_table,
}


def with_facts(page: str) -> str:
    """The page with every section between `<!-- facts: NAME -->` and `<!-- end -->` written anew."""
    for name, write in SECTIONS.items():
        start, end = f"<!-- facts: {name} -->", "<!-- end -->"
        before, found, rest = page.partition(start)
        if found:
            _, _, after = rest.partition(end)
            page = f"{before}{start}\n{write()}\n{end}{after}"
    return page


def _statuses(adapter: Adapter, kind: FateKind) -> str:
    fates: Mapping[int, FateKind] = adapter.fates
    return ", ".join(f"{status}" for status, means in sorted(fates.items()) if means == kind) or "–"


def _size(size: int) -> str:
    return f"{size // 1_000_000} MB" if size >= 1_000_000 else f"{size // 1_000} kB"


def _yes(fact: bool) -> str:
    return "yes" if fact else "no"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "–"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [f"| {' | '.join(head)} |"]
    lines.append("|" + "---|" * (lines[0].count("|") - 1))
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])
