"""The names of the world's time zones."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones


@cache
def zone_names() -> frozenset[str]:
    """Every IANA name that this machine knows, read from its files once."""
    return frozenset(available_timezones())
