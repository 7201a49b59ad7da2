"""Where countries lie among each other: a map of equal tiles, so that a small country is seen as well as a large one.

The places come from each country's latitude and longitude, to the degree. Crowded regions are given more room, and where two want
the same tile, the later one takes the nearest that is free.
"""

from __future__ import annotations

from functools import cache

COLUMNS, ROWS = 26, 17
EVEN = 0.62  # 0: as the globe has it; 1: as many countries to the left and right, and above and below, everywhere

# code, latitude north, longitude east, in degrees
_PLACES = """
AD 43 2  AE 24 54  AF 34 66  AG 17 -62  AL 41 20  AM 40 45  AO -12 18  AR -35 -65  AT 47 14  AU -25 134  AZ 40 48  BA 44 18  BB 13 -59
BD 24 90  BE 51 4  BF 12 -2  BG 43 25  BH 26 51  BI -3 30  BJ 9 2  BN 5 115  BO -17 -64  BR -10 -52  BS 25 -77  BT 27 90  BW -22 24
BY 53 28  BZ 17 -89  CA 58 -100  CD -3 24  CF 7 21  CG -1 15  CH 47 8  CI 8 -6  CL -32 -71  CM 5 12  CN 35 103  CO 4 -73  CR 10 -84
CU 22 -79  CV 15 -24  CY 35 33  CZ 50 15  DE 51 10  DJ 12 43  DK 56 10  DM 15 -61  DO 19 -70  DZ 28 3  EC -2 -78  EE 59 26  EG 27 30
ER 15 39  ES 40 -4  ET 9 40  FI 63 26  FJ -18 178  FM 7 158  FR 46 2  GA -1 12  GB 54 -2  GD 12 -62  GE 42 44  GH 8 -1  GM 13 -15
GN 10 -11  GQ 2 10  GR 39 22  GT 15 -90  GW 12 -15  GY 5 -59  HK 22 114  HN 15 -87  HR 45 16  HT 19 -73  HU 47 19  ID -3 117  IE 53 -8
IL 31 35  IN 22 79  IQ 33 44  IR 32 54  IS 65 -19  IT 43 12  JM 18 -77  JO 31 37  JP 37 138  KE 0 38  KG 41 75  KH 13 105  KI 1 173
KM -12 44  KN 17 -63  KP 40 127  KR 36 128  KW 29 48  KZ 48 67  LA 18 103  LB 34 36  LC 14 -61  LI 47 9  LK 7 81  LR 6 -9  LS -30 28
LT 55 24  LU 50 6  LV 57 25  LY 27 17  MA 32 -6  MC 44 7  MD 47 29  ME 43 19  MG -19 47  MH 9 168  MK 42 22  ML 17 -4  MM 21 96
MN 47 104  MO 22 113  MR 20 -10  MT 36 14  MU -20 57  MV 3 73  MW -13 34  MX 23 -102  MY 4 102  MZ -18 35  NA -22 17  NE 17 9  NG 9 8
NI 13 -85  NL 52 5  NO 62 9  NP 28 84  NR -1 167  NZ -42 173  OM 21 57  PA 9 -80  PE -9 -75  PG -6 145  PH 12 122  PK 30 70  PL 52 19
PR 18 -66  PS 32 35  PT 39 -8  PW 7 134  PY -23 -58  QA 25 51  RO 46 25  RS 44 21  RU 60 95  RW -2 30  SA 24 45  SB -8 159  SC -5 55
SD 15 30  SE 62 16  SG 1 104  SI 46 15  SK 49 20  SL 8 -12  SM 44 12  SN 14 -14  SO 5 46  SR 4 -56  SS 7 30  ST 0 7  SV 14 -89  SY 35 38
SZ -26 31  TD 15 19  TG 8 1  TH 15 101  TJ 39 71  TL -9 126  TM 39 59  TN 34 9  TO -21 -175  TR 39 35  TT 11 -61  TV -8 178  TW 24 121
TZ -6 35  UA 49 32  UG 1 32  US 39 -98  UY -33 -56  UZ 41 64  VA 42 12  VC 13 -61  VE 7 -66  VN 16 107  VU -16 167  WS -14 -172  XK 43 21
YE 16 48  ZA -29 25  ZM -14 27  ZW -19 30
"""


@cache
def tiles() -> dict[str, tuple[int, int]]:
    """Country's code → its column and row, from the top left."""
    words = _PLACES.split()
    places = {code: (int(north), int(east)) for code, north, east in zip(words[::3], words[1::3], words[2::3], strict=True)}
    # What lies beyond the date line belongs to the Pacific on the right.
    across = _spread({code: east + 360 if east < -150 else east for code, (_, east) in places.items()}, COLUMNS)
    down = _spread({code: -north for code, (north, _) in places.items()}, ROWS)
    free = {(column, row) for column in range(COLUMNS) for row in range(ROWS)}
    found: dict[str, tuple[int, int]] = {}
    for code in sorted(places, key=lambda each: (_crowd(each, across, down), each)):
        x, y = across[code], down[code]
        found[code] = min(free, key=lambda tile: ((tile[0] - x) ** 2 + (tile[1] - y) ** 2, tile))
        free.remove(found[code])
    return found


def _spread(places: dict[str, int], size: int) -> dict[str, float]:
    """Each place between 0 and size - 1, drawn apart where many are together."""
    ordered = sorted(places.values())
    low, high, last = ordered[0], ordered[-1], len(ordered) - 1
    found = {}
    for code, place in places.items():
        rank = (ordered.index(place) + last - ordered[::-1].index(place)) / 2 / last
        found[code] = (size - 1) * ((1 - EVEN) * (place - low) / (high - low) + EVEN * rank)
    return found


def _crowd(code: str, across: dict[str, float], down: dict[str, float]) -> float:
    """How far a country is from the middle of the map: those outside are placed first and keep their shape."""
    return -((across[code] - COLUMNS / 2) ** 2) - (down[code] - ROWS / 2) ** 2
