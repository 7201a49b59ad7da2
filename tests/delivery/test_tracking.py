"""Links, the pixel and the unsubscribe page: what a token may do, what it may not, and who counts as a person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from audience import door as audience
from delivery import tracking
from delivery.door import MessageKey, message_id, register_link_resolver, settle_clicks, suppressed
from delivery.models import VendorEvent
from delivery.public_words import WORDS, words_for
from delivery.states import AttemptState, MessageState
from governance import door as governance
from tests import factories
from tests.delivery.sent import Sent, sent

pytestmark = pytest.mark.django_db
PERSON = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SOFTWARE = [
    "",
    "Mozilla/5.0",
    "Barracuda Sentinel (EE)",
    "Mozilla/5.0 (compatible; Googlebot/2.1)",
    "curl/8.5",
    "Slackbot-LinkExpanding 1.0",
]
NO_WEB_ADDRESSES = [
    "javascript:alert(1)",
    "//evil.example",
    "/local",
    "https://",
    "data:text/html,x",
    "https://a.example/\r\nX: y",
    "http:\\evil",
]
TARGETS = ["https://shop.example.com/spring?a=1&b=2", "https://shop.example.com/ä", "http://other.example.com/"]


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture(autouse=True)
def _links(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tracking, "_resolvers", [])
    register_link_resolver(lambda dispatch_id, n, k: TARGETS[k] if k < len(TARGETS) else None)
    yield


def long_ago(now: datetime) -> datetime:
    return now - timedelta(days=1)


def home() -> int:
    return governance.default_workspace().pk


def names(profile_id: int) -> list[str]:
    return sorted(each.name for each in audience.events_of(home(), profile_id))


def consenting(mail: Sent) -> set[int]:
    return audience.consenting(home(), mail.people, channel="email", topic="offers", message_class="promotional", now=timezone.now())


def visit(path: str, agent: str = PERSON, **headers: str) -> tuple[int, str]:
    """Status and where it leads."""
    answer = Client().get(path, headers={"User-Agent": agent, **headers})
    return answer.status_code, answer.headers.get("Location", "")


def without_one_bit(token: str) -> Iterator[str]:
    for place in range(len(token)):
        yield token[:place] + chr(ord(token[place]) ^ 1) + token[place + 1 :]


# ── links ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_link_leads_where_the_pinned_template_says(now: datetime) -> None:
    mail = sent(1, now=long_ago(now))
    assert visit(f"/t/{mail.tokens[0]}/0") == (302, TARGETS[0])
    assert names(mail.people[0]) == ["message.clicked"] and mail.message().state == MessageState.DELIVERED


@pytest.mark.parametrize("query", ["?url=https://evil.example", "?next=//evil.example", "?redirect=https://evil.example&k=2", "?0=evil"])
def test_no_parameter_changes_where_a_link_leads(now: datetime, query: str) -> None:
    mail = sent(1, now=long_ago(now))
    assert visit(f"/t/{mail.tokens[0]}/0{query}") == (302, TARGETS[0])


def test_a_changed_shortened_or_foreign_token_leads_to_one_and_the_same_page(now: datetime) -> None:
    mail = sent(1, now=long_ago(now))
    bad = [*without_one_bit(mail.tokens[0]), mail.tokens[0][:-1], mail.tokens[0] + "A", "x", "%00", "..", "a" * 200]
    pages = {(answer.status_code, answer.content) for answer in (Client().get(f"/t/{token}/0") for token in bad)}
    assert {status for status, _ in pages} == {404} and len({content for status, content in pages}) <= 2
    assert not VendorEvent.objects.exists()


@pytest.mark.parametrize("k", ["3", "00", "-1", "1e1", "٣", "9999", "99999", "0.0", "%20"])
def test_a_link_number_that_does_not_exist_is_a_page_and_no_error(now: datetime, k: str) -> None:
    mail = sent(1, now=long_ago(now))
    assert visit(f"/t/{mail.tokens[0]}/{k}") == (404, "")


@pytest.mark.parametrize("said", NO_WEB_ADDRESSES)
def test_only_web_addresses_are_redirected_to(now: datetime, said: str) -> None:
    mail = sent(1, now=long_ago(now))
    register_link_resolver(lambda *_: said)
    assert visit(f"/t/{mail.tokens[0]}/0") == (404, "")


def test_a_link_of_a_test_message_leads_somewhere_and_counts_nowhere(now: datetime) -> None:
    assert visit(f"/t/{message_id(2**40, 3)}/0") == (302, TARGETS[0])
    assert not VendorEvent.objects.exists()


def test_a_person_who_clicks_again_at_once_counts_once(now: datetime) -> None:
    mail = sent(1, now=long_ago(now))
    who = tracking.reader(MessageKey(mail.dispatch.pk, 0))
    assert who is not None
    for seconds in (0, 1, 2, 60):
        moment = datetime.fromtimestamp(1_900_000_000 + seconds, tz=now.tzinfo)
        tracking.clicked(who, 1, agent=PERSON, by_hand=True, now=moment)
    assert VendorEvent.objects.filter(kind="clicked").count() == 2


def test_whoever_follows_a_link_proves_that_the_mail_was_sent(now: datetime) -> None:
    mail = sent(1, now=long_ago(now), state=AttemptState.IN_DOUBT)
    visit(f"/t/{mail.tokens[0]}/0")
    assert (mail.attempt().state, mail.attempt().resolved_by) == (AttemptState.SENT, "event")


def test_the_person_gets_the_page_even_when_the_click_cannot_be_kept(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    mail = sent(1, now=long_ago(now))

    def broken(*_: object, **__: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr("delivery.evidence.take", broken)
    assert visit(f"/t/{mail.tokens[0]}/0") == (302, TARGETS[0])


# ── who clicked? ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("agent", SOFTWARE)
def test_known_software_is_no_person(now: datetime, agent: str) -> None:
    mail = sent(1, now=long_ago(now))
    assert visit(f"/t/{mail.tokens[0]}/0", agent) == (302, TARGETS[0])
    assert names(mail.people[0]) == ["message.machine_clicked"]


def test_a_head_request_or_a_prefetch_is_no_person(now: datetime) -> None:
    mail = sent(2, now=long_ago(now))
    assert Client().head(f"/t/{mail.tokens[0]}/0", headers={"User-Agent": PERSON}).status_code == 302
    visit(f"/t/{mail.tokens[1]}/0", **{"Sec-Purpose": "prefetch;prerender"})
    assert names(mail.people[0]) == names(mail.people[1]) == ["message.machine_clicked"]


def test_whoever_follows_three_links_within_seconds_of_sending_is_a_scanner(now: datetime) -> None:
    mail = sent(2, now=now - timedelta(seconds=30))
    for k in range(3):
        visit(f"/t/{mail.tokens[0]}/{k}")
    visit(f"/t/{mail.tokens[1]}/0")
    assert names(mail.people[0]) == names(mail.people[1]) == [], "it is not clear yet"
    assert settle_clicks(now=timezone.now()) == 0
    assert settle_clicks(now=timezone.now() + timedelta(seconds=11)) == 4
    assert names(mail.people[0]) == ["message.machine_clicked"] * 3 and names(mail.people[1]) == ["message.clicked"]
    assert settle_clicks(now=timezone.now() + timedelta(seconds=60)) == 0
    assert all(VendorEvent.objects.filter(n=0).values_list("machine", flat=True))


def test_a_person_who_reads_on_is_a_person(now: datetime) -> None:
    mail = sent(1, now=now - timedelta(seconds=30))
    who = tracking.reader(MessageKey(mail.dispatch.pk, 0))
    assert who is not None
    for k in range(3):
        tracking.clicked(who, k, agent=PERSON, by_hand=True, now=now + timedelta(seconds=8 * k))
    settle_clicks(now=now + timedelta(minutes=1))
    assert names(mail.people[0]) == ["message.clicked"] * 3


# ── the pixel ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_pixel_is_a_picture_that_nobody_may_cache(now: datetime) -> None:
    mail = sent(1, now=long_ago(now))
    answer = Client().get(f"/o/{mail.tokens[0]}.gif", headers={"User-Agent": PERSON})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/gif") and answer.content.startswith(b"GIF89a")
    assert "no-store" in answer.headers["Cache-Control"] and not answer.cookies
    assert names(mail.people[0]) == ["message.opened"]


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0", "message.machine_opened"),
        ("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", "message.opened"),
        ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", "message.opened"),
    ],
)
def test_a_proxy_that_looks_on_arrival_is_no_person_and_one_that_looks_with_them_is(now: datetime, agent: str, name: str) -> None:
    mail = sent(1, now=now)
    visit(f"/o/{mail.tokens[0]}.gif", agent)
    assert names(mail.people[0]) == [name]


def test_a_changed_pixel_is_no_picture(now: datetime) -> None:
    mail = sent(1, now=now)
    assert {visit(f"/o/{token}.gif")[0] for token in [*without_one_bit(mail.tokens[0]), "x"]} == {404}


# ── unsubscribing ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_looking_at_the_page_changes_nothing(now: datetime) -> None:
    mail = sent(1, now=now)
    for _ in range(2):
        assert Client().get(f"/u/{mail.tokens[0]}").status_code == 200
    assert Client().head(f"/u/{mail.tokens[0]}").status_code == 200
    assert consenting(mail) == set(mail.people) and not VendorEvent.objects.exists()


def test_one_click_has_unsubscribed_when_it_is_answered(now: datetime) -> None:
    mail, client = sent(2, now=now), Client(enforce_csrf_checks=True)
    for _ in range(2):
        answer = client.post(f"/u/{mail.tokens[0]}", {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200 and not answer.cookies and consenting(mail) == {mail.people[1]}
    form = client.post(f"/u/{mail.tokens[1]}", b"List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert form.status_code == 200 and consenting(mail) == set()


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "multipart/form-data", "text/plain", ""])
def test_a_body_that_nobody_can_read_unsubscribes_too(now: datetime, kind: str) -> None:
    mail = sent(1, now=now)
    assert Client().post(f"/u/{mail.tokens[0]}", b"--x\r\nnonsense", content_type=kind).status_code == 200
    assert consenting(mail) == set()


def test_everything_stops_marketing_on_the_channel_and_not_what_people_need(now: datetime) -> None:
    mail = sent(1, now=now)
    Client().post(f"/u/{mail.tokens[0]}", {"scope": "everything"})
    assert suppressed(home(), "email", [mail.hash()]) == {mail.hash()}
    assert suppressed(home(), "email", [mail.hash()], message_class="transactional") == set()
    assert audience.consenting(home(), mail.people, channel="email", topic="other", message_class="service", now=timezone.now()) == set()


def test_who_subscribed_again_can_leave_again_by_the_same_link(now: datetime) -> None:
    mail = sent(1, now=now)
    Client().post(f"/u/{mail.tokens[0]}")
    audience.set_consent(home(), mail.people, channel="email", topic="offers", state="subscribed", source="shop", now=timezone.now())
    assert consenting(mail) == set(mail.people)
    Client().post(f"/u/{mail.tokens[0]}")
    assert consenting(mail) == set()


def test_a_message_without_a_topic_is_left_by_leaving_everything(now: datetime) -> None:
    mail = sent(1, now=now, topic="")
    page = Client().get(f"/u/{mail.tokens[0]}").content.decode()
    assert 'value="topic"' not in page
    Client().post(f"/u/{mail.tokens[0]}")
    assert suppressed(home(), "email", [mail.hash()]) == {mail.hash()}


def test_a_token_that_is_not_ours_unsubscribes_nobody(now: datetime) -> None:
    mail = sent(1, now=now)
    for token in [*without_one_bit(mail.tokens[0]), message_id(2**40, 1)]:
        assert Client().post(f"/u/{token}").status_code == 404
    assert consenting(mail) == set(mail.people)


@pytest.mark.parametrize("language", WORDS)
def test_the_page_speaks_the_readers_language(now: datetime, language: str) -> None:
    mail = sent(1, now=now)
    profile = mail.people[0]
    audience.upsert(home(), [audience.ProfileRow(external_id=_external(profile), locale=language)], source="tests", now=now)
    page = Client().get(f"/u/{mail.tokens[0]}", headers={"Accept-Language": "xx, en;q=0.5"}).content.decode()
    words = WORDS[language]
    assert f'<html lang="{language}" dir="{words.direction}">' in page and words.title in page
    assert "Offers" in page and governance.default_workspace().name in page


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("zh-Hant-TW", "zh-Hant"),
        ("zh_HK", "zh-Hant"),
        ("zh-TW", "zh-Hant"),
        ("zh-Hans-HK", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh", "zh-Hans"),
    ],
)
def test_chinese_is_written_in_the_readers_script(locale: str, language: str) -> None:
    assert words_for("xx", locale, "en").language == language


def test_the_page_names_who_the_message_came_from(now: datetime) -> None:
    factories.in_force("template", "offer", factories.template(variables={}, locales={"en": factories.letter("Hello", "Spring")}), now=now)
    revision = governance.released(home(), "template", "offer").id
    mail = sent(1, now=now, template_revision_id=revision)
    assert "from Wayfare?" in Client().get(f"/u/{mail.tokens[0]}").content.decode()


def _external(profile_id: int) -> str:
    return next(iter(audience.load(home(), [profile_id]))).external_id


def test_a_reader_of_whom_no_language_is_known_is_met_in_the_browsers(now: datetime) -> None:
    assert WORDS["ja"].lost_title in Client().get("/u/x", headers={"Accept-Language": "xx, ja;q=0.9, de;q=0.8"}).content.decode()
    assert WORDS["en"].lost_title in Client().get("/u/x", headers={"Accept-Language": ";;q=,,q=2"}).content.decode()


def test_public_pages_need_no_script_no_cookie_and_no_other_host(now: datetime) -> None:
    mail = sent(1, now=now)
    for answer in (Client().get(f"/u/{mail.tokens[0]}"), Client().post(f"/u/{mail.tokens[0]}"), Client().get("/u/x")):
        page = answer.content.decode()
        assert "<script" not in page and "<style" not in page and " style=" not in page and not answer.cookies
        assert not re.search(r"(?:href|src|action)=\"(?:https?:)?//", page)
        assert answer.headers["Referrer-Policy"] == "no-referrer" and "no-store" in answer.headers["Cache-Control"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
