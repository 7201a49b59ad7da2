"""How long until a rule sees what was written to a stream: `python -m benchmarks.streaming_probe profiles|events SECONDS`.

Runs with the environment of the installation that is measured. Writes a marker, asks the rule for it until it is answered, and so on;
prints JSON: the seconds of each, and the engines that answered.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

PAUSE = 0.02  # seconds between two questions


def main(holds: str, seconds: float) -> None:
    """Ask for so long."""
    import django

    django.setup()
    import redis
    from django.conf import settings
    from django.utils import timezone

    from audience import door as audience
    from governance import door as governance

    workspace, omni = governance.default_workspace(), settings.OMNI
    client: Any = redis.Redis.from_url(omni.stream_url)
    stream = (omni.stream_profiles if holds == "profiles" else omni.stream_events).replace("{workspace}", workspace.key)
    took, engines, until, number = [], set[str](), time.monotonic() + seconds, 0
    while time.monotonic() < until:
        number += 1
        if holds == "profiles":
            body: dict[str, Any] = {"external_id": "probe", "attributes": {"tier": f"seen{number}"}}
            rule: dict[str, Any] = {"attribute": "tier", "op": "is", "value": f"seen{number}"}
        else:
            name = f"probe_{number}"
            body, rule = {"id": name, "name": name, "external_id": "probe"}, {"event": name, "op": "at_least", "count": 1}
        wanted = governance.parse(audience.SegmentBody, {"title": "Probe", "rule": rule})
        began = time.monotonic()
        client.xadd(stream, {"body": json.dumps(body)})
        while not (found := audience.resolve(workspace.pk, wanted, as_of=timezone.now())).count:
            time.sleep(PAUSE)
        took.append(round(time.monotonic() - began, 3))
        engines.add(found.engine)
    print(json.dumps({"seconds": took, "engines": sorted(engines)}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
