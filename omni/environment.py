"""Every setting OMNI reads from the environment: name, type, default and what it is for.

The reference page `docs/reference/settings.md` is generated from this file
(`manage.py settings_table`), and `manage.py check --deploy` explains each value
that is missing or unsafe. Nothing else reads settings from `os.environ`; only
secrets that documents name (`OMNI_SECRET_<NAME>`) are looked up there as well.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

BASE_DIR = Path(__file__).resolve().parent.parent
SHORTEST_KEPT = 120  # days: caps and soft bounces look back 90
PREFIXES = ("OMNI_SECRET_", "OMNI_TEST_", "OMNI_PYTHON")  # not settings: secrets by name, the tests' servers, the Makefile's Python


class Environment(BaseModel):
    """The typed environment. Field `x_y` is read from the variable `OMNI_X_Y`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    env: Literal["development", "test", "staging", "production"] = Field(
        "development", description="Where this instance runs. Only `production` may reach people outside the allow-list."
    )
    secret_key: str = Field("", description="Signs sessions and forms. At least 50 random characters in production.")
    token_keys: str = Field(
        "",
        description="Comma-separated keys for message ids and links, newest first. Old ones keep old links alive; the oldest also made the "
        "suppression list and stays for good.",
    )
    vault_keys: str = Field("", description="Comma-separated Fernet keys that encrypt stored secrets, newest first.")
    data_dir: Path = Field(BASE_DIR / "var", description="Where the embedded database, rejects files and the instance identity live.")
    instance: str = Field(
        "",
        pattern=r"^([A-Za-z0-9._-]{1,36}(:[0-9]{1,9})?)?$",
        description="Identity of this installation where the data directory doesn't outlive a restart: `name` or `name:epoch`. "
        "Raise the epoch whenever a backup is restored. Empty: the data directory keeps both.",
    )
    database_url: str = Field("", description="`postgresql://user:password@host:5432/name`, or empty for SQLite in the data directory.")
    database_pool: int = Field(
        20, ge=0, le=1000, description="PostgreSQL connections this process may hold at once; 0: one per thread, without a pool."
    )
    database_prepares: bool = Field(
        True,
        description="Keep what every message asks prepared in each PostgreSQL connection. Turn it off behind a pooler in transaction "
        "mode that doesn't know prepared statements.",
    )
    bell: Literal["poll", "postgres", "celery"] = Field(
        "poll", description="What wakes workers: in-process (`poll`), `LISTEN/NOTIFY` (`postgres`) or `celery`."
    )
    broker_url: str = Field("", description="Celery's broker, e.g. `redis://host:6379/0`; needed by the `celery` bell.")
    elasticsearch_url: str = Field("", description="`http://host:9200` makes the planner use Elasticsearch; empty: database.")
    elasticsearch_prefix: str = Field(
        "omni",
        pattern=r"^[a-z][a-z0-9-]{0,40}$",
        description="First part of every index name; installations that share a server need different ones.",
    )
    elasticsearch_max_lag: float = Field(60.0, gt=0, description="Seconds the index may lag before the database answers instead.")
    stream_url: str = Field(
        "",
        pattern=r"^(rediss?://.+)?$",
        description="`redis://host:6379/0`: the Valkey or Redis from whose streams `manage.py consume_stream` takes people and events.",
    )
    stream_profiles: str = Field(
        "omni:{workspace}:profiles", max_length=120, description="Name of the stream of people; `{workspace}` becomes the key."
    )
    stream_events: str = Field("omni:{workspace}:events", max_length=120, description="Name of the stream of events.")
    stream_group: str = Field("omni", min_length=1, description="Name of the consumer group.")
    stream_batch: int = Field(1_000, ge=1, le=2_000, description="Entries that one transaction records at most.")
    stream_claim_after: float = Field(
        60.0, ge=1, description="Seconds after which a consumer of events that is silent counts as dead, and others take what it held."
    )
    stream_keep: float = Field(
        24.0, ge=0, description="Hours for which entries stay in their stream at least once every group has them; 0: OMNI trims nothing."
    )
    stream_max_lag: float = Field(60.0, gt=0, description="Seconds an entry may wait before the health page says so.")
    keep_dead_letters: int = Field(
        30, ge=1, description="Days for which entries that can't be recorded wait for somebody, with people's data in them."
    )
    vendor: Literal["outbox", "routes"] = Field(
        "outbox", description="`outbox` keeps every message in the local mailbox page; `routes` follows the released routes."
    )
    sendgrid_base_url: str = Field("", description="Where the SendGrid adapter posts instead of the vendor, for a stand-in.")
    sendgrid_webhook_key: str = Field("", description="SendGrid's webhook public key (base64), to verify events.")
    twilio_base_url: str = Field("", description="Where the Twilio adapter posts instead of the vendor, for a stand-in.")
    vendor_base_urls: str = Field(
        "",
        pattern=r"^(\s*[A-Za-z_][A-Za-z0-9_]*=(https?|smtps?)://[^\s,=]+\s*(,|$))*$",
        description="The same for any vendors: `fcm=http://127.0.0.1:9900,wechat=http://127.0.0.1:9900`.",
    )
    allowed_hosts: str = Field("localhost,127.0.0.1,[::1]", description="Comma-separated host names the console answers to.")
    public_url: str = Field("http://127.0.0.1:8000", description="How people reach this instance: links and webhooks use it.")
    allowed_recipients: str = Field(
        "", description="Outside production only these addresses, `@domains` or `+prefixes` can be reached; comma-separated."
    )
    in_doubt_after: float = Field(900.0, gt=0, description="Seconds to wait for a vendor's evidence about an unanswered request.")
    vendor_timeout: float = Field(10.0, gt=0, description="Seconds one vendor request may take in all.")
    vendor_proxy: str = Field(
        "",
        pattern=r"^(http://[^/\s]+/?)?$",
        description="`http://[user:password@]host:port` of a proxy in front of vendors. The usual proxy variables don't count.",
    )
    vendor_authorities: str = Field(
        "", description="PEM file with certificate authorities that vendors may be signed by, beside the usual."
    )
    content_networks: str = Field(
        "",
        description="Networks that aren't public and that content sources may reach all the same, such as `10.20.0.0/16`, comma-separated.",
    )
    content_authorities: str = Field(
        "", description="PEM file with certificate authorities that content sources may be signed by, beside the usual."
    )
    dns: str = Field(
        "",
        pattern=r"^(off|(\s*(\[[0-9A-Fa-f:.]+\]|[0-9.]+)(:[0-9]{1,5})?\s*(,|$))*)$",
        description="Name servers that the checks of mail domains and content sources ask, as `address:port`, comma-separated; empty: "
        "this machine's; `off`: no mail domain is checked, and content sources ask this machine's.",
    )
    lease_seconds: float = Field(60.0, gt=0, description="How long a worker may hold a batch; at least three times the vendor timeout.")
    log_format: Literal["console", "json"] = Field("console", description="How log lines are written.")
    metrics_token: str = Field("", description="Bearer token that `/metrics` asks for; empty: only from loopback.")
    keep_messages: int = Field(
        0,
        ge=0,
        description="Days after a run's end for which its messages, requests and decisions stay in the database; 0: for ever, else at "
        "least 120: caps look back 90 days, and links in mails must work.",
    )
    keep_events: int = Field(
        0, ge=0, description="Days for which vendors' events stay in the database after their run's end; 0: for ever, else at least 120."
    )
    keep_keys: int = Field(7, ge=1, description="Days for which a used Idempotency-Key is remembered.")
    keep_outbox: int = Field(0, ge=0, description="Days for which the local mailbox keeps mails; 0: for ever.")
    archive_dir: str = Field(
        "",
        description="Folder to which runs and events are written as Parquet before they leave the database; empty: they are just dropped.",
    )
    host: str = Field("127.0.0.1", description="Address that `manage.py serve` listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port that `manage.py serve` listens on; the next free one if it is taken.")
    drain_seconds: float = Field(
        30.0, gt=0, le=300, description="Seconds that requests and the worker get to finish what they hold once told to stop."
    )
    demo_serve: bool = Field(True, description="`0`: `make demo` stops after its summary instead of serving.")

    @field_validator("keep_messages", "keep_events")
    @classmethod
    def _long_enough(cls, days: int) -> int:
        if 0 < days < SHORTEST_KEPT:
            raise ValueError(f"0 or at least {SHORTEST_KEPT} days")
        return days

    @field_validator("content_networks")
    @classmethod
    def _networks(cls, text: str) -> str:
        for item in filter(None, (each.strip() for each in text.split(","))):
            try:
                ipaddress.ip_network(item)
            except ValueError:
                raise ValueError("networks such as 10.20.0.0/16 or fd00::/8, comma-separated") from None
        return text

    def base_urls(self) -> dict[str, str]:
        """Stand-ins by vendor; what isn't named posts to the vendor itself."""
        named = dict(item.strip().split("=", 1) for item in self.vendor_base_urls.split(",") if item.strip())
        given = {"sendgrid": self.sendgrid_base_url, "twilio": self.twilio_base_url, **named}
        return {vendor: url for vendor, url in given.items() if url}


def read_environment(variables: Mapping[str, str]) -> Environment:
    """Parse `OMNI_*` variables. Raises SystemExit with one line per wrong variable, never showing a value."""
    given = {name: variables[f"OMNI_{name.upper()}"] for name in Environment.model_fields if variables.get(f"OMNI_{name.upper()}")}
    try:
        return Environment.model_validate(given)
    except ValidationError as error:
        lines = [f"OMNI_{str(found['loc'][0]).upper()}: {found['msg']}" for found in error.errors()]
        raise SystemExit("The environment is wrong:\n  " + "\n  ".join(lines)) from None


ENVIRONMENT = read_environment(os.environ)
