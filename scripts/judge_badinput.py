"""Inputs that must get a clear answer: every row is put to the door it belongs to; nothing may be a server error or half-done.

    python -m scripts.judge_badinput ../shared/badinput

Runs on a fresh SQLite in a temporary folder. Rows of areas that have no door yet are counted as such, never as passed.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FOLDER = tempfile.mkdtemp(prefix="omni-badinput-")
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "omni.settings",
    "OMNI_DATA_DIR": FOLDER,
    "OMNI_ENV": "test",
    "OMNI_ALLOWED_RECIPIENTS": "@example.com",
    "OMNI_TOKEN_KEYS": "judge-token-key-0123456789abcdef",
}

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from governance import door as governance  # noqa: E402
from governance.door import User  # noqa: E402

SHOWN = frozenset(os.environ.get("OMNI_JUDGE_SHOW", "").split(","))
SLOWEST = 2.5  # seconds of this process's own work that one answer may take: what the machine does beside it is another matter
Answer = tuple[int, str]


class Api:
    """A program with every scope of an admin."""

    def __init__(self) -> None:
        call_command("migrate", verbosity=0)
        now, space = timezone.now(), governance.default_workspace()
        user = User.objects.create_user("judge")
        governance.Membership.objects.create(workspace=space, user=user, role="admin", legal=True)
        actor = governance.actor_for(user, space.pk, "command")
        scopes = sorted(governance.SCOPES)
        _, self.key = governance.create_api_key(actor, name="judge", role="admin", scopes=scopes, expires_at=None, now=now)
        for name, kind in {"first_name": "text", "city": "text"}.items():
            governance.save(actor, "attribute", name, {"title": name, "type": kind}, base=None, now=now)

    def call(self, method: str, path: str, body: Any, **headers: str) -> Answer:
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        client = Client(raise_request_exception=False)
        sent = {"Authorization": f"Bearer {self.key}", **headers}
        answer = client.generic(method, f"/api/v1/{path}", data, content_type="application/json", headers=sent, SERVER_NAME="localhost")
        return answer.status_code, answer.content.decode("utf-8", "replace")


def letter(**changes: Any) -> dict[str, Any]:
    """A template that is fine but for what changes."""
    locale = {
        "subject": changes.pop("subject", "Hello"),
        "blocks": [
            {"type": "text", "id": "words", "text": changes.pop("text", "Words")},
            {"type": "button", "id": "go", "label": "Go", "href": changes.pop("href", "https://www.wayfare.example/")},
            {"type": "footer", "id": "footer", "address": "12 Harbour Street"},
        ],
    }
    return {
        "title": "Letter",
        "channel": "email",
        "message_class": "promotional",
        "topic": "offers",
        "sender": {"name": "Wayfare", "address": "hello@wayfare.example"},
        "default_locale": changes.pop("default_locale", "en"),
        "variables": {"first_name": {"source": "attribute.first_name", "fallback": "you"}},
        "locales": {changes.pop("locale", "en"): locale},
        **changes,
    }


_numbers = itertools.count(1)


def fresh() -> str:
    """A key that no document has: each case meets a new one, so that none is refused for being stale."""
    return f"case-{next(_numbers)}"


def template(api: Api, payload: Any) -> Answer:
    return api.call("PUT", f"documents/templates/{fresh()}", {"body": letter(text=payload)})


PLACES: dict[str, Callable[[dict[str, Any], str], None]] = {
    "/locales/en/subject": lambda body, said: _first(body).update(subject=said),
    "/locales/en/preheader": lambda body, said: _first(body).update(preheader=said),
    "/locales/en/text": lambda body, said: _first(body).update(text=said),
    "/locales/en/blocks/0": lambda body, said: _first(body)["blocks"][0].update(when=said, repeat={"over": said, "as": said}),
    "/locales/en/blocks/1": lambda body, said: _first(body)["blocks"][1].update(label=said, href="https://www.wayfare.example/" + said),
    "/locales/en/blocks/2": lambda body, said: _first(body)["blocks"][2].update(address=said),
    "/locales/en/blocks/3": lambda body, said: _first(body)["blocks"].append({"type": "hero", "id": "h", "title": said, "text": said}),
    "/locales/en/blocks/4": lambda body, said: _first(body)["blocks"].append({"type": "card", "id": "c", "title": said, "price": said}),
    "/locales/en/blocks/5": lambda body, said: _first(body)["blocks"].append(
        {"type": "html", "id": "r", "html": f'<p title="{said}">{said}</p>'}
    ),
    "/sender/name": lambda body, said: body["sender"].update(name=said),
    "/theme": lambda body, said: body.update(theme={"brand": {"name": said}}),
    "/variables/first_name/fallback": lambda body, said: body["variables"]["first_name"].update(fallback=said),
}
"""Where else in a template what attacks it may stand; those of blocks in their order."""


def _first(body: dict[str, Any]) -> dict[str, Any]:
    return dict[str, dict[str, Any]](body["locales"])["en"]


def everywhere(api: Api, payload: Any) -> Answer:
    """The payload in every other place of a template, and as what is known of somebody who is shown one: the worst answer of all.

    Whatever is shown of it is the payload itself, as text."""
    body = letter()
    for change in PLACES.values():
        change(body, str(payload))
    worst = api.call("PUT", f"documents/templates/{fresh()}", {"body": body})
    if worst[0] == 422:  # once more with what nothing was said against
        named = [str(finding["path"]) for finding in json.loads(worst[1])["findings"]]
        body = letter()
        for place, change in PLACES.items():
            if place.startswith("/locales/en/blocks/") and place[-1] > "2":
                continue  # their numbers hold only with the others
            if not any(path.startswith(place) for path in named):
                change(body, str(payload))
        worst = max(worst, api.call("PUT", f"documents/templates/{fresh()}", {"body": body}), key=lambda answer: answer[0])
    person, key = fresh(), fresh()
    api.call("POST", "profiles", {"profiles": [{"external_id": person, "attributes": {"first_name": str(payload), "city": str(payload)}}]})
    api.call(
        "PUT", f"documents/templates/{key}", {"body": letter(subject="{{ first_name }}", text="{{ first_name }}, {{ first_name|upper }}")}
    )
    status, shown = api.call("POST", f"templates/{key}/preview", {"external_id": person})
    if status >= 400:
        return 500, f"somebody called so can't be shown a letter: {shown[:200]}"
    made = json.loads(shown)
    words = made["subject"] + made["text"]
    if "<script" in made["html"] or ("49" in words and "49" not in str(payload)) or str(payload).split()[0] not in words:
        return 500, f"what is known of somebody became more than text: {shown[:200]}"
    return worst


def header(api: Api, payload: Any) -> Answer:
    text = str(payload)
    return api.call("PUT", f"documents/templates/{fresh()}", {"body": letter(subject=text.removeprefix("Subject: "))})


def address(api: Api, payload: Any) -> Answer:
    return api.call("POST", "profiles", {"profiles": [{"external_id": "judged", "email": payload}]})


def phone(api: Api, payload: Any) -> Answer:
    return api.call("POST", "profiles", {"profiles": [{"external_id": "judged", "phone": payload}]})


def locale(api: Api, payload: Any) -> Answer:
    return api.call("POST", "profiles", {"profiles": [{"external_id": "judged", "locale": payload}]})


def body(api: Api, payload: Any) -> Answer:
    return api.call("POST", "events", payload if isinstance(payload, str) else json.dumps(payload))


def rule(api: Api, payload: Any) -> Answer:
    return api.call("PUT", f"documents/segments/{fresh()}", {"body": {"title": "Judged", "rule": payload}})


def cron(api: Api, payload: Any) -> Answer:
    campaign = {"title": "J", "segment": "everyone", "template": "x", "trigger": {"type": "schedule", "cron": payload, "zone": "UTC"}}
    return api.call("PUT", f"documents/campaigns/{fresh()}", {"body": campaign})


def link(api: Api, payload: Any) -> Answer:
    return api.call("PUT", f"documents/templates/{fresh()}", {"body": letter(href=str(payload).removeprefix('href="').removesuffix('"'))})


DOORS: dict[str, Callable[[Api, Any], Answer]] = {
    "template": template,
    "email_header": header,
    "email_address": address,
    "phone": phone,
    "locale": locale,
    "api_json": body,
    "audience_query": rule,
    "cron": cron,
    "template_places": everywhere,
    "links": link,
}


def payloads(folder: Path) -> Iterator[tuple[str, str, Any]]:
    """(id, area, payload) of every row and every template payload."""
    for line in filter(None, (folder / "bad_inputs.jsonl").read_text().split("\n")):
        row = json.loads(line)
        made = row["payload"]
        if row.get("gen"):
            try:
                made = eval(made, {"__builtins__": {"range": range, "str": str}})  # the judge's own file, not a user's
            except Exception:  # an expression that makes no value here is sent as it stands
                made = row["payload"]
        yield row["id"], row["area"], made
    for number, line in enumerate((folder / "ssti_payloads.txt").read_text().split("\n"), 1):
        if line.strip():
            yield f"ssti-{number}", "template", line
            yield f"ssti-{number}-everywhere", "template_places", line


def _words(answer: str) -> str:
    try:
        return str(json.loads(answer).get("detail", ""))
    except ValueError:
        return ""


def main() -> None:
    """Put everything to its door and print what failed."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/badinput")
    if not (folder / "bad_inputs.jsonl").exists():
        print(f"no cases at {folder}")
        return
    api, seen, wrong = Api(), Counter[str](), []
    for name, area, payload in payloads(folder):
        door = DOORS.get(area)
        if door is None:
            seen[f"no door: {area}"] += 1
            continue
        began = time.process_time()
        try:
            status, answer = door(api, payload)
        except (UnicodeEncodeError, TypeError, RecursionError):  # the client itself can't put it on a wire
            seen["can't travel"] += 1
            continue
        took = time.process_time() - began
        seen[f"{area}: {status // 100}xx"] += 1
        if status < 300 and (name in SHOWN or "all" in SHOWN):
            print(f"{name} was taken: {str(payload)[:80]!r}")
        if status >= 500 or "Traceback" in answer or "uid=" in answer:
            wrong.append(f"{name}: {status} {answer[:200]}")
        elif status >= 400 and not _words(answer):
            wrong.append(f"{name}: {status} without words: {answer[:100]}")
        if took > SLOWEST:  # on a machine with other work anything may take long once
            began = time.process_time()
            door(api, payload)
            if (again := time.process_time() - began) > SLOWEST:
                wrong.append(f"{name}: {took:.1f} s, and again {again:.1f} s")
    for what, many in sorted(seen.items()):
        print(f"{what:<32}{many}")
    for fault in wrong:
        print("WRONG", fault)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
