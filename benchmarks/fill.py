"""How many mails of about 10 kB one core fills per second, beside Jinja2 rendering the same document in the same run.

    .venv/bin/python -m benchmarks.fill [--people 20000] [--rounds 3]

Every way writes subject, HTML and text in full. "Jinja2, autoescape" is what a careful project would write by hand: the same
constants, the same expressions, one compiled template per part. "Jinja2, our sandbox" is rendering's own plain form.
"values only" is what a vendor that substitutes on its side needs."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omni.settings")

import django

django.setup()

from jinja2 import Environment  # noqa: E402

from governance.door import parse  # noqa: E402
from presentation.door import TemplateBody, compose_body  # noqa: E402
from rendering.door import Compiled, CompiledMessage, Filled, Program, Recipient, compile, fill, plain, substitution  # noqa: E402

NAMES = ["Ada", "Björn", "Chloé", "Dmitri", "Eun-ji", "Fatima", "Grace", "Hiro", "Inés", "Jan <3"]
CITIES = ["Berlin", "Lisboa", "São Paulo", "Kyōto", "Oslo"]
WORDS = "The new season has begun and we have put aside a few things that we think you will like. "


@dataclass(frozen=True, slots=True)
class Person:
    """A profile as rendering reads it."""

    external_id: str
    email: str
    phone: str
    locale: str
    country: str
    zone: str
    attributes: dict[str, Any]


def template() -> TemplateBody:
    """A promotional mail with pictures, columns, buttons and ten different expressions."""
    variables = {
        "first_name": {"source": "attribute.first_name", "fallback": "there"},
        "city": {"source": "attribute.city", "fallback": "your city"},
        "points": {"source": "attribute.points", "type": "number", "fallback": 0},
        "tier": {"source": "attribute.tier", "fallback": "blue"},
        "code": {"source": "attribute.code", "fallback": "SPRING"},
    }
    blocks: list[dict[str, Any]] = [
        {"type": "heading", "id": "title", "text": "{{ first_name }}, spring is here"},
        {"type": "text", "id": "opening", "text": f"Hello **{{{{ first_name }}}}** in {{{{ city }}}}.\n\n{WORDS}"},
        {"type": "button", "id": "shop", "label": "See what is new", "href": "https://shop.example.com/spring?tier={{ tier }}"},
        {
            "type": "text",
            "id": "points",
            "text": "You have {{ points }} points as a {{ tier|upper }} member{{ '' if points < 100 else ', thank you' }}.",
        },
        {"type": "text", "id": "code", "text": f"Your code: **{{{{ code }}}}**. {WORDS} [Read more](https://shop.example.com/story)"},
        {"type": "footer", "id": "footer", "address": "Harbour & Pine Ltd\nQuay Street 1, Bristol"},
    ]
    locale = {"subject": "{{ first_name }}, spring is here", "preheader": "A few things for {{ city }}", "blocks": blocks}
    body = {
        "title": "Spring",
        "channel": "email",
        "message_class": "promotional",
        "topic": "offers",
        "sender": {"name": "Harbour & Pine", "address": "hello@example.com"},
        "default_locale": "en",
        "variables": variables,
        "locales": {"en": locale},
    }
    return parse(TemplateBody, body)


def people(count: int) -> list[Recipient]:
    """Recipients with names that repeat and codes that don't."""
    return [
        Recipient(
            n=n,
            profile=Person(
                str(n),
                f"p{n}@example.com",
                "",
                "en",
                "DE",
                "UTC",
                {
                    "first_name": f"{NAMES[n % len(NAMES)]}{n % 997}",
                    "city": CITIES[n % len(CITIES)],
                    "points": n % 500,
                    "tier": ("blue", "gold")[n % 2],
                    "code": f"S{n:07d}",
                },
            ),
            token=f"tok{n:012d}abcdefgh",
        )
        for n in range(count)
    ]


