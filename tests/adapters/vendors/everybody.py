"""All vendors of our own."""

from __future__ import annotations

from typing import cast

from tests.adapters.vendors import fcm, sendgrid, twilio, whatsapp
from tests.adapters.vendors.contract import Contract


def contracts() -> list[Contract]:
    """One of each, as if nothing had happened yet."""
    return [cast(Contract, one) for one in (sendgrid, twilio, whatsapp, fcm.Vendor())]
