"""What the page says on which somebody confirms what they agreed to, per language: the same languages as the other public pages
(`public_words`).

`{sender}` and `{topic}` are filled in; everything is escaped by the template.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConfirmWords:
    """One language's texts. everything: in the topic's place, where the whole channel is meant; ignore: for whoever asked for nothing;
    waits: on the preference page, beside a topic that is to be confirmed."""

    title: str
    question: str
    topic: str
    everything: str
    confirm: str
    ignore: str
    done_title: str
    done: str
    over_title: str
    over: str
    waits: str


CONFIRM_WORDS = {
    "en": ConfirmWords(
        "Please confirm",
        "Would you like to receive these messages from {sender}?",
        "Messages about “{topic}”",
        "Promotional messages on this channel",
        "Yes, I would",
        "If you did not ask for this, simply close this page. Nothing will be sent to you.",
        "Thank you, it is confirmed",
        "You will receive these messages from {sender}. You can unsubscribe at any time.",
        "This link no longer works",
        "It has expired, or you have changed your choice since. If you would like to receive these messages, please sign up again.",
        "Please confirm it in the message that we sent you.",
    ),
    "de": ConfirmWords(
        "Bitte bestätigen",
        "Möchten Sie diese Nachrichten von {sender} erhalten?",
        "Nachrichten zum Thema „{topic}“",
        "Werbenachrichten auf diesem Kanal",
        "Ja, das möchte ich",
        "Wenn Sie das nicht angefordert haben, schließen Sie diese Seite einfach. Sie erhalten dann nichts.",
        "Vielen Dank, das ist bestätigt",
        "Sie erhalten diese Nachrichten von {sender}. Sie können sich jederzeit abmelden.",
        "Dieser Link gilt nicht mehr",
        "Er ist abgelaufen, oder Sie haben sich seitdem anders entschieden. "
        "Wenn Sie diese Nachrichten erhalten möchten, melden Sie sich bitte noch einmal an.",
        "Bitte bestätigen Sie dies in der Nachricht, die wir Ihnen geschickt haben.",
    ),
    "fr": ConfirmWords(
        "Merci de confirmer",
        "Souhaitez-vous recevoir ces messages de {sender} ?",
        "Les messages sur « {topic} »",
        "Les messages promotionnels sur ce canal",
        "Oui, je le souhaite",
        "Si vous n’avez rien demandé, fermez simplement cette page. Rien ne vous sera envoyé.",
        "Merci, c’est confirmé",
        "Vous recevrez ces messages de {sender}. Vous pouvez vous désabonner à tout moment.",
        "Ce lien n’est plus valable",
        "Il a expiré, ou vous avez changé d’avis depuis. Si vous souhaitez recevoir ces messages, veuillez vous inscrire de nouveau.",
        "Veuillez le confirmer dans le message que nous vous avons envoyé.",
    ),
    "es": ConfirmWords(
        "Confirme, por favor",
        "¿Desea recibir estos mensajes de {sender}?",
        "Mensajes sobre «{topic}»",
        "Mensajes promocionales por este canal",
        "Sí, lo deseo",
        "Si no lo ha solicitado, simplemente cierre esta página. No se le enviará nada.",
        "Gracias, queda confirmado",
        "Recibirá estos mensajes de {sender}. Puede cancelar la suscripción en cualquier momento.",
        "Este enlace ya no es válido",
        "Ha caducado, o usted ha cambiado su elección desde entonces. Si desea recibir estos mensajes, suscríbase de nuevo.",
        "Confírmelo en el mensaje que le hemos enviado.",
    ),
    "pt": ConfirmWords(
        "Por favor, confirme",
        "Deseja receber estas mensagens de {sender}?",
        "Mensagens sobre “{topic}”",
        "Mensagens promocionais por este canal",
        "Sim, desejo",
        "Se não fez este pedido, basta fechar esta página. Nada lhe será enviado.",
        "Obrigado, está confirmado",
        "Receberá estas mensagens de {sender}. Pode cancelar a inscrição a qualquer momento.",
        "Este link já não é válido",
        "Expirou, ou a sua escolha mudou entretanto. Se desejar receber estas mensagens, inscreva-se novamente.",
        "Confirme na mensagem que lhe enviámos.",
    ),
    "it": ConfirmWords(
        "Conferma",
        "Desidera ricevere questi messaggi da {sender}?",
        "Messaggi su «{topic}»",
        "Messaggi promozionali su questo canale",
        "Sì, lo desidero",
        "Se non l’ha chiesto, chiuda semplicemente questa pagina. Non le verrà inviato nulla.",
        "Grazie, è confermato",
        "Riceverà questi messaggi da {sender}. Può annullare l’iscrizione in qualsiasi momento.",
        "Questo link non è più valido",
        "È scaduto, oppure nel frattempo ha cambiato scelta. Se desidera ricevere questi messaggi, si iscriva di nuovo.",
        "Lo confermi nel messaggio che le abbiamo inviato.",
    ),
    "nl": ConfirmWords(
        "Bevestig alstublieft",
        "Wilt u deze berichten van {sender} ontvangen?",
        "Berichten over ‘{topic}’",
        "Reclameberichten via dit kanaal",
        "Ja, dat wil ik",
        "Hebt u hier niet om gevraagd, sluit dan gewoon deze pagina. U ontvangt dan niets.",
        "Bedankt, het is bevestigd",
        "U ontvangt deze berichten van {sender}. U kunt zich altijd afmelden.",
        "Deze link werkt niet meer",
        "Hij is verlopen, of u hebt uw keuze sindsdien veranderd. Wilt u deze berichten ontvangen, meld u dan opnieuw aan.",
        "Bevestig dit in het bericht dat we u hebben gestuurd.",
    ),
    "ja": ConfirmWords(
        "ご確認ください",
        "{sender} からのこれらのメッセージを受け取りますか？",
        "「{topic}」に関するメッセージ",
        "このチャネルの宣伝メッセージ",
        "はい、受け取ります",
        "お心当たりがない場合は、このページを閉じてください。何も送信されません。",
        "確認が完了しました",
        "{sender} からこれらのメッセージをお届けします。配信はいつでも停止できます。",
        "このリンクは無効になりました",
        "有効期限が切れたか、その後に設定が変更されました。受け取りをご希望の場合は、もう一度お申し込みください。",
        "お送りしたメッセージから確認してください。",
    ),
    "zh-Hans": ConfirmWords(
        "请确认",
        "您想接收 {sender} 的以下消息吗？",
        "关于“{topic}”的消息",
        "此渠道上的推广消息",
        "是的，我想接收",
        "如果您没有提出过申请，直接关闭此页面即可。我们不会向您发送任何消息。",
        "谢谢，已确认",
        "您将收到 {sender} 的这些消息。您可以随时退订。",
        "此链接已失效",
        "链接已过期，或者您此后更改了选择。如果您想接收这些消息，请重新订阅。",
        "请在我们发送给您的消息中确认。",
    ),
    "zh-Hant": ConfirmWords(
        "請確認",
        "您想接收 {sender} 的以下訊息嗎？",
        "關於「{topic}」的訊息",
        "此管道上的推廣訊息",
        "是的，我想接收",
        "如果您沒有提出過申請，直接關閉此頁面即可。我們不會向您傳送任何訊息。",
        "謝謝，已確認",
        "您將收到 {sender} 的這些訊息。您可以隨時取消訂閱。",
        "此連結已失效",
        "連結已過期，或者您此後變更了選擇。如果您想接收這些訊息，請重新訂閱。",
        "請在我們傳送給您的訊息中確認。",
    ),
    "ar": ConfirmWords(
        "يُرجى التأكيد",
        "هل ترغب في تلقي هذه الرسائل من {sender}؟",
        "رسائل حول «{topic}»",
        "الرسائل الترويجية عبر هذه القناة",
        "نعم، أرغب في ذلك",
        "إذا لم تطلب ذلك، فما عليك سوى إغلاق هذه الصفحة. لن يُرسل إليك أي شيء.",
        "شكرًا لك، تم التأكيد",
        "ستتلقى هذه الرسائل من {sender}. يمكنك إلغاء الاشتراك في أي وقت.",
        "لم يعد هذا الرابط صالحًا",
        "انتهت صلاحيته، أو غيّرت اختيارك منذ ذلك الحين. إذا كنت ترغب في تلقي هذه الرسائل، يُرجى الاشتراك مرة أخرى.",
        "يُرجى تأكيد ذلك في الرسالة التي أرسلناها إليك.",
    ),
}
