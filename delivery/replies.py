"""What somebody who wrote STOP, START or HELP is told: one text at most, and nothing where the vendor tells them itself.

Law: a repeated webhook or a second STOP is not answered again; a text that changed nothing is not answered, but for HELP.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audience import door as audience
from delivery.adapters.base import VendorEvent
from delivery.public_words import words_for
from governance import door as governance

ANSWERS_KEYWORDS, HELP_REPLY = "answers_keywords", "help_reply"  # settings of a route
LONGEST_HELP = 400  # characters


@dataclass(frozen=True, slots=True)
class Replies:
    """One language's texts."""

    stopped: str
    started: str
    help: str


REPLIES = {
    "en": Replies(
        "{sender}: you are unsubscribed and will get no more messages. Reply START to get them again.",
        "{sender}: you are subscribed again. Reply STOP to stop, HELP for help.",
        "{sender}: reply STOP to get no more messages, START to get them again.",
    ),
    "de": Replies(
        "{sender}: Sie sind abgemeldet und erhalten keine Nachrichten mehr. Mit START erhalten Sie sie wieder.",
        "{sender}: Sie sind wieder angemeldet. STOP meldet Sie ab, HILFE hilft weiter.",
        "{sender}: Mit STOP erhalten Sie keine Nachrichten mehr, mit START wieder.",
    ),
    "fr": Replies(
        "{sender} : vous êtes désabonné(e) et ne recevrez plus de messages. Répondez START pour en recevoir à nouveau.",
        "{sender} : vous êtes de nouveau abonné(e). Répondez STOP pour arrêter, AIDE pour de l’aide.",
        "{sender} : répondez STOP pour ne plus recevoir de messages, START pour en recevoir à nouveau.",
    ),
    "es": Replies(
        "{sender}: su suscripción está cancelada y no recibirá más mensajes. Responda START para volver a recibirlos.",
        "{sender}: vuelve a estar suscrito. Responda STOP para dejar de recibir mensajes, AYUDA para ayuda.",
        "{sender}: responda STOP para no recibir más mensajes, START para volver a recibirlos.",
    ),
    "pt": Replies(
        "{sender}: a sua inscrição foi cancelada e não receberá mais mensagens. Responda START para voltar a recebê-las.",
        "{sender}: a sua inscrição está ativa de novo. Responda STOP para parar, AJUDA para ajuda.",
        "{sender}: responda STOP para não receber mais mensagens, START para voltar a recebê-las.",
    ),
    "it": Replies(
        "{sender}: l’iscrizione è annullata e non riceverà più messaggi. Risponda START per riceverli di nuovo.",
        "{sender}: è di nuovo iscritto. Risponda STOP per smettere, AIUTO per ricevere aiuto.",
        "{sender}: risponda STOP per non ricevere più messaggi, START per riceverli di nuovo.",
    ),
    "nl": Replies(
        "{sender}: u bent afgemeld en ontvangt geen berichten meer. Antwoord START om ze weer te ontvangen.",
        "{sender}: u bent weer aangemeld. Antwoord STOP om te stoppen, HULP voor hulp.",
        "{sender}: antwoord STOP om geen berichten meer te ontvangen, START om ze weer te ontvangen.",
    ),
    "ja": Replies(
        "{sender}: 配信を停止しました。今後メッセージは届きません。再開するには START と返信してください。",
        "{sender}: 配信を再開しました。停止するには STOP、ヘルプは HELP と返信してください。",
        "{sender}: 停止するには STOP、再開するには START と返信してください。",
    ),
    "ar": Replies(
        "{sender}: تم إلغاء اشتراكك ولن تصلك رسائل أخرى. أرسل START لاستلامها من جديد.",
        "{sender}: تم تفعيل اشتراكك من جديد. أرسل STOP للإيقاف أو HELP للمساعدة.",
        "{sender}: أرسل STOP لإيقاف الرسائل أو START لاستلامها من جديد.",
    ),
    "zh-Hans": Replies(
        "{sender}:您已退订,不会再收到消息。回复 START 可重新接收。",
        "{sender}:您已重新订阅。回复 STOP 退订,回复 HELP 获取帮助。",
        "{sender}:回复 STOP 不再接收消息,回复 START 重新接收。",
    ),
    "zh-Hant": Replies(
        "{sender}:您已退訂,不會再收到訊息。回覆 START 可重新接收。",
        "{sender}:您已重新訂閱。回覆 STOP 退訂,回覆 HELP 取得說明。",
        "{sender}:回覆 STOP 不再接收訊息,回覆 START 重新接收。",
    ),
}


def reply(workspace_id: int, settings: Mapping[str, Any], wishes: Sequence[VendorEvent]) -> str:
    """What to tell whoever wrote, "" for nothing. settings: the route's; wishes: those of one webhook that changed something."""
    ours = settings.get(ANSWERS_KEYWORDS) is True
    wish = next((one for one in wishes if ours or not one.answered), None)
    if wish is None:
        return ""
    person = audience.find(workspace_id, address=wish.address)
    words = REPLIES[words_for((person.locale or "") if person else "", wish.language).language]
    sender = governance.Workspace.objects.values_list("name", flat=True).get(pk=workspace_id)
    own = str(settings.get(HELP_REPLY) or "").strip()[:LONGEST_HELP]
    text = {"unsubscribed": words.stopped, "resubscribed": words.started, "asked_help": own or words.help}.get(wish.kind, "")
    return text if text == own else text.replace("{sender}", sender)
