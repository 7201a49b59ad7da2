"""What the public pages say, per language. `{topic}` and `{sender}` are filled in; everything is escaped by the template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Words:
    """One language's texts. direction: of the script."""

    language: str
    title: str
    question: str
    this_topic: str
    everything: str
    still: str
    confirm: str
    done_title: str
    done_topic: str
    done_everything: str
    lost_title: str
    lost: str
    direction: Literal["ltr", "rtl"] = "ltr"


WORDS = {
    "en": Words(
        "en",
        "Unsubscribe",
        "What would you like to stop receiving from {sender}?",
        "Messages about “{topic}”",
        "All promotional messages on this channel",
        "Messages you need, such as receipts and security notices, will still reach you.",
        "Unsubscribe",
        "You are unsubscribed",
        "You will get no more messages about “{topic}” from {sender}.",
        "You will get no more promotional messages from {sender} on this channel.",
        "This link doesn’t work",
        "It may be incomplete or too old. Please open it from the message again.",
    ),
    "de": Words(
        "de",
        "Abmelden",
        "Was möchten Sie von {sender} nicht mehr erhalten?",
        "Nachrichten zum Thema „{topic}“",
        "Alle Werbenachrichten auf diesem Kanal",
        "Notwendige Nachrichten wie Belege und Sicherheitshinweise erhalten Sie weiterhin.",
        "Abmelden",
        "Sie sind abgemeldet",
        "Sie erhalten von {sender} keine Nachrichten zum Thema „{topic}“ mehr.",
        "Sie erhalten von {sender} auf diesem Kanal keine Werbenachrichten mehr.",
        "Dieser Link funktioniert nicht",
        "Er ist vielleicht unvollständig oder zu alt. Bitte öffnen Sie ihn noch einmal aus der Nachricht.",
    ),
    "fr": Words(
        "fr",
        "Se désabonner",
        "Que souhaitez-vous ne plus recevoir de {sender} ?",
        "Les messages sur « {topic} »",
        "Tous les messages promotionnels sur ce canal",
        "Les messages indispensables, comme les reçus et les alertes de sécurité, vous parviendront toujours.",
        "Se désabonner",
        "Vous êtes désabonné(e)",
        "Vous ne recevrez plus de messages de {sender} sur « {topic} ».",
        "Vous ne recevrez plus de messages promotionnels de {sender} sur ce canal.",
        "Ce lien ne fonctionne pas",
        "Il est peut-être incomplet ou trop ancien. Ouvrez-le de nouveau depuis le message.",
    ),
    "es": Words(
        "es",
        "Cancelar la suscripción",
        "¿Qué desea dejar de recibir de {sender}?",
        "Mensajes sobre «{topic}»",
        "Todos los mensajes promocionales por este canal",
        "Seguirá recibiendo los mensajes necesarios, como recibos y avisos de seguridad.",
        "Cancelar la suscripción",
        "Suscripción cancelada",
        "No recibirá más mensajes de {sender} sobre «{topic}».",
        "No recibirá más mensajes promocionales de {sender} por este canal.",
        "Este enlace no funciona",
        "Puede estar incompleto o ser demasiado antiguo. Ábralo de nuevo desde el mensaje.",
    ),
    "pt": Words(
        "pt",
        "Cancelar a inscrição",
        "O que não deseja mais receber de {sender}?",
        "Mensagens sobre “{topic}”",
        "Todas as mensagens promocionais por este canal",
        "As mensagens necessárias, como recibos e avisos de segurança, continuarão a chegar.",
        "Cancelar a inscrição",
        "Inscrição cancelada",
        "Não receberá mais mensagens de {sender} sobre “{topic}”.",
        "Não receberá mais mensagens promocionais de {sender} por este canal.",
        "Este link não funciona",
        "Pode estar incompleto ou ser muito antigo. Abra-o novamente a partir da mensagem.",
    ),
    "it": Words(
        "it",
        "Annulla l’iscrizione",
        "Che cosa non desidera più ricevere da {sender}?",
        "Messaggi su «{topic}»",
        "Tutti i messaggi promozionali su questo canale",
        "I messaggi necessari, come ricevute e avvisi di sicurezza, continueranno ad arrivare.",
        "Annulla l’iscrizione",
        "Iscrizione annullata",
        "Non riceverà più messaggi da {sender} su «{topic}».",
        "Non riceverà più messaggi promozionali da {sender} su questo canale.",
        "Questo link non funziona",
        "Forse è incompleto o troppo vecchio. Lo apra di nuovo dal messaggio.",
    ),
    "nl": Words(
        "nl",
        "Afmelden",
        "Wat wilt u niet meer ontvangen van {sender}?",
        "Berichten over ‘{topic}’",
        "Alle reclameberichten via dit kanaal",
        "Noodzakelijke berichten, zoals bonnen en beveiligingsmeldingen, blijft u ontvangen.",
        "Afmelden",
        "U bent afgemeld",
        "U ontvangt geen berichten meer van {sender} over ‘{topic}’.",
        "U ontvangt via dit kanaal geen reclameberichten meer van {sender}.",
        "Deze link werkt niet",
        "Hij is misschien onvolledig of te oud. Open hem nog eens vanuit het bericht.",
    ),
    "ja": Words(
        "ja",
        "配信停止",
        "{sender} からのどのメッセージを停止しますか？",
        "「{topic}」に関するメッセージ",
        "このチャネルのすべての宣伝メッセージ",
        "領収書やセキュリティ通知など、必要なメッセージは引き続き届きます。",
        "配信を停止する",
        "配信を停止しました",
        "{sender} から「{topic}」に関するメッセージは届かなくなります。",
        "{sender} からこのチャネルの宣伝メッセージは届かなくなります。",
        "このリンクは使えません",
        "リンクが途中で切れているか、古すぎる可能性があります。メッセージからもう一度開いてください。",
    ),
    "zh-Hans": Words(
        "zh-Hans",
        "退订",
        "您不想再收到 {sender} 的哪些消息？",
        "关于“{topic}”的消息",
        "此渠道上的所有推广消息",
        "收据、安全提醒等必要消息仍会发送给您。",
        "退订",
        "您已退订",
        "您将不再收到 {sender} 关于“{topic}”的消息。",
        "您将不再通过此渠道收到 {sender} 的推广消息。",
        "此链接无效",
        "链接可能不完整或已过期。请从消息中重新打开。",
    ),
    "zh-Hant": Words(
        "zh-Hant",
        "取消訂閱",
        "您不想再收到 {sender} 的哪些訊息？",
        "關於「{topic}」的訊息",
        "此管道上的所有推廣訊息",
        "收據、安全通知等必要訊息仍會傳送給您。",
        "取消訂閱",
        "您已取消訂閱",
        "您將不再收到 {sender} 關於「{topic}」的訊息。",
        "您將不再透過此管道收到 {sender} 的推廣訊息。",
        "此連結無效",
        "連結可能不完整或已過期。請從訊息中重新開啟。",
    ),
    "ar": Words(
        "ar",
        "إلغاء الاشتراك",
        "ما الذي لم تعد ترغب في تلقيه من {sender}؟",
        "رسائل حول «{topic}»",
        "جميع الرسائل الترويجية عبر هذه القناة",
        "ستستمر في تلقي الرسائل الضرورية، مثل الإيصالات وتنبيهات الأمان.",
        "إلغاء الاشتراك",
        "تم إلغاء اشتراكك",
        "لن تتلقى بعد الآن رسائل من {sender} حول «{topic}».",
        "لن تتلقى بعد الآن رسائل ترويجية من {sender} عبر هذه القناة.",
        "هذا الرابط لا يعمل",
        "قد يكون غير مكتمل أو قديمًا جدًا. يُرجى فتحه مرة أخرى من الرسالة.",
        "rtl",
    ),
}


TRADITIONAL = {"hant", "tw", "hk", "mo"}  # scripts and regions in which Chinese is written so


def words_for(*wanted: str) -> Words:
    """The first language of these that we speak, by its first part ("pt-BR" → "pt"), Chinese by its script; English if none."""
    for locale in wanted:
        first, *others = locale.replace("_", "-").strip().lower().split("-")
        if first == "zh":
            first = "zh-Hant" if "hans" not in others and TRADITIONAL.intersection(others) else "zh-Hans"
        found = WORDS.get(first)
        if found is not None:
            return found
    return WORDS["en"]


def accepted_languages(header: str) -> list[str]:
    """The languages of an Accept-Language header, most wanted first; at most ten, unreadable parts left out."""
    found: list[tuple[float, int, str]] = []
    for place, part in enumerate(header[:400].split(",")[:10]):
        tag, _, weight = part.strip().partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        if tag and 0 < quality <= 1:
            found.append((-quality, place, tag))
    return [tag for _, _, tag in sorted(found)]
