"""The bare loop: read full rows, fill, one durable row per message by COPY, POST; nothing else. Prints JSON.

Run in a process with an instance's environment, after benchmarks.scene. It uses the same compiled template, the same vendor
translation and one keep-alive connection, and checks nothing: no consent, no caps, no lease, no fence.
"""

from __future__ import annotations

import json
import os
import resource
import time
from datetime import UTC, datetime

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omni.settings")

import django

django.setup()

import httpx  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from audience import door as audience  # noqa: E402
from delivery.adapters.base import Account, OutgoingMessage, OutgoingRequest, Sender  # noqa: E402
from delivery.adapters.sendgrid import SendGrid  # noqa: E402
from delivery.message_ids import message_ids  # noqa: E402
from governance import door as governance  # noqa: E402
from omni.environment import ENVIRONMENT  # noqa: E402
from presentation import door as presentation  # noqa: E402
from rendering import door as rendering  # noqa: E402

DISPATCH = 2**40  # a number that no dispatch has
BATCH = 1_000


def main() -> None:
    """Send to everybody with an address, once, and print how fast."""
    workspace = governance.default_workspace().pk
    content = presentation.compose(workspace, "spring")
    compiled = rendering.compile(content, base_url=ENVIRONMENT.public_url)
    shared = rendering.substitution(compiled.locales["en"])
    account = Account(ENVIRONMENT.base_urls().get("sendgrid", SendGrid.base_url), {"api_key": "SG.floor"}, {}, ENVIRONMENT.public_url)
    adapter, sender = SendGrid(), Sender(content.sender.address, content.sender.name)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM audience_profile WHERE workspace_id = %s AND email IS NOT NULL ORDER BY id", [workspace])
        ids = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            "CREATE TABLE floor_ledger (dispatch_id bigint, n bigint, profile_id bigint, state smallint, PRIMARY KEY (dispatch_id, n))"
        )
    started = time.monotonic()
    with httpx.Client(timeout=30) as client:
        for start in range(0, len(ids), BATCH):
            people = audience.load(workspace, ids[start : start + BATCH])
            numbers = range(start, start + len(people))
            tokens = message_ids(DISPATCH, list(numbers))
            recipients = [rendering.Recipient(n, person, {}, token) for n, person, token in zip(numbers, people, tokens, strict=True)]
            filled = rendering.fill(compiled, recipients)
            with transaction.atomic(), connection.cursor() as cursor:
                with cursor.cursor.copy("COPY floor_ledger FROM STDIN (FORMAT BINARY)") as copy:
                    copy.set_types(["int8", "int8", "int8", "int2"])
                    for n, person in zip(numbers, people, strict=True):
                        copy.write_row((DISPATCH, n, person.id, 10))
            messages = [
                OutgoingMessage(token, person.email or "", message, message.headers)
                for token, person, message in zip(tokens, people, filled, strict=True)
                if isinstance(message, rendering.Filled)
            ]
            request = adapter.build(OutgoingRequest(1, "email", sender, messages, substituted=shared, at=datetime.now(UTC)), account)
            answer = client.post(request.url, content=request.body, headers=dict(request.headers))
            answer.raise_for_status()
    seconds = time.monotonic() - started
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE floor_ledger")
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps({"mails": len(ids), "seconds": seconds, "per_second": len(ids) / seconds, "rss_mb": rss}))


if __name__ == "__main__":
    main()
