"""The send path without its ledger, for whoever only wants to know what a vendor says."""

from __future__ import annotations

from delivery.adapters.base import Account, Adapter, Fate, OutgoingMessage, VendorRequest, VendorResponse
from delivery.adapters.registry import ADAPTERS
from delivery.connections import Connections
from delivery.tokens import Tokens
from tests.adapters import letters


class Sender:
    """A token where one is wanted, one post, and one more where the token was stale."""

    def __init__(self, key: str, channel: str, url: str) -> None:
        self.adapter: Adapter = ADAPTERS[key]
        self.channel, self.tokens = channel, Tokens()
        self.account: Account = letters.account_at(key, url)
        self.vendors = Connections()

    def send(self, message: OutgoingMessage) -> Fate:
        account, fate = self.send_once(message)
        if fate.stale_token:
            self.tokens.forget(1, self.adapter, account)
            fate = self.send_once(message)[1]
        return fate

    def send_once(self, message: OutgoingMessage) -> tuple[Account, Fate]:
        account = self.tokens.ready(1, self.adapter, self.account, self.ask, now=letters.AT)
        if isinstance(account, Fate):
            return self.account, account
        request = self.adapter.build(letters.request([message], self.channel), account)
        assert account.token not in repr(request) or not account.token
        answer = self.ask(request)
        return account, answer if isinstance(answer, Fate) else self.adapter.read(answer, [message.message_id])

    def ask(self, request: VendorRequest) -> VendorResponse | Fate:
        return self.vendors.post(1, "main", [request], limits=self.adapter.limits, now=letters.AT)[0]
