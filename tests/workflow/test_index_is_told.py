"""Between two looks at the clock a worker tells the audience's index what changed: rules on it see a change within seconds."""

from __future__ import annotations

import time
from datetime import datetime

import pytest

from audience.models import ProfileFeed
from tests import factories
from workflow import worker
from workflow.worker import Worker

pytestmark = pytest.mark.django_db


def test_a_worker_that_kept_time_a_moment_ago_tells_the_index_all_the_same(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "FEED_EVERY", 0.05)
    one = Worker("one", clock=lambda: now)
    one.step()
    factories.profile(now=now)
    assert ProfileFeed.objects.exists()
    time.sleep(0.06)
    one.step()
    assert not ProfileFeed.objects.exists(), "without an index the feed has no reader and is emptied"
