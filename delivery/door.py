"""What other rooms may use of delivery."""

from delivery.addresses import address_hash, address_hashes
from delivery.message_ids import MessageKey, message_id, message_ids, read_message_id
from delivery.states import AttemptState, DispatchState, MessageState, Reason
from delivery.work import Clock, DispatchFacts, DispatchPlan, Entry, Outcome, Outgoing, Program, Work

__all__ = [
    "AttemptState",
    "Clock",
    "DispatchFacts",
    "DispatchPlan",
    "DispatchState",
    "Entry",
    "MessageKey",
    "MessageState",
    "Outcome",
    "Outgoing",
    "Program",
    "Reason",
    "Work",
    "address_hash",
    "address_hashes",
    "message_id",
    "message_ids",
    "read_message_id",
]
