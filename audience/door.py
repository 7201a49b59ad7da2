"""What other rooms may use of audience."""

from audience.addresses import BadAddress, can_receive_texts, country_code, email_address, locale_tag, phone_number, zone_name
from audience.catalogue import AttributeBody, catalogue
from audience.consent import Consent, consenting, consents, proof, set_consent
from audience.documents import SegmentBody, rule_findings, rule_references
from audience.events import NewEvent, Recorded, RejectedEvent, TriggerEvent, events_of, events_waiting, record, take_events
from audience.feed import erase
from audience.ingest.rows import ProfileRow, Rejected
from audience.ingest.write import UpsertOutcome, ids_of, upsert
from audience.profiles import Person, countries, everyone, find, load, same_address, search
from audience.rules.nodes import Rule, TriggerRule
from audience.sentences import sentence

__all__ = [
    "sentence",
    "TriggerRule",
    "Rule",
    "rule_references",
    "rule_findings",
    "SegmentBody",
    "AttributeBody",
    "BadAddress",
    "Consent",
    "NewEvent",
    "Person",
    "ProfileRow",
    "Recorded",
    "Rejected",
    "RejectedEvent",
    "TriggerEvent",
    "UpsertOutcome",
    "can_receive_texts",
    "catalogue",
    "consenting",
    "consents",
    "countries",
    "country_code",
    "email_address",
    "erase",
    "events_of",
    "events_waiting",
    "everyone",
    "find",
    "ids_of",
    "load",
    "locale_tag",
    "phone_number",
    "proof",
    "record",
    "same_address",
    "search",
    "set_consent",
    "take_events",
    "upsert",
    "zone_name",
]
