"""From rendered messages to candidates and requests, before any lock is taken: ids, addresses, hashes, prices, faults."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date

from delivery import attached
from delivery.adapters.base import OutgoingMessage
from delivery.addresses import address_hashes, address_of
from delivery.eligibility import Candidate
from delivery.ledger import Bundle, Terms
from delivery.quotas import at_once
from delivery.states import Reason
from delivery.work import Entry, Outgoing, Program, Work


@dataclass(slots=True)
class Prepared:
    """Messages cut into vendor requests, and those that can't be sent whatever the last look says."""

    bundles: list[Bundle]
    unsendable: list[Candidate] = field(default_factory=list)


def prepare(work: Work, entries: Sequence[Entry], outgoing: Sequence[Outgoing], terms: Terms, *, day: date) -> Prepared:
    """Candidates of these entries of the work, grouped by their program and cut by the vendor's limits. day: whose prices count.
    Reads no table but that of files, where any go with them."""
    given = {one.n: one for one in outgoing}
    files = attached.of(work.dispatch.id, [entry.n for entry in entries if entry.files])
    found = [given.get(entry.n) for entry in entries]
    addresses = [_address(work.dispatch.channel, one, terms.route.adapter.platforms) for one in found]
    hashes = address_hashes(work.workspace_id, work.dispatch.channel, addresses)
    price, served, again = terms.route.prices, terms.route.countries, work.again
    free = price.on(day) is None
    sendable: dict[int, tuple[Program, list[Candidate]]] = {}
    unsendable = []
    for entry, one, address, hashed in zip(entries, found, addresses, hashes, strict=True):
        n = entry.n
        if one is None or not address or one.filled is None:
            fault = Reason.UNREACHABLE if one is None or not address else Reason.INVALID
            hashed = hashed if address else 0
            unsendable.append(
                Candidate(n, entry.profile_id, None, address, hashed, None, None, 0, 0, fault, entry.expires_at, again.get(n, 0))
            )
            continue
        message = OutgoingMessage(one.filled.token, address, one.filled, one.filled.headers)
        if one.filled.message.options:
            message.options = one.filled.options
        if entry.files:
            message.attachments = files.get(n, ())
        country = one.person.country or ""
        cost = 0 if free else price.of(country, one.parts, day)
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
                Reason.NONE if not served or country in served else Reason.NO_ROUTE,
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
    if (room := at_once(terms.route.limits)) is not None:
        at_most = min(at_most or room, room)
    parcels = adapter.parcels(messages, substituted=program.substituted, at_most=at_most)
    return [
        Bundle([by_id[message.message_id] for message in parcel.messages], program, parcel.substituted is not None) for parcel in parcels
    ]


def _address(channel: str, one: Outgoing | None, platforms: Collection[str]) -> str:
    if one is None or one.person is None:
        return ""
    return address_of(channel, one.person, platforms)
