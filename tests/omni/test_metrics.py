"""Metrics are for whoever holds the token, or for this machine; they hold routes and event names, never paths."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
import structlog
from django.conf import settings
from django.http import HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.utils import timezone

from delivery.models import Decision
from delivery.states import AttemptState, Lane
from omni import metrics
from tests.delivery.sent import sent

pytestmark = pytest.mark.django_db


def with_token(token: str) -> override_settings:
    return override_settings(OMNI=settings.OMNI.model_copy(update={"metrics_token": token}))


def test_without_a_token_only_this_machine_reads_metrics(client: Client) -> None:
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.7").status_code == 401
    assert client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 401


def test_with_a_token_only_its_bearer_reads_metrics(client: Client) -> None:
    with with_token("correct horse battery staple"):
        assert client.get("/metrics").status_code == 401
        assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert client.get("/metrics", headers={"Authorization": "Bearer " + "ä"}).status_code == 401
        right = client.get("/metrics", headers={"Authorization": "Bearer correct horse battery staple"}, REMOTE_ADDR="192.0.2.7")
        assert right.status_code == 200 and right.content.startswith(b"# HELP")


def test_requests_are_counted_by_route_and_never_by_path(client: Client) -> None:
    client.get("/t/AbCdEfSecretToken/3")
    client.get("/nowhere/ada@example.com")
    client.get("/metrics")
    page = client.get("/metrics").content.decode()
    assert 'omni_http_requests_total{method="GET",route="metrics",status="200"}' in page and 'route="unmatched",status="404"' in page
    assert "SecretToken" not in page and "ada@" not in page


def test_what_is_logged_is_counted_by_its_event(client: Client) -> None:
    structlog.get_logger("test").warning("batch.sent", batch=1)
    page = client.get("/metrics").content.decode()
    assert 'omni_events_total{event="batch.sent",level="warning"}' in page


def test_metrics_say_what_is_ready_and_what_waits(client: Client) -> None:
    page = client.get("/metrics").content.decode()
    assert 'omni_ready{part="database"} 1.0' in page
    assert "omni_work_due 0.0" in page and "omni_instances_held 0.0" in page


def test_an_odd_method_is_one_label() -> None:
    request = RequestFactory().generic("BREW", "/t/x/1")
    request.resolver_match = None
    metrics.Timing(lambda _: HttpResponse("ok"))(request)
    assert metrics.REQUESTS.labels("unmatched", "other", "200")._value.get() >= 1


def test_metrics_say_what_is_in_doubt_and_how_late_the_oldest_work_is(client: Client, now: datetime) -> None:
    doubtful = sent(3, now=now, state=AttemptState.IN_DOUBT)
    sent(2, now=timezone.now() + timedelta(hours=1), state=AttemptState.POSTING)
    page = client.get("/metrics").content.decode()
    assert 'omni_messages_in_doubt{vendor="sendgrid"} 3.0' in page and 'omni_messages_in_flight{vendor="sendgrid"} 2.0' in page
    assert 'omni_work_late_seconds{lane="transactional"} 0.0' in page
    late = {"workspace_id": doubtful.dispatch.workspace_id, "dispatch": doubtful.dispatch, "lane": Lane.TRANSACTIONAL}
    Decision.objects.create(**late, n=9, profile_id=doubtful.people[0], decided_at=now, due_at=timezone.now() - timedelta(minutes=2))
    found = re.search(r'omni_work_late_seconds\{lane="transactional"\} ([\d.]+)', client.get("/metrics").content.decode())
    assert found and 120 <= float(found[1]) < 180
