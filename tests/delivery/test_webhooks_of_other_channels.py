"""WhatsApp and WeChat call back: the address is ours, the events are theirs, and what people write counts on that channel only."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audience import door as audience
from delivery import door as delivery
from delivery import webhook_log
from delivery.door import address_hash, suppressed
from delivery.models import Attempt, Suppression, VendorEvent
from delivery.states import AttemptState
from governance import door as governance
from tests import factories
from tests.adapters.vendors import everybody
from tests.adapters.vendors.server import Vendors
from tests.delivery.sent import post

pytestmark = pytest.mark.django_db
ROUTES: dict[str, dict[str, Any]] = {
    "whatsapp": {
        "title": "WhatsApp",
        "channel": "whatsapp",
        "vendor": "whatsapp_cloud",
        "settings": {"phone_number_id": "1055"},
        "secrets": {"access_token": "WA_TOKEN", "app_secret": "WA_APP", "verify_token": "WA_KNOCK"},
    },
    "wechat": {
        "title": "WeChat",
        "channel": "wechat",
        "vendor": "wechat",
        "settings": {"app_id": "wx0123456789abcdef"},
        "secrets": {"app_secret": "WX_SECRET", "callback_token": "WX_TOKEN"},
    },
}
SECRETS = {"WA_TOKEN": "EAA", "WA_APP": "s3cret", "WA_KNOCK": "knock", "WX_SECRET": "s3cret", "WX_TOKEN": "t0ken"}


@pytest.fixture
def now() -> Any:
    return timezone.now() - timedelta(seconds=5)


@pytest.fixture
def channels(street: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The street with both vendors at its end."""
    vendors = Vendors(everybody.contracts())
    for name, value in SECRETS.items():
        monkeypatch.setenv(f"OMNI_SECRET_{name}", value)
    urls = f"whatsapp_cloud={vendors.url},wechat={vendors.url}"
    settings.OMNI = settings.OMNI.model_copy(update={"vendor_base_urls": urls})
    street.vendors = delivery.Connections()
    for key, body in ROUTES.items():
        factories.put("vendor_route", key, body, now=street.clock(), author="cleo")
        factories.release("vendor_route", key, now=street.clock(), author="cleo")
    yield street
    vendors.close()


def people(street: Any, count: int) -> list[int]:
    consents = (("whatsapp", "offers", "subscribed"), ("sms", "offers", "subscribed"))
    return [factories.profile(now=street.clock(), phone=f"+1415555010{n}", country="US", consents=consents) for n in range(count)]


def whatsapp(value: dict[str, Any], *, secret: str = "s3cret") -> int:
    body = json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]})
    signature = "sha256=" + hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": signature}
    return post("/hooks/whatsapp_cloud", body.encode(), "application/json", headers).status_code


def written(body: str, number: str, wamid: str = "wamid.IN1") -> dict[str, Any]:
    moment = str(int(timezone.now().timestamp()))
    return {"messages": [{"from": number.lstrip("+"), "id": wamid, "timestamp": moment, "type": "text", "text": {"body": body}}]}


def test_a_message_sent_by_whatsapp_is_reported_delivered(channels: Any) -> None:
    ids = people(channels, 2)
    dispatch = channels.launch(ids, channel="whatsapp")
    channels.work()
    assert channels.counts(dispatch)["sent"] == 2
    attempts = Attempt.objects.order_by("first_n")
    tokens = delivery.message_ids(dispatch, [attempt.first_n for attempt in attempts])
    statuses = [
        {
            "id": attempt.vendor_id,
            "status": "delivered",
            "timestamp": str(int(timezone.now().timestamp())),
            "biz_opaque_callback_data": token,
        }
        for attempt, token in zip(attempts, tokens, strict=True)
    ]
    assert whatsapp({"statuses": statuses}, secret="guess") == 401 and channels.counts(dispatch)["sent"] == 2
    assert whatsapp({"statuses": statuses}) == whatsapp({"statuses": statuses}) == 200
    assert channels.counts(dispatch)["delivered"] == 2 and VendorEvent.objects.count() == 2


