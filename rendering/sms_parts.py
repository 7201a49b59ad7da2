"""How many parts an SMS takes, and in which alphabet: what carriers bill.

GSM-7 (3GPP TS 23.038) counts septets, 160 in one part and 153 in each of several; its extension characters take two and
are never cut apart. Anything else goes as UCS-2: UTF-16 units, 70 and 67, a surrogate pair never cut apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")
Encoding = Literal["GSM-7", "UCS-2"]
_PLAIN = re.compile(f"[{re.escape(''.join(sorted(BASIC)))}]*")  # one septet each
LIMITS: dict[Encoding, tuple[int, int]] = {"GSM-7": (160, 153), "UCS-2": (70, 67)}


@dataclass(frozen=True, slots=True)
class SmsParts:
    """units: septets or UTF-16 units in all; parts: what is billed (0 for an empty text); odd: characters that force UCS-2."""

    encoding: Encoding
    parts: int
    units: int
    odd: tuple[str, ...] = ()

    @property
    def room(self) -> int:
        """Units left in the last part."""
        single, several = LIMITS[self.encoding]
        return single - self.units if self.parts <= 1 else max(0, self.parts * several - self.units)


def sms_parts(text: str) -> SmsParts:
    """Encoding, parts and units of a text as it will be sent."""
    if 0 < len(text) <= LIMITS["GSM-7"][0] and _PLAIN.fullmatch(text):  # nearly every one: by the character takes twenty times as long
        return SmsParts("GSM-7", 1, len(text))
    odd = tuple(dict.fromkeys(char for char in text if char not in BASIC and char not in EXTENDED))
    encoding: Encoding = "UCS-2" if odd else "GSM-7"
    sizes = [2 if (ord(char) > 0xFFFF if odd else char in EXTENDED) else 1 for char in text]
    single, several = LIMITS[encoding]
    units = sum(sizes)
    if units <= single:
        return SmsParts(encoding, 1 if text else 0, units, odd)
    return SmsParts(encoding, _packed(sizes, several), units, odd)


def _packed(sizes: list[int], limit: int) -> int:
    """Parts needed when no character may be cut."""
    parts, filled = 1, 0
    for size in sizes:
        if filled + size > limit:
            parts, filled = parts + 1, 0
        filled += size
    return parts
