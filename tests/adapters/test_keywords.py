"""STOP in every form people type it, in every language of the public pages; and two hundred answers that ask for nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from delivery.adapters import twilio_events, wechat_events, whatsapp_events
from delivery.adapters.base import VendorEvent, Webhook
from delivery.adapters.keywords import language, vendors_wish, wish
from delivery.public_words import WORDS
from delivery.replies import REPLIES

ORDINARY = (Path(__file__).parent / "ordinary_replies.txt").read_text().splitlines()
WORDS_OF_VENDORS = "STOP UNSUBSCRIBE END QUIT STOPALL REVOKE OPTOUT CANCEL ARRET TD REMOVE OPT-OUT".split()
STOP_WORDS = {
    "en": ["stop", "unsubscribe", "stop all", "opt out", "remove me", "cancel", "end", "quit"],
    "de": ["stopp", "abmelden", "abbestellen", "austragen", "keine Nachrichten mehr", "keine SMS mehr", "Ende"],
    "fr": ["arrêt", "arrêter", "désabonner", "désabonnez-moi", "me désabonner", "désinscrire", "plus de SMS"],
    "es": ["baja", "darse de baja", "darme de baja", "parar", "cancelar", "cancelar suscripción", "no más mensajes"],
    "pt": ["pare", "sair", "descadastrar", "cancelar inscrição", "sair da lista", "não quero mais receber"],
    "it": ["annulla iscrizione", "annulla l’iscrizione", "disiscrivimi", "cancellami", "basta messaggi", "ferma"],
    "nl": ["stoppen", "afmelden", "uitschrijven", "meld me af", "geen berichten meer", "schrijf mij uit"],
    "ja": ["停止", "配信停止", "配信解除", "解除", "退会", "ストップ", "ｽﾄｯﾌﾟ", "配信を停止"],
    "ar": ["إيقاف", "توقف", "قف", "إلغاء", "إلغاء الاشتراك", "أوقف الرسائل", "لا ترسل"],
    "zh-Hans": ["退订", "取消订阅", "停止接收", "不再接收", "拒收"],
    "zh-Hant": ["退訂", "取消訂閱", "停止發送", "請勿再發"],
}
FORMS = {
    "as it is": lambda word: word,
    "shouted": str.upper,
    "capitalised": str.capitalize,
    "with a full stop": lambda word: f"{word}.",
    "urgent": lambda word: f"{word.upper()}!!!",
    "quoted": lambda word: f"“{word}”",
    "in stars": lambda word: f"*{word}*",
    "with spaces and a new line": lambda word: f"  {word} \r\n",
    "twice": lambda word: f"{word} {word}",
    "with an emoji": lambda word: f"{word} 😡",
    "with invisible marks": lambda word: f"\u200f{word}\u200b",
    "with a no-break space": lambda word: word.replace(" ", "\u00a0") + "\u00a0",
}
TYPED = [
    *("ＳＴＯＰ", "S T O P", "s.t.o.p", "STOOOP", "stoppp", "🛑", "🛑🛑🛑", "🛑 STOP 🛑", "#stop", "/stop", "STOP STOP STOP", "'Stop'"),
    *("Stop please", "please stop", "pls stop now", "STOP, thank you", "stop texting me", "Stop sending me messages", "Stop these texts"),
    *("STOP ALL", "Stop!!!!!!", "( stop )", "stop - thanks"),
    *("unsubscribe me", "Please unsubscribe me from your list", "I want to unsubscribe", "unsub", "un-subscribe", "Opt-Out please"),
    *("remove me from this list please", "take me off your list", "no more texts", "do not text me", "Don't text me"),
    *("Bitte abmelden", "Stopp bitte", "STOP svp", "arrêtez s'il vous plaît", "arret", "ARRE\u0302T", "stop por favor", "Stop, grazie"),
    *("afmelden aub", "STOP alsjeblieft", "配信停止お願いします", "إِيقَاف", "ايقاف", "الغاء الاشتراك من فضلك"),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("code", STOP_WORDS)
def test_every_stop_word_is_recognised_in_every_form(code: str, form: str) -> None:
    assert [word for word in STOP_WORDS[code] if wish(FORMS[form](word)) != "unsubscribed"] == []


@pytest.mark.parametrize("form", FORMS)
def test_every_word_that_vendors_act_on_is_recognised_in_every_form(form: str) -> None:
    assert [word for word in WORDS_OF_VENDORS if wish(FORMS[form](word)) != "unsubscribed"] == []


def by_twilio(sender: str) -> Callable[[str], Any]:
    def events(text: str) -> Any:
        form = {"content-type": "application/x-www-form-urlencoded"}
        fields = {"MessageSid": "SM" + "0" * 32, "From": sender, "To": "+15005550006", "Body": text}
        return twilio_events.read(Webhook("https://omni.test/hooks/twilio", form, urlencode(fields).encode(), NOW))

    return events


def by_whatsapp(text: str) -> Any:
    said = {"id": "wamid.1", "from": "447911123456", "timestamp": "1772000000", "type": "text", "text": {"body": text}}
    body = json.dumps({"entry": [{"changes": [{"value": {"messages": [said]}}]}]}).encode()
    return whatsapp_events.read(Webhook("https://omni.test/hooks/whatsapp_cloud", {}, body, NOW))


def by_wechat(text: str) -> Any:
    body = f"""<xml><FromUserName>o-somebody</FromUserName><CreateTime>1772000000</CreateTime><MsgType>text</MsgType>
        <Content><![CDATA[{text}]]></Content><MsgId>1</MsgId></xml>""".encode()
    return wechat_events.read(Webhook("https://omni.test/hooks/wechat", {}, body, NOW))


NOW = datetime(2026, 3, 1, tzinfo=UTC)
CHANNELS = {
    "text": by_twilio("+447911123456"),
    "whatsapp by twilio": by_twilio("whatsapp:+447911123456"),
    "whatsapp": by_whatsapp,
    "wechat": by_wechat,
}


@pytest.mark.parametrize("channel", CHANNELS)
def test_each_of_them_stops_everything_on_each_channel(channel: str) -> None:
    missed = []
    for word in (form(word) for words in STOP_WORDS.values() for word in words for form in FORMS.values()):
        (event,) = CHANNELS[channel](word)
        if not (isinstance(event, VendorEvent) and event.kind == "unsubscribed" and event.everything):
            missed.append(word)
    assert missed == []


@pytest.mark.parametrize("channel", CHANNELS)
def test_no_ordinary_reply_stops_anything_on_any_channel(channel: str) -> None:
    assert [text for text in ORDINARY for event in CHANNELS[channel](text) if getattr(event, "kind", "") == "unsubscribed"] == []


def test_what_people_really_type_is_recognised() -> None:
    assert len(TYPED) >= 48 and [text for text in TYPED if wish(text) != "unsubscribed"] == []


def test_no_ordinary_reply_is_taken_for_a_wish_to_stop() -> None:
    assert len(ORDINARY) >= 200 and len(set(ORDINARY)) == len(ORDINARY)
    assert [text for text in ORDINARY if wish(text) is not None] == []


def test_start_and_help_are_known_in_every_language() -> None:
    starts = ["START", "unstop", "anmelden", "reprendre", "alta", "inscrever", "iscrivimi", "aanmelden", "再開", "ابدأ"]
    helps = ["HELP", "Info", "hilfe!", "Aide", "ayuda", "AJUDA", "aiuto", "hulp", "ヘルプ", "مساعدة"]
    assert {wish(word) for word in starts} == {"resubscribed"} and {wish(word) for word in helps} == {"asked_help"}


def test_yes_starts_only_where_the_vendor_takes_it_so() -> None:
    assert wish("Yes") is None and vendors_wish("Yes") == "resubscribed"
    assert vendors_wish("stop") == "unsubscribed" and vendors_wish("Stop please") is None and vendors_wish("INFO") == "asked_help"


def test_who_asks_is_answered_in_the_language_they_asked_in() -> None:
    said = {
        "Abmelden": "de",
        "arrêter": "fr",
        "baja": "es",
        "pare": "pt",
        "disiscrivimi": "it",
        "uitschrijven": "nl",
        "停止": "ja",
        "قف": "ar",
        "退订": "zh-Hans",
        "退訂": "zh-Hant",
    }
    assert {word: language(word) for word in said} == said and language("See you") == ""
    assert set(REPLIES) == set(WORDS) == set(STOP_WORDS)


def test_a_long_text_asks_for_nothing_and_costs_nothing() -> None:
    assert wish("stop " * 100_000) is None and wish("") is None and wish("\ud800") is None
