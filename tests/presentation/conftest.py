from __future__ import annotations

from datetime import datetime

import pytest

from governance.door import Actor, Membership, Role, User, default_workspace


@pytest.fixture
def author(db: None, now: datetime) -> Actor:
    return _member("ada", Role.AUTHOR)


@pytest.fixture
def administrator(db: None, now: datetime) -> Actor:
    return _member("cleo", Role.ADMIN)


def _member(name: str, role: Role) -> Actor:
    workspace = default_workspace()
    user = User.objects.create(username=name)
    Membership.objects.create(workspace=workspace, user=user, role=role)
    return Actor(workspace.pk, user.pk, role, "console")
