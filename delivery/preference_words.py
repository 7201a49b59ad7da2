"""What the preference page says, per language: the same languages as the other public pages (`public_words`).

`{sender}` is filled in; everything is escaped by the template. The names of vendors' channels are their own in every language.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PreferenceWords:
    """One language's texts. name: what the language calls itself; link: on the unsubscribe page, to the preference page."""

    name: str
    title: str
    question: str
    save: str
    saved: str
    leave: str
    left: str
    held: str
    email: str
    push: str
    languages: str
    link: str

    def channel(self, channel: str) -> str:
        """A channel's name."""
        return {"email": self.email, "push": self.push, **_OWN_NAMES}.get(channel, channel)


_OWN_NAMES = {"sms": "SMS", "whatsapp": "WhatsApp", "wechat": "WeChat"}

PREFERENCE_WORDS = {
    "en": PreferenceWords(
        "English",
        "Your preferences",
        "Choose what you would like to receive from {sender}.",
        "Save",
        "Saved. This is what you receive from now on.",
        "Unsubscribe from everything",
        "You will get no more promotional messages from {sender}.",
        "We no longer write to this address. If you would like that to change, please contact {sender}.",
        "E-mail",
        "Notifications",
        "Language",
        "Choose topic by topic",
    ),
    "de": PreferenceWords(
        "Deutsch",
        "Ihre Einstellungen",
        "Wählen Sie, was Sie von {sender} erhalten möchten.",
        "Speichern",
        "Gespeichert. Das erhalten Sie ab jetzt.",
        "Von allem abmelden",
        "Sie erhalten von {sender} keine Werbenachrichten mehr.",
        "An diese Adresse schreiben wir nicht mehr. Wenn Sie das ändern möchten, wenden Sie sich bitte an {sender}.",
        "E-Mail",
        "Mitteilungen",
        "Sprache",
        "Themen einzeln wählen",
    ),
    "fr": PreferenceWords(
        "Français",
        "Vos préférences",
        "Choisissez ce que vous souhaitez recevoir de {sender}.",
        "Enregistrer",
        "C’est enregistré. Voici ce que vous recevez désormais.",
        "Se désabonner de tout",
        "Vous ne recevrez plus de messages promotionnels de {sender}.",
        "Nous n’écrivons plus à cette adresse. Pour changer cela, veuillez contacter {sender}.",
        "E-mail",
        "Notifications",
        "Langue",
        "Choisir sujet par sujet",
    ),
    "es": PreferenceWords(
        "Español",
        "Sus preferencias",
        "Elija lo que desea recibir de {sender}.",
        "Guardar",
        "Guardado. Esto es lo que recibirá a partir de ahora.",
        "Cancelar todas las suscripciones",
        "No recibirá más mensajes promocionales de {sender}.",
        "Ya no escribimos a esta dirección. Si desea cambiarlo, póngase en contacto con {sender}.",
        "Correo electrónico",
        "Notificaciones",
        "Idioma",
        "Elegir tema por tema",
    ),
    "pt": PreferenceWords(
        "Português",
        "As suas preferências",
        "Escolha o que deseja receber de {sender}.",
        "Salvar",
        "Salvo. É isto que passa a receber.",
        "Cancelar todas as inscrições",
        "Não receberá mais mensagens promocionais de {sender}.",
        "Já não escrevemos para este endereço. Se quiser mudar isso, contacte {sender}.",
        "E-mail",
        "Notificações",
        "Idioma",
        "Escolher tema por tema",
    ),
    "it": PreferenceWords(
        "Italiano",
        "Le sue preferenze",
        "Scelga che cosa desidera ricevere da {sender}.",
        "Salva",
        "Salvato. Ecco che cosa riceverà d’ora in poi.",
        "Annulla tutte le iscrizioni",
        "Non riceverà più messaggi promozionali da {sender}.",
        "Non scriviamo più a questo indirizzo. Se desidera cambiare, contatti {sender}.",
        "E-mail",
        "Notifiche",
        "Lingua",
        "Scegliere argomento per argomento",
    ),
    "nl": PreferenceWords(
        "Nederlands",
        "Uw voorkeuren",
        "Kies wat u van {sender} wilt ontvangen.",
        "Opslaan",
        "Opgeslagen. Dit ontvangt u voortaan.",
        "Afmelden voor alles",
        "U ontvangt geen reclameberichten meer van {sender}.",
        "Wij schrijven niet meer naar dit adres. Wilt u dat veranderen, neem dan contact op met {sender}.",
        "E-mail",
        "Meldingen",
        "Taal",
        "Per onderwerp kiezen",
    ),
    "ja": PreferenceWords(
        "日本語",
        "配信設定",
        "{sender} から受け取りたいものを選んでください。",
        "保存する",
        "保存しました。今後は次のものをお届けします。",
        "すべての配信を停止する",
        "{sender} から宣伝メッセージは届かなくなります。",
        "この宛先には現在お送りしていません。変更をご希望の場合は {sender} までご連絡ください。",
        "メール",
        "通知",
        "言語",
        "テーマごとに選ぶ",
    ),
    "zh-Hans": PreferenceWords(
        "简体中文",
        "您的偏好设置",
        "请选择您希望收到的 {sender} 消息。",
        "保存",
        "已保存。今后您将收到以下内容。",
        "退订所有消息",
        "您将不再收到 {sender} 的推广消息。",
        "我们已不再向此地址发送消息。如需更改，请联系 {sender}。",
        "电子邮件",
        "通知",
        "语言",
        "按主题选择",
    ),
    "zh-Hant": PreferenceWords(
        "繁體中文",
        "您的偏好設定",
        "請選擇您希望收到的 {sender} 訊息。",
        "儲存",
        "已儲存。今後您將收到以下內容。",
        "取消訂閱所有訊息",
        "您將不再收到 {sender} 的推廣訊息。",
        "我們已不再傳送訊息至此地址。如需變更，請聯絡 {sender}。",
        "電子郵件",
        "通知",
        "語言",
        "依主題選擇",
    ),
    "ar": PreferenceWords(
        "العربية",
        "تفضيلاتك",
        "اختر ما ترغب في تلقيه من {sender}.",
        "حفظ",
        "تم الحفظ. هذا ما ستتلقاه من الآن فصاعدًا.",
        "إلغاء جميع الاشتراكات",
        "لن تتلقى بعد الآن رسائل ترويجية من {sender}.",
        "لم نعد نراسل هذا العنوان. إذا رغبت في تغيير ذلك، يُرجى التواصل مع {sender}.",
        "البريد الإلكتروني",
        "الإشعارات",
        "اللغة",
        "الاختيار حسب الموضوع",
    ),
}
