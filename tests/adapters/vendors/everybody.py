"""All vendors of our own."""

from __future__ import annotations

from typing import cast

from tests.adapters.vendors import apns, fcm, mailgun, postmark, sendgrid, ses, twilio, webhook, webpush, wechat, whatsapp
from tests.adapters.vendors.contract import Contract


def contracts() -> list[Contract]:
    """One of each, as if nothing had happened yet."""
    return [
        cast(Contract, one)
        for one in (sendgrid, ses, mailgun, postmark, twilio, whatsapp, wechat.Vendor(), fcm.Vendor(), apns, webpush, webhook)
    ]
