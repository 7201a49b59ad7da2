"""In which order several workers run the tests: what is slow begins first, and what wants a browser stays together.

xdist's `worksteal` gives each worker a stretch of the list, and who is done takes the later half of what another has left. So the
slow ones stand at the heads of the stretches: none of them begins when the others have nothing left to do.
"""

from __future__ import annotations

import pytest

SLOW = (
    "tests/laws/",
    "tests/doors/",
    "tests/workflow/test_stopping_a_large_send.py",
    "tests/workflow/test_sender_processes.py",
    "tests/delivery/test_killed_processes.py",
    "tests/omni/",
    "tests/console/test_bad_input.py",
    "tests/console/test_what_pages_say.py",
    "tests/governance/test_approval_machine.py",
    "tests/audience/test_index_feed.py",  # who waits for Elasticsearch to start
)


def _together(items: list[pytest.Item]) -> list[list[pytest.Item]]:
    """A file's tests stay with what its module makes for them; the laws, each of which takes long, go one by one."""
    groups: dict[str, list[pytest.Item]] = {}
    for item in items:
        groups.setdefault(item.nodeid if item.nodeid.startswith("tests/laws/") else item.nodeid.partition("::")[0], []).append(item)
    return sorted(groups.values(), key=lambda some: not some[0].nodeid.startswith("tests/laws/"))


def dealt(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """The same tests: the browser's at the head of the first stretch, one house and one browser for all; the slow ones, dealt out, at the
    heads of the others; then the rest in its order."""
    browser = [item for item in items if item.get_closest_marker("browser")]
    slow = [item for item in items if item.nodeid.startswith(SLOW) and item not in set(browser)]
    heads = [browser] if browser else []
    hands, together = workers - len(heads), _together(slow)
    heads += [[item for some in together[hand::hands] for item in some] for hand in range(hands)]
    taken = {item for head in heads for item in head}
    rest, order = [item for item in items if item not in taken], list[pytest.Item]()
    for place, head in enumerate(heads):
        room = (len(items) - len(order)) // (workers - place) - len(head)
        order += [*head, *rest[: max(room, 0)]]
        rest = rest[max(room, 0) :]
    return order + rest
