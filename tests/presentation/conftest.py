from __future__ import annotations

from datetime import datetime

import pytest

from governance.door import Actor, Membership, Role, User, default_workspace, save
from tests.presentation.letters import ATTRIBUTES


@pytest.fixture
def administrator(db: None, now: datetime) -> Actor:
    """Cleo, in a workspace whose catalogue has the attributes that letters are written with."""
    cleo = _member("cleo", Role.ADMIN)
    for name, kind in ATTRIBUTES.items():
        save(cleo, "attribute", name, {"title": name, "type": kind, "sensitivity": "personal"}, base=None, now=now)
    return cleo


@pytest.fixture
def author(administrator: Actor) -> Actor:
    """Ada, in the same workspace."""
    return _member("ada", Role.AUTHOR)


def _member(name: str, role: Role) -> Actor:
    workspace = default_workspace()
    user = User.objects.create(username=name)
    Membership.objects.create(workspace=workspace, user=user, role=role)
    return Actor(workspace.pk, user.pk, role, "console")
