"""The dispatches of messages that are decided one by one: one per message type, day and template revision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from django.db import IntegrityError, transaction

from delivery import policies, sql
from delivery.models import Dispatch
from delivery.states import Lane
from delivery.work import DispatchKind, LaneName

NEXT_DECISION = "nextval(pg_get_serial_sequence('delivery_decision', 'id'))"
IS_IT = "workspace_id = %s AND kind = %s AND key = %s AND occurrence = %s AND relaunch = 0"  # parameters: Standing.identity()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What one standing dispatch carries: a message type's decisions of a day with a template revision.

    named: the revisions of what its templates name (senders, themes, fragments), and of whatever else it was approved with; another
    revision in force makes another dispatch.
    """

    workspace_id: int
    kind: DispatchKind
    key: str
    day: date
    template_revision_id: int
    channel: str
    message_class: str
    topic: str = ""
    lane: LaneName = "transactional"
    campaign_revision_id: int | None = None
    pins: Sequence[int] = ()
    named: Sequence[int] = ()
    bill_hash: str = ""
    route_key: str = ""
    policy_key: str = ""
    experiment: Mapping[str, Any] | None = None
    recheck_rule: Mapping[str, Any] | None = None
    shadow: bool = False

    def identity(self) -> list[Any]:
        """What no two dispatches share, as parameters of `IS_IT`."""
        by = f"/by {self.route_key}" if self.route_key and not self.campaign_revision_id else ""  # a campaign's revision says it, too
        occurrence = f"{self.day.isoformat()}/{self.template_revision_id}/{self.campaign_revision_id or 0}{_from(self.named)}{by}"
        return [self.workspace_id, self.kind, self.key, occurrence]


def standing(of: Standing, *, now: datetime) -> int:
    """The number of the dispatch, which is made when it is the first of its kind. Raises Missing where the route or the policy isn't
    released."""
    if (found := _same(of)) is not None:
        return found
    routes = policies.routes(of.workspace_id, of.route_key, of.channel)
    policies.policy(of.workspace_id, of.policy_key)
    vendor, account = policies.carriers(routes)
    row = Dispatch(
        workspace_id=of.workspace_id,
        kind=of.kind,
        key=of.key,
        occurrence=of.identity()[-1],
        lane=Lane[of.lane.upper()],
        channel=of.channel,
        message_class=of.message_class,
        topic=of.topic,
        campaign_revision_id=of.campaign_revision_id,
        template_revision_id=of.template_revision_id,
        pins=sorted({*of.pins, *of.named, of.template_revision_id, *([of.campaign_revision_id] if of.campaign_revision_id else [])}),
        bill_hash=of.bill_hash,
        route_key=of.route_key,
        policy_key=of.policy_key,
        vendor=vendor,
        account=account,
        experiment=of.experiment,
        recheck_rule=of.recheck_rule,
        shadow=of.shadow,
        planned_at=now,
        due_at=now,
        n_base=int(sql.rows(f"SELECT {NEXT_DECISION}")[0][0]) if sql.on_postgres() else 0,
        currency=routes[0].currency,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            return row.pk
    except IntegrityError:
        found = _same(of)
        assert found is not None, "another made the same"
        return found


def _same(of: Standing) -> int | None:
    found = sql.rows(f"SELECT id FROM delivery_dispatch WHERE {IS_IT}", of.identity(), often=True)
    return int(found[0][0]) if found else None


def _from(named: Sequence[int]) -> str:
    """What is named, as part of an occurrence; much in short."""
    text = "-".join(map(str, sorted(named)))
    return f"/{text if len(text) < 40 else sha256(text.encode()).hexdigest()[:32]}" if text else ""
