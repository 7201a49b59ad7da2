"""The channels by name, and the countries that they reach: words that documents of several rooms share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from governance.door import Like

CHANNEL_WORDS: dict[str, Any] = {
    "email": "E-mail",
    "sms": "SMS",
    "push": "Push",
    "whatsapp": "WhatsApp",
    "wechat": "WeChat",
    "webhook": "Webhook",
}
Channel = Annotated[Literal["email", "sms", "push", "whatsapp", "wechat", "webhook"], Field(json_schema_extra={"words": CHANNEL_WORDS})]
Country = Annotated[str, Like(r"[A-Z]{2}", "a country’s two capital letters, such as DE")]
