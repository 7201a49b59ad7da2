"""Who agreed to hear about what, with the proof behind it: the present state, and a ledger that only grows.

Law: where a topic wants agreements confirmed (`opt_ins`), what anybody but the confirmation itself says is pending, and pending is no
agreement: nothing follows from it but the question, and a refusal that it would lift stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice
from typing import Any, Literal, get_args

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.timezone import is_aware

from audience import sql
from audience.models import Profile, Subscription, SubscriptionEntry
from audience.opt_ins import opt_in
from audience.topics import TOPIC, WHOLE_CHANNEL
from governance.door import Finding, Invalid, shorten

Said = Literal["subscribed", "unsubscribed"]
State = Literal["subscribed", "unsubscribed", "pending"]
Basis = Literal["consent", "existing_customer", "contract", "legitimate_interest"]
BASES: tuple[Basis, ...] = get_args(Basis)
STATES: tuple[Said, Said] = ("subscribed", "unsubscribed")
CONFIRMED = "confirmed"  # what a row of a file or a request says of somebody who confirmed elsewhere
MAX_SOURCE, MAX_WORDING = 80, 200
AT_ONCE = 10_000
ASKED_AGAIN_AFTER = timedelta(minutes=10)  # somebody who says it again before is not asked again
CHANNELS = ("email", "sms", "push", "whatsapp", "wechat", "webhook")  # an agreement for another one would reach nobody and say nothing


@dataclass(frozen=True, slots=True)
class Consent:
    """What one person said about one topic of one channel. topic "*": the whole channel.

    basis: why an agreement may be used, in law; expires_at: when it is none any more unless it is renewed; neither of a refusal.
    confirm_until: until when somebody who is pending can confirm it; refused: a refusal stands until they do. number: of the ledger's
    entry, 0 of what stands now; confirms: the number of the pending entry that this agreement confirmed.
    """

    channel: str
    topic: str
    state: State
    source: str
    wording: str
    at: datetime
    basis: str = ""
    expires_at: datetime | None = None
    confirm_until: datetime | None = None
    refused: bool = False
    number: int = 0
    confirms: int | None = None


def set_consent(
    workspace_id: int,
    profile_ids: Iterable[int],
    *,
    channel: str,
    topic: str,
    state: Said,
    source: str,
    now: datetime,
    wording: str = "",
    basis: Basis = "consent",
    expires_at: datetime | None = None,
    confirmed: bool = False,
    ask: bool = True,
    keep_refusals: bool = False,
) -> int:
    """Record what these people said, with its proof; returns for how many it was news. Nobody of another workspace is touched.

    topic "*" is the whole channel: its refusal outweighs every topic until it is lifted itself. source: what said so, e.g.
    "preference-page"; wording: what they agreed to, and its version; basis and expires_at: of an agreement only. keep_refusals: a refusal
    that another source recorded is not lifted, so that a file exported yesterday can't undo what somebody clicked today. Raises Invalid.

    Where the topic wants to be confirmed an agreement is recorded as pending, and the question goes to the feed in the same transaction;
    whoever agrees already stays as they are. confirmed: they confirmed it elsewhere, as the source says, or said it from the very address.
    ask: False where another question of the same moment is enough.
    """
    findings = faults(channel, topic, state, source, wording) + _terms_faults(basis, expires_at)
    if findings:
        raise Invalid(findings)
    agreed = state == "subscribed"
    terms = (basis if agreed else "", sql.moment(expires_at) if agreed and expires_at else None)
    wanted = opt_in(workspace_id, channel, topic) if agreed and not confirmed else None
    until = sql.moment(now + timedelta(days=wanted.link_days)) if wanted else None
    said, news = (channel, topic, "pending" if wanted else state, source, wording, *terms, until), 0
    remaining = iter(dict.fromkeys(int(each) for each in profile_ids))
    while some := list(islice(remaining, AT_ONCE)):
        with transaction.atomic():
            people = _people_now(workspace_id, some)
            changed = _set(workspace_id, people, said, now, keep_refusals=keep_refusals)
            entries = _prove(workspace_id, channel, topic, changed)
            if wanted and ask:
                _feed(entries, now)
            if not agreed and topic == WHOLE_CHANNEL:
                _withdraw_pending(workspace_id, people, channel, source, now)
        news += len(changed)
    return news


def faults(channel: object, topic: object, state: object, source: object = "-", wording: object = "") -> list[Finding]:
    """What is wrong with a statement of consent."""
    found = []
    if channel not in CHANNELS:
        found.append(Finding("error", "/channel", shorten(channel), f"one of {', '.join(CHANNELS)}"))
    if not isinstance(topic, str) or not re.fullmatch(TOPIC, topic):
        found.append(Finding("error", "/topic", shorten(topic), 'the key of a topic, such as offers, or "*" for the whole channel'))
    if state not in STATES:
        found.append(Finding("error", "/state", shorten(state), "subscribed or unsubscribed"))
    if not isinstance(source, str) or not 0 < len(source.strip()) <= MAX_SOURCE or not source.isprintable():
        found.append(Finding("error", "/source", shorten(source), f"what recorded the consent, in 1 to {MAX_SOURCE} characters"))
    if not isinstance(wording, str) or len(wording) > MAX_WORDING or not wording.isprintable():
        found.append(Finding("error", "/wording", shorten(wording), f"what was agreed to, in at most {MAX_WORDING} characters of one line"))
    return found


def _terms_faults(basis: object, expires_at: object) -> list[Finding]:
    found = []
    if basis not in BASES:
        found.append(Finding("error", "/basis", shorten(basis), f"one of {', '.join(BASES)}"))
    if expires_at is not None and not (isinstance(expires_at, datetime) and is_aware(expires_at)):
        found.append(Finding("error", "/expires_at", shorten(expires_at), "an instant with its offset, such as 2027-01-31T00:00:00Z"))
    return found


_COLUMNS = "channel, topic, state, source, wording, basis, expires_at, confirm_until"  # in the order in which they are said
_STATEMENT = f"""
INSERT INTO audience_subscription (workspace_id, profile_id, {_COLUMNS}, refused, at)
SELECT p.workspace_id, p.id, %s, %s, %s, %s, %s, %s, {{moment}}, {{moment}}, false, {{moment}} FROM audience_profile p
 WHERE p.workspace_id = %s AND p.gone_at IS NULL AND {{among}} ORDER BY p.id
