"""Short-lived tokens of vendor accounts: fetched once per process, shared by its threads, renewed before they end, never logged.

Several that renew at once would invalidate one another at some vendors, so one thread asks and the others wait for its answer.
A token belongs to the credentials that it was fetched with: a rotated secret gets a new one.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b

import orjson
import structlog

from delivery.adapters.base import Account, Adapter, Fate, Token, Unsendable, VendorRequest, VendorResponse

log = structlog.get_logger(__name__)
MARGIN = 240.0  # seconds before its end at which a token is renewed; a tenth of its life where that is shorter
KEPT = 256  # accounts of which a process remembers a token
Ask = Callable[[VendorRequest], VendorResponse | Fate]


@dataclass(slots=True)
class _Slot:
    """One account's token. The lock is held while it is fetched."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    value: str = field(default="", repr=False)
    until: datetime | None = None


class Tokens:
    """The tokens of one process."""

    def __init__(self) -> None:
        self._slots: OrderedDict[bytes, _Slot] = OrderedDict()
        self._lock = threading.Lock()

    def ready(self, workspace_id: int, adapter: Adapter, account: Account, ask: Ask, *, now: datetime) -> Account | Fate:
        """The account with a token in it, or as it is where the vendor wants none.

        ask: posts one request. Without a token the Fate says why, "misconfigured" or "transient": nothing may be posted then.
        """
        try:
            request = adapter.token_request(account, now)
        except Unsendable as unsendable:
            return unsendable.fate
        if request is None:
            return account
        slot = self._slot(workspace_id, adapter, account)
        with slot.lock:
            if slot.until is None or slot.until <= now:
                fetched = _fetch(adapter, request, ask)
                if isinstance(fetched, Fate):
                    log.warning("token.missing", vendor=adapter.key, workspace=workspace_id, detail=fetched.detail)
                    return fetched
                slot.value, slot.until = fetched.value, now + timedelta(seconds=fetched.seconds - min(MARGIN, fetched.seconds / 10))
                log.info("token.fetched", vendor=adapter.key, workspace=workspace_id, seconds=round(fetched.seconds))
            return replace(account, token=slot.value)

    def forget(self, workspace_id: int, adapter: Adapter, account: Account) -> None:
        """The vendor calls this account's token stale. A newer one, which somebody fetched meanwhile, is kept."""
        slot = self._slot(workspace_id, adapter, account)
        with slot.lock:
            if slot.value == account.token:
                slot.value, slot.until = "", None

    def _slot(self, workspace_id: int, adapter: Adapter, account: Account) -> _Slot:
        given = [sorted(account.secrets.items()), sorted(account.settings.items())]
        key = blake2b(orjson.dumps([workspace_id, adapter.key, account.base_url, given]), digest_size=16).digest()
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            while len(self._slots) > KEPT:
                self._slots.popitem(last=False)
            return slot


def _fetch(adapter: Adapter, request: VendorRequest, ask: Ask) -> Token | Fate:
    answer = ask(request)
    fetched = adapter.read_token(answer) if isinstance(answer, VendorResponse) else answer
    if isinstance(fetched, Token):
        return fetched
    kind, detail = fetched.kind, f"no token: {fetched.detail}"
    if kind in ("throttled", "misconfigured"):
        return Fate(kind, retry_after=fetched.retry_after, detail=detail, code=fetched.code)
    return Fate("transient", retry_after=fetched.retry_after, detail=detail, code=fetched.code)  # whatever became of the question


TOKENS = Tokens()
