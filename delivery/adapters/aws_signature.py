"""AWS Signature Version 4 of one request. Facts: Amazon's description of the signing process, read 2026-11. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class AwsKey:
    """Whose key, and for what."""

    id: str
    secret: str = field(repr=False)
    region: str
    service: str


def signed(method: str, url: str, headers: Mapping[str, str], body: bytes, key: AwsKey, at: datetime) -> dict[str, str]:
    """The headers (lower case) with `x-amz-date` and `authorization`. The address has no query, and its path nothing to escape."""
    parts, moment = urlsplit(url), at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    named = {**headers, "host": parts.netloc, "x-amz-date": moment}
    names = ";".join(sorted(named))
    lines = [
        method,
        parts.path or "/",
        "",
        *(f"{name}:{named[name].strip()}" for name in sorted(named)),
        "",
        names,
        sha256(body).hexdigest(),
    ]
    scope = f"{moment[:8]}/{key.region}/{key.service}/aws4_request"
    text = "\n".join(("AWS4-HMAC-SHA256", moment, scope, sha256("\n".join(lines).encode()).hexdigest()))
    signature = hmac.new(_day_key(key, moment[:8]), text.encode(), sha256).hexdigest()
    authorization = f"AWS4-HMAC-SHA256 Credential={key.id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "x-amz-date": moment, "authorization": authorization}


@lru_cache(maxsize=64)
def _day_key(key: AwsKey, day: str) -> bytes:
    made = f"AWS4{key.secret}".encode()
    for part in (day, key.region, key.service, "aws4_request"):
        made = hmac.new(made, part.encode(), sha256).digest()
    return made
