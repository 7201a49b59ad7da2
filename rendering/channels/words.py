"""The few words that the platform itself writes into messages, in the reader's language."""

from __future__ import annotations

UNSUBSCRIBE = {
    "ar": "إلغاء الاشتراك",
    "bg": "Отписване",
    "ca": "Cancel·la la subscripció",
    "cs": "Odhlásit odběr",
    "da": "Afmeld",
    "de": "Abmelden",
    "el": "Κατάργηση εγγραφής",
    "en": "Unsubscribe",
    "es": "Darse de baja",
    "et": "Loobu tellimusest",
    "fa": "لغو اشتراک",
    "fi": "Peruuta tilaus",
    "fr": "Se désabonner",
    "he": "הסרה מרשימת התפוצה",
    "hi": "सदस्यता समाप्त करें",
    "hr": "Odjavi se",
    "hu": "Leiratkozás",
    "id": "Berhenti berlangganan",
    "it": "Annulla l’iscrizione",
    "ja": "配信停止",
    "ko": "수신 거부",
    "lt": "Atsisakyti prenumeratos",
    "lv": "Atteikties",
    "nb": "Meld deg av",
    "nl": "Afmelden",
    "pl": "Wypisz się",
    "pt": "Cancelar inscrição",
    "ro": "Dezabonare",
    "ru": "Отписаться",
    "sk": "Odhlásiť odber",
    "sl": "Odjava",
    "sv": "Avsluta prenumerationen",
    "th": "ยกเลิกการรับข่าวสาร",
    "tr": "Abonelikten çık",
    "uk": "Відписатися",
    "ur": "رکنیت ختم کریں",
    "vi": "Hủy đăng ký",
    "zh": "退订",
    "zh-Hant": "取消訂閱",
}


def unsubscribe_word(locale: str) -> str:
    """The label of the unsubscribe link; English where we don't know the language."""
    parts = locale.split("-")
    traditional = parts[0] == "zh" and ("Hant" in parts or parts[-1] in {"TW", "HK", "MO"})
    return UNSUBSCRIBE["zh-Hant" if traditional else parts[0]] if traditional or parts[0] in UNSUBSCRIBE else UNSUBSCRIBE["en"]
