"""Parts of a segment's page that take a while: who a release would bring and cost, and what other segments share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from pyroaring import BitMap64

from audience.affected import affected, uses
from audience.bitmaps import draw
from audience.departures import departures
from audience.documents import SEGMENT, SegmentBody
from audience.explain import Sampled, as_seen, reasons
from audience.masking import shown
from audience.resolve import Drafts, resolve
from audience.sets import beside, if_released, intersection, sets_of, some_of, union
from audience.sets import overlap as overlap_of
from audience.snapshots import Change, kept_today
from audience.snapshots import change as difference_between
from audience.views.segments import asked_segment, what_to_finish
from governance.door import (
    Actor,
    ConsoleRequest,
    Invalid,
    Missing,
    Ref,
    RevisionView,
    Submission,
    all_released,
    console_page,
    document,
    document_address,
    find_submission,
    items_of,
    kind,
    revision_by_id,
    titles,
)

SAMPLED = 5
SHOWN, FEW = 10, 3  # segments, and people, beside the builder
COMPARED, AT_FIRST = 12, 6  # segments in one matrix; those that are shown until somebody chooses
STRONGER = (0.001, 0.1, 0.3, 0.6)  # shares from which a cell's ground is stronger


@console_page()
def change(request: ConsoleRequest, key: str) -> HttpResponse:
    """Who would enter and who would leave if the draft were released: some of each, with what decides it in the draft."""
    workspace_id, now = request.actor.workspace_id, timezone.now()
    view = document(workspace_id, SEGMENT, key)
    context: dict[str, Any] = {"document": view}
    try:
        moved = if_released(workspace_id, key, as_of=now)
        if moved is not None:
            context |= _moved(request.actor, key, view.latest.model, moved, as_of=now, drafts=True)
    except (Invalid, Missing) as error:
        context["reason"] = error.reason
    return render(request, "audience/_change.html", context)


@console_page()
def change_of(request: ConsoleRequest, key: str, submission_id: int) -> HttpResponse:
    """Who would enter and who would leave if what somebody asks to approve were released, exactly as it was submitted."""
    workspace_id, now = request.actor.workspace_id, timezone.now()
    submission, submitted = _submitted(workspace_id, submission_id, key)
    of_it = (submission.document.kind, submission.document.key) == (SEGMENT, key)
    context: dict[str, Any] = {"beside": of_it and request.headers.get("HX-Request") == "true"}
    if uses(workspace_id, key, without=_together(submission)):
        context["affected"] = reverse("audience:segment-affected", args=[key, submission_id])
    try:
        bodies = _bodies(workspace_id, submitted)
        moved = if_released(workspace_id, key, as_of=now, draft=bodies[key], drafts=bodies)
        if moved is None:
            moved = difference_between(BitMap64(), resolve(workspace_id, bodies[key], as_of=now, drafts=bodies).ids)
            context["first"] = True
        context |= _moved(request.actor, key, bodies[key], moved, as_of=now, drafts=bodies)
    except (Invalid, Missing) as error:
        context["reason"] = error.reason
    return render(request, "audience/_change.html", context)


@console_page()
def affected_by(request: ConsoleRequest, key: str, submission_id: int) -> HttpResponse:
    """What else uses a segment that somebody asks to approve, with its people today and after the release."""
    workspace_id, now = request.actor.workspace_id, timezone.now()
    submission, submitted = _submitted(workspace_id, submission_id, key)
    try:
        bodies = _bodies(workspace_id, submitted)
    except Invalid as error:
        return render(request, "audience/_affected.html", {"reason": error.reason})
    found, more = affected(workspace_id, key, bodies, without=_together(submission), as_of=now)
    titled = titles(workspace_id, [*(each.ref for each in found), *(Ref(SEGMENT, each.by) for each in found if each.by)])
    rows = [
        {
            "use": each,
            "title": titled[each.ref],
            "kind": kind(each.ref.kind).title,
            "href": document_address(each.ref.kind, each.ref.key),
            "by": titled[Ref(SEGMENT, each.by)] if each.by else "",
        }
        for each in found
    ]
    return render(request, "audience/_affected.html", {"rows": rows, "more": more})


def _submitted(workspace_id: int, submission_id: int, key: str) -> tuple[Submission, dict[str, int]]:
    """A request, and the revisions of its segments by key. Raises Missing where this segment isn't one of them."""
    submission = find_submission(workspace_id, submission_id)
    submitted = {item.key: item.revision_id for item in items_of(submission) if item.kind == SEGMENT}
    if key not in submitted:
        raise Missing("a segment of this request")
    return submission, submitted


def _together(submission: Submission) -> set[Ref]:
    """What goes along with it: each is told of by itself."""
    return {item.ref for item in items_of(submission)}


def _bodies(workspace_id: int, submitted: dict[str, int]) -> dict[str, SegmentBody]:
    return {key: revision_by_id(workspace_id, number).model for key, number in submitted.items()}


