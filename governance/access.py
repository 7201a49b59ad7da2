"""Who may open a console page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from governance.models import User, Workspace
from governance.roles import Actor, Role

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)


class ConsoleRequest(HttpRequest):
    """A signed-in member's request: what `role_required` lets through."""

    actor: Actor
    workspace: Workspace
    user: User


def role_required(role: Role) -> Callable[[Callable[Concatenate[Any, P], R]], Callable[Concatenate[HttpRequest, P], R | HttpResponse]]:
    """A view for members with at least this role: others are sent to sign in, or get the 403 page that says what is missing."""

    def decorate(view: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[HttpRequest, P], R | HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> R | HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            actor: Actor | None = getattr(request, "actor", None)
            if actor is None:
                raise PermissionDenied("You are not a member of this workspace. Ask an admin to add you.")
            if not actor.role.covers(role):
                raise PermissionDenied(f"This page needs the role {role}; yours is {actor.role}.")
            return view(request, *args, **kwargs)

        return cast("Callable[Concatenate[HttpRequest, P], R | HttpResponse]", guarded)

    return decorate
