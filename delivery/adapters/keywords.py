"""What a person asks for by one word: to stop, to start again, or for help. The same on every channel that people can answer on.

Law: a text asks for something only where it says that and nothing else, however it is spelt: case, accents, punctuation, emoji,
width, spaces, repetition and courtesies don't matter. A word in a sentence ("don't stop", "I'll end up at the bar") asks for nothing.

Facts: the words that Twilio and AWS act on by themselves (vendors' documentation, read 2026-11), and what they are in the languages
of the public pages.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from delivery.adapters.incoming import EventKind

# Words with one meaning: they count with courtesies, too ("please unsubscribe me").
_STOP: Mapping[str, str] = {
    "en": "stop, stopall, stop all, unsubscribe, unsubscribed, unsub, unsubcribe, unsuscribe, optout, opt me out, take me off, "
    "take me off your list, remove me, remove me from this list, remove me from your list, do not text, do not text me, dont text me, "
    "do not contact me, no more texts, no more messages",
    "de": "stopp, abmelden, melde mich ab, abbestellen, austragen, abbestellung, abmeldung, keine sms mehr, keine nachrichten mehr, "
    "keine werbung mehr",
    "fr": "arret, arreter, arretez, desabonner, me desabonner, se desabonner, desabonnez moi, desabonnement, desinscrire, desinscription, "
    "plus de sms, plus de messages",
    "es": "darse de baja, darme de baja, dar de baja, dame de baja, quiero darme de baja, desuscribir, desuscribirme, "
    "cancelar suscripcion, cancelar la suscripcion, no mas mensajes, no mas sms",
    "pt": "cancelar inscricao, cancelar a inscricao, cancelar assinatura, descadastrar, descadastre me, sair da lista, parar mensagens, "
    "nao quero mais receber, nao quero receber, chega de mensagens",
    "it": "annulla iscrizione, annulla l iscrizione, disiscrivi, disiscrivimi, disiscrivermi, cancellami, rimuovimi, fermate, "
    "basta messaggi, basta sms",
    "nl": "afmelden, meld me af, meld mij af, uitschrijven, schrijf me uit, schrijf mij uit, geen berichten meer, geen sms meer",
    "ja": "停止, 配信停止, 配信を停止, 配信停止希望, 配信停止お願いします, 配信解除, 解除, 登録解除, "
    "購読解除, 退会, ストップ, すとっぷ, 配信をやめて, 配信不要, 送らないで, 送らないでください",
    "ar": "ايقاف, توقف, قف, اوقف, اوقفوا, الغاء, الغاء الاشتراك, ايقاف الرسائل, اوقف الرسائل, لا ترسل, لا ترسلوا, ستوب",
    "zh-Hans": "退订, 取消订阅, 停止接收, 停止发送, 不再接收, 不要再发, 请勿再发, 拒收",
    "zh-Hant": "退訂, 取消訂閱, 停止發送, 不要再發, 請勿再發",
}
# Words that also mean other things: they count alone only.
_STOP_ALONE: Mapping[str, str] = {
    "en": "cancel, end, quit, revoke, remove, td",
    "de": "ende, beenden",
    "fr": "fin",
    "es": "baja, alto, parar, cancelar, salir",
    "pt": "pare, sair, remover",
    "it": "annulla, ferma, cancella, basta",
    "nl": "stoppen, annuleren",
}
_START: Mapping[str, str] = {
    "en": "start, unstop, subscribe, resubscribe, opt in, optin",
    "de": "anmelden, wieder anmelden",
    "fr": "reprendre, abonner, m abonner, reabonner",
    "es": "alta, suscribir, suscribirme, darme de alta",
    "pt": "inscrever, inscrever me, assinar",
    "it": "iscrivi, iscrivimi, iscriviti",
    "nl": "aanmelden, inschrijven",
    "ja": "開始, 再開, 配信再開, 登録, スタート",
    "ar": "ابدا, بدء, اشتراك, اشترك",
    "zh-Hans": "订阅, 恢复订阅, 重新订阅, 开始",
    "zh-Hant": "訂閱, 恢復訂閱, 重新訂閱, 開啟",
}
_HELP: Mapping[str, str] = {
    "en": "help, info, help me",
    "de": "hilfe",
    "fr": "aide",
    "es": "ayuda",
    "pt": "ajuda",
    "it": "aiuto",
    "nl": "hulp",
    "ja": "ヘルプ, へるぷ, 助けて",
    "ar": "مساعده, مساعدة",
    "zh-Hans": "帮助, 求助",
    "zh-Hant": "幫助, 說明",
}
# What may stand beside a word with one meaning: courtesies, and who should stop what.
_POLITE = (
    "please, pls, plz, kindly, now, thanks, thank you, thx, ty, bitte, danke, jetzt, svp, s il vous plait, merci, por favor, gracias, "
    "obrigado, obrigada, per favore, grazie, alsjeblieft, alstublieft, aub, bedankt, お願いします, ください, من فضلك, رجاء"
)
_FILLING = (
    "me, mich, the, these, this, your, from, list, sms, text, texts, texting, message, messages, messaging, sending, all, promotions, "
    "marketing, ads, i want to, i would like to, id like to, i wish to"
)
TWILIOS_OWN: Mapping[EventKind, frozenset[str]] = {  # what Twilio acts on, and answers, by itself
    "unsubscribed": frozenset("stop stopall unsubscribe end quit revoke optout cancel".split()),
    "resubscribed": frozenset("start yes unstop".split()),
    "asked_help": frozenset("help info".split()),
}
LONGEST = 80  # characters of a text that can be nothing but a wish
_NOT_LETTERS = re.compile(r"[\W_]+")
_AGAIN = re.compile(r"(.{2,40}?)\1+")
_DRAWN_OUT = re.compile(r"([^\W\d_])\1{2,}")


def wish(text: str) -> EventKind | None:
    """What an inbound text asks for: to stop, to start again, help, or nothing of that kind."""
    return _asked(text)[0]


def vendors_wish(text: str) -> EventKind | None:
    """What Twilio acts on, and answers, by itself: one exact word."""
    word = _NOT_LETTERS.sub("", text.casefold())
    return next((kind for kind, words in TWILIOS_OWN.items() if word in words), None)


def language(text: str) -> str:
    """In which language somebody asked, "" where they asked for nothing."""
    return _asked(text)[1]


def folded(text: str) -> list[str]:
    """The words of a text without case, accents, width, punctuation and invisible characters; 🛑 is the word stop."""
    plain = unicodedata.normalize("NFKD", text.replace("🛑", " stop ")).casefold().replace("’", "'").replace("ـ", "")
    letters = "".join(char for char in plain if unicodedata.category(char) not in ("Mn", "Cf", "Me"))
    return _NOT_LETTERS.sub(" ", unicodedata.normalize("NFC", letters)).split()


@lru_cache(maxsize=1_024)
def _asked(text: str) -> tuple[EventKind | None, str]:
    if len(text) > LONGEST:
        return None, ""
    words = folded(text)
    whole = _once("".join(words))
    calm = _DRAWN_OUT.sub(r"\1", whole)
    for kind, table in _WORDS.items():
        for spelt in (whole, calm):
            if spelt in table:
                return kind, table[spelt]
    found = next((_PLAIN_STOP[bare] for bare in (_without(words, _COURTEOUS), _without(words, _BESIDE)) if bare in _PLAIN_STOP), "")
    return ("unsubscribed", found) if found else (None, "")


def _without(words: list[str], others: Sequence[str]) -> str:
    """What remains, in one piece, when these are left out, longest first."""
    text = f" {' '.join(words)} "
    for each in others:
        while f" {each} " in text:
            text = text.replace(f" {each} ", " ", 1)
    return _once("".join(text.split()))


def _once(said: str) -> str:
    """What was said again and again, said once."""
    found = _AGAIN.fullmatch(said)
    return found[1] if found else said


def _table(*by_language: Mapping[str, str]) -> dict[str, str]:
    """Each word in one piece, and its language; the first language that has it counts."""
    found: dict[str, str] = {}
    for each in by_language:
        for code, words in each.items():
            for word in _each(words):
                found.setdefault("".join(folded(word)), code)
    return found


def _each(words: str) -> Iterable[str]:
    return (word.strip() for word in words.split(","))


_WORDS: Mapping[EventKind, Mapping[str, str]] = {
    "unsubscribed": _table(_STOP, _STOP_ALONE),
    "resubscribed": _table(_START),
    "asked_help": _table(_HELP),
}
_PLAIN_STOP = _table(_STOP)
_COURTEOUS = sorted((" ".join(folded(each)) for each in _each(_POLITE)), key=len, reverse=True)
_BESIDE = sorted((" ".join(folded(each)) for each in _each(f"{_POLITE}, {_FILLING}")), key=len, reverse=True)
