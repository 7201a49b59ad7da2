"""What other rooms may use of delivery."""

from delivery.adapters.base import Attachment, Sender
from delivery.adapters.registry import title_of as vendor_title
from delivery.addresses import address_hash, address_hashes, address_of
from delivery.attached import without_attachments
from delivery.backlog import Backlog, backlog
from delivery.briefs import Brief, DayOfChannel, Engagement, briefs, daily, doubtful, engagement, paused, running
from delivery.cheaper import Elsewhere, elsewhere
from delivery.clicks import settle as settle_clicks
from delivery.confirm_links import CONFIRMS, confirm_token
from delivery.connections import Connections
from delivery.control import kill, open_next_wave, pause, raise_budget, resolve_in_doubt, resume, stop, switches
from delivery.deciding import NewDecision, cancel, decide, decide_one
from delivery.desk import Doubt, doubts
from delivery.domains.identity import PlannedMail, planned_mail
from delivery.domains.kept import look_up_next as look_up_next_domain
from delivery.explain import MessagePage, MessageView, Why, messages, timeline, why
from delivery.facts import DispatchView, WaveView, facts, in_doubt
from delivery.finding import Asked, asked_address, holder, note_search
from delivery.forecasts import Forecast, forecast
from delivery.history.retention import keep_order as keep_history
from delivery.housekeeping import housekeeping
from delivery.inbox import draw as draw_events
from delivery.inbox import events_waiting
from delivery.instance import confirm as confirm_instance
from delivery.instance import doubt as doubt_instance
from delivery.instance import go_on as raise_instance
from delivery.instance import held as held_instances
from delivery.instance import start as start_instance
from delivery.keys import AlreadyDecided, Once, decided
from delivery.leases import at_work, due, lease, let_go
from delivery.left_out import LeftOutPage, left_out
from delivery.limits import troubled
from delivery.message_ids import MessageKey, message_id, message_ids, read_message_id
from delivery.objections import bulk_faults, objections
from delivery.outcomes import outcome
from delivery.past import archived_until
from delivery.permission import Permission, permission
from delivery.pins import SentMessage, sent_message
from delivery.planning import plan, planned, survey, unfinished
from delivery.policies import push_platforms
from delivery.price_questions import fetch_next as fetch_next_prices
from delivery.prices import written as money
from delivery.pricing import quote
from delivery.reconcile import Reconciled, reconcile
from delivery.sending import send
from delivery.sources import source_words
from delivery.standing import Standing, standing
from delivery.standstill import left_before, standstill
from delivery.states import AttemptState, DispatchState, MessageState, Reason
from delivery.stations import Stop
from delivery.suppression import normal, suppress, suppressed, unsuppress
from delivery.tracking import LinkResolver, register_link_resolver, unsubscribe_headers
from delivery.trials import Trial, send_test
from delivery.variants import VariantResult, by_variant
from delivery.views.frames import framed
from delivery.work import Clock, DispatchFacts, DispatchPlan, Entry, LaneName, Outcome, Outgoing, Program, Work

__all__ = [
    "AlreadyDecided",
    "Asked",
    "Attachment",
    "AttemptState",
    "Backlog",
    "Brief",
    "CONFIRMS",
    "Clock",
    "Connections",
    "DayOfChannel",
    "DispatchFacts",
    "DispatchPlan",
    "DispatchState",
    "DispatchView",
    "Doubt",
    "Elsewhere",
    "Engagement",
    "Entry",
    "Forecast",
    "LaneName",
    "LeftOutPage",
    "LinkResolver",
    "MessageKey",
    "MessagePage",
    "MessageState",
    "MessageView",
    "NewDecision",
    "Once",
    "Outcome",
    "Outgoing",
    "PlannedMail",
    "Program",
    "Reason",
    "Reconciled",
    "Sender",
    "SentMessage",
    "Standing",
    "Stop",
    "Trial",
    "VariantResult",
    "WaveView",
    "Why",
    "Work",
    "address_hash",
    "address_hashes",
    "address_of",
    "archived_until",
    "asked_address",
    "at_work",
    "backlog",
    "briefs",
    "bulk_faults",
    "by_variant",
    "cancel",
    "confirm_instance",
    "confirm_token",
    "daily",
    "decide",
    "decide_one",
    "decided",
    "doubt_instance",
    "doubtful",
    "doubts",
    "draw_events",
    "due",
    "elsewhere",
    "engagement",
    "events_waiting",
    "facts",
    "fetch_next_prices",
    "forecast",
    "framed",
    "held_instances",
    "holder",
    "housekeeping",
    "in_doubt",
    "keep_history",
    "kill",
    "lease",
    "left_before",
    "left_out",
    "let_go",
    "look_up_next_domain",
    "message_id",
    "message_ids",
    "messages",
    "money",
    "normal",
    "Permission",
    "permission",
    "note_search",
    "objections",
    "open_next_wave",
    "outcome",
    "pause",
    "paused",
    "plan",
    "planned",
    "planned_mail",
    "quote",
    "push_platforms",
    "raise_budget",
    "raise_instance",
    "read_message_id",
    "reconcile",
    "register_link_resolver",
    "resolve_in_doubt",
    "resume",
    "running",
    "send",
    "send_test",
    "sent_message",
    "settle_clicks",
    "source_words",
    "standing",
    "standstill",
    "start_instance",
    "stop",
    "suppress",
    "suppressed",
    "survey",
    "switches",
    "timeline",
    "troubled",
    "unfinished",
    "unsubscribe_headers",
    "unsuppress",
    "vendor_title",
    "why",
    "without_attachments",
]
