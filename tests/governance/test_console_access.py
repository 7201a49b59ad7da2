from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from governance import door as governance
from governance.door import Actor, ConsoleRequest, Role, role_required
from governance.middleware import CHOSEN, ConsoleActor
from tests.governance.office import Office


@role_required(Role.APPROVER)
def decide(request: ConsoleRequest, number: int) -> HttpResponse:
    return HttpResponse(f"{request.actor} decides on {number}")


def ask(name: str | None, session: dict[str, Any] | None = None) -> HttpResponse:
    """The page as this person gets it, through the middleware."""
    request: Any = RequestFactory().get("/console/approvals/7/")
    request.user = governance.User.objects.get(username=name) if name else AnonymousUser()
    request.session = session or {}

    def view(request: HttpRequest) -> HttpResponse:
        return decide(request, number=7)

    return ConsoleActor(view)(request)


def test_an_approver_gets_in_as_themselves(office: Office) -> None:
    assert ask("ben").content == b"ben decides on 7"
    assert ask("cleo").content == b"cleo decides on 7"


def test_a_stranger_is_sent_to_sign_in_and_back(office: Office) -> None:
    answer = ask(None)
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/console/sign-in/?next=/console/approvals/7/"


@pytest.mark.parametrize("name", ["vera", "ada"])
def test_a_lower_role_is_told_what_is_missing(office: Office, name: str) -> None:
    with pytest.raises(PermissionDenied, match="needs the role approver"):
        ask(name)


def test_a_person_without_a_membership_is_told_so(office: Office) -> None:
    governance.User.objects.create(username="nobody")
    with pytest.raises(PermissionDenied, match="not a member"):
        ask("nobody")


def test_a_person_works_in_the_workspace_they_chose(office: Office) -> None:
    other = governance.create_workspace("other", "Other").pk
    ben = governance.User.objects.get(username="ben")
    governance.set_member(Actor(other, None, Role.ADMIN, "command"), ben, role=Role.VIEWER, legal=False, now=office.now())
    with pytest.raises(PermissionDenied):
        ask("ben", {CHOSEN: other})
    assert ask("ben", {CHOSEN: 4_242}).status_code == 200


def test_the_last_admin_stays(office: Office) -> None:
    cleo = governance.User.objects.get(username="cleo")
    with pytest.raises(governance.Refused, match="no admin"):
        governance.set_member(office.cleo, cleo, role=Role.VIEWER, legal=False, now=office.now())
    with pytest.raises(governance.Refused, match="no admin"):
        governance.remove_member(office.cleo, cleo.pk, now=office.now())
    office.hire("dora", Role.ADMIN)
    governance.remove_member(office.cleo, cleo.pk, now=office.now())
    assert "cleo" not in [row.user.username for row in governance.members(office.workspace_id)]


def test_only_admins_let_people_in(office: Office) -> None:
    with pytest.raises(governance.Refused):
        governance.set_member(office.ben, governance.User.objects.get(username="ada"), role=Role.ADMIN, legal=True, now=office.now())
