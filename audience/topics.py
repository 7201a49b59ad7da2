"""Topics of channels: what people agree to hear about."""

from __future__ import annotations

WHOLE_CHANNEL = "*"
TOPIC = r"\*|[a-z0-9][a-z0-9_-]{0,79}"  # the key of one, or the whole channel
