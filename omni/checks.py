"""`manage.py check`: a wrong setting is explained before the first request, never by showing its value.

The checks marked `deploy` run with `manage.py check --deploy` and say what production would need. Ids are stable: they may be
silenced by name (`SILENCED_SYSTEM_CHECKS`), one by one, with a reason.
"""

from __future__ import annotations

import difflib
import importlib.util
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register
from django.db import Error as DatabaseError
from django.db import connections

from omni.environment import PREFIXES, Environment

LOOPBACK = {"localhost", "127.0.0.1", "::1", "[::1]"}
SECRET_KEY_LENGTH, TOKEN_KEY_LENGTH = 50, 32  # characters
READ_COMMITTED = 2
Found = Iterable[CheckMessage]


def _explain(check: Callable[[Environment], Found]) -> Callable[..., list[CheckMessage]]:
    """A Django check from a function of the environment."""

    def run(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
        return list(check(settings.OMNI))

    run.__name__, run.__doc__ = check.__name__, check.__doc__
    return run


# ── always ────────────────────────────────────────────────────────────────────────────────────────────────────────


def names(omni: Environment) -> Found:
    """A misspelt variable would silently be a default."""
    known = {f"OMNI_{name.upper()}" for name in Environment.model_fields}
    for given in sorted(os.environ):
        if given.startswith("OMNI_") and given not in known and not given.startswith(PREFIXES):
            near = difflib.get_close_matches(given, known, 1)
            yield Warning(f"{given} is not a setting of OMNI.", hint=f"Did you mean {near[0]}?" if near else None, id="omni.W001")


def times(omni: Environment) -> Found:
    """A lease must outlive the longest vendor request twice when the request starts, or two workers could hold one batch."""
    if omni.lease_seconds < 3 * omni.vendor_timeout:
        yield Error(
            "OMNI_LEASE_SECONDS is less than three times OMNI_VENDOR_TIMEOUT.",
            hint="A worker that waits for a vendor could lose its lease while the request is under way. 60 and 10 are good values.",
            id="omni.E002",
        )
    if omni.in_doubt_after <= omni.vendor_timeout:
        yield Error(
            "OMNI_IN_DOUBT_AFTER is not longer than OMNI_VENDOR_TIMEOUT.",
            hint="Evidence about a request can't be missed before the request itself has ended. 900 is a good value.",
            id="omni.E003",
        )


def recipients(omni: Environment) -> Found:
    """Messages to a vendor that nobody may get look like sent ones until somebody wonders."""
    if omni.env != "production" and omni.vendor == "routes" and not omni.allowed_recipients:
        yield Warning(
            "OMNI_VENDOR=routes without OMNI_ALLOWED_RECIPIENTS: outside production nobody can be reached.",
            hint="Name the addresses, @domains or +prefixes of your testers.",
            id="omni.W021",
        )


def engines(omni: Environment) -> Found:
    """Engines that need each other, or a package that is not installed."""
    if omni.bell == "postgres" and not omni.database_url:
        yield Error("OMNI_BELL=postgres needs PostgreSQL in OMNI_DATABASE_URL.", hint="On SQLite leave OMNI_BELL=poll.", id="omni.E004")
    if omni.bell == "celery" and "://" not in omni.broker_url:
        yield Error("OMNI_BELL=celery needs OMNI_BROKER_URL.", hint="For example redis://127.0.0.1:6379/0", id="omni.E005")
    if not omni.database_url and (omni.bell == "celery" or int(os.environ.get("WEB_CONCURRENCY") or 1) > 1):
        yield Error(
            "SQLite serves one process that sends; this environment asks for several.",
            hint="Set OMNI_DATABASE_URL to a PostgreSQL, or leave OMNI_BELL=poll and WEB_CONCURRENCY=1.",
            id="omni.E006",
        )
    if omni.elasticsearch_url and not _is_node(omni.elasticsearch_url):
        yield Error(
            "OMNI_ELASTICSEARCH_URL is not an address with scheme, host and port.",
            hint="For example http://127.0.0.1:9200; empty: the database answers.",
            id="omni.E010",
        )
    wanted = {
        "elasticsearch": ("OMNI_ELASTICSEARCH_URL", omni.elasticsearch_url),
        "redis": ("OMNI_STREAM_URL", omni.stream_url) if omni.stream_url else ("OMNI_BROKER_URL", omni.broker_url.startswith("redis")),
        "pyarrow": ("OMNI_ARCHIVE_DIR", omni.archive_dir),
    }
    for package, (variable, used) in wanted.items():
        if used and importlib.util.find_spec(package) is None:
            needed = "parquet" if package == "pyarrow" else "engines"
            yield Error(
                f"{variable} is set but the Python package {package} is not installed.",
                hint=f".venv/bin/python -m pip install --require-hashes -r requirements/{needed}.txt",
                id="omni.E007",
            )


def isolation(app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """The caps' locks hold only in READ COMMITTED: an older snapshot would not see what the lock waited for."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        if connection.vendor != "postgresql":
            continue
        try:
            with connection.cursor() as cursor:
                cursor.execute("SHOW transaction_isolation")
                (level,) = cursor.fetchone()
        except DatabaseError as error:
            hint = "Does the server run, and are host, port, name and password in OMNI_DATABASE_URL right?"
            found.append(Error(f"The database can't be reached ({type(error).__name__}).", hint=hint, id="omni.E008"))
            continue
        if level != "read committed":
            found.append(Error("The database's transactions are not READ COMMITTED.", hint="Frequency caps rely on it.", id="omni.E009"))
    return found


# ── for production ────────────────────────────────────────────────────────────────────────────────────────────────


def stage(omni: Environment) -> Found:
    """What kind of instance this is."""
    if omni.env != "production":
        yield Warning(
            f"OMNI_ENV is {omni.env}: only allow-listed recipients can be reached.",
            hint="Set OMNI_ENV=production where real people are to be reached.",
            id="omni.W020",
        )
    elif omni.allowed_recipients:
        yield Warning("OMNI_ALLOWED_RECIPIENTS has no effect in production.", hint="Remove it.", id="omni.W022")


def keys(omni: Environment) -> Found:
    """Keys must be there, long and our own."""
    if len(omni.secret_key) < SECRET_KEY_LENGTH or len(set(omni.secret_key)) < 10:
        yield Error(
            f"OMNI_SECRET_KEY is missing or guessable: at least {SECRET_KEY_LENGTH} random characters are expected.",
            hint='python3 -c "import secrets; print(secrets.token_urlsafe(50))"',
            id="omni.E023",
        )
    tokens = _listed(omni.token_keys)
    if not tokens or min(map(len, tokens)) < TOKEN_KEY_LENGTH:
        yield Error(
            f"OMNI_TOKEN_KEYS is missing or has a short key: each needs at least {TOKEN_KEY_LENGTH} random characters.",
            hint='python3 -c "import secrets; print(secrets.token_urlsafe(32))" makes one. Set it before the first start: '
            "the suppression list is made with the oldest (docs/how-to/rotate-keys.md).",
            id="omni.E024",
        )
    elif omni.secret_key in tokens:
        yield Warning("OMNI_TOKEN_KEYS contains OMNI_SECRET_KEY.", hint="Use keys of their own, so that one can change.", id="omni.W025")
    vaults = _listed(omni.vault_keys)
    if not vaults or not all(_is_fernet_key(key) for key in vaults):
        yield Error(
            "OMNI_VAULT_KEYS is missing or has something that is not a Fernet key.",
            hint="`manage.py set_secret --new-vault-key` makes one.",
            id="omni.E026",
        )


def addresses(omni: Environment) -> Found:
    """Links in messages live for years and webhooks come from outside: both need the real, encrypted address."""
    public = urlsplit(omni.public_url)
    if public.scheme != "https" or not public.hostname or public.hostname in LOOPBACK:
        yield Error(
            "OMNI_PUBLIC_URL is not an https:// address that people outside can reach.",
            hint="Links, unsubscribe headers and webhook signatures are made from it; https also turns on HSTS and secure cookies.",
            id="omni.E027",
        )
    hosts = _listed(omni.allowed_hosts)
    if "*" in hosts:
        yield Error("OMNI_ALLOWED_HOSTS allows every host name.", hint="Name the hosts that this instance answers to.", id="omni.E028")
    elif public.hostname and not any(public.hostname == host or (host[:1] == "." and public.hostname.endswith(host)) for host in hosts):
        yield Error("OMNI_ALLOWED_HOSTS does not contain the host of OMNI_PUBLIC_URL.", hint="Add it there.", id="omni.E029")
    for vendor, url in omni.base_urls().items():
        if omni.vendor == "routes" and urlsplit(url).scheme != "https":
            named = {"sendgrid": "OMNI_SENDGRID_BASE_URL", "twilio": "OMNI_TWILIO_BASE_URL"}.get(vendor, "")
            variable = named if getattr(omni, f"{vendor}_base_url", "") == url else f"OMNI_VENDOR_BASE_URLS ({vendor})"
            yield Error(
                f"{variable} is not https://: vendor keys and addresses would travel in clear.",
                hint="Remove it, and the vendor's own address is used; only a stand-in on this machine needs another.",
                id="omni.E030",
            )


def storage(omni: Environment) -> Found:
    """Where the ledger lives."""
    if not omni.database_url:
        yield Warning(
            "The database is SQLite: one host, one sending process, and no copy of the ledger elsewhere.",
            hint="Set OMNI_DATABASE_URL to a PostgreSQL (docs/how-to/postgresql.md).",
            id="omni.W031",
        )
    if not os.access(omni.data_dir, os.W_OK):
        yield Error(
            "OMNI_DATA_DIR can't be written: the instance's identity and rejected rows are kept there.",
            hint="Name a folder that this user may write to and that outlives restarts.",
            id="omni.E032",
        )


def operation(omni: Environment) -> Found:
    """What people on call will miss."""
    if omni.vendor == "outbox":
        yield Warning(
            "OMNI_VENDOR=outbox: every message stays in the local mailbox page.",
            hint="Set OMNI_VENDOR=routes when vendor routes are released.",
            id="omni.W033",
        )
    elif not omni.sendgrid_webhook_key:
        yield Info(
            "OMNI_SENDGRID_WEBHOOK_KEY is empty: SendGrid's events are refused, so unanswered requests stay in doubt.",
            hint="It is the public key that SendGrid shows for its signed event webhook; a route's secret webhook_key does as well.",
            id="omni.I034",
        )
    if len(omni.metrics_token) < 16:
        yield Warning(
            "OMNI_METRICS_TOKEN is missing or short.",
            hint="Without it /metrics answers to this machine only; use at least 16 characters.",
            id="omni.W035",
        )
    if omni.log_format != "json":
        yield Warning("OMNI_LOG_FORMAT is console.", hint="json is what log collectors read.", id="omni.W036")


def _is_node(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port is not None
    except ValueError:
        return False


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _is_fernet_key(key: str) -> bool:
    try:
        Fernet(key.encode())
    except ValueError:
        return False
    return True


for _check in (names, times, recipients, engines):
    register(_explain(_check))
for _check in (stage, keys, addresses, storage, operation):
    register(_explain(_check), Tags.security, deploy=True)
register(isolation, Tags.database)