ON CONFLICT (workspace_id, profile_id, channel, topic) DO UPDATE
   SET state = excluded.state, source = excluded.source, wording = excluded.wording, basis = excluded.basis,
       expires_at = excluded.expires_at, confirm_until = excluded.confirm_until, at = excluded.at,
       refused = excluded.state = 'pending' AND (audience_subscription.state = 'unsubscribed' OR audience_subscription.refused)
 WHERE {{news}} {{unless}}
RETURNING profile_id
"""  # in the order of the ids, so that two writers never wait for each other in a circle
_OTHER_WORDS = """(audience_subscription.source <> excluded.source
        OR audience_subscription.wording <> excluded.wording OR audience_subscription.basis <> excluded.basis
        OR coalesce(CAST(audience_subscription.expires_at AS text), '') <> coalesce(CAST(excluded.expires_at AS text), ''))"""
_NEWS = f"(audience_subscription.state <> excluded.state OR {_OTHER_WORDS})"
# Who agrees already is asked nothing. Who was asked is asked again where it is said in other words, or by the person once more.
_NEWS_TO_CONFIRM = f"""(audience_subscription.state = 'unsubscribed'
    OR (audience_subscription.state = 'subscribed' AND audience_subscription.expires_at <= {{moment}})
    OR (audience_subscription.state = 'pending' AND ({_OTHER_WORDS} OR audience_subscription.at <= {{moment}})))"""
_UNLESS_REFUSED = """
   AND NOT ((audience_subscription.state = 'unsubscribed' OR audience_subscription.refused) AND excluded.state <> 'unsubscribed'
            AND audience_subscription.source <> excluded.source)
"""
_PROOF = f"""
INSERT INTO audience_subscriptionentry (workspace_id, profile_id, {_COLUMNS}, refused, at)
SELECT workspace_id, profile_id, {_COLUMNS}, refused, at FROM audience_subscription
 WHERE workspace_id = %s AND channel = %s AND topic = %s AND {{among}} ORDER BY profile_id
RETURNING id
"""
_FEED = """
INSERT INTO audience_confirmationfeed (workspace_id, profile_id, entry_id, at, due_at)
SELECT workspace_id, profile_id, id, {moment}, {moment} FROM audience_subscriptionentry WHERE {among} ORDER BY id
"""
_WITHDRAWN = """
UPDATE audience_subscription
   SET state = 'unsubscribed', source = %s, wording = '', basis = '', expires_at = NULL, confirm_until = NULL, refused = false,
       at = {moment}
 WHERE workspace_id = %s AND channel = %s AND state = 'pending' AND {among} RETURNING topic, profile_id
"""
_NEVER = datetime.min.replace(year=1970, tzinfo=UTC)


_WHO = """
SELECT p.id, coalesce(p.merged_into, p.id) FROM audience_profile p
 WHERE p.workspace_id = %s AND (p.gone_at IS NULL OR p.merged_into IS NOT NULL) AND {among} {lock}
"""  # the lock: who is being merged at this moment is waited for


def _people_now(workspace_id: int, ids: list[int]) -> list[int]:
    """Whoever is behind these numbers now: what was said by somebody who has become one with another is the other's word."""
    lock = 'ORDER BY p.external_id COLLATE "C" FOR KEY SHARE OF p' if sql.on_postgres() else "ORDER BY p.id"  # as mergers lock people
    statement = _WHO.format(among=sql.among("p.id"), lock=lock)
    found = dict(sql.rows(statement, [workspace_id, sql.listed(ids)]))
    if all(number == now for number, now in found.items()):
        return list(found)
    return _people_now(workspace_id, sorted(set(found.values())))


def _moment() -> str:
    return "%s::timestamptz" if sql.on_postgres() else "%s"


