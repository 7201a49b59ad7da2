"""Addresses that must not be written to: keyed hashes per workspace and channel, looked up as a set by the last look.

Law: writing only ever makes a suppression stronger. A reason that stops everything replaces one that stops marketing,
never the other way round, whatever the order in which vendors report; only a person lifts one: the owner of the address their own
wish (START, the preference page), an approver any other, with a reason, audited.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from django.db import transaction
from pyroaring import BitMap64

from audience import door as audience
from delivery import sql
from delivery.addresses import EVERY_CHANNEL, PHONE_CHANNELS, address_hash, address_hashes
from delivery.models import Suppression
from governance.door import Actor, Finding, Invalid, Missing, Refused, Role, allow, audit

CHANNELS: Final = frozenset({"email", "sms", "push", "whatsapp", "wechat", "webhook", EVERY_CHANNEL})
# Why an address is left alone. "unsubscribed" is a wish about marketing and leaves transactional mail alone.
MARKETING_ONLY: Final = frozenset({"unsubscribed"})
REASONS: Final = frozenset({"bounced", "complained", "invalid", "stopped", "imported", "manual"}) | MARKETING_ONLY
ROWS_PER_STATEMENT = 5_000
FEW = 100  # hashes that are asked about by a prepared statement; more, by one that is planned for them


def suppress(workspace_id: int, channel: str, address: str, *, reason: str, source: str, now: datetime) -> bool:
    """Never write to this address on this channel again. True if that is new. Idempotent; in the caller's transaction if any.

    source: who says so ("webhook:sendgrid", "page", "import:list.csv"). Raises Invalid for an unknown channel or reason.
    """
    hashed = address_hash(workspace_id, channel, normal(channel, address))
    return suppress_hashes(workspace_id, channel, [hashed], reason=reason, source=source, now=now) > 0


def never_write_to(actor: Actor, channel: str, address: str, *, reason: str, now: datetime) -> bool:
    """A person decides that nothing goes to this address any more, and says why: audited without the address. True if that is new.

    Raises Refused below the author's role, Invalid without an address or a reason, or for an unknown channel.
    """
    allow(actor, Role.AUTHOR, "profiles:write")
    address, reason = address.strip(), reason.strip()[:300]
    findings = [] if address else [Finding("error", "/address", "nothing", "an address")]
    findings += [] if reason else [Finding("error", "/reason", "nothing", "why nothing may go there")]
    if findings:
        raise Invalid(findings)
    with transaction.atomic():
        new = suppress(actor.workspace_id, channel, address, reason="manual", source=f"{actor.via}:{actor.user_id or actor.label}", now=now)
        hashed = address_hash(actor.workspace_id, channel, normal(channel, address))
        data = {"channel": channel, "reason": reason}
        audit(actor, "suppression.added", subject=f"address:{hashed & (2**64 - 1):016x}", data=data, now=now)
    return new


def suppress_hashes(workspace_id: int, channel: str, hashes: Iterable[int], *, reason: str, source: str, now: datetime) -> int:
    """The same for addresses known by their hashes only; answers how many are new or stronger than before. 0 is no address."""
    _check(channel, reason)
    wanted = sorted(set(hashes) - {0})  # sorted: two writers never wait for each other in a circle
    changed = 0
    with transaction.atomic():
        for start in range(0, len(wanted), ROWS_PER_STATEMENT):
            some = wanted[start : start + ROWS_PER_STATEMENT]
            changed += _insert(workspace_id, channel, some, reason, source[:80], now)
            if reason not in MARKETING_ONLY:
                # asked for by address alone: SQLite would take the index by reason for the better one, and read every such row
                held = Suppression.objects.filter(workspace_id=workspace_id, channel=channel, address_hash__in=some)
                weaker = [pk for pk, known in held.values_list("pk", "reason") if known in MARKETING_ONLY]
                changed += Suppression.objects.filter(pk__in=weaker).update(reason=reason, source=source[:80], at=now) if weaker else 0
    return changed


def suppressed(workspace_id: int, channel: str, hashes: Sequence[int], *, message_class: str = "promotional") -> set[int]:
    """Which of these hashes must not be written to: one query.

    A transactional message is stopped by what says that the address doesn't work or that the person wants nothing at all,
    not by an unsubscription from marketing.
    """
    found = sql.rows(
        f"""SELECT address_hash, reason FROM delivery_suppression
        WHERE workspace_id = %s AND channel IN (%s, %s) AND {sql.among("address_hash")}""",
        [workspace_id, channel, EVERY_CHANNEL, sql.numbers(hashes)],
        often=len(hashes) <= FEW,
    )
    harmless = MARKETING_ONLY if message_class == "transactional" else frozenset()
    return {hashed for hashed, reason in found if reason not in harmless}


def suppressed_people(workspace_id: int, channel: str, ids: BitMap64, *, message_class: str) -> BitMap64:
    """Those of `ids` whose address must not be written to: what `suppressed` says of each, some statements for a large set."""
    found = BitMap64()
    if not Suppression.objects.filter(workspace_id=workspace_id, channel__in=(channel, EVERY_CHANNEL)).exists():
        return found
    for some in audience.addresses(workspace_id, ids, channel=channel):
        hashes = address_hashes(workspace_id, channel, [address for _, address in some])
        stopped = suppressed(workspace_id, channel, hashes, message_class=message_class)
        if stopped:  # whoever has another device can still be written to
            free = {number for (number, _), hashed in zip(some, hashes, strict=True) if hashed not in stopped}
            found.update(number for number, _ in some if number not in free)
    return found


def unsuppress(actor: Actor, channel: str, address: str, *, reason: str, now: datetime) -> None:
    """Allow an address again; a person decides and says why.

    Raises Refused below the approver's role, Invalid without a reason, Missing if it isn't suppressed.
    """
    if not actor.role.covers(Role.APPROVER):
        raise Refused("only an approver may lift a suppression")
    if not reason.strip():
        raise Invalid([Finding("error", "/reason", "nothing", "why this address may be written to again")])
    hashed = address_hash(actor.workspace_id, channel, normal(channel, address))
    with transaction.atomic():
        row = Suppression.objects.select_for_update().filter(workspace_id=actor.workspace_id, channel=channel, address_hash=hashed).first()
        if row is None:
            raise Missing("a suppression of this address")
        row.delete()
        data = {"channel": channel, "was": row.reason, "reason": reason[:300]}
        audit(actor, "suppression.lifted", subject=f"address:{hashed & (2**64 - 1):016x}", data=data, now=now)


def lift_stop(workspace_id: int, channel: str, address: str) -> bool:
    """The person took their own STOP back by texting START; any other reason stays. True if there was one."""
    hashed = address_hash(workspace_id, channel, normal(channel, address))
    gone, _ = Suppression.objects.filter(workspace_id=workspace_id, channel=channel, address_hash=hashed, reason="stopped").delete()
    return gone > 0


def lift_own(workspace_id: int, channel: str, address: str) -> bool:
    """The person took their own unsubscription from everything back, on the preference page; any other reason stays."""
    hashed = address_hash(workspace_id, channel, normal(channel, address))
    own = Suppression.objects.filter(workspace_id=workspace_id, channel=channel, address_hash=hashed, reason__in=MARKETING_ONLY)
    return own.delete()[0] > 0


def reason_of(workspace_id: int, channel: str, address: str) -> str:
    """Why nothing promotional goes to this address, "" where something may: the strongest reason."""
    hashed = address_hash(workspace_id, channel, normal(channel, address))
    rows = Suppression.objects.filter(workspace_id=workspace_id, channel__in=(channel, EVERY_CHANNEL), address_hash=hashed)
    reasons = set(rows.values_list("reason", flat=True))
    return next(iter(sorted(reasons - MARKETING_ONLY) or sorted(reasons)), "")


def normal(channel: str, address: str) -> str:
    """The address in the one form that profiles keep; as given where it has none, so that even that is suppressed."""
    try:
        if channel in PHONE_CHANNELS:
            return audience.phone_number(address)
        return audience.email_address(address)[1] if channel in ("email", EVERY_CHANNEL) else address
    except audience.BadAddress:
        return address


def _check(channel: str, reason: str) -> None:
    findings = []
    if channel not in CHANNELS:
        findings.append(Finding("error", "/channel", channel, f"one of {', '.join(sorted(CHANNELS))}"))
    if reason not in REASONS:
        findings.append(Finding("error", "/reason", reason, f"one of {', '.join(sorted(REASONS))}"))
    if findings:
        raise Invalid(findings)


def _insert(workspace_id: int, channel: str, hashes: list[int], reason: str, source: str, now: datetime) -> int:
    """One statement for many rows; those that exist stay as they are. How many are new."""
    each = "unnest(%s::bigint[]) AS given(value)" if sql.on_postgres() else "json_each(%s) AS given"
    return sql.run(
        f"""INSERT INTO delivery_suppression (workspace_id, channel, address_hash, reason, source, at)
        SELECT %s, %s, given.value, %s, %s, %s FROM {each} WHERE true
        ON CONFLICT (workspace_id, channel, address_hash) DO NOTHING""",
        [workspace_id, channel, reason, source, sql.moment(now), sql.numbers(hashes)],
    )
