"""The adapters' facts as the reference page shows them: docs/reference/vendors.md holds what these functions write."""

from __future__ import annotations

from collections.abc import Iterable

from delivery.adapters import twilio_codes
from delivery.adapters.base import Adapter, FateKind
from delivery.adapters.registry import ADAPTERS

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
    """What each vendor can do, one column per vendor (Markdown)."""
    vendors = list(ADAPTERS.values())
    rows = [
        ("key in a route", [f"`{one.key}`" for one in vendors]),
        ("channels", [", ".join(sorted(one.channels)) for one in vendors]),
        ("messages per request", [f"{one.limits.recipients_per_request:,}" for one in vendors]),
        ("open requests per process", [f"{one.limits.concurrency}" for one in vendors]),
        ("largest request", [_size(one.limits.request_bytes) for one in vendors]),
        ("constant text travels once", [_yes(one.features.substitution) for one in vendors]),
        ("different contents in a request", [_yes(one.features.mixed_content) for one in vendors]),
        ("repeating a request is safe", [_yes(one.features.idempotency_key) for one in vendors]),
        ("events carry our message id", [_yes(one.features.echoes_message_id) for one in vendors]),
        ("an unanswered request can be looked up", [_yes(one.features.lookup) for one in vendors]),
        ("secrets", [_names(one.secrets) for one in vendors]),
        ("secret that verifies webhooks", [_names([one.webhook_secret] if one.webhook_secret else []) for one in vendors]),
        ("settings", [_names(one.settings) for one in vendors]),
    ]
    head = ["", *(one.title for one in vendors)]
    return _table(head, [[name, *cells] for name, cells in rows])


def answer_table() -> str:
    """What each HTTP status means, one column per vendor outside (Markdown). A status in no row is judged by its class."""
    vendors = [one for one in ADAPTERS.values() if one.fates]
    statuses = sorted({status for one in vendors for status in one.fates})
    rows = [[f"{status}", *(_word(one, status) for one in vendors)] for status in statuses]
    rows += [
        ["other 4xx", *("message refused" for _ in vendors)],
        ["5xx, anything else, or no answer", *("in doubt" for _ in vendors)],
    ]
    return _table(["status", *(one.title for one in vendors)], rows)


def twilio_refusals() -> str:
    """What Twilio's codes mean in the answer to a send (Markdown)."""
    rows = [[f"{code}", said.meaning, WORDS[said.kind], said.suppress or "no"] for code, said in sorted(twilio_codes.REFUSALS.items())]
    return _table(["code", "meaning", "what follows", "suppressed"], rows)


def twilio_failures() -> str:
    """What Twilio's codes mean in a status callback (Markdown)."""
    rows = [[f"{code}", said.meaning, _yes(said.permanent)] for code, said in sorted(twilio_codes.FAILURES.items())]
    return _table(["code", "meaning", "suppressed"], rows)


SECTIONS = {
    "capabilities": capability_table,
    "answers": answer_table,
    "twilio-refusals": twilio_refusals,
    "twilio-failures": twilio_failures,
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


def _word(adapter: Adapter, status: int) -> str:
    return WORDS[adapter.fates[status]] if status in adapter.fates else "in doubt" if status < 400 else "message refused"


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
