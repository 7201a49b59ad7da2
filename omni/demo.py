"""The demonstration, step by step: people, documents, a second person's approval, a campaign to the outbox.

Each step looks first at what is there already, so the whole may be run again, or again after it was cut short.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from itertools import islice
from pathlib import Path

from django.core.management import call_command

from audience import door as audience
from governance import door as governance
from governance.door import Actor, Role, User, Workspace
from omni import sample_people
from workflow import pipeline

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
CAMPAIGN = "spring-sale"
TOPIC, CHANGED_MINDS = "offers", 8
PEOPLE, SEED = 5_000, 7
WITH_DEVICES, LOOKED_AT = 20, 200


@dataclass(frozen=True, slots=True)
class Login:
    """One of the demonstration's four people."""

    name: str
    password: str
    role: Role
    may: str


LOGINS = (
    Login("viewer", "wayfare-viewer", Role.VIEWER, "looks"),
    Login("author", "wayfare-author", Role.AUTHOR, "writes, tests and submits"),
    Login("approver", "wayfare-approver", Role.APPROVER, "approves, releases and launches"),
    Login("admin", "wayfare-admin", Role.ADMIN, "also keeps people, keys and vendor routes"),
)


def make_logins(workspace: Workspace, *, now: datetime) -> dict[Role, Actor]:
    """The four people, with the passwords that are printed; as actors by role. Only ever outside production."""
    shell = Actor(workspace.pk, None, Role.ADMIN, "command", label="demo")
    known = {membership.user.username for membership in governance.members(workspace.pk)}
    actors = {}
    for login in LOGINS:
        user = User.objects.filter(username=login.name).first()
        if user is None:
            user = User.objects.create_user(login.name, email=f"{login.name}@wayfare.example", password=login.password)
        if login.name not in known:
            governance.set_member(shell, user, role=login.role, legal=login.role.covers(Role.APPROVER), now=now)
        actors[login.role] = governance.actor_for(user, workspace.pk, "command")
    return actors


def save_documents() -> None:
    """The sample documents as new revisions: the author's, and what only an admin may write. Unchanged ones stay as they are."""
    call_command("apply", str(SAMPLES / "documents"), as_user="author", note="Wayfare's samples", stdout=StringIO())
    call_command("apply", str(SAMPLES / "operations"), as_user="admin", note="Wayfare's samples", stdout=StringIO())


def release_catalogue(actors: dict[Role, Actor], *, now: datetime) -> None:
    """Have the attributes approved and released first: only known attributes may be written to profiles."""
    for view in _unreleased(actors[Role.AUTHOR].workspace_id, "attribute"):
        submission = governance.submit(
            actors[Role.AUTHOR], view.kind, view.key, number=view.latest.number, note="What we know about guests", now=now
        )
        _second_person(actors, submission.pk, submission.bill_hash, now)


def load_people(workspace: Workspace, *, now: datetime, each: Callable[[int], None]) -> sample_people.Loaded | None:
    """The sample people, told up to today; None where they are there already."""
    if audience.everyone(workspace.pk) >= PEOPLE:
        return None
    today = datetime(now.year, now.month, now.day, tzinfo=UTC)
    loaded = sample_people.load(workspace.pk, PEOPLE, seed=SEED, as_of=today, now=now, each=each)
    _give_devices(workspace.pk, now)
    return loaded


def _give_devices(workspace_id: int, now: datetime) -> None:
    """Some of those who have the app have a device, which nobody's push reaches: the tokens are made up."""
    have = (person for person in audience.search(workspace_id, "", limit=LOOKED_AT) if person.attributes.get("has_app"))
    for place, person in enumerate(islice(have, WITH_DEVICES)):
        device = audience.DeviceAddress(*(("fcm", f"sample-token-{place:04d}") if place % 2 else ("apns", f"{place:064x}")))
        audience.register_device(workspace_id, person.id, device, now=now)


def approve_documents(actors: dict[Role, Actor], *, now: datetime) -> int:
    """What waits is submitted by its author, approved by another person, and released. Returns how many bills that were."""
    workspace_id = actors[Role.AUTHOR].workspace_id
    for folder, author in {"documents": "author", "operations": "admin"}.items():
        call_command("apply", str(SAMPLES / folder), as_user=author, submit=True, note="For the spring", stdout=StringIO())
    waiting = [view for kind in governance.kinds() for view in governance.documents(workspace_id, kind.name) if view.open_submission]
    for view in waiting:
        if view.open_submission:
            _second_person(actors, view.open_submission.pk, view.open_submission.bill_hash, now)
    return len(waiting)


def launch(actors: dict[Role, Actor], *, now: datetime) -> pipeline.Run:
    """The sample campaign's first run."""
    return pipeline.launch(actors[Role.APPROVER], CAMPAIGN, now=now)


def change_minds(run: pipeline.Run, *, now: datetime) -> int:
    """Some people unsubscribe between the launch and the sending, for the last look to find. Returns how many."""
    workspace_id = run.workspace_id
    segment = governance.revision_by_id(workspace_id, run.facts["segment_revision"]).model
    ids = [int(each) for each in audience.resolve(workspace_id, segment, as_of=now).ids]
    willing = sorted(audience.consenting(workspace_id, ids, channel="email", topic=TOPIC, message_class="promotional", now=now))
    some, source = willing[:CHANGED_MINDS], "sample, after the launch"
    return audience.set_consent(workspace_id, some, channel="email", topic=TOPIC, state="unsubscribed", source=source, now=now)


def launched(workspace_id: int) -> pipeline.Run | None:
    """The sample campaign's latest run. From the first on, the documents are their authors': nothing is saved or approved for them."""
    return pipeline.Run.objects.filter(workspace_id=workspace_id, campaign_key=CAMPAIGN).order_by("-started_at").first()


def _unreleased(workspace_id: int, kind: str) -> Iterator[governance.DocumentView]:
    return (view for view in governance.documents(workspace_id, kind) if view.released is None)


def _second_person(actors: dict[Role, Actor], submission_id: int, bill_hash: str, now: datetime) -> None:
    approver = actors[Role.APPROVER]
    governance.decide(approver, submission_id, bill_hash=bill_hash, verdict="approve", comment="Read it all; go.", now=now)
    governance.release(approver, submission_id, now=now)
