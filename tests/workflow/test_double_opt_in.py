"""Somebody signs up, is asked whether they meant it, and has agreed once they say so on the page: from the sign-up form's call to the
message that may go, with everybody who shouldn't be able to say it for them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from audience import door as audience
from audience.models import ConfirmationFeed, Subscription, SubscriptionEntry
from delivery import door as delivery
from delivery.confirm_words import CONFIRM_WORDS
from delivery.models import Decision, OutboxMail
from delivery.public_words import WORDS
from governance import door as governance
from tests import factories as make
from tests.workflow.test_api import Api
from workflow import pipeline, transactional, worker

pytestmark = pytest.mark.django_db(transaction=True)
PLEASE = {
    "title": "Please confirm",
    "message_class": "transactional",
    "topic": None,
    "variables": {"topic": {"source": "data.topic", "type": "text", "fallback": "our messages", "sample": "Offers"}},
    "locales": {
        "en": {
            "subject": "Please confirm: {{ topic }}",
            "blocks": [{"type": "button", "id": "yes", "label": "Yes", "href": "{{ confirm_url }}"}],
        }
    },
}
ABOUT = {"channel": "email", "topic": "offers"}
FORM = {**ABOUT, "state": "subscribed", "source": "sign-up form", "wording": "Yes, send me offers (v3)"}


class Town:
    """A workspace in which offers by e-mail want to be confirmed; the worker's clock runs ahead of the pages' as it is told to."""

    def __init__(self, **declared: Any) -> None:
        self.ahead = timedelta()
        self.api = Api("profiles:write", "profiles:read", "messages:read")
        make.put("template", "please-confirm", make.template(**PLEASE), now=self.at)
        body = {"title": "Offers", "channel": "email", "topics": ["offers"], "confirm_with": "please-confirm", **declared}
        make.in_force("opt_in", "offers", body, now=self.at)
        self.home = make.workspace().pk

    def somebody(self, **changes: Any) -> str:
        number = make.profile(now=self.at, consents=(), **changes)
        [person] = audience.load(self.home, [number])
        return person.external_id

    def says(self, who: str, **changes: Any) -> dict[str, Any]:
        answer = self.api.call("PUT", f"profiles/{who}/consents", {**FORM, **changes})
        assert answer.status_code == 200, answer.content
        said: list[dict[str, Any]] = answer.json()["items"]
        return next(each for each in said if each["topic"] == changes.get("topic", "offers"))

    @property
    def at(self) -> datetime:
        return timezone.now() + self.ahead

    def work(self) -> None:
        worker.drain(now=lambda: self.at)

    def pass_(self, **span: float) -> None:
        self.ahead += timedelta(**span)

    def links(self) -> list[str]:
        """Every link to confirm that was sent, oldest first."""
        found = []
        for mail in OutboxMail.objects.order_by("pk"):
            found += sorted(set(re.findall(r"/c/([\w-]{28})", f"{mail.html} {mail.text}")))
        return found

    def number(self, who: str) -> int:
        person = audience.find(self.home, external_id=who)
        assert person is not None
        return person.id

    def may(self, who: str, topic: str = "offers", message_class: str = "promotional") -> bool:
        about = {"channel": "email", "topic": topic, "message_class": message_class}
        return bool(audience.consenting(self.home, [self.number(who)], **about, now=timezone.now()))

    def ledger(self, who: str) -> list[tuple[str, str, str]]:
        return [(each.topic, each.state, each.source) for each in reversed(audience.proof(self.home, self.number(who)))]


@pytest.fixture
def town() -> Town:
    return Town()


def press(link: str, **query: str) -> Any:
    return Client(enforce_csrf_checks=True).post(f"/c/{link}" + (f"?lang={query['lang']}" if query else ""))


def test_who_signs_up_has_agreed_once_they_pressed_the_button(town: Town) -> None:
    ann = town.somebody()
    said = town.says(ann)
    assert said["state"] == "pending" and datetime.fromisoformat(said["confirm_until"]) - timezone.now() > timedelta(days=29)
    assert not town.may(ann)
    town.work()
    [link] = town.links()
    page = Client().get(f"/c/{link}")
    assert (
        page.status_code == 200
        and "Messages about “Offers”" in page.content.decode()
        and "Yes, send me offers (v3)" in page.content.decode()
    )
    assert not page.cookies and page.headers["Referrer-Policy"] == "no-referrer" and "no-store" in page.headers["Cache-Control"]
    Client().head(f"/c/{link}")
    assert not town.may(ann), "whoever looks changes nothing: scanners look"

    answer = press(link)
    assert answer.status_code == 200 and CONFIRM_WORDS["en"].done_title in answer.content.decode()
    assert town.may(ann)
    history = town.api.call("GET", f"profiles/{ann}/consents/history").json()["items"]
    yes, asked = history
    assert (yes["state"], yes["source"], yes["wording"], yes["confirms"]) == (
        "subscribed",
        "double opt-in",
        FORM["wording"],
        asked["number"],
    )
    assert (asked["state"], asked["source"], asked["confirms"]) == ("pending", "sign-up form", None)

    again = press(link)
    assert again.status_code == 200 and len(audience.proof(town.home, town.number(ann))) == 2, "pressing again says the same"
    assert town.says(ann)["state"] == "subscribed", "who agreed already is asked nothing"
    town.pass_(hours=1)
    town.work()
    assert len(town.links()) == 1


def test_a_token_that_is_not_ours_leads_nowhere(town: Town) -> None:
    ann = town.somebody()
    town.says(ann)
    town.work()
    [link] = town.links()
    message = OutboxMail.objects.get().message_id
    for wrong in (link[:-1] + ("A" if link[-1] != "A" else "B"), link[:10], "x" * 28, message, "%00", link + "A"):
        page = Client(enforce_csrf_checks=True).post(f"/c/{wrong}")
        assert page.status_code == 404 and WORDS["en"].lost_title in page.content.decode(), wrong
    assert not town.may(ann)


def test_a_link_is_worth_nothing_once_the_person_has_another_address(town: Town) -> None:
    ann = town.somebody()
    town.says(ann)
    town.work()
    [link] = town.links()
    audience.upsert(town.home, [audience.ProfileRow(ann, email="elsewhere@example.com")], source="tests", now=timezone.now())
    assert press(link).status_code == 404 and not town.may(ann)


def test_a_link_ends_and_who_signs_up_again_gets_another(town: Town) -> None:
    ann = town.somebody()
    town.says(ann)
    town.work()
    long_ago = timezone.now() - timedelta(days=31)  # the pages' clock is the world's: what was long ago is put there
    for table in (Subscription, SubscriptionEntry):
        table.objects.update(at=long_ago, confirm_until=long_ago + timedelta(days=30))
    page = Client().get(f"/c/{town.links()[0]}")
    assert page.status_code == 410 and CONFIRM_WORDS["en"].over_title in page.content.decode()
    assert press(town.links()[0]).status_code == 410 and not town.may(ann)
    town.says(ann)
    town.pass_(days=1, minutes=1)
    town.work()
    assert len(town.links()) == 2 and press(town.links()[1]).status_code == 200 and town.may(ann)


def test_a_refusal_cancels_what_waits_and_stands_until_the_next_yes_is_confirmed(town: Town) -> None:
    ann = town.somebody()
    town.says(ann)
    town.work()
    town.says(ann, topic="*", state="unsubscribed", source="preference page")
    assert town.ledger(ann)[-1] == ("offers", "unsubscribed", "preference page")
    assert press(town.links()[0]).status_code == 410 and not town.may(ann)

    town.pass_(hours=1)
    assert town.says(ann)["state"] == "pending"
    assert not town.may(ann, message_class="service"), "somebody else's sign-up doesn't lift a refusal"
    town.work()
    assert press(town.links()[0]).status_code == 410, "the old link stays dead"
    assert press(town.links()[1]).status_code == 200
    assert town.may(ann) and town.may(ann, message_class="service"), "the person's own yes lifts their refusal of the channel"


def test_a_pending_yes_to_the_whole_channel_lifts_no_refusal() -> None:
    town = Town(topics=["*"])
    ann = town.somebody()
    town.says(ann, topic="news", confirmed=True)
    town.says(ann, topic="*", state="unsubscribed", source="link")
    assert town.says(ann, topic="*")["state"] == "pending"
    assert not town.may(ann, "news") and not town.may(ann, "news", "service")
    town.work()
    [link] = town.links()
    assert "Promotional messages on this channel" in Client().get(f"/c/{link}").content.decode()
    press(link)
    assert town.may(ann, "news")


def test_a_stranger_cannot_be_flooded_with_questions(town: Town) -> None:
    """Whoever types somebody's address into a form, again and again, under as many names as they like."""
    for round_ in range(8):
        for name in ("one", "two", "three"):
            who = town.somebody(external_id=f"bot-{name}-{round_}", email="victim@example.com")
            town.says(who)
            town.says(who, source=f"form {round_}")
        town.work()
        assert len(town.links()) <= 3
        town.pass_(minutes=11)
    assert len(town.links()) == 3
    assert not ConfirmationFeed.objects.exists()
    town.pass_(days=1)
    town.says(town.somebody(external_id="herself", email="victim@example.com"))
    town.work()
    assert len(town.links()) == 4


