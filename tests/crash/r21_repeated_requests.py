"""R21: fifty threads ask for a thousand messages, each four times by its Idempotency-Key, while the server is killed."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter, defaultdict
from typing import Any

from tests.crash.proof import Call, Found, Proof
from tests.crash.stage import Stage, end, stage
from tests.crash.vendor import times

KEYS, THREADS, REPEATS, KILLS = 1_000, 50, 4, 5
PAUSE = 4.0  # seconds between two kills, at least


def run(call: Call) -> Found:
    found, keys = Found(), max(50, int(KEYS * call.scale))
    answers: dict[int, list[tuple[int, str]]] = defaultdict(list)
    work = [key for key in range(keys) for _ in range(REPEATS)]
    with stage(200) as made:
        secrets = [made.api_key() for _ in range(3)]  # one key may ask 6,000 times a minute
        server, asking, lock = made.omni.serve(), iter(list(enumerate(work))), threading.Lock()

        def ask() -> None:
            while True:
                with lock:
                    place, key = next(asking, (0, None))
                if key is None:
                    return
                answer = _asked(made, secrets[place % 3], key)
                with lock:
                    answers[key].append(answer)

        threads = [threading.Thread(target=ask, daemon=True) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        chance, killed = call.chance(), 0
        while killed < KILLS and any(thread.is_alive() for thread in threads):
            time.sleep(PAUSE + chance.random())
            end(server)
            killed, server = killed + 1, made.omni.serve()
        while any(thread.is_alive() for thread in threads):
            time.sleep(1)
            if server.poll() is not None:
                found.must(False, f"the server ended by itself with {server.returncode}")
                server = made.omni.serve()
        other = _post(made, secrets[0], 0, {**_body(0), "data": {"code": "other"}})[0]
        decided = made.query("SELECT count(*) AS many FROM delivery_decision")["many"]
        made.omni.manage("worker", "--drain")
        accepted = times(made.vendor.log())
    statuses = Counter(status for each in answers.values() for status, _ in each)
    strange = [key for key, each in answers.items() if len({body for _, body in each}) != 1]
    found.figures |= {"keys": keys, "threads": THREADS, "answers": sum(statuses.values()), "server killed": killed}
    found.figures |= {"decided": decided, "accepted by the vendor": len(accepted), "twice": sum(accepted.values()) - len(accepted)}
    found.figures["the same key with another body"] = other
    found.must(set(statuses) == {202}, f"answers by status: {dict(statuses)}")
    found.must(not strange, f"{len(strange)} keys were answered in different words: {[answers[key][:2] for key in strange[:2]]}")
    found.must(decided == keys, f"{decided:,} messages were decided for {keys:,} keys")
    found.must(len(accepted) == keys and sum(accepted.values()) == keys, f"the vendor has {sum(accepted.values()):,} messages")
    found.must(other == 409, f"the same key with another body is answered {other}")
    return found


def _body(key: int) -> dict[str, Any]:
    return {"type": "reset", "to": {"external_id": f"r{key}", "email": f"r{key}@example.com"}, "data": {"code": f"{key:06d}"}}


def _asked(made: Stage, secret: str, key: int) -> tuple[int, str]:
    """As a good caller does: the same request again until there is an answer."""
    until = time.monotonic() + 120
    while True:
        try:
            status, body = _post(made, secret, key, _body(key))
            if status not in (429, 503) or time.monotonic() > until:
                return status, body
        except (OSError, http.client.HTTPException):
            if time.monotonic() > until:
                return 0, "no answer"
        time.sleep(0.3)


def _post(made: Stage, secret: str, key: int, body: dict[str, Any]) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", made.omni.port, timeout=30)
    headers = {"authorization": f"Bearer {secret}", "content-type": "application/json", "idempotency-key": f"key-{key}"}
    try:
        connection.request("POST", "/api/v1/messages", json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


PROOF = Proof(
    "R21",
    "50 threads ask for 1,000 messages, each 4 times by its key, while the server is killed 5 times",
    "one message per key, the same answer each time; another body under a used key is refused (409)",
    run,
)
