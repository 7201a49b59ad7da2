"""Which topics a workspace writes about: those that its released templates name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache

from governance import door as governance
from presentation.documents import MessageClass, TemplateBody

Topics = Mapping[str, Mapping[str, frozenset[MessageClass]]]


def topics(workspace_id: int) -> Topics:
    """By channel and topic the classes of message that go out under it; transactional messages have no topic to choose.

    Remembered by the epoch: one small query where nothing was released since."""
    return _topics(workspace_id, governance.epoch(workspace_id))


@lru_cache(maxsize=64)
def _topics(workspace_id: int, epoch: int) -> Topics:
    found: dict[str, dict[str, set[MessageClass]]] = defaultdict(lambda: defaultdict(set))
    for released in governance.all_released(workspace_id, "template"):
        body = released.model
        if isinstance(body, TemplateBody) and body.topic and body.message_class != "transactional":
            found[body.channel][body.topic].add(body.message_class)
    return {
        channel: {topic: frozenset(classes) for topic, classes in sorted(by_topic.items())} for channel, by_topic in sorted(found.items())
    }
