"""Prints the reference page of all kinds of document: docs/reference/documents.md is this command's output."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from governance.door import Kind, Role, kinds
from omni.schema_tables import tables

HEAD = """# Kinds of document

Everything that people write and approve is a document: a kind, a key and a body. This page lists what a body may say. It is written
by `manage.py document_kinds` from the schemas that every door checks bodies against.

- A **key** is lower-case letters, digits, `-` and `_`, starts with a letter or digit, and has at most 80 characters.
- A field that isn't listed is refused, so a slip of the keyboard is found at once. Nothing is converted: `"5"` is not a number.
- Text is kept in Unicode's composed form (NFC). Control characters are refused; line breaks too, except in long texts.
- As a file a document is `FOLDER/KEY.yaml`; [`manage.py apply`](../how-to/documents-as-code.md) reads it.
- The same schemas as JSON Schema: `GET /api/v1/documents`.
"""
MORE = {
    "approval_policy": "Until it is released, the defaults below hold.",
    "attribute": "The key is the attribute's name, as rules and templates use it.",
    "campaign": """Give either `template` or `variants`.

With `recheck: at_send` the segment's rule is asked again for each person in the moment of sending; with `at_launch` the launch's answer
counts. What hasn't been sent `expires_after_hours` after the launch is skipped as expired. Without `route` the heaviest released route of
the channel carries it. A `budget` is money that one run may spend: sending halts before it is exceeded.""",
    "event_type": "Events are recorded whether their name has a type or not; [how long they are kept](../how-to/export-and-retention.md).",
    "import_mapping": "Used by `import_profiles --mapping KEY`: [import people](../how-to/import-people.md).",
    "segment": "What a rule may say: [audience rules](audience-rules.md).",
    "opt_in": "How it works: [double opt-in](../how-to/double-opt-in.md).",
    "sending_policy": "A campaign names its policy. What names none goes by the one with the key `default`.",
    "template": "Blocks, expressions, filters, locales and checks are explained in [templates](templates.md).",
    "vendor_route": "Settings and secrets of each vendor: [vendors](vendors.md).",
}


class Command(BaseCommand):
    help = "Print the reference page of all kinds of document (docs/reference/documents.md)."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(page(), ending="")


def page() -> str:
    """The page, from the registered kinds."""
    return HEAD + "".join(_section(kind) for kind in kinds())


def _section(kind: Kind[Any]) -> str:
    parts = [f"\n## {kind.title}\n"]
    for name, sentence, table in tables(kind.schema.model_json_schema()):
        if name:
            parts.append(f"\n### {kind.title}: {name}\n\n{sentence}\n\n{table}" if sentence else f"\n### {kind.title}: {name}\n\n{table}")
        else:
            more = f" {MORE[kind.name]}" if kind.name in MORE else ""
            parts.append(f"\n{sentence}{more}\n\n{_manners(kind)}\n\n{table}")
    return "".join(parts)


def _manners(kind: Kind[Any]) -> str:
    words = [f"Kind `{kind.name}`, folder and address `{kind.plural}`", f"saved by {_savers(kind)}"]
    legal = [f"`{name}`" for name in kind.legal_fields if name in kind.schema.model_fields]
    if legal:
        words.append(f"a change of {', '.join(legal)} is approved only by people with the legal permission")
    return "; ".join(words) + "."


def _savers(kind: Kind[Any]) -> str:
    return " or ".join(f"{role}s" for role in Role if role.covers(kind.save_role))