def by_fill(compiled: Compiled, recipients: list[Recipient]) -> int:
    """Whole messages, in batches of 1,000."""
    size = 0
    for start in range(0, len(recipients), 1000):
        for filled in fill(compiled, recipients[start : start + 1000]):
            assert isinstance(filled, Filled)
            size += len(filled.subject) + len(filled.html or b"") + len(filled.text)
    return size


def by_values(compiled: Compiled, recipients: list[Recipient]) -> int:
    """Only what differs between recipients."""
    size = 0
    for start in range(0, len(recipients), 1000):
        for filled in fill(compiled, recipients[start : start + 1000]):
            assert isinstance(filled, Filled)
            size += len(filled.values)
    return size


def by_plain(compiled: Compiled, recipients: list[Recipient]) -> int:
    """The sandbox, one recipient at a time."""
    size = 0
    for recipient in recipients:
        rendered = plain(compiled, recipient)
        size += len(rendered.html or b"") + len(rendered.text) + len(rendered.subject)  # type: ignore[union-attr]
    return size


def by_hand(message: CompiledMessage) -> Callable[[Compiled, list[Recipient]], int]:
    """Ordinary Jinja2: autoescaped templates, a context dict per recipient, no sandbox and no checks of values."""
    escaped, bare = Environment(autoescape=True), Environment(autoescape=False)
    parts = [bare.from_string(_source(message.subject)), bare.from_string(_source(message.text))]
    assert message.html is not None
    parts.append(escaped.from_string(_source(message.html)))

    def render(compiled: Compiled, recipients: list[Recipient]) -> int:
        size = 0
        for recipient in recipients:
            assert recipient.profile is not None
            values = {
                **recipient.profile.attributes,
                "token": recipient.token,
                "unsubscribe_url": f"{compiled.base_url}/u/{recipient.token}",
                "preferences_url": f"{compiled.base_url}/p/{recipient.token}",
                "confirm_token": recipient.confirm_token,
                "confirm_url": f"{compiled.base_url}/c/{recipient.confirm_token}",
            }
            size += sum(len(part.render(values).encode()) for part in parts)
        return size

    return render


def _source(part: Program) -> str:
    out = "{% raw %}" + part.constants[0].decode() + "{% endraw %}"
    for hole, constant in zip(part.holes, part.constants[1:], strict=True):
        escape = "|urlencode" if hole.context == "url" else ""
        out += "{{ (" + hole.expression + ")" + escape + " }}{% raw %}" + constant.decode() + "{% endraw %}"
    return out


def rate(
    work: Callable[[Compiled, list[Recipient]], int], compiled: Compiled, recipients: list[Recipient], rounds: int
) -> tuple[float, int]:
    """The best of some rounds: mails per second of processor time, and bytes per mail."""
    best, size = 0.0, 0
    for _ in range(rounds):
        begun = time.process_time()
        size = work(compiled, recipients)
        best = max(best, len(recipients) / (time.process_time() - begun))
    return best, size // len(recipients)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    compiled = compile(compose_body("spring", template()), base_url="https://mail.example.com")
    message, recipients = compiled.locales["en"], people(arguments.people)
    holes = sum(len(part.holes) for part in message.parts)
    tagged = substitution(message)
    first = fill(compiled, recipients[:1])[0]
    assert isinstance(first, Filled) and tagged.html is not None
    weight = f"{len(first.html or b'') / 1000:.1f} kB HTML + {len(first.text) / 1000:.1f} kB text"
    print(f"{arguments.people:,} mails of {weight}, {holes} holes, {len(message.slots)} values")
    ways: list[tuple[str, Callable[[Compiled, list[Recipient]], int], int]] = [
        ("fill", by_fill, 1),
        ("fill, values only", by_values, 1),
        ("Jinja2, autoescape", by_hand(message), 5),
        ("Jinja2, our sandbox", by_plain, 20),
    ]
    base = 0.0
    for name, work, share in ways:
        speed, size = rate(work, compiled, recipients[: max(1000, len(recipients) // share)], arguments.rounds)
        base = base or speed
        print(f"{name:<22} {speed:>10,.0f} mails/s   fill is {base / speed:>5.1f} × that   ({size:,} bytes each)")


if __name__ == "__main__":
    main()
