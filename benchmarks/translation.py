"""How long a translation file takes, out and in: 10,000 units of a template in English and German, in each notation. Prints JSON.

A third of the texts hold a link and bold words, 500 (the most that a locale may have) an expression whose words are translated, too,
and every tenth is stale.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omni.settings")

import django

django.setup()

from governance.door import parse  # noqa: E402
from presentation.door import TemplateBody  # noqa: E402
from presentation.translation.importing import BOTH, export, merge, read  # noqa: E402
from presentation.translation.records import fingerprint  # noqa: E402

ROWS = 100  # blocks of two columns


def body(units: int) -> dict[str, Any]:
    """A mail of so many texts."""
    english, german = ([_text(number, tag) for number in range(units - 1)] for tag in ("en", "de"))
    remembered = {
        f"blocks/{mine['id']}/text": {
            "source": fingerprint(theirs["text"] if number % 10 else "as it was"),
            "text": fingerprint(mine["text"]),
            "state": "reviewed" if number % 2 else "draft",
        }
        for number, (theirs, mine) in enumerate(zip(english, german, strict=True))
    }
    return {
        "title": "A long letter",
        "channel": "email",
        "message_class": "service",
        "sender": {"name": "Harbour", "address": "hello@example.com"},
        "default_locale": "en",
        "variables": {"first_name": {"source": "attribute.first_name"}},
        "locales": {"en": _locale(english, "Hello"), "de": _locale(german, "Hallo")},
        "translations": {"de": remembered},
    }


def _text(number: int, tag: str) -> dict[str, Any]:
    words = {"en": "A paragraph of usual length that says what is on offer", "de": "Ein üblicher Absatz, der sagt, was es gibt"}[tag]
    name = f' for {{{{ first_name|default("{tag}") }}}}' if number % 20 == 1 else ""
    link = f", see [**{words[:9]}** {number}](https://shop.example.com/{number}?a=1&b=2)" if number % 3 == 0 else ""
    return {"type": "text", "id": f"t{number}", "text": f"{words}{name}, number {number}{link}."}


def _locale(texts: list[dict[str, Any]], subject: str) -> dict[str, Any]:
    columns = [[texts[number :: 2 * ROWS] for number in (2 * row, 2 * row + 1)] for row in range(ROWS)]
    return {"subject": subject, "blocks": [{"type": "columns", "id": f"row{row}", "columns": each} for row, each in enumerate(columns)] + [
        {"type": "footer", "id": "footer", "address": "Quay Street 1"}
    ]}  # fmt: skip


def main() -> None:
    """Write and read the file once in each notation, and print the seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=10_000)
    asked = parser.parse_args()
    raw = body(asked.units)
    model = parse(TemplateBody, raw)
    for format in BOTH:
        started = time.monotonic()
        data = export(model, "letter", 1, "de", format)
        written = time.monotonic()
        incoming = read(data)
        heard = time.monotonic()
        outcome = merge(raw, model, incoming)
        done = time.monotonic()
        assert outcome.body == raw
        changed = read(data.replace("üblicher Absatz".encode(), b"neuer Absatz"))
        began = time.monotonic()
        assert len(merge(raw, model, changed).changed) == asked.units - 1
        print(
            json.dumps(
                {
                    "format": format,
                    "units": asked.units,
                    "messages": len(incoming.messages),
                    "megabytes": round(len(data) / 1e6, 1),
                    "written_in_s": round(written - started, 2),
                    "read_in_s": round(heard - written, 2),
                    "compared_in_s": round(done - heard, 2),
                    "all_changed_taken_in_s": round(time.monotonic() - began, 2),
                    "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                }
            )
        )


if __name__ == "__main__":
    main()
