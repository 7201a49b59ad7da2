"""How a program shows who it is: `Authorization: Bearer omni_…`, its scopes, and how often it may call."""

from __future__ import annotations

import time
from typing import Any

from django.core.cache import cache
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied, Throttled
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle, SimpleRateThrottle

from governance.api_keys import authenticate
from governance.questions import refuse_nul
from governance.roles import LEAST, SCOPES, Actor


class ApiRequest(Request):
    """A request that came with a working API key."""

    actor: Actor


class ApiKeyAuthentication(BaseAuthentication):
    """The user of `request` is the actor, who stands for the person that made the key; `request.actor` is the same."""

    def authenticate(self, request: Request) -> tuple[Actor, None] | None:
        word, _, text = request.headers.get("Authorization", "").partition(" ")
        if not word:
            _count_stranger(request)
            return None
        actor = authenticate(text.strip(), now=timezone.now()) if word.lower() == "bearer" else None
        if actor is None:
            _count_stranger(request)
            raise AuthenticationFailed("This API key is unknown, expired or revoked. Send `Authorization: Bearer omni_…`.")
        request.actor = actor  # type: ignore[attr-defined]
        refuse_nul(request.GET)
        return actor, None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="OMNI API"'


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document describes the key."""

    target_class = "governance.api_authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API key from the console: `omni_…`."}


class WorkingKey(BasePermission):
    """Whoever has a working key, whatever its scopes."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.user, Actor)


def HasScope(scope: str, **by_method: str) -> type[BasePermission]:
    """A permission for working keys with the scope and a role that may use it:
    `permission_classes = [HasScope("documents:read", PUT="documents:write")]`."""
    unknown = {scope, *by_method.values()} - SCOPES.keys()
    if unknown:
        raise ValueError(f"unknown scopes {unknown}")

    class Scoped(BasePermission):
        def has_permission(self, request: Request, view: Any) -> bool:
            wanted = by_method.get(request.method or "", scope)
            actor = request.user if isinstance(request.user, Actor) else None
            if actor is not None and wanted not in actor.scopes:
                raise PermissionDenied(f"This API key needs the scope {wanted}.")
            if actor is not None and not actor.role.covers(LEAST[wanted]):
                raise PermissionDenied(f"The role {actor.role} may not do this: it needs {LEAST[wanted]}.")
            return actor is not None

    return Scoped


class ApiKeyThrottle(BaseThrottle):
    """At most `DEFAULT_THROTTLE_RATES["api_key"]` requests per key (or address without one), in fixed windows, in each process."""

    waits: float = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        actor: Actor | None = getattr(request, "actor", None)
        fits, self.waits = _counted(f"key-{actor.api_key_id}" if actor else f"address-{self.get_ident(request)}")
        return fits

    def wait(self) -> float:
        return self.waits


def _count_stranger(request: Request) -> None:
    """Requests without a working key end before a view's throttle is asked, so they are counted where they fail."""
    fits, waits = _counted(f"address-{BaseThrottle().get_ident(request)}")
    if not fits:
        raise Throttled(waits)


def _counted(who: str) -> tuple[bool, float]:
    """Count one request. Whether it still fits into this window, and the seconds until the next one."""
    rate = str(api_settings.DEFAULT_THROTTLE_RATES["api_key"])
    most, seconds = SimpleRateThrottle.parse_rate(_Parser(), rate)
    if most is None or seconds is None:
        return True, 0.0
    moment = time.time()
    name = f"throttle:{who}:{int(moment // seconds)}"
    cache.add(name, 0, timeout=seconds * 2)
    try:
        return cache.incr(name) <= most, seconds - moment % seconds
    except ValueError:  # evicted between the two lines
        return True, 0.0


class _Parser(SimpleRateThrottle):
    """Only reads rates such as "6000/min"."""

    def __init__(self) -> None:
        """Needs no rate of its own."""
