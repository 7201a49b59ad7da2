"""The connection to Elasticsearch: opened late, failing in one way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from audience.backends.base import EngineUnavailable

TIMEOUT = 30  # seconds one request may take


def client_for(url: str) -> Any:
    """A pooled, thread-safe client. Raises EngineUnavailable where the extra `elastic` is not installed."""
    try:
        from elasticsearch import Elasticsearch  # importing it takes a second: only who needs it waits
    except ImportError:
        raise EngineUnavailable("the package elasticsearch is not installed (the extra `elastic`)") from None
    return Elasticsearch(url, request_timeout=TIMEOUT, retry_on_timeout=False, max_retries=1)


@contextmanager
def reachable() -> Iterator[None]:
    """Turns every failure of the server or the way to it into EngineUnavailable, in words without data."""
    from elasticsearch import ApiError, TransportError

    try:
        yield
    except ApiError as error:
        raise EngineUnavailable(f"Elasticsearch refused with status {error.meta.status} ({error.message[:80]})") from error
    except TransportError as error:
        raise EngineUnavailable(f"Elasticsearch can't be reached ({type(error).__name__})") from error
