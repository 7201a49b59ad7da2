"""Rules that once divided the engines, or came near to it, in their shortest form: asked of every engine before any are drawn.

What `make agree` finds and shrinks is added here, with a word on what was wrong.
"""

from __future__ import annotations

from typing import Any

KEPT: dict[str, dict[str, Any]] = {
    "0.1 + 0.2 is exactly 0.3": {"measure": "purchase", "how": "sum", "of": "total", "op": "gte", "value": 0.30000000000000004},
    "minus nought is nought, in Lucene, too": {"attribute": "spent", "op": "is", "value": -0.0},
    "a whole number with a point is that number": {"attribute": "spent", "op": "in", "value": [1.0, 100.0]},
    "text that looks like a pattern": {"attribute": "tier", "op": "contains", "value": "_d"},
    "one letter, typed as two": {"attribute": "tier", "op": "is", "value": "é"},
    "a capital that grows when it is folded": {"attribute": "tier", "op": "starts_with", "value": "İ"},
    "a list without texts is missing": {"attribute": "tags", "op": "missing"},
    "a property whose name is a path": {"event": "visit", "where": [{"property": "a[0]", "op": "exists"}]},
    "a day that only some zones have reached": {
        "attribute": "born",
        "op": "in_last",
        "value": {"amount": 1, "unit": "days"},
        "zone": "own",
    },
    "days of 1900, when every place had a time of its own": {
        "none": [
            {"attribute": "seen", "op": "between", "value": ["1900-01-01", "2026-02-28"], "zone": "own"},
            {"attribute": "seen", "op": "before", "value": "2026-02-28", "zone": "own"},
            {"attribute": "seen", "op": "before", "value": "1900-01-01", "zone": "own"},
            {"profile": "created_at", "op": "after", "value": "1900-01-01", "zone": "own"},
        ]
    },
    "four steps, which a nested search never finished": {
        "sequence": [{"event": "visit"}, {"event": "purchase"}, {"event": "visit"}, {"event": "message.opened"}],
        "apart": {"amount": 40, "unit": "weeks"},
    },
    "the last step before the others": {
        "sequence": [{"event": "visit"}, {"event": "visit"}, {"event": "purchase"}],
        "op": "not_followed",
        "apart": {"amount": 1, "unit": "days"},
    },
    "a stale score is as good as none": {
        "none": [{"attribute": "churn", "op": "is_not", "value": 1, "fresh": {"amount": 1, "unit": "days"}}]
    },
    "both poles are everywhere": {"attribute": "home", "op": "near", "value": {"lat": 90, "lon": 137, "km": 0.001}},
}
