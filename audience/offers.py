"""What a workspace knows that the plain forms of its documents offer: topics, and what a column of a file may become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audience.catalogue import catalogue
from audience.consent import topic_words
from audience.ingest.columns import ID, LEFT_OUT
from audience.models import Subscription
from audience.rule_words import CHANNEL_WORDS, FIELD_WORDS
from audience.topics import WHOLE_CHANNEL
from governance import door as governance

TOPICS = 300
CONSENTS = ("email", "sms")  # channels whose consents come in files
_FIELDS = {ID: "External id", **{name: FIELD_WORDS[name] for name in ("email", "phone", "locale", "country", "zone")}}

Offers = Mapping[str, Sequence[tuple[str, str]]]


def known_topics(workspace_id: int) -> list[str]:
    """The topics that templates are about, released or drafted, or that somebody agreed to or refused; by key."""
    bodies = [*governance.drafted(workspace_id, "template").values()]
    bodies += [view.body for view in governance.all_released(workspace_id, "template")]
    said = Subscription.objects.filter(workspace_id=workspace_id).exclude(topic=WHOLE_CHANNEL).order_by("topic")
    found = {*said.values_list("topic", flat=True).distinct()[:TOPICS], *(str(body["topic"]) for body in bodies if body.get("topic"))}
    return sorted(found)


def of_opt_in(workspace_id: int) -> Offers:
    """Which topics one may choose."""
    topics = [(topic, topic_words(topic)) for topic in known_topics(workspace_id)]
    return {"/topics/*": [*topics, (WHOLE_CHANNEL, "Every topic of the channel")], "/confirm_with": _asking(workspace_id)}


def _asking(workspace_id: int) -> list[tuple[str, str]]:
    """The released templates that may ask somebody to confirm: transactional ones, with their channel."""
    words, bodies = dict(CHANNEL_WORDS), {view.key: view.body for view in governance.all_released(workspace_id, "template")}
    found = [
        (key, body) for key, body in bodies.items() if body.get("message_class") == "transactional" and body.get("channel") in CONSENTS
    ]
    return [(key, f"{body.get('title') or key} ({words[body['channel']]})") for key, body in found]


def of_mapping(workspace_id: int) -> Offers:
    """What a column may become; what is computed here comes in no file."""
    attributes = [(name, body.title) for name, body in catalogue(workspace_id).items() if body.computed is None]
    channels = [(name, words) for name, words in CHANNEL_WORDS if name in CONSENTS]
    consents = [
        (f"consent:{channel}:{topic}", f"Consent to {topic_words(topic)} {words}")
        for topic in known_topics(workspace_id)
        for channel, words in channels
    ]
    return {"/columns/*/value/to": [*_FIELDS.items(), *attributes, *consents, (LEFT_OUT, "Do not import")]}
