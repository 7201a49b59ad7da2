"""Puts the signed-in person's actor on console requests."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from governance.members import actor_of, membership_of

CHOSEN = "workspace"  # the session's key for the workspace a person works in


class ConsoleActor:
    """Sets `request.actor` and `request.workspace` for signed-in members, and nothing for anybody else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            membership = membership_of(request.user.pk, request.session.get(CHOSEN))
            if membership is not None:
                request.actor = actor_of(membership, "console")  # type: ignore[attr-defined]
                request.workspace = membership.workspace  # type: ignore[attr-defined]
        return self.get_response(request)
