"""Promotional mail that mailbox providers would refuse can't be launched, and the reason says what to add; silence is a warning."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from audience import door as audience
from delivery.domains import kept
from delivery.models import Decision, DomainCheck
from governance import door as governance
from governance.door import Finding, Missing, Refused
from tests import factories as make
from tests.delivery.conftest import ROUTES
from tests.delivery.dns.zone import name_server
from tests.delivery.test_domain_verdicts import SOUND, D
from workflow import pipeline, triggers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite]  # what DNS says doesn’t depend on the database


@pytest.fixture
def production(settings: Any) -> Iterator[Any]:
    """Real routes, a name server that may be told what to say, and an address of our own that everybody reaches."""
    changes = {"env": "production", "vendor": "routes", "public_url": "https://messages.wayfare.example"}
    with name_server(SOUND) as (address, server):
        settings.OMNI = settings.OMNI.model_copy(update={**changes, "dns": address})
        yield server


def writes(now: datetime) -> None:
    """A sender and the route that its mail leaves by, with a key that the vendor would take."""
    governance.set_secret(make.person("cleo", now=now), "SENDGRID_KEY", "SG.secret", now=now)
    make.put("vendor_route", "sendgrid", ROUTES["sendgrid"], now=now, author="cleo")
    make.release("vendor_route", "sendgrid", now=now, author="cleo")
    make.put("sender", "offers", make.mail_sender(return_path=f"em1.{D}"), now=now, author="cleo")


def street(now: datetime, **campaign: Any) -> str:
    writes(now)
    make.profiles(2, now=now)
    blocks = [{"type": "text", "id": "it", "text": "Hello"}, {"type": "footer", "id": "footer"}]
    locales = {"en": {"subject": "Hello", "blocks": blocks}}
    return make.spring_sale(now=now, template_changes={"sender": "offers", "locales": locales}, **campaign)


def found(key: str, now: datetime) -> list[Finding]:
    return [each for each in pipeline.preview(make.workspace().pk, key, now=now).findings if each.path == "/template"]


def look(now: datetime, domain: str = D) -> kept.DomainView:
    return kept.check_again(make.person("ada", now=now), domain, now=now)


def test_a_sound_domain_launches(production: Any, settings: Any, now: datetime) -> None:
    key = street(now)
    assert look(now).level == "good"
    own = settings.OMNI
    settings.OMNI = own.model_copy(update={"public_url": "http://messages.wayfare.example"})
    [fault] = found(key, now)
    assert (fault.level, "https only" in fault.found) == ("error", True), "links that nobody reaches are no way to unsubscribe"
    settings.OMNI = own
    assert found(key, now) == []
    pipeline.launch(make.person("ben", now=now), key, now=now)


LACKING = {
    f"TXT _dmarc.{D}": f"{D} has no DMARC policy",
    "TXT u1.wl.sendgrid.net": f"em1.{D} has no SPF record",
    "TXT s1.domainkey.u1.wl.sendgrid.net": f"s1._domainkey.{D} has no key",
}


def test_a_domain_that_lacks_something_does_not(production: Any, now: datetime) -> None:
    key = street(now)
    for place, (gone, said) in enumerate(LACKING.items(), 1):
        kept_zone = dict(production.zone)
        del production.zone[gone]
        look(now + timedelta(minutes=place))
        with pytest.raises(Refused, match="can't be launched") as refusal:
            pipeline.launch(make.person("ben", now=now), key, now=now)
        errors = [str(each) for each in refusal.value.findings if each.level == "error"]
        assert any(said in each and "expected " in each for each in errors), errors
        production.zone = kept_zone


def test_what_nobody_has_looked_up_yet_is_a_warning(production: Any, now: datetime) -> None:
    key = street(now)
    [unknown] = found(key, now)
    assert unknown.level == "warning" and unknown.found == f"SPF, DKIM, DMARC and Alignment of {D}: not known"
    pipeline.launch(make.person("ben", now=now), key, now=now)


def test_outside_production_it_is_a_warning_too(production: Any, settings: Any, now: datetime) -> None:
    key = street(now)
    del production.zone[f"TXT _dmarc.{D}"]
    look(now)
    settings.OMNI = settings.OMNI.model_copy(update={"env": "staging"})
    assert {each.level for each in found(key, now)} == {"warning"}
    settings.OMNI = settings.OMNI.model_copy(update={"vendor": "outbox"})
    assert found(key, now) == [], "mail that stays here is nobody's affair"


def test_mail_without_a_postal_address_stays(production: Any, now: datetime) -> None:
    key = street(now)
    look(now)
    link = [{"type": "text", "id": "it", "text": "Hello. [Leave]({{ unsubscribe_url }})"}]
    make.put("template", "offer", make.template(sender="offers", locales={"en": {"subject": "Hello", "blocks": link}}), now=now)
    make.release("campaign", key, now=now)
    [fault] = found(key, now)
    assert (fault.level, fault.found) == ("error", "no postal address in en")

    make.put("template", "offer", make.template(sender={"name": "Wayfare", "address": f"ada@{D}"}), now=now)
    make.release("campaign", key, now=now)
    make.release("sender", "offers", now=now, author="cleo")
    assert found(key, now) == [], "an address that is written out is signed like the sender of its domain"


def test_an_event_sends_no_mail_that_a_launch_would_refuse(production: Any, now: datetime) -> None:
    key = street(now, trigger={"type": "event", "event": "signed_up"})
    home, person = make.workspace().pk, make.profile(now=now, external_id="ada")
    assert person and key
    for gone, decided in ((None, 1), (f"TXT _dmarc.{D}", 1)):
        later = now + timedelta(minutes=5 if gone else 0)
        if gone:
            del production.zone[gone]
        look(later)
        audience.record(home, [audience.NewEvent(f"e-{gone}", "signed_up", "ada", later, {})], now=later)
        triggers.consume(now=later, limit=10)
        assert Decision.objects.count() == decided


def test_a_text_goes_only_where_its_sender_may_be_used(now: datetime) -> None:
    body = {"title": "Texts", "channel": "sms", "number": "Wayfare", "countries": ["GB"]}
    make.put("sender", "texts", body, now=now, author="cleo")
    for country in ("GB", "FR", "FR"):
        make.profile(
            now=now,
            phone=f"+1415555{len(country)}{audience.everyone(make.workspace().pk):03d}",
            country=country,
            consents=(("sms", "offers", "subscribed"),),
        )
    make.put("segment", "everyone", make.segment(), now=now)
    make.put("template", "offer", {**make.text_message(), "sender": "texts"}, now=now)
    make.in_force("campaign", "spring-sale", make.campaign(), now=now)
    faults = [each for each in pipeline.preview(make.workspace().pk, "spring-sale", now=now).errors if each.path == "/segment"]
    assert [each.found for each in faults] == ["people where the sender may not be used: 2 in FR"]


# ── what is kept, and who may ask ─────────────────────────────────────────────────────────────────────────────────


def test_asking_twice_at_once_is_refused_and_silence_keeps_what_was_known(production: Any, now: datetime) -> None:
    writes(now)
    look(now)
    with pytest.raises(Refused, match="looked up a moment ago: again in 30 seconds"):
        look(now)
    production.sick = "!servfail"
    later = now + timedelta(hours=2)
    view = look(later)
    assert (view.level, view.checked_at) == ("good", now)
    assert look(now + timedelta(days=4)).level == "unknown"


def test_a_viewer_may_not_ask_and_nobody_asks_about_strangers(production: Any, now: datetime) -> None:
    writes(now)
    with pytest.raises(Refused, match="author"):
        kept.check_again(make.person("vera", now=now), D, now=now)
    with pytest.raises(Missing):
        look(now, "victim.example")
    assert production.asked == []


def test_each_day_whoever_keeps_time_asks_about_one_domain_after_the_other(production: Any, now: datetime) -> None:
    writes(now)
    make.put("template", "other", make.template(title="Other"), now=now)
    kept.notice(make.workspace().pk)
    assert set(DomainCheck.objects.values_list("domain", flat=True)) == {D, "wayfare.example"}
    assert [kept.look_up_next(now=now) for _ in range(3)] == [True, True, False]
    assert kept.look_up_next(now=now + timedelta(days=1, minutes=1))
    assert DomainCheck.objects.exclude(checked_at=None).count() == 2


def test_after_nothing_but_silence_the_domain_is_asked_about_within_the_hour(production: Any, now: datetime) -> None:
    writes(now)
    kept.notice(make.workspace().pk)
    production.sick = "!servfail"
    kept.look_up_next(now=now)
    assert DomainCheck.objects.get().checked_at is None
    assert not kept.look_up_next(now=now + timedelta(minutes=50))
    assert kept.look_up_next(now=now + timedelta(minutes=70))


def test_where_everything_stays_in_the_outbox_nobody_is_asked(production: Any, settings: Any, now: datetime) -> None:
    writes(now)
    kept.notice(make.workspace().pk)
    settings.OMNI = settings.OMNI.model_copy(update={"vendor": "outbox"})
    assert not kept.look_up_next(now=now) and production.asked == []


def test_domains_that_nobody_writes_from_any_more_are_let_go(production: Any, now: datetime) -> None:
    writes(now)
    DomainCheck.objects.create(workspace=make.workspace(), domain="old.example", checked_at=now)
    kept.notice(make.workspace().pk)
    assert list(DomainCheck.objects.values_list("domain", flat=True)) == [D]
