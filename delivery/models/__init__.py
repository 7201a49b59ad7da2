"""The tables of delivery: shape and integrity only.

A message's number n is its place in the dispatch's frozen order, so (dispatch, n) is its key and a second message to the
same person in one dispatch can't exist. Tables that are written once per message or request keep plain integers instead of
foreign keys: nothing may point at Message, and its rows are written by COPY.
"""

from __future__ import annotations

from delivery.models.decisions import AttachedFile, Decision, IdempotencyKey
from delivery.models.ledger import NAMED_BY_VENDOR, Attempt, Message, VendorEvent
from delivery.models.plans import Batch, Dispatch, LeftOut, Slice
from delivery.models.stops import Instance, Suppression, Switch
from delivery.models.vendors import Allowance, DomainCheck, OutboxMail, VendorAccount, WebhookCall

__all__ = [
    "Allowance",
    "AttachedFile",
    "Attempt",
    "Batch",
    "Decision",
    "Dispatch",
    "DomainCheck",
    "IdempotencyKey",
    "Instance",
    "LeftOut",
    "Message",
    "NAMED_BY_VENDOR",
    "OutboxMail",
    "Slice",
    "Suppression",
    "Switch",
    "VendorAccount",
    "VendorEvent",
    "WebhookCall",
]