def _set(workspace_id: int, ids: list[int], said: tuple[Any, ...], now: datetime, *, keep_refusals: bool) -> list[int]:
    """Who said something new."""
    to_confirm = said[2] == "pending"
    news, unless = _NEWS_TO_CONFIRM if to_confirm else _NEWS, _UNLESS_REFUSED if keep_refusals else ""
    statement = _STATEMENT.format(moment=_moment(), among=sql.among("p.id"), news=news.format(moment=_moment()), unless=unless)
    said_again = _NEVER if keep_refusals else now - ASKED_AGAIN_AFTER  # what a file says every night is said once
    moments = [sql.moment(now), sql.moment(said_again)] if to_confirm else []
    return [row[0] for row in sql.rows(statement, [*said, sql.moment(now), workspace_id, sql.listed(ids), *moments])]


def _prove(workspace_id: int, channel: str, topic: str, changed: Sequence[int]) -> list[int]:
    """What stands now, into the ledger; the numbers of its entries."""
    if not changed:
        return []
    statement = _PROOF.format(among=sql.among("profile_id"))
    return [row[0] for row in sql.rows(statement, [workspace_id, channel, topic, sql.listed(changed)])]


def _feed(entries: Sequence[int], now: datetime) -> None:
    if entries:
        statement = _FEED.format(moment=_moment(), among=sql.among("id"))
        sql.run(statement, [sql.moment(now), sql.moment(now), sql.listed(entries)])


def _withdraw_pending(workspace_id: int, ids: list[int], channel: str, source: str, now: datetime) -> None:
    """Who refuses the whole channel refuses what they were asked to confirm: no link of before can lift that."""
    statement = _WITHDRAWN.format(moment=_moment(), among=sql.among("profile_id"))
    withdrawn = sorted(sql.rows(statement, [source, sql.moment(now), workspace_id, channel, sql.listed(ids)]))
    for topic, rows in groupby(withdrawn, key=lambda row: str(row[0])):
        _prove(workspace_id, channel, topic, [row[1] for row in rows])


def consenting(workspace_id: int, ids: Sequence[int], *, channel: str, topic: str, message_class: str, now: datetime) -> set[int]:
    """Those of `ids` who may be written to now. One query, whatever their number.

    promotional: subscribed to the topic, by an agreement that hasn't expired, and not unsubscribed from the whole channel. service: not
    unsubscribed from either. transactional: everyone. Whoever has yet to confirm something stands as if they had not said it.
    """
    wanted = {int(each) for each in ids}
    if message_class == "transactional" or not wanted:
        return wanted
    statement = (
        "SELECT profile_id, topic, CASE WHEN refused THEN 'unsubscribed' ELSE state END, expires_at IS NOT NULL AND expires_at <= %s "
        "FROM audience_subscription "
        f"WHERE workspace_id = %s AND channel = %s AND topic IN (%s, %s) AND {sql.among('profile_id')}"
    )
    said = sql.rows(statement, [sql.moment(now), workspace_id, channel, topic, WHOLE_CHANNEL, sql.listed(wanted)])
    refused = {profile_id for profile_id, _, state, _ in said if state == "unsubscribed"}
    if message_class == "service":
        return wanted - refused
    return {profile_id for profile_id, about, state, expired in said if about == topic and state == "subscribed" and not expired} - refused


def consents(workspace_id: int, profile_id: int) -> list[Consent]:
    """Everything one person said, by channel and topic."""
    rows = Subscription.objects.filter(workspace_id=workspace_id, profile_id=profile_id).order_by("channel", "topic")
    return [as_consent(row) for row in rows]


def proof_rows(workspace_id: int, profile_id: int) -> QuerySet[SubscriptionEntry]:
    """The ledger of one person, for lists that page; what was said under an id that was merged into theirs belongs to it."""
    merged = Profile.objects.filter(workspace_id=workspace_id, merged_into=profile_id)
    theirs = Q(profile_id=profile_id) | Q(profile_id__in=merged.values("pk"))
    return SubscriptionEntry.objects.filter(theirs, workspace_id=workspace_id)


def proof(workspace_id: int, profile_id: int) -> list[Consent]:
    """The ledger of one person, newest first: the last 500 entries."""
    return [as_consent(row) for row in proof_rows(workspace_id, profile_id).order_by("-at", "-id")[:500]]


def topic_words(topic: str) -> str:
    """A topic as a person reads it, by its key: "product-news" → "Product news"."""
    words = topic.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def as_consent(row: Subscription | SubscriptionEntry) -> Consent:
    """A row as plain data."""
    terms = (row.basis, row.expires_at, row.confirm_until, row.refused)
    said = Consent(row.channel, row.topic, as_state(row.state), row.source, row.wording, row.at, *terms)
    return said if isinstance(row, Subscription) else replace(said, number=row.pk, confirms=row.confirms_id)


def as_state(word: str) -> State:
    """A kept word as a state."""
    return "subscribed" if word == "subscribed" else "pending" if word == "pending" else "unsubscribed"
