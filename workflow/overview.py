"""Runs and planned launches at a glance, for lists and the home page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from audience import door as audience
from delivery import door as delivery
from governance import door as governance
from governance.door import Ref
from workflow.cron import explain_cron, times
from workflow.documents import CampaignBody, Once, OnEvent, Schedule
from workflow.in_force import campaigns_in_force
from workflow.models import Occurrence, Run

AHEAD = timedelta(days=60)  # how far a list or a page looks for the next launch
EACH = 20  # planned instants of one campaign within the time asked about


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in a list."""

    run: Run
    brief: delivery.Brief | None
    title: str

    @property
    def state(self) -> str:
        """The dispatch's state in one word, "halted" where a guard paused it."""
        return self.brief.shown if self.brief else "done"


@dataclass(frozen=True, slots=True)
class Planned:
    """A campaign's coming launch."""

    key: str
    title: str
    at: datetime
    zone: str
    segment: str


def run_lines(workspace_id: int, runs: Iterable[Run]) -> list[RunLine]:
    """Runs with their dispatches and campaigns' titles: three queries, whatever their number."""
    listed = list(runs)
    known = delivery.briefs(workspace_id, [run.dispatch_id for run in listed])
    titles = {view.key: view.title for view in governance.documents(workspace_id, "campaign")} if listed else {}
    return [RunLine(run, known.get(run.dispatch_id), titles.get(run.campaign_key) or run.campaign_key) for run in listed]


def active_runs(workspace_id: int) -> list[RunLine]:
    """Runs that send or are paused now."""
    ids = delivery.running(workspace_id)
    return (
        run_lines(workspace_id, Run.objects.filter(workspace_id=workspace_id, dispatch_id__in=ids).order_by("-started_at")) if ids else []
    )


def latest_runs(workspace_id: int, *, limit: int = 5) -> list[RunLine]:
    """The newest runs."""
    return run_lines(workspace_id, Run.objects.filter(workspace_id=workspace_id).order_by("-started_at", "-pk")[:limit])


def upcoming(workspace_id: int, *, now: datetime, within: timedelta) -> list[Planned]:
    """What released campaigns plan to launch in the time that comes, the soonest first."""
    found = []
    in_force = list(campaigns_in_force(workspace_id))
    titles = governance.titles(workspace_id, [Ref("campaign", released.key) for released, _ in in_force])
    for released, campaign in in_force:
        zone = campaign.trigger.zone if isinstance(campaign.trigger, Schedule | Once) else ""
        title, times = titles[Ref("campaign", released.key)], next_times(campaign, now=now, until=now + within)
        found += [Planned(released.key, title, at, zone, campaign.segment) for at in times]
    return sorted(found, key=lambda planned: planned.at)


def next_times(campaign: CampaignBody, *, now: datetime, until: datetime, many: int = EACH) -> list[datetime]:
    """The planned instants of one campaign up to `until`; none for those started by hand or by events."""
    trigger = campaign.trigger
    if isinstance(trigger, Once):
        return [trigger.instant()] if now < trigger.instant() <= until else []
    found: list[datetime] = []
    if isinstance(trigger, Schedule):
        for at in times(trigger.cron, trigger.zone, now):
            if at > until or len(found) >= many:
                break
            found.append(at)
    return found


def next_time(campaign: CampaignBody, *, now: datetime) -> datetime | None:
    """The next planned instant within AHEAD; none for those started by hand or by events."""
    return next(iter(next_times(campaign, now=now, until=now + AHEAD, many=1)), None)


def trigger_words(campaign: CampaignBody) -> str:
    """When it starts, as a person says it."""
    trigger = campaign.trigger
    if isinstance(trigger, Once):
        return f"once, {trigger.at.replace('T', ' ')} {trigger.zone}"
    if isinstance(trigger, Schedule):
        return explain_cron(trigger.cron, trigger.zone)
    if isinstance(trigger, OnEvent):
        return f"when “{trigger.event}” happens"
    return "by hand"


def campaign_words(workspace_id: int, campaign: CampaignBody) -> str:
    """What a campaign does, as whoever must vouch for it reads it."""
    segment = Ref("segment", campaign.segment)
    titled = governance.titles(workspace_id, [segment, *(Ref("template", arm.template) for arm in campaign.arms())])
    whole = sum(arm.weight for arm in campaign.arms())
    shares = [f" ({arm.weight / whole:.0%})" if campaign.variants else "" for arm in campaign.arms()]
    letters = [f"“{titled[Ref('template', arm.template)]}”{share}" for arm, share in zip(campaign.arms(), shares, strict=True)]
    when = trigger_words(campaign)
    said = [f"Sends {' or '.join(letters)} to the people of “{titled[segment]}”, {when[:1].lower()}{when[1:]}"]
    if isinstance(campaign.trigger, OnEvent) and campaign.trigger.where is not None:
        words = audience.sentence(campaign.trigger.where, audience.names_of(workspace_id)).rstrip(".")
        said.append(f"only to {words[:1].lower()}{words[1:]}")
    if campaign.holdout:
        said.append(f"{campaign.holdout:.0%} of them are left alone")
    said.append(f"in waves of {', '.join(f'{share:.0%}' for share in campaign.ramp)}" if campaign.ramp else "all at once")
    if campaign.budget:
        said.append(f"for at most {delivery.money(campaign.budget.micros, campaign.budget.currency)}")
    if campaign.reentry:
        said.append("a later launch may reach the same people again")
    return "; ".join(said) + "."


def refused_lately(workspace_id: int, *, since: datetime) -> list[Occurrence]:
    """Planned launches that were refused or came too late."""
    rows = Occurrence.objects.filter(workspace_id=workspace_id, at__gte=since).exclude(outcome="launched")
    return list(rows.order_by("-at")[:20])
