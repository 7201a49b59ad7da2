"""From a bundle of messages to its vendor request, and what it means where there can be none."""

from __future__ import annotations

from datetime import datetime

from delivery.adapters.base import Account, Fate, OutgoingRequest, Unsendable, VendorRequest
from delivery.ledger import Bundle, Terms
from delivery.work import Work


def request_of(work: Work, bundle: Bundle, terms: Terms, now: datetime, account: Account) -> VendorRequest | Fate:
    """The request, or what it means that this message can't become one."""
    try:
        return build(work, bundle, terms, now, account)
    except Unsendable as unsendable:
        return unsendable.fate


def build(work: Work, bundle: Bundle, terms: Terms, now: datetime, account: Account) -> VendorRequest:
    """The vendor's request for one bundle. Raises Unsendable where its message can't be sent to its address at all."""
    program = bundle.program
    ends = [candidate.expires_at for candidate in bundle.candidates if candidate.expires_at is not None]
    if work.dispatch.expires_at is not None:
        ends.append(work.dispatch.expires_at)
    lives = [max(int((min(ends) - now).total_seconds()), 1)] if ends else []
    lives += [program.ttl] if program.ttl is not None else []
    return terms.route.adapter.build(
        OutgoingRequest(
            attempt_id=bundle.attempt_id,
            channel=work.dispatch.channel,
            sender=program.sender,
            messages=[candidate.message for candidate in bundle.candidates if candidate.message is not None],
            reply_to=program.reply_to,
            substituted=program.substituted if bundle.substituted else None,
            valid_for=min(lives, default=None),
            at=now,
        ),
        account,
    )


def ids_of(bundle: Bundle) -> list[str]:
    """The message ids of a bundle, in order."""
    return [candidate.message.message_id for candidate in bundle.candidates if candidate.message is not None]
