"""A process of the instance that acts for its people: one JSON line in, one out. `python -m tests.crash.inside`

Everything goes through the rooms' doors, as a page or the API would; the answer says when it came (CLOCK_MONOTONIC, ns).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent


class Inside:
    """That process, from outside."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        log = (folder / "processes.log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.inside"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        self.ask("hello")

    def ask(self, act: str, **words: Any) -> dict[str, Any]:
        """Do one act of `main` and wait for its answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"act": act, **words}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the instance's process ended at {act}")
        said: dict[str, Any] = json.loads(line)
        if "error" in said:
            raise RuntimeError(said["error"])
        return said

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omni.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.test import Client
    from django.urls import reverse
    from django.utils import timezone

    from audience import door as audience
    from delivery import door as delivery
    from governance import door as governance
    from governance.door import User

    space = governance.default_workspace().pk
    settings.ALLOWED_HOSTS.append("testserver")

    def person(name: str) -> Any:
        return governance.actor_for(User.objects.get(username=name), space, "command")

    def kill(on: bool) -> dict[str, Any]:
        delivery.kill(person("bo"), "workspace", "", on, reason="a proof", now=timezone.now())
        return {"left": delivery.standstill(space) if on else 0}

    def withdraw(external_id: str) -> dict[str, Any]:
        who = audience.find(space, external_id=external_id)
        assert who is not None
        audience.set_consent(
            space, [who.id], channel="email", topic="offers", state="unsubscribed", source="preference-page", now=timezone.now()
        )
        return {"profile": who.id}

    def suppress(address: str) -> dict[str, Any]:
        delivery.suppress(space, "email", address, reason="manual", source="a proof", now=timezone.now())
        who = audience.find(space, external_id="m" + re.sub(r"\D", "", address))
        assert who is not None
        return {"profile": who.id}

    def run_page(run: int) -> dict[str, Any]:
        """The figures that the run's page shows, by their labels."""
        browser = Client()
        browser.force_login(User.objects.get(username="bo"))
        page = browser.get(reverse("workflow:run", args=[run])).content.decode()
        stat = r'stat-label">([^<]+)</span>\s*<span class="stat-value">([\d,]+)'
        return {"stats": {label: int(value.replace(",", "")) for label, value in re.findall(stat, page)}}

    def hello() -> dict[str, Any]:
        return {}

    acts: dict[str, Callable[..., dict[str, Any]]] = {
        "hello": hello,
        "kill": kill,
        "withdraw": withdraw,
        "suppress": suppress,
        "run_page": run_page,
    }
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            said = acts[asked.pop("act")](**asked)
        except Exception as error:  # told to whoever asked
            said = {"error": repr(error)}
        print(json.dumps({**said, "at": time.monotonic_ns()}), flush=True)


if __name__ == "__main__":
    main()
