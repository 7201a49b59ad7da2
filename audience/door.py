"""What other rooms may use of audience."""

from audience.addresses import BadAddress, can_receive_texts, country_code, email_address, locale_tag, phone_number, zone_name
from audience.api_bodies import ConsentEntryAnswer
from audience.bitmaps import pack, unpack
from audience.breakdown import Breakdown, breakdown
from audience.catalogue import AttributeBody, catalogue
from audience.computed import keep_computed, recounts_waiting
from audience.confirming import Outcome, ToConfirm, ask_for_confirmations, confirm, confirmations_waiting, to_confirm
from audience.consent import CHANNELS, Consent, Said, State, consenting, consents, proof, set_consent, topic_words
from audience.dead_letters import DeadLetterKeeper, waiting_letters
from audience.device_forms import PLATFORMS, DeviceAddress, masked
from audience.devices import DeviceView, device_known_by, give_devices, invalidate_devices, register_device, remove_device
from audience.documents import SegmentBody, rule_findings, rule_references
from audience.duplicates import Sharing, duplicates
from audience.erasure import erase, forget_stragglers, register_forgetting
from audience.event_bodies import EventsRequest, Instant
from audience.event_types import EventTypeBody, kept_days, let_events_go
from audience.events import (
    Recorded,
    RejectedEvent,
    TriggerEvent,
    event_names,
    events_of,
    events_waiting,
    record,
    take_events,
    times_until,
)
from audience.explain import Explanation, Sampled, explain, reasons, sample
from audience.facts_keeper import FactsKeeper
from audience.id_lists import ListOutcome, change_list, drop_list, id_lists
from audience.index_keeper import IndexKeeper
from audience.index_state import IndexState, index_state, longest_lag
from audience.ingest.columns import ImportWishes
from audience.ingest.importing import Imported, import_people
from audience.ingest.plain import read_rows
from audience.ingest.rejects import Rejects
from audience.ingest.rows import ProfileRow, Rejected
from audience.ingest.tables import Record as FileRow
from audience.ingest.upsert import UpsertOutcome, upsert, upsert_one
from audience.masking import masked_email, search_as, sees_addresses, shown, shown_one
from audience.merging import Merging, gather_stragglers, merge, merged_among, merged_since, register_following, would_merge
from audience.names import Names, names_of
from audience.new_events import NewEvent
from audience.opt_ins import OptIn, opt_in
from audience.other_ids import OtherId, add_other_id, numbers_of, other_ids, remove_other_id
from audience.profiles import Person, countries, everyone, find, ids_of, load, named, same_address, search, sharing
from audience.reach import addresses, unreachable, unwilling
from audience.record_rows import RecordRow
from audience.record_upsert import upsert_records
from audience.records import give_records
from audience.resolve import Resolution, count, matching, resolve
from audience.rule_forms import fresh_property, trigger_form, trigger_rule
from audience.rule_words import PROPERTY_PICKERS
from audience.rules.nodes import Rule, TriggerRule
from audience.sentences import sentence
from audience.sets import Beside, Overlap, beside, difference, if_released, intersection, overlap, some_of, union
from audience.snapshots import Change, Growth, SnapshotKeeper, between, days_kept, growth, snapshot_ids, snapshot_of, take_snapshot
from audience.sources import EventSource, Having, register_event_source
from audience.standing import Stood, stood
from audience.streams.consuming import consuming
from audience.streams.lag import StreamState, longest_waits, stream_states
from audience.streams.source import SourceAway
from audience.telling import everything_of, register_telling

__all__ = [
    "add_other_id",
    "FileRow",
    "CHANNELS",
    "EventTypeBody",
    "kept_days",
    "let_events_go",
    "masked_email",
    "search_as",
    "sees_addresses",
    "shown",
    "shown_one",
    "everything_of",
    "read_rows",
    "register_telling",
    "duplicates",
    "Sharing",
    "gather_stragglers",
    "merge",
    "merged_among",
    "merged_since",
    "Merging",
    "numbers_of",
    "other_ids",
    "OtherId",
    "register_following",
    "remove_other_id",
    "would_merge",
    "keep_computed",
    "recounts_waiting",
    "ListOutcome",
    "change_list",
    "drop_list",
    "id_lists",
    "addresses",
    "ask_for_confirmations",
    "AttributeBody",
    "BadAddress",
    "Beside",
    "beside",
    "between",
    "Breakdown",
    "breakdown",
    "can_receive_texts",
    "catalogue",
    "Change",
    "Consent",
    "confirm",
    "confirmations_waiting",
    "ConsentEntryAnswer",
    "consenting",
    "consents",
    "count",
    "countries",
    "country_code",
    "consuming",
    "days_kept",
    "DeadLetterKeeper",
    "device_known_by",
    "DeviceAddress",
    "DeviceView",
    "difference",
    "email_address",
    "erase",
    "event_names",
    "events_of",
    "events_waiting",
    "everyone",
    "explain",
    "EventSource",
    "EventsRequest",
    "Having",
    "Explanation",
    "find",
    "forget_stragglers",
    "fresh_property",
    "Growth",
    "give_devices",
    "give_records",
    "growth",
    "ids_of",
    "if_released",
    "import_people",
    "Imported",
    "ImportWishes",
    "invalidate_devices",
    "index_state",
    "IndexKeeper",
    "FactsKeeper",
    "IndexState",
    "opt_in",
    "OptIn",
    "Instant",
    "intersection",
    "load",
    "named",
    "names_of",
    "locale_tag",
    "longest_lag",
    "longest_waits",
    "masked",
    "matching",
    "Names",
    "NewEvent",
    "Overlap",
    "Outcome",
    "overlap",
    "pack",
    "Person",
    "PLATFORMS",
    "phone_number",
    "ProfileRow",
    "PROPERTY_PICKERS",
    "proof",
    "reasons",
    "record",
    "Recorded",
    "RecordRow",
    "register_device",
    "register_event_source",
    "register_forgetting",
    "Rejected",
    "RejectedEvent",
    "Rejects",
    "remove_device",
    "Resolution",
    "resolve",
    "Rule",
    "rule_findings",
    "rule_references",
    "same_address",
    "sample",
    "Sampled",
    "search",
    "SegmentBody",
    "sentence",
    "SourceAway",
    "State",
    "Stood",
    "stood",
    "stream_states",
    "StreamState",
    "set_consent",
    "sharing",
    "snapshot_ids",
    "snapshot_of",
    "SnapshotKeeper",
    "Said",
    "some_of",
    "take_events",
    "times_until",
    "ToConfirm",
    "to_confirm",
    "topic_words",
    "take_snapshot",
    "trigger_form",
    "trigger_rule",
    "TriggerEvent",
    "TriggerRule",
    "union",
    "unpack",
    "unreachable",
    "unwilling",
    "waiting_letters",
    "upsert",
    "upsert_one",
    "upsert_records",
    "UpsertOutcome",
    "zone_name",
]
