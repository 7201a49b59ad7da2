"""Content comes from what is released, or from the revision that is named."""

from __future__ import annotations

from datetime import datetime

import pytest

from governance.door import Actor, Missing, save
from presentation.door import compose
from tests.presentation.letters import block, email

pytestmark = pytest.mark.django_db


def test_a_named_revision_is_what_is_composed(author: Actor, now: datetime) -> None:
    first = save(author, "template", "letter", email(block("text"), subject="One"), base=None, now=now)
    save(author, "template", "letter", email(block("text"), subject="Two"), base=1, now=now)
    content = compose(author.workspace_id, "letter", revision_id=first.pk)
    assert (content.locales["en"].subject, content.revision_id, content.sha256) == ("One", first.pk, first.sha256)
    assert (content.tracking, content.sender.address) == ("opens_and_clicks", "hello@example.com")


def test_a_draft_alone_is_not_content(author: Actor, now: datetime) -> None:
    revision = save(author, "template", "letter", email(block("text")), base=None, now=now)
    with pytest.raises(Missing):
        compose(author.workspace_id, "letter")
    with pytest.raises(Missing):
        compose(author.workspace_id, "another", revision_id=revision.pk)
