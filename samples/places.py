"""Where the sample people live: countries with their share, zones, locales, numbers for telephones, and cities.

Telephone numbers come from a range for films and books, where a country has one that phones accept as valid (marked "fiction"):
no such number can ring. Elsewhere it is the example of the country's numbering plan with its last digits changed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Country:
    """One country of the sample. phones: prefixes in E.164, with how many digits follow and below which number those stay."""

    code: str
    weight: int
    names: str  # which name lists its people draw from (samples/names.py)
    zones: tuple[str, ...]
    locales: tuple[str, ...]  # the first is by far the most common
    currency: str
    cities: tuple[str, ...]
    phones: tuple[str, ...]
    digits: int = 3
    start: int = 0
    below: int = 1000


# North American numbers for fiction: area code, 555, 0100 to 0199.
_US_AREAS = "202 206 212 213 215 216 303 305 312 313 314 323 404 412 415 503 512 602 612 617 619 702 704 713 718 720 754 773 801 808 813 862 904 917 919"
_CA_AREAS = "204 226 236 250 289 343 403 416 418 431 437 438 450 506 514 519 579 581 587 604 613 647 705 709 778 780 819 902 905"


def _north_american(areas: str) -> tuple[str, ...]:
    return tuple(f"+1{area}55501" for area in areas.split())


COUNTRIES: tuple[Country, ...] = (
    Country(
        "US",
        210,
        "english",
        ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Phoenix", "Pacific/Honolulu"),
        ("en-US", "es-US"),
        "USD",
        ("New York", "Chicago", "Austin", "Denver", "Seattle", "Boston", "Portland", "Honolulu"),
        _north_american(_US_AREAS),
        digits=2,
        below=100,  # fiction
    ),
    Country(
        "GB",
        105,
        "english",
        ("Europe/London",),
        ("en-GB",),
        "GBP",
        ("London", "Edinburgh", "Manchester", "Bristol", "York", "Cardiff"),
        ("+447400123",),
    ),
    Country(
        "DE",
        100,
        "german",
        ("Europe/Berlin",),
        ("de-DE", "en-DE"),
        "EUR",
        ("Berlin", "Hamburg", "München", "Köln", "Leipzig", "Freiburg"),
        ("+4915123456",),
    ),
    Country(
        "FR",
        95,
        "french",
        ("Europe/Paris",),
        ("fr-FR",),
        "EUR",
        ("Paris", "Lyon", "Marseille", "Bordeaux", "Nantes", "Annecy"),
        ("+3361234",),
        digits=4,
        below=10_000,
    ),
    Country(
        "ES",
        65,
        "spanish",
        ("Europe/Madrid", "Atlantic/Canary"),
        ("es-ES", "ca-ES"),
        "EUR",
        ("Madrid", "Barcelona", "Sevilla", "València", "Bilbao", "Málaga"),
        ("+34612345",),
    ),
    Country(
        "IT",
        55,
        "italian",
        ("Europe/Rome",),
        ("it-IT",),
        "EUR",
        ("Roma", "Milano", "Firenze", "Napoli", "Bologna", "Torino"),
        ("+39312345",),
        digits=4,
        below=10_000,
    ),
    Country(
        "BR",
        60,
        "portuguese",
        ("America/Sao_Paulo", "America/Manaus", "America/Recife"),
        ("pt-BR",),
        "BRL",
        ("São Paulo", "Rio de Janeiro", "Salvador", "Recife", "Curitiba", "Manaus"),
        ("+551196123", "+552196123", "+557196123"),
        digits=4,
        below=10_000,
    ),
    Country(
        "CA",
        45,
        "english",
        ("America/Toronto", "America/Vancouver", "America/Edmonton", "America/Halifax", "America/St_Johns"),
        ("en-CA", "fr-CA"),
        "CAD",
        ("Toronto", "Vancouver", "Montréal", "Calgary", "Halifax", "St. John's"),
        _north_american(_CA_AREAS),
        digits=2,
        below=100,  # fiction
    ),
    Country(
        "AU",
        40,
        "english",
        ("Australia/Sydney", "Australia/Brisbane", "Australia/Perth", "Australia/Adelaide"),
        ("en-AU",),
        "AUD",
        ("Sydney", "Melbourne", "Brisbane", "Perth", "Adelaide", "Hobart"),
        ("+61412345",),
    ),
    Country(
        "NL",
        30,
        "dutch",
        ("Europe/Amsterdam",),
        ("nl-NL", "en-NL"),
        "EUR",
        ("Amsterdam", "Rotterdam", "Utrecht", "Groningen", "Maastricht"),
        ("+31612345",),
    ),
    Country(
        "MX",
        32,
        "spanish",
        ("America/Mexico_City", "America/Tijuana", "America/Cancun"),
        ("es-MX",),
        "MXN",
        ("Ciudad de México", "Guadalajara", "Oaxaca", "Mérida", "Tijuana"),
        ("+522221234",),
    ),
    Country(
        "JP",
        32,
        "japanese",
        ("Asia/Tokyo",),
        ("ja-JP",),
        "JPY",
        ("東京", "大阪", "京都", "札幌", "福岡", "金沢"),
        ("+81901234",),
        digits=4,
        below=10_000,
    ),
    Country(
        "IN",
        30,
        "indian",
        ("Asia/Kolkata",),
        ("en-IN", "hi-IN"),
        "INR",
        ("Mumbai", "Delhi", "Bengaluru", "Kolkata", "Jaipur", "Kochi"),
        ("+91812345",),
        digits=4,
        below=10_000,
    ),
    Country(
        "SE",
        18,
        "nordic",
        ("Europe/Stockholm",),
        ("sv-SE",),
        "SEK",
        ("Stockholm", "Göteborg", "Malmö", "Uppsala", "Kiruna"),
        ("+4670174060",),  # fiction: 05 to 99 of the last two digits below the 06
        digits=1,
        start=5,
        below=10,
    ),
    Country(
        "PL",
        20,
        "polish",
        ("Europe/Warsaw",),
        ("pl-PL",),
        "PLN",
        ("Warszawa", "Kraków", "Gdańsk", "Wrocław", "Poznań"),
        ("+48512345",),
    ),
    Country(
        "PT",
        16,
        "portuguese",
        ("Europe/Lisbon", "Atlantic/Azores"),
        ("pt-PT",),
        "EUR",
        ("Lisboa", "Porto", "Braga", "Faro"),
        ("+351912345",),
    ),
    Country(
        "IE",
        14,
        "english",
        ("Europe/Dublin",),
        ("en-IE",),
        "EUR",
        ("Dublin", "Cork", "Galway", "Limerick"),
        ("+353850123",),
    ),
    Country(
        "CH", 14, "german", ("Europe/Zurich",), ("de-CH", "fr-CH", "it-CH"), "CHF", ("Zürich", "Bern", "Basel", "Luzern"), ("+41781234",)
    ),
    Country("AT", 14, "german", ("Europe/Vienna",), ("de-AT",), "EUR", ("Wien", "Graz", "Salzburg", "Innsbruck"), ("+43664123",)),
    Country("DK", 12, "nordic", ("Europe/Copenhagen",), ("da-DK",), "DKK", ("København", "Aarhus", "Odense"), ("+4534412",)),
    Country(
        "AE", 14, "arabic", ("Asia/Dubai",), ("ar-AE", "en-AE"), "AED", ("دبي", "أبوظبي", "الشارقة"), ("+97150123",), digits=4, below=10_000
    ),
    Country("SA", 12, "arabic", ("Asia/Riyadh",), ("ar-SA",), "SAR", ("الرياض", "جدة", "الدمام"), ("+96651234",), digits=4, below=10_000),
    Country(
        "KR", 14, "korean", ("Asia/Seoul",), ("ko-KR",), "KRW", ("서울", "부산", "대구", "제주"), ("+82102000",), digits=4, below=10_000
    ),
    Country("TW", 10, "chinese", ("Asia/Taipei",), ("zh-Hant-TW",), "TWD", ("台北", "台中", "台南", "高雄"), ("+886912345",)),
    Country(
        "TR",
        14,
        "turkish",
        ("Europe/Istanbul",),
        ("tr-TR",),
        "TRY",
        ("İstanbul", "Ankara", "İzmir", "Antalya"),
        ("+90501234",),
        digits=4,
        below=10_000,
    ),
    Country(
        "NZ", 10, "english", ("Pacific/Auckland",), ("en-NZ",), "NZD", ("Auckland", "Wellington", "Christchurch", "Dunedin"), ("+64211234",)
    ),
    Country(
        "GR",
        10,
        "greek",
        ("Europe/Athens",),
        ("el-GR",),
        "EUR",
        ("Αθήνα", "Θεσσαλονίκη", "Ηράκλειο"),
        ("+30691234",),
        digits=4,
        below=10_000,
    ),
)

DESTINATIONS = (
    "Lisbon", "Kyoto", "Paris", "Rome", "Barcelona", "Amsterdam", "Edinburgh", "Copenhagen", "Vienna", "Prague", "Reykjavík", "Marrakesh",
    "Athens", "Istanbul", "Dubrovnik", "Porto", "Seville", "Florence", "Budapest", "Berlin", "New York", "Mexico City", "Oaxaca", "Buenos Aires",
    "Rio de Janeiro", "Cape Town", "Zanzibar", "Jaipur", "Bangkok", "Chiang Mai", "Hanoi", "Bali", "Seoul", "Taipei", "Sydney", "Queenstown",
    "Vancouver", "Québec", "Honolulu", "Santa Fe",
)  # fmt: skip
