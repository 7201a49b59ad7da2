"""Several at once: acts in threads of their own, all from one starting line."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection

from governance.door import DoorError


def together(acts: Sequence[Callable[[], Any]], *, connected: bool = False) -> list[Any]:
    """What each act returned, or the DoorError that it raised. connected: each has its database connection before any starts, so that
    not even connecting keeps them apart; no more than a pool holds."""
    line = threading.Barrier(len(acts))
    outcomes: list[Any] = [None] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        try:
            if connected:
                connection.ensure_connection()
            line.wait(timeout=20)
            outcomes[place] = act()
        except DoorError as error:
            outcomes[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return outcomes