def _moved(actor: Actor, key: str, model: SegmentBody, moved: Change, *, as_of: datetime, drafts: Drafts) -> dict[str, Any]:
    """The numbers, and some of each with what brings them in by the new rule, or what brought them in by the old one."""
    workspace_id = actor.workspace_id
    come, go = (draw(ids, SAMPLED, salt=workspace_id) for ids in (moved.entered, moved.left))
    entering = reasons(workspace_id, model, come, as_of=as_of, drafts=drafts)
    leaving = departures(workspace_id, key, model, go, as_of=as_of, drafts=drafts, role=actor.role) if go else []
    return {
        "change": moved,
        "entering": as_seen(actor, entering),
        "leaving": as_seen(actor, leaving),
        "entering_agree": _agreed(entering),
        "leaving_agree": _agreed(leaving),
    }


def _agreed(some: Sequence[Sampled]) -> str:
    """Why all of them, where all for the same reason."""
    return "; ".join(some[0].why) if len(some) > 1 and len({each.why for each in some}) == 1 else ""


@console_page()
def overlap(request: ConsoleRequest, key: str) -> HttpResponse:
    """How many people of the segment, as last saved, are in every other released segment, too."""
    workspace_id, now = request.actor.workspace_id, timezone.now()
    view = document(workspace_id, SEGMENT, key)
    context: dict[str, Any] = {"document": view}
    try:
        found = resolve(workspace_id, view.latest.model, as_of=now, drafts=True)
        context |= {"found": found, "others": beside(workspace_id, found.ids, without=key, as_of=now)}
    except (Invalid, Missing) as error:
        context["reason"] = error.reason
    return render(request, "audience/_overlap.html", context)


@console_page()
def look_change(request: ConsoleRequest) -> HttpResponse:
    """Who would enter and who would leave if the rule in the builder, saved or not, were released."""
    workspace_id, now, key = request.actor.workspace_id, timezone.now(), request.GET.get("key", "")[:80]
    context: dict[str, Any] = {}
    try:
        model = asked_segment(request)
        moved = if_released(workspace_id, key, as_of=now, draft=model) if key else None
        if moved is not None:
            context |= {
                "change": moved,
                "entering": shown(request.actor, some_of(workspace_id, moved.entered, FEW)),
                "leaving": shown(request.actor, some_of(workspace_id, moved.left, FEW)),
            }
    except (Invalid, Missing) as error:
        context["unfinished"] = what_to_finish(request, error)
    return render(request, "audience/_look_change.html", context)


@console_page()
def look_overlap(request: ConsoleRequest) -> HttpResponse:
    """How many people of the rule in the builder, saved or not, are in every other released segment, too."""
    workspace_id, now = request.actor.workspace_id, timezone.now()
    context: dict[str, Any] = {}
    try:
        found = resolve(workspace_id, asked_segment(request), as_of=now, drafts=True)
        others = beside(workspace_id, found.ids, without=request.GET.get("key", "")[:80], as_of=now)
        context |= {"found": found, "others": others[:SHOWN], "more": len(others) - SHOWN}
    except (Invalid, Missing) as error:
        context["unfinished"] = what_to_finish(request, error)
    return render(request, "audience/_look_overlap.html", context)


@console_page()
def compare(request: ConsoleRequest) -> HttpResponse:
    """How many people every two of some released segments share, and how many are in any or all of them."""
    workspace_id, now = request.actor.workspace_id, timezone.now()
    released = all_released(workspace_id, SEGMENT)
    wanted = set(request.GET.getlist("of")) or {each.key for each in released[:AT_FIRST]}
    chosen = [each for each in released if each.key in wanted]
    context: dict[str, Any] = {
        "title": "Compare segments",
        "trail": [{"title": "Segments", "href": reverse("audience:segments")}],
        "choices": [(each.key, _title(each), each.key in wanted) for each in released],
        "most": COMPARED,
    }
    if len(chosen) > COMPARED:
        context["reason"] = f"{len(chosen)} segments are chosen, and a matrix holds {COMPARED}: choose fewer"
    elif len(chosen) > 1:
        context |= _matrix(workspace_id, chosen, now)
    return render(request, "audience/compare.html", context)


def _matrix(workspace_id: int, chosen: list[RevisionView], now: datetime) -> dict[str, Any]:
    """The matrix as the page draws it. What was counted today is taken as it was then; each other segment is resolved once."""
    kept = kept_today(workspace_id, chosen, as_of=now)
    try:
        people = sets_of(workspace_id, [kept.get(each.key) or each.key for each in chosen], as_of=now)
    except (Invalid, Missing) as error:
        return {"reason": error.reason}
    found = overlap_of(workspace_id, people, as_of=now)
    rows = [
        {
            "key": each.key,
            "title": _title(each),
            "count": found.counts[a][a],
            "as_of": kept[each.key].as_of if each.key in kept else now,
            "cells": [
                {"own": a == b, "both": found.counts[a][b], "level": sum(found.share(a, b) >= one for one in STRONGER)}
                for b in range(len(chosen))
            ],
        }
        for a, each in enumerate(chosen)
    ]
    any_of, all_of = union(workspace_id, people, as_of=now), intersection(workspace_id, people, as_of=now)
    return {"rows": rows, "any_of": len(any_of), "all_of": len(all_of)}


def _title(released: RevisionView) -> str:
    return str(released.body.get("title") or released.key)
