"""Django's settings, derived from the typed environment (omni/environment.py)."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from importlib.util import find_spec
from urllib.parse import unquote, urlsplit

from omni.environment import BASE_DIR, ENVIRONMENT

OMNI = ENVIRONMENT
PRODUCTION = OMNI.env == "production"
DEBUG = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
try:
    OMNI.data_dir.mkdir(parents=True, exist_ok=True)
except OSError as error:
    raise SystemExit(f"OMNI_DATA_DIR: {error.strerror}. Name a folder that this user may write to and that outlives restarts.") from None

_DEVELOPMENT_KEY = hashlib.sha256(f"development only {BASE_DIR}".encode()).hexdigest()
SECRET_KEY = OMNI.secret_key or ("" if PRODUCTION else _DEVELOPMENT_KEY)
ALLOWED_HOSTS = [host.strip() for host in OMNI.allowed_hosts.split(",") if host.strip()]
CSRF_TRUSTED_ORIGINS = [OMNI.public_url] if OMNI.public_url.startswith("https://") else []

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "omni",
    "governance",
    "audience",
    "presentation",
    "rendering",
    "optimization",
    "delivery",
    "workflow",
]

MIDDLEWARE = [
    "omni.middleware.RequestId",
    "omni.health.Probes",
    "omni.metrics.Timing",
    "django.middleware.security.SecurityMiddleware",
    "omni.middleware.ContentSecurityPolicy",
    "omni.middleware.BodyLimits",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "omni.middleware.ForPeople",
    "omni.middleware.DatabaseAway",
]
FOR_PEOPLE = [  # what programs' requests do without
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "governance.middleware.ConsoleActor",
]

ROOT_URLCONF = "omni.urls"
ASGI_APPLICATION = "omni.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "omni.console.shell",
            ],
        },
    }
]

EXPECTED_URL = "expected postgresql://user:password@host:5432/name, or nothing for SQLite"


def database(url: str) -> dict[str, object]:
    """One Django database from a URL. SQLite: WAL, immediate transactions, durable commits (DESIGN: the ledger wants FULL)."""
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": OMNI.data_dir / "omni.sqlite3",
            "TEST": {"NAME": OMNI.data_dir / "test.sqlite3"},  # a file, so that tests may use several connections, as life does
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": f"PRAGMA journal_mode=WAL; PRAGMA synchronous={'OFF' if OMNI.env == 'test' else 'FULL'}; "
                "PRAGMA foreign_keys=ON; PRAGMA cache_size=-65536;",
            },
        }
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise SystemExit(f"OMNI_DATABASE_URL: {EXPECTED_URL}")
    try:
        port = str(parts.port or "")
    except ValueError:
        raise SystemExit(f"OMNI_DATABASE_URL: {EXPECTED_URL}") from None
    if find_spec("psycopg") is None:
        raise SystemExit(
            "OMNI_DATABASE_URL: PostgreSQL needs more packages: "
            ".venv/bin/python -m pip install --require-hashes -r requirements/engines.txt"
        )
    query = {name: unquote(value) for name, _, value in (pair.partition("=") for pair in parts.query.split("&") if pair)}
    host, port = query.pop("host", unquote(parts.hostname or "")), query.pop("port", port)
    options: dict[str, object] = {**query, "isolation_level": 2}  # READ COMMITTED: the caps' locks depend on it
    options["prepare_threshold"] = 2 if OMNI.database_prepares else None  # times a statement is met before it is prepared
    if OMNI.database_pool:  # each request is answered in a thread of its own, so connections can't belong to threads
        # reconnect_timeout: the pool doubles its pauses while the database is away; left alone it comes back minutes after it.
        options["pool"] = {"min_size": 0, "max_size": OMNI.database_pool, "timeout": 10, "reconnect_timeout": 5}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": port,
        "CONN_MAX_AGE": 0 if OMNI.database_pool else 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


DATABASES = {"default": database(OMNI.database_url)}
AUTH_USER_MODEL = "governance.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/console/sign-in/"
LOGIN_REDIRECT_URL = "/console/"
LOGOUT_REDIRECT_URL = "/console/sign-in/"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = OMNI.data_dir / "static"  # `manage.py collectstatic` fills it; without that the finders answer
with suppress(OSError):  # of a folder that can't be written, `check --deploy` tells
    STATIC_ROOT.mkdir(exist_ok=True)
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"
SILENCED_SYSTEM_CHECKS = [
    "security.W003",  # protection against forged requests is among FOR_PEOPLE
    "security.W019",  # our own preview frame needs SAMEORIGIN; frame-ancestors says the same
    *("security.W004", "security.W008", "security.W009", "security.W012", "security.W016"),  # omni.E023 and E027 name our variables
]
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
if OMNI.public_url.startswith("https://"):
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["governance.api_authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["governance.api_authentication.WorkingKey"],
    "DEFAULT_PARSER_CLASSES": ["governance.strict_json.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "omni.api.problem_details",
    "DEFAULT_THROTTLE_CLASSES": ["governance.api_authentication.ApiKeyThrottle"],
    "DEFAULT_THROTTLE_RATES": {"api_key": "30000/min"},
    "UNAUTHENTICATED_USER": None,
    "NUM_PROXIES": 0,  # the address is the connection's (uvicorn has read a trusted proxy's header): nobody writes it themselves
}
SPECTACULAR_SETTINGS = {
    "TITLE": "OMNI API",
    "OAS_VERSION": "3.1.0",  # the bodies of documents are JSON Schema as pydantic writes it, null included
    "VERSION": "1",
    "DESCRIPTION": "Profiles, events, documents, campaigns and transactional messages.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "omni.api_schema.describe_problems"],
}

LOGGING_CONFIG = "omni.logs.configure"  # structlog and the standard library together
LOGGING = {"format": OMNI.log_format}
