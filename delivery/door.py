"""What other rooms may use of delivery."""

from delivery.addresses import address_hash, address_hashes
from delivery.clicks import settle as settle_clicks
from delivery.message_ids import MessageKey, message_id, message_ids, read_message_id
from delivery.pins import SentMessage, sent_message
from delivery.states import AttemptState, DispatchState, MessageState, Reason
from delivery.suppression import suppress, suppressed, unsuppress
from delivery.tracking import LinkResolver, register_link_resolver, unsubscribe_headers
from delivery.work import Clock, DispatchFacts, DispatchPlan, Entry, Outcome, Outgoing, Program, Work

__all__ = [
    "SentMessage",
    "sent_message",
    "AttemptState",
    "Clock",
    "DispatchFacts",
    "DispatchPlan",
    "DispatchState",
    "Entry",
    "LinkResolver",
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
    "register_link_resolver",
    "settle_clicks",
    "suppress",
    "suppressed",
    "unsubscribe_headers",
    "unsuppress",
]