def test_an_unanswered_message_is_proven_by_its_status(channels: Any, settings: Any) -> None:
    (one,) = people(channels, 1)
    dispatch = channels.launch([one], channel="whatsapp")
    channels.crash_after_admit(channels.lease())
    token = delivery.message_ids(dispatch, [0])[0]
    status = {"id": "wamid.X", "status": "sent", "timestamp": str(int(timezone.now().timestamp())), "biz_opaque_callback_data": token}
    assert whatsapp({"statuses": [status]}) == 200
    attempt = Attempt.objects.get()
    assert (attempt.state, attempt.vendor_id, attempt.resolved_by) == (AttemptState.SENT, "wamid.X", "event")


def test_stop_by_whatsapp_stops_whatsapp_and_not_texts(channels: Any) -> None:
    (one,) = people(channels, 1)
    number, home = "+14155550100", governance.default_workspace().pk
    assert whatsapp(written("STOP", number)) == 200
    hashed = address_hash(home, "whatsapp", number)
    assert suppressed(home, "whatsapp", [hashed]) == {hashed} and suppressed(home, "sms", [hashed]) == set()
    assert one not in audience.consenting(home, [one], channel="whatsapp", topic="offers", message_class="promotional", now=timezone.now())
    assert one in audience.consenting(home, [one], channel="sms", topic="offers", message_class="promotional", now=timezone.now())
    assert whatsapp(written("start", number, "wamid.IN2")) == 200 and not Suppression.objects.exists()


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"type": "text", "text": {"body": "Abmelden bitte"}}, "unsubscribed"),
        ({"type": "button", "button": {"text": "Stop", "payload": "1"}}, "unsubscribed"),
        ({"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"id": "1", "title": "STOP"}}}, "unsubscribed"),
        ({"type": "text", "text": {"body": "help"}}, "asked_help"),
        ({"type": "text", "text": {"body": "Please stop by tomorrow"}}, "processed"),
        ({"type": "image", "image": {"id": "1"}}, "processed"),
    ],
)
def test_what_people_write_or_press_on_whatsapp_counts_as_it_does_in_texts(channels: Any, said: dict[str, Any], kind: str) -> None:
    people(channels, 1)
    message = {"from": "14155550100", "id": "wamid.IN9", "timestamp": str(int(timezone.now().timestamp())), **said}
    assert [whatsapp({"messages": [message]}) for _ in range(2)] == [200, 200]
    assert Suppression.objects.count() == (1 if kind == "unsubscribed" else 0)
    assert VendorEvent.objects.filter(kind=kind).count() == 1


