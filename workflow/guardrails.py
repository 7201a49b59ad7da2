"""What must hold before a campaign may launch: each guard says what it found and what it expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from delivery import door as delivery
from governance import door as governance
from governance.door import Finding
from workflow.documents import CampaignBody


@dataclass(frozen=True, slots=True)
class Intent:
    """One launch as it is about to happen. reach: the segment's people; reachable: those of them who would get a message;
    micros: the estimated cost; running: numbers of this campaign's runs that still send; draft: an author only looks ahead;
    scheduled: the next planned launch in words, "" where none is; lately: those of them who were in a run of the last day, and which;
    barred: people by country in which the sender may not be used."""

    campaign: CampaignBody
    approval: governance.Approval | None
    draft: bool
    reach: int
    reachable: int
    micros: int
    currency: str
    running: list[int]
    problems: list[Finding]
    scheduled: str = ""
    lately: tuple[int, int] | None = None
    barred: Mapping[str, int] = field(default_factory=dict)


def check(intent: Intent) -> list[Finding]:
    """Every objection to this launch. An error forbids it, a warning is shown to the person who launches."""
    return [
        *intent.problems,
        *_approved(intent),
        *_drift(intent),
        *_audience(intent),
        *_large(intent),
        *_barred(intent),
        *_budget(intent),
        *_one_at_a_time(intent),
        *_again(intent),
        *_trigger(intent),
    ]


def _approved(intent: Intent) -> Iterator[Finding]:
    if intent.approval is None and not intent.problems and not intent.draft:
        yield Finding("error", "", "a campaign that nobody has approved as it stands", "an approval of exactly these revisions")


def _drift(intent: Intent) -> Iterator[Finding]:
    if intent.approval is not None and intent.campaign.trigger.type != "event":
        objection = intent.approval.objection(intent.reach)
        if objection is not None:
            yield objection


def _audience(intent: Intent) -> Iterator[Finding]:
    if intent.campaign.trigger.type == "event":
        return
    if intent.reach == 0:
        yield Finding("error", "/segment", "an empty audience", "at least one person")
    elif intent.reachable == 0:
        yield Finding("warning", "/segment", "nobody new to send to", "people whom this campaign has not reached yet")


def _large(intent: Intent) -> Iterator[Finding]:
    if intent.reachable > 50_000 and not intent.campaign.ramp:
        yield Finding("warning", "/ramp", f"{intent.reachable:,} people at once", "a ramp such as [0.01, 0.1, 1] for large audiences")


def _barred(intent: Intent) -> Iterator[Finding]:
    if intent.barred:
        where = ", ".join(f"{many:,} in {country}" for country, many in sorted(intent.barred.items(), key=lambda pair: -pair[1])[:5])
        yield Finding(
            "error", "/segment", f"people where the sender may not be used: {where}", "a segment without them, or a sender for there"
        )


def _budget(intent: Intent) -> Iterator[Finding]:
    budget = intent.campaign.budget
    if budget is None or not intent.micros:
        return
    if budget.currency != intent.currency:
        yield Finding("error", "/budget/currency", budget.currency, f"{intent.currency}, the currency of the route's prices")
    elif intent.micros > budget.micros:
        yield Finding(
            "error",
            "/budget/micros",
            f"an estimate of {delivery.money(intent.micros, intent.currency)}",
            f"at most {delivery.money(budget.micros, budget.currency)}; raise the budget or narrow the audience",
        )


def _one_at_a_time(intent: Intent) -> Iterator[Finding]:
    for run in intent.running:
        yield Finding("error", "", f"run {run} of this campaign, which is still sending", "earlier runs to be finished or stopped")


def _again(intent: Intent) -> Iterator[Finding]:
    """What one launch doesn't know of another: those of a schedule and those by hand may reach the same people."""
    if intent.draft:
        return
    if intent.lately is not None:
        people, run = intent.lately
        many = f"{people:,} people who are" if people != 1 else "a person who is"
        yield Finding("warning", "/trigger", f"{many} in run {run} of the last 24 hours, too", "people who didn't get it today already")
    if intent.scheduled:
        yield Finding(
            "warning", "/trigger", f"a schedule that sends it again {intent.scheduled}", "a launch by hand only where both are meant"
        )


def _trigger(intent: Intent) -> Iterator[Finding]:
    if intent.campaign.trigger.type == "event" and not intent.draft:
        yield Finding(
            "error", "/trigger", "a campaign that events trigger", "a manual or scheduled one; this one sends by itself once released"
        )
