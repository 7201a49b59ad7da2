"""The rule tree of a segment: what may be written, what it means, and what it binds to."""