def test_every_wrong_signature_gets_the_same_answer_for_the_same_work(channels: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the answer nor what the database is asked tells how wrong a guess was, or whether a workspace exists."""
    monkeypatch.setattr(webhook_log, "TOGETHER", timedelta(hours=1))  # one refusal a second is written down: a slow machine would see two
    body = json.dumps({"entry": []}).encode()
    right = "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    guesses = [right[:-1] + ("0" if right[-1] != "0" else "1"), "sha256=" + "0" * 64, right[:-4], "", "sha1=1", right + "0"]
    answers = set()
    for path in ("/hooks/whatsapp_cloud", "/hooks/whatsapp_cloud/nobody"):
        work = set()
        for guess in [guesses[0], *guesses]:  # the first time round more is looked up
            with CaptureQueriesContext(connection) as queries:
                answer = Client().post(path, body, content_type="application/json", headers={"X-Hub-Signature-256": guess})
            answers.add((answer.status_code, answer.content, answer.headers["Content-Type"]))
            work = {len(queries)} if guess is guesses[0] else work | {len(queries)}
        assert len(work) == 1
    assert len(answers) == 1 and answers.pop()[0] == 401


def test_metas_question_is_answered_and_nobody_elses(channels: Any) -> None:
    def asked(path: str, token: str) -> tuple[int, bytes, str]:
        query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": "1158201444"}
        answer = Client().get(path, query)
        return answer.status_code, answer.content, answer.headers["Content-Type"]

    assert asked("/hooks/whatsapp_cloud", "knock") == (200, b"1158201444", "text/plain; charset=utf-8")
    assert asked("/hooks/whatsapp_cloud", "guess")[0] == 401 and asked("/hooks/whatsapp_cloud/nobody", "knock")[0] == 401
    assert Client().get("/hooks/sendgrid").status_code == 405 and Client().get("/hooks/fcm").status_code == 404


# ── WeChat ────────────────────────────────────────────────────────────────────────────────────────────────────────


def wechat_query(**more: str) -> str:
    moment, nonce = str(int(timezone.now().timestamp())), "17"
    signature = hashlib.sha1("".join(sorted(("t0ken", moment, nonce))).encode()).hexdigest()
    return urlencode({"signature": signature, "timestamp": moment, "nonce": nonce, **more})


def wechat(**fields: str) -> Any:
    given = {"ToUserName": "gh_1", "CreateTime": str(int(timezone.now().timestamp())), "MsgType": "event", **fields}
    body = "<xml>" + "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in given.items()) + "</xml>"
    return post(f"/hooks/wechat?{wechat_query()}", body.encode(), "text/xml", {})


def test_wechats_question_is_answered_by_an_echo(channels: Any) -> None:
    answer = Client().get(f"/hooks/wechat?{wechat_query(echostr='4375120948345356249')}")
    assert (answer.status_code, answer.content) == (200, b"4375120948345356249")
    assert Client().get("/hooks/wechat?echostr=1").status_code == 401


def test_a_report_by_wechats_own_number_finds_its_message(channels: Any) -> None:
    dispatch = channels.launch(people(channels, 1), channel="whatsapp")
    channels.work()
    Attempt.objects.update(vendor="wechat", vendor_id="200163836")  # the channel has no addresses of people yet
    done = {"FromUserName": "openid-1", "Event": "TEMPLATESENDJOBFINISH", "MsgID": "200163836", "Status": "success"}
    answer = wechat(**done)
    assert (answer.status_code, answer.content) == (200, b"success")
    assert channels.counts(dispatch)["delivered"] == 1
    assert wechat(**{**done, "MsgID": "200163837"}).status_code == 200 and VendorEvent.objects.get(dispatch_id=0).kind == "delivered"


def test_who_no_longer_follows_is_left_alone_until_they_follow_again(channels: Any) -> None:
    home = governance.default_workspace().pk
    hashed = address_hash(home, "wechat", "openid-1")
    assert wechat(FromUserName="openid-1", Event="unsubscribe").status_code == 200
    assert suppressed(home, "wechat", [hashed], message_class="transactional") == {hashed}
    assert "openid-1" not in "".join(VendorEvent.objects.values_list("event_id", flat=True))
    assert wechat(FromUserName="openid-1", Event="subscribe").status_code == 200 and suppressed(home, "wechat", [hashed]) == set()


def test_nothing_that_wechat_did_not_sign_changes_anything(channels: Any) -> None:
    answer = Client().post(
        "/hooks/wechat?signature=x&timestamp=1&nonce=2", "<xml><Event>unsubscribe</Event></xml>", content_type="text/xml"
    )
    assert answer.status_code == 401 and not VendorEvent.objects.exists()


def test_what_followers_write_is_heard_and_answered_by_wechat_itself(channels: Any) -> None:
    home = governance.default_workspace().pk
    hashed = address_hash(home, "wechat", "openid-1")
    written = {"FromUserName": "openid-1", "MsgType": "text"}
    chat = wechat(**written, Content="今天几点开门？ don't stop", MsgId="1")
    assert (chat.content, suppressed(home, "wechat", [hashed])) == (b"success", set())
    answer = wechat(**written, Content="配信停止", MsgId="2").content.decode()
    assert "<ToUserName>openid-1</ToUserName>" in answer and "配信を停止しました" in answer
    assert suppressed(home, "wechat", [hashed]) == {hashed}
    assert wechat(**written, Content="配信停止", MsgId="2").content == b"success", "a repeat is not answered again"
    assert "you are subscribed again" in wechat(**written, Content="Start", MsgId="3").content.decode()
    assert suppressed(home, "wechat", [hashed]) == set()
