"""What the OpenAPI document says beyond what the views declare: every operation may answer with a problem, and what one looks like."""

from __future__ import annotations

from typing import Any

from omni.problems import MEDIA_TYPE

REFERENCE = {"$ref": "#/components/schemas/Problem"}
TEXT, MANY = {"type": "string"}, {"type": "array"}
FINDING = {
    "type": "object",
    "required": ["level", "path", "found", "expected"],
    "properties": {
        "level": {"type": "string", "enum": ["error", "warning", "note"]},
        "path": {"type": "string", "description": "JSON Pointer into the request or the document, or the name of a parameter"},
        "found": TEXT,
        "expected": {"type": "string", "description": "completes “expected …”"},
    },
}
PROBLEM = {
    "type": "object",
    "description": "Why it was not done (RFC 9457). An error changed nothing.",
    "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": TEXT,
        "title": TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": TEXT,
        "request_id": {"type": ["string", "null"], "description": "the `X-Request-Id` of the answer"},
        "findings": {**MANY, "items": FINDING, "description": "everything that is wrong, not only the first thing"},
        "difference": {
            **MANY,
            "items": {"type": "object"},
            "description": "what was changed since the revision that was edited",
        },
    },
}


def describe_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A post-processing hook of drf-spectacular: adds `Problem`, and `default` to every operation's responses."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    for operations in result["paths"].values():
        for operation in operations.values():
            answer = {"description": "Not done: a problem document says why.", "content": {MEDIA_TYPE: {"schema": REFERENCE}}}
            operation["responses"]["default"] = answer
    return result
