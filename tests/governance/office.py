"""A small office in which documents are written and approved: people, two kinds of their own, and short ways to the doors."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from governance import door as governance
from governance.door import Actor, CheckContext, DocumentModel, Finding, Kind, Ref, Role, Text

AUDIENCE: dict[str, int] = {}  # how many people a plan's audience has "now", by name


class Page(DocumentModel):
    """Something with words, a class with legal weight, and other pages that it uses."""

    title: Annotated[str, Text(120)]
    text: Annotated[str, Text(2_000, min=0, lines=True)] = ""
    message_class: str = "promotional"
    uses: list[str] = []
    size: float = 0
    blocks: list[dict[str, Any]] = []


class Plan(DocumentModel):
    """Something that reaches people with a page."""

    title: Annotated[str, Text(120)]
    page: str
    audience: str = "everyone"
    share: float = Field(1.0, gt=0, le=1)


def _page_checks(context: CheckContext, page: Page) -> list[Finding]:
    if "TODO" in page.text:
        return [Finding("error", "/text", "TODO", "finished words")]
    return [Finding("warning", "/text", "nothing", "some words")] if not page.text else []


def _plan_checks(context: CheckContext, plan: Plan) -> list[Finding]:
    page = context.draft("page", plan.page)
    if page is not None and "empty" in page.title:
        return [Finding("error", "/page", page.title, "a page with a real title")]
    return []


PAGE = Kind(
    name="page",
    plural="pages",
    title="Page",
    schema=Page,
    references=lambda page: [Ref("page", key, f"/uses/{n}") for n, key in enumerate(page.uses)],
    checks=_page_checks,
)
PLAN = Kind(
    name="plan",
    plural="plans",
    title="Plan",
    schema=Plan,
    references=lambda plan: [Ref("page", plan.page, "/page")],
    checks=_plan_checks,
    reach=lambda workspace_id, plan, now: AUDIENCE.get(plan.audience),
)


@dataclass
class Office:
    """People by name, a clock that moves with every act, and the doors in few words."""

    workspace_id: int
    clock: datetime
    people: dict[str, Actor] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Actor:
        try:
            found: Actor = self.__dict__["people"][name]
            return found
        except KeyError:
            raise AttributeError(name) from None

    def now(self) -> datetime:
        self.clock += timedelta(seconds=1)
        return self.clock

    def hire(self, name: str, role: Role, *, legal: bool = False) -> Actor:
        user, _ = governance.User.objects.get_or_create(username=name, defaults={"email": f"{name}@example.com"})
        operator = Actor(self.workspace_id, None, Role.ADMIN, "command")
        governance.set_member(operator, user, role=role, legal=legal, now=self.now())
        self.people[name] = governance.actor_for(user, self.workspace_id, "console")
        return self.people[name]

    def latest(self, kind: str, key: str) -> int | None:
        try:
            return governance.document(self.workspace_id, kind, key).latest.number
        except governance.Missing:
            return None

    def save(self, actor: Actor, kind: str, key: str, **body: Any) -> governance.Revision:
        return governance.save(actor, kind, key, {"title": key, **body}, base=self.latest(kind, key), now=self.now())

    def submit(self, actor: Actor, kind: str, key: str) -> governance.Submission:
        return governance.submit(actor, kind, key, number=self.latest(kind, key) or 0, now=self.now())

    def decide(
        self, actor: Actor, submission: governance.Submission, verdict: Any = "approve", comment: str = "ok"
    ) -> governance.Submission:
        return governance.decide(actor, submission.pk, bill_hash=submission.bill_hash, verdict=verdict, comment=comment, now=self.now())

    def release(self, actor: Actor, submission: governance.Submission) -> list[governance.Release]:
        return governance.release(actor, submission.pk, now=self.now())

    def publish(self, kind: str, key: str, **body: Any) -> governance.Submission:
        """Ada writes it, Ben approves and releases it."""
        if body:
            self.save(self.ada, kind, key, **body)
        submission = self.decide(self.ben, self.submit(self.ada, kind, key))
        self.release(self.ben, submission)
        return submission

    def released(self, kind: str, key: str) -> int:
        return governance.released(self.workspace_id, kind, key).number

    def approval(self, kind: str, key: str) -> governance.Approval:
        return governance.approval(self.workspace_id, kind, key, now=self.now())

    def view(self, kind: str, key: str) -> governance.DocumentView:
        return governance.document(self.workspace_id, kind, key)