def test_over_all_topics_together_an_address_is_asked_ten_times_a_day() -> None:
    town = Town(topics=["*"])
    ann = town.somebody()
    for topic in range(14):
        town.says(ann, topic=f"topic-{topic}")
    town.work()
    assert len(town.links()) == 10


def test_the_question_is_decided_with_its_taking_or_not_at_all(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker is killed in the midst of it, at every place where it could be."""
    ann = town.somebody()
    town.says(ann)

    class Killed(BaseException):
        pass

    def killed(*args: object, **named: object) -> Any:
        raise Killed

    decide = transactional.decide_for

    def decided_and_killed(*args: Any, **named: Any) -> Any:
        decide(*args, **named)
        raise Killed

    for deed in (killed, decided_and_killed):
        with monkeypatch.context() as patch:
            patch.setattr(transactional, "decide_for", deed)
            with pytest.raises(Killed):
                pipeline.ask_for_confirmations(now=town.at)
        assert ConfirmationFeed.objects.count() == 1 and not Decision.objects.exists()
    town.work()
    town.work()
    assert len(town.links()) == 1 and not ConfirmationFeed.objects.exists()


def test_a_fault_in_one_question_holds_up_no_other(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, ben = town.somebody(), town.somebody()
    town.says(ann)
    town.says(ben)
    decide = transactional.decide_for

    def faulty(workspace_id: int, type_: str, profile_id: int, *args: Any, **named: Any) -> Any:
        if profile_id == town.number(ann):
            raise RuntimeError("a fault of ours")
        return decide(workspace_id, type_, profile_id, *args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(transactional, "decide_for", faulty)
        town.work()
    assert len(town.links()) == 1 and ConfirmationFeed.objects.count() == 1
    town.pass_(minutes=11)
    town.work()
    assert len(town.links()) == 2


def test_a_question_that_cannot_be_asked_waits_for_a_day(town: Town) -> None:
    nobody = town.somebody(email=None)
    town.says(nobody)
    town.work()
    assert ConfirmationFeed.objects.count() == 1
    audience.upsert(town.home, [audience.ProfileRow(nobody, email="late@example.com")], source="tests", now=town.at)
    town.pass_(minutes=11)
    town.work()
    assert len(town.links()) == 1 and not ConfirmationFeed.objects.exists()
    town.says(town.somebody(email=None))
    town.pass_(days=1, minutes=1)
    town.work()
    assert not ConfirmationFeed.objects.exists()


def test_a_file_asks_once_however_often_it_comes_and_says_who_confirmed_elsewhere(town: Town) -> None:
    rows = [
        audience.ProfileRow("ann", email="ann@example.com", consents=(("email", "offers", "subscribed"),)),
        audience.ProfileRow("ben", email="ben@example.com", consents=(("email", "offers", "confirmed"),)),
    ]
    for _ in range(3):
        audience.upsert(town.home, rows, source="the old system", now=town.at)
        town.work()
        town.pass_(days=40)
    assert len(town.links()) == 1
    assert not town.may("ann") and town.may("ben")
    assert town.ledger("ben") == [("offers", "subscribed", "the old system")]


def test_the_api_takes_who_confirmed_elsewhere_at_their_word(town: Town) -> None:
    ann = town.somebody()
    assert town.says(ann, confirmed=True, source="double opt-in at the fair")["state"] == "subscribed"
    body = {"external_id": "ben", "email": "ben@example.com", "consents": [{**ABOUT, "state": "subscribed", "confirmed": True}]}
    answer = town.api.call("POST", "profiles", {"source": "shop", "profiles": [body]})
    assert answer.status_code == 200 and town.may("ben")
    town.work()
    assert town.links() == []


def test_an_agreement_that_ended_is_confirmed_anew(town: Town) -> None:
    ann = town.somebody()
    town.says(ann, confirmed=True, expires_at=(timezone.now() + timedelta(milliseconds=1)).isoformat())
    assert town.says(ann, source="form, a year later")["state"] == "pending"


def test_rules_can_ask_who_has_yet_to_confirm_and_do_not_take_them_for_subscribers(town: Town) -> None:
    ann, ben, cid = town.somebody(), town.somebody(), town.somebody()
    town.says(ann)
    town.says(ben, confirmed=True)

    def matching(**more: str) -> set[int]:
        rule = make.segment(rule={"consent": {**ABOUT, **more}})
        make.in_force("segment", "asked", rule, now=town.at)
        released = governance.released(town.home, "segment", "asked").model.rule
        everybody = [town.number(each) for each in (ann, ben, cid)]
        return set(audience.matching(town.home, released, everybody, as_of=timezone.now()))

    assert matching() == {town.number(ben)}
    assert matching(state="pending") == {town.number(ann)}
    later = audience.matching(
        town.home,
        governance.released(town.home, "segment", "asked").model.rule,
        [town.number(ann)],
        as_of=timezone.now() + timedelta(days=31),
    )
    assert not later, "whose link has ended has nothing left to confirm"


@pytest.mark.parametrize(("locale", "language"), [("de-DE", "de"), ("zh-CN", "zh-Hans"), ("zh-TW", "zh-Hant"), ("ar", "ar"), ("fi", "en")])
def test_the_page_speaks_the_persons_language(town: Town, locale: str, language: str) -> None:
    town.says(town.somebody(locale=locale))
    town.work()
    [link] = town.links()
    page = Client().get(f"/c/{link}").content.decode()
    assert CONFIRM_WORDS[language].title in page and f'lang="{language}"' in page
    assert CONFIRM_WORDS["nl"].title in Client().get(f"/c/{link}?lang=nl").content.decode()
    assert CONFIRM_WORDS[language].done_title in press(link).content.decode()


def test_every_language_has_all_its_words() -> None:
    assert set(CONFIRM_WORDS) == set(WORDS)
    for language, words in CONFIRM_WORDS.items():
        assert "{sender}" in words.question and "{topic}" in words.topic and "{sender}" in words.done, language


def test_a_declaration_says_what_its_template_lacks(town: Town) -> None:
    wordless = {"en": {"subject": "Hi", "blocks": [{"type": "text", "id": "a", "text": "Hi"}]}}
    make.put("template", "silent", make.template(**{**PLEASE, "locales": wordless}), now=town.at)
    make.put("template", "loud", make.template(variables={}, locales={"en": make.letter("Hi", "Hi")}), now=town.at)

    def findings(template: str, **changes: Any) -> list[str]:
        body = {"title": "News", "channel": "email", "topics": ["news"], "confirm_with": template, **changes}
        make.put("opt_in", "news", body, now=town.at)
        actor = make.person("ada", now=town.at)
        return sorted(each.path for each in governance.check_latest(actor, "opt_in", "news", now=town.at) if each.level == "error")

    assert findings("silent") == ["/confirm_with"]
    assert findings("loud") == ["/confirm_with", "/confirm_with"]
    assert findings("please-confirm", channel="sms") == ["/confirm_with"]
    assert findings("please-confirm", topics=["news", "offers"]) == ["/topics/1"]
    assert findings("please-confirm") == []


@pytest.mark.parametrize("asked_first", [True, False])
def test_whoever_signs_up_and_then_signs_in_confirms_as_who_she_is(town: Town, asked_first: bool) -> None:
    """The form knew her by another id; the two become one before she presses the button, or before she is even asked."""
    town.somebody(external_id="ann", email=None)
    anonymous = town.somebody(external_id="anon-7", email="ann@example.com")
    town.says(anonymous)
    if asked_first:
        town.work()
    audience.merge(make.person("cleo", now=town.at), "ann", "anon-7", now=timezone.now())
    assert not town.may("ann")
    town.pass_(minutes=11)
    town.work()
    [link] = town.links()
    assert press(link).status_code == 200 and town.may("ann")
    assert town.ledger("ann")[-1] == ("offers", "subscribed", "double opt-in")


def test_what_one_of_two_has_yet_to_confirm_takes_nothing_from_the_others_agreement(town: Town) -> None:
    for who in ("ann", "anon-7", "ben", "anon-8"):
        town.somebody(external_id=who, email=f"{who[-1]}@example.com" if who.startswith("anon") else None)
    town.says("ann", confirmed=True)
    town.says("anon-7")
    town.says("anon-8", confirmed=True)
    town.says("anon-8", topic="*", state="unsubscribed")
    cleo = make.person("cleo", now=town.at)
    audience.merge(cleo, "ann", "anon-7", now=timezone.now())
    audience.merge(cleo, "ben", "anon-8", now=timezone.now())
    assert town.may("ann"), "a confirmed agreement stays one"
    assert not town.may("ben") and town.says("ben", topic="*")["state"] == "subscribed" and town.may("ben"), "it followed, confirmed"


def test_nobody_who_was_erased_is_asked(town: Town) -> None:
    ann = town.somebody()
    town.says(ann)
    town.work()
    [link] = town.links()
    town.says(ann, source="another form")
    audience.erase(make.person("cleo", now=town.at), ann, now=timezone.now())
    assert not ConfirmationFeed.objects.exists()
    assert press(link).status_code == 404


def test_a_held_address_confirms_nothing(town: Town) -> None:
    ann = town.somebody(email="ann@example.com")
    town.says(ann)
    town.work()
    delivery.suppress(town.home, "email", "ann@example.com", reason="complained", source="tests", now=datetime.now(UTC))
    assert press(town.links()[0]).status_code == 410 and not town.may(ann)
