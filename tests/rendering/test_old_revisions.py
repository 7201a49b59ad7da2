"""Revisions stay renderable byte for byte, whatever the schema and the renderer learn later.

Each file of `kept/` holds bodies as they were once saved, and digests of what was made of them then. A change that makes one of
these differ changes mails that somebody approved: find out why, and don't replace the digest. A new schema adds a file:
`manage.py shell -c "from tests.rendering.test_old_revisions import keep; keep('NAME')"` keeps the samples as they are now."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from governance.door import read_yaml
from rendering.door import Filled, Recipient, compile, fill, preview
from tests.presentation.letters import Person, content

KEPT = Path(__file__).parent / "kept"
SAMPLES = Path(__file__).parents[2] / "samples" / "documents" / "templates"
READER = Person(attributes={"first_name": "Zoë", "city": "Łódź"}, records={})


def digests(body: dict[str, Any]) -> dict[str, str]:
    """Of every part of every translation, with samples where this reader has no value, and of the parts as they travel."""
    whole, found = content(body), {}
    template = compile(whole, base_url="https://mail.example.com")
    for tag in sorted(body["locales"]):
        shown = preview(whole, None, {}, tag)
        said = [shown.subject, shown.preheader, shown.html, shown.text, json.dumps(shown.options, sort_keys=True)]
        message = template.locales[tag]
        constants = [part.constants for part in message.parts]
        holes = [[(hole.expression, hole.context) for hole in part.holes] for part in message.parts]
        filled = fill(template, [Recipient(1, READER, {}, token="tok", locale=tag)])[0]
        made = [filled.subject, filled.html, filled.text] if isinstance(filled, Filled) else filled.detail
        for name, value in (("shown", said), ("compiled", [constants, holes]), ("filled", made)):
            found[f"{tag}/{name}"] = sha256(repr(value).encode()).hexdigest()[:32]
    return found


@pytest.mark.parametrize("path", sorted(KEPT.glob("*.json")), ids=lambda path: path.stem)
def test_what_was_saved_under_an_earlier_schema_renders_as_it_did(path: Path) -> None:
    for name, kept in json.loads(path.read_text()).items():
        assert digests(kept["body"]) == kept["digests"], name


def keep(name: str) -> None:
    """Write a file of the samples as they are."""
    found = {path.stem: read_yaml(path.read_bytes()) for path in sorted(SAMPLES.glob("*.yaml"))}
    kept = {key: {"body": body, "digests": digests(body)} for key, body in found.items()}
    (KEPT / f"{name}.json").write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n")
