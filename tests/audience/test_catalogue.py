"""The attribute catalogue: what may be known about a person is itself written, checked and approved."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from audience import door as audience
from governance import door as governance
from governance.door import Actor, Invalid


def save(actor: Actor, key: str, now: datetime, *, base: int | None = None, **body: Any) -> governance.Revision:
    return governance.save(actor, "attribute", key, {"title": "Title", "type": "text", **body}, base=base, now=now)


def test_a_drafted_attribute_can_be_filled_before_anything_is_released(ada: Actor, now: datetime) -> None:
    save(ada, "shoe_size", now, type="number")
    assert audience.catalogue(ada.workspace_id)["shoe_size"].type == "number"
    rows = [audience.ProfileRow("ann", attributes={"shoe_size": 38})]
    assert audience.upsert(ada.workspace_id, rows, source="test", now=now).created == 1


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"type": "colour"}, "/type"),
        ({"sensitivity": "secret"}, "/sensitivity"),
        ({"title": " "}, "/title"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_an_attribute_that_is_not_understood_is_refused_by_field(ada: Actor, now: datetime, body: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        save(ada, "shoe_size", now, **body)
    assert [finding.path for finding in refused.value.findings] == [path]


def test_an_attribute_may_not_be_called_like_a_field_of_every_profile(ada: Actor, now: datetime) -> None:
    revision = save(ada, "email", now)
    assert [(finding["level"], finding["found"]) for finding in revision.findings] == [("error", "the key email")]


def test_a_new_type_for_a_released_attribute_is_warned_about(ada: Actor, now: datetime) -> None:
    approver = governance.User.objects.create_user("ben")
    governance.Membership.objects.create(workspace_id=ada.workspace_id, user=approver, role="approver")
    ben = governance.actor_for(approver, ada.workspace_id, "console")
    submission = governance.submit(ada, "attribute", "stays", number=1, note="", now=now)
    governance.decide(ben, submission.pk, bill_hash=submission.bill_hash, verdict="approve", comment="", now=now)
    governance.release(ben, submission.pk, now=now)
    changed = save(ada, "stays", now, base=1, type="text")
    assert [(finding["level"], finding["path"]) for finding in changed.findings] == [("warning", "/type")]
    assert audience.catalogue(ada.workspace_id)["stays"].type == "number", "what is released counts"
