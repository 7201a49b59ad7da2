"""From rendered messages to candidates and requests, before any lock is taken: ids, addresses, hashes, prices, faults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from delivery.adapters.base import OutgoingMessage
from delivery.addresses import address_hashes
from delivery.eligibility import Candidate
from delivery.ledger import Bundle, Terms
from delivery.message_ids import message_ids
from delivery.pricing import price_of
from delivery.states import Reason
from delivery.work import Outgoing, Program, Work


@dataclass(slots=True)
class Prepared:
    """Messages cut into vendor requests, and those that can't be sent whatever the last look says."""

    bundles: list[Bundle]
    unsendable: list[Candidate] = field(default_factory=list)


def prepare(work: Work, outgoing: Sequence[Outgoing], terms: Terms) -> Prepared:
    """Candidates of all entries of this work, grouped by their program and cut by the vendor's limits. Reads no table."""
    given = {one.n: one for one in outgoing}
    addresses = [_address(work.dispatch.channel, given.get(entry.n)) for entry in work.entries]
    hashes = address_hashes(work.workspace_id, work.dispatch.channel, addresses)
    ids = message_ids(work.dispatch.id, [entry.n for entry in work.entries])
    sendable: dict[int, tuple[Program, list[Candidate]]] = {}
    unsendable = []
    for entry, address, hashed, message_id in zip(work.entries, addresses, hashes, ids, strict=True):
        one = given.get(entry.n)
        candidate = Candidate(entry.n, entry.profile_id, None, address, hashed if address else 0, None, None)
        candidate.expires_at, candidate.again = entry.expires_at, work.again.get(entry.n, 0)
        if one is None or not address or one.filled is None:
            candidate.fault = Reason.UNREACHABLE if one is None or not address else Reason.INVALID
            unsendable.append(candidate)
            continue
        candidate.person, candidate.program, candidate.variant = one.person, one.program, one.variant
        candidate.message = OutgoingMessage(message_id, address, one.filled, one.filled.headers)
        candidate.cost = price_of(terms.route.price, one.person.country or "", one.parts)
        sendable.setdefault(id(one.program), (one.program, []))[1].append(candidate)
    return Prepared([bundle for program, some in sendable.values() for bundle in cut(work, program, some, terms)], unsendable)


def cut(work: Work, program: Program, candidates: Sequence[Candidate], terms: Terms) -> list[Bundle]:
    """Requests of one content, by the vendor's limits and the policy's."""
    by_id = {candidate.message.message_id: candidate for candidate in candidates if candidate.message is not None}
    messages = [candidate.message for candidate in candidates if candidate.message is not None]
    adapter, at_most = terms.route.adapter, terms.policy.max_per_request
    if work.dispatch.message_class == "transactional" and not adapter.features.idempotency_key:
        at_most = 1  # what one kill can leave in doubt
    parcels = adapter.parcels(messages, substituted=program.substituted, at_most=at_most)
    return [
        Bundle([by_id[message.message_id] for message in parcel.messages], program, parcel.substituted is not None) for parcel in parcels
    ]


def _address(channel: str, one: Outgoing | None) -> str:
    if one is None or one.person is None:
        return ""
    return (one.person.email if channel == "email" else one.person.phone) or ""
