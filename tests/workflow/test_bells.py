"""Who is woken by which ring."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection

from workflow import bells

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def listening(settings: object) -> Iterator[bells.PostgresBell]:
    """A process that heeds campaigns, and hears messages only after those who serve nothing else."""
    settings.OMNI = settings.OMNI.model_copy(update={"bell": "postgres"})  # type: ignore[attr-defined]
    bell = bells.PostgresBell(("promotional",))
    bell.wait(0)  # the first only connects
    yield bell
    bell.close()


def _seconds_until_woken(bell: bells.PostgresBell, lane: str) -> float:
    assert settings.OMNI.bell == "postgres"
    began, ringing = time.monotonic(), threading.Timer(0.2, _ring, (lane,))
    ringing.start()
    bell.wait(10)
    took = time.monotonic() - began
    ringing.join()
    return took


def _ring(lane: str) -> None:
    bells.ring(lane=lane)
    connection.close()


def test_a_ring_for_its_lane_wakes_a_process_at_once(listening: bells.PostgresBell) -> None:
    assert _seconds_until_woken(listening, "promotional") < 5


def test_a_ring_for_another_lane_wakes_it_a_moment_later_and_not_never(listening: bells.PostgresBell) -> None:
    assert 0.2 + bells.OTHERS_FIRST <= _seconds_until_woken(listening, "transactional") < 5
