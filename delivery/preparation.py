"""From rendered messages to candidates and requests, before any lock is taken: ids, addresses, hashes, prices, faults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from delivery import limits
from delivery.adapters.base import OutgoingMessage
from delivery.addresses import address_hashes, address_of
from delivery.eligibility import Candidate
from delivery.ledger import Bundle, Terms
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
    found = [given.get(entry.n) for entry in work.entries]
    addresses = [_address(work.dispatch.channel, one) for one in found]
    hashes = address_hashes(work.workspace_id, work.dispatch.channel, addresses)
    price, again = terms.route.price, work.again
    sendable: dict[int, tuple[Program, list[Candidate]]] = {}
    unsendable = []
    for entry, one, address, hashed in zip(work.entries, found, addresses, hashes, strict=True):
        n = entry.n
        if one is None or not address or one.filled is None:
            fault = Reason.UNREACHABLE if one is None or not address else Reason.INVALID
            hashed = hashed if address else 0
            unsendable.append(
                Candidate(n, entry.profile_id, None, address, hashed, None, None, 0, 0, fault, entry.expires_at, again.get(n, 0))
            )
            continue
        message = OutgoingMessage(one.filled.token, address, one.filled, one.filled.headers)
        cost = price_of(price, one.person.country or "", one.parts) if price else 0
        group = sendable.get(id(one.program))
        if group is None:
            group = sendable[id(one.program)] = (one.program, [])
        group[1].append(
            Candidate(
                n,
                entry.profile_id,
                one.person,
                address,
                hashed,
                message,
                one.program,
                one.variant,
                cost,
                expires_at=entry.expires_at,
                again=again.get(n, 0),
            )
        )
    return Prepared([bundle for program, some in sendable.values() for bundle in cut(work, program, some, terms)], unsendable)


def cut(work: Work, program: Program, candidates: Sequence[Candidate], terms: Terms) -> list[Bundle]:
    """Requests of one content, by the vendor's limits and the policy's."""
    by_id = {candidate.message.message_id: candidate for candidate in candidates if candidate.message is not None}
    messages = [candidate.message for candidate in candidates if candidate.message is not None]
    adapter, at_most = terms.route.adapter, terms.policy.max_per_request
    if work.dispatch.message_class == "transactional" and not adapter.features.idempotency_key:
        at_most = 1  # what one kill can leave in doubt
    if (room := limits.at_once(terms.route.per_second)) is not None:
        at_most = min(at_most or room, room)
    parcels = adapter.parcels(messages, substituted=program.substituted, at_most=at_most)
    return [
        Bundle([by_id[message.message_id] for message in parcel.messages], program, parcel.substituted is not None) for parcel in parcels
    ]


def _address(channel: str, one: Outgoing | None) -> str:
    if one is None or one.person is None:
        return ""
    return address_of(channel, one.person)
