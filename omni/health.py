"""Is this process alive, and may it be given work: `/healthz` and `/readyz`, for the machines that ask.

They are answered by a middleware before anything else looks at the request: a load balancer asks by address, knows no host
name and follows no redirect. Answers name what fails, never how: no host, no version, no message of a driver.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

log = structlog.get_logger(__name__)
Handler = Callable[[HttpRequest], HttpResponse]
BROKER_WITHIN = DATABASE_WITHIN = 2.0  # seconds each may take to answer: whoever asks doesn't wait long

draining = threading.Event()  # set once this process was told to stop: it finishes, and gets nothing new
_migrated = threading.Event()  # once true it stays true for this process' code


class Probes:
    """Answers `/healthz` and `/readyz`; passes everything else on."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in ("/healthz", "/readyz"):
            if request.method not in ("GET", "HEAD"):
                return JsonResponse({"status": "GET or HEAD is expected"}, status=405, headers={"Allow": "GET, HEAD"})
            return healthz(request) if request.path == "/healthz" else readyz(request)
        return self.get_response(request)


def healthz(request: HttpRequest) -> HttpResponse:
    """200 while this process can answer at all. Looks at nothing else: a database that is down is no reason to restart us."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the database answers, is migrated, and the bell can ring; 503 with the failing part's name otherwise."""
    parts = states()
    ready = all(state == "ok" for state in parts.values())
    return JsonResponse({"status": "ready" if ready else "not ready", **parts}, status=200 if ready else 503)


def states() -> dict[str, str]:
    """What this process depends on, each "ok" or a word that says what is wrong."""
    if draining.is_set():
        return {"process": "draining"}
    database = _database()
    return {"database": database, "migrations": _migrations() if database == "ok" else "unknown", "bell": _bell()}


def _database() -> str:
    try:
        if pool := getattr(connection, "pool", None):  # whose own patience, which requests need, is longer
            with connection.wrap_database_errors:
                pool.open()
                with pool.connection(timeout=DATABASE_WITHIN) as pooled:
                    pooled.execute("SELECT 1")
        else:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
    except DatabaseError as error:
        log.warning("readiness.database", error=type(error).__name__)
        connection.close()
        return "unreachable"
    return "ok"


def _migrations() -> str:
    if not _migrated.is_set():
        try:
            executor = MigrationExecutor(connection)
        except DatabaseError as error:
            log.warning("readiness.migrations", error=type(error).__name__)
            return "unknown"
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return "behind"
        _migrated.set()
    return "ok"


def _bell() -> str:
    """A worker without a bell still polls; a broker that is down is worth knowing, so it counts."""
    if settings.OMNI.bell == "postgres":
        return "ok" if connection.vendor == "postgresql" else "needs PostgreSQL"
    if settings.OMNI.bell == "celery":
        return _broker()
    return "ok"


def _broker() -> str:
    from celery import current_app  # an optional engine: only this bell needs it
    from kombu.exceptions import OperationalError

    try:
        with current_app.connection(connect_timeout=BROKER_WITHIN) as broker:
            broker.ensure_connection(max_retries=1, timeout=BROKER_WITHIN)
    except (OperationalError, OSError) as error:
        log.warning("readiness.broker", error=type(error).__name__)
        return "unreachable"
    return "ok"
