"""Who judges: our own vendors, or the lab that the environment names (OMNI_TEST_LAB=http://host:port)."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from typing import Any, Protocol

from tests.adapters.vendors.contract import Contract
from tests.adapters.vendors.server import Vendors

LAB_NAMES = {"whatsapp_cloud": "whatsapp"}  # where the lab calls a vendor otherwise


class Judge(Protocol):
    """Whoever stands for the vendors and says what they accepted."""

    url: str
    is_lab: bool

    def misbehave(self, vendor: str, fault: str) -> None:
        """From now on every message to this vendor meets the fault."""

    def accepted(self, vendor: str) -> list[tuple[str, str]]:
        """(address, message id) of what this vendor accepted since the start of the test."""

    def spoil_tokens(self, vendor: str) -> None:
        """Every short-lived token of this vendor is void from now on."""

    def close(self) -> None:
        """End of the test."""


class Own:
    """Our own vendors."""

    is_lab = False

    def __init__(self, contracts: Sequence[Contract]) -> None:
        self.vendors = Vendors(contracts)
        self.url = self.vendors.url

    def misbehave(self, vendor: str, fault: str) -> None:
        self.vendors.fault = fault

    def accepted(self, vendor: str) -> list[tuple[str, str]]:
        return [(address, message_id) for name, address, message_id in self.vendors.accepted if name == vendor]

    def spoil_tokens(self, vendor: str) -> None:
        contract: Any = next(one for one in self.vendors.contracts if vendor == one.NAME)
        contract.spoil_tokens()

    def close(self) -> None:
        self.vendors.close()


class Lab:
    """The simulator beside the checkout."""

    is_lab = True

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._post("/_lab/reset", {})

    def misbehave(self, vendor: str, fault: str) -> None:
        rule = {"vendor": LAB_NAMES.get(vendor, vendor), "kind": fault, "p": 1, "retry_after": 2, "delay_ms": 20_000}
        self._post("/_lab/faults", {"rules": [rule]})

    def accepted(self, vendor: str) -> list[tuple[str, str]]:
        with urllib.request.urlopen(self.url + "/_lab/log", timeout=10) as answer:
            lines = [line.split("\t") for line in answer.read().decode().splitlines()]
        return [(line[5], line[6]) for line in lines if len(line) > 6 and line[2] == LAB_NAMES.get(vendor, vendor)]

    def spoil_tokens(self, vendor: str) -> None:
        self._post(f"/_lab/{vendor}/expire-tokens", {})

    def close(self) -> None:
        self._post("/_lab/reset", {})

    def _post(self, path: str, body: Any) -> None:
        request = urllib.request.Request(self.url + path, data=json.dumps(body).encode(), method="POST")
        urllib.request.urlopen(request, timeout=10).read()
