"""Places on earth, compared in whole numbers, so that every engine agrees to the last metre.

A place is kept as a point on a sphere of ten million units' radius; two places are as near as the straight line between their points is
short. A unit is some 64 cm. The radius is the earth's mean one (IUGG, 6,371.0088 km); a sphere is off by up to half a percent.
"""

from __future__ import annotations

import math

UNITS = 10_000_000
RADIUS = 6_371.0088  # km
FARTHEST = 20_015.0  # km: half way round


def on_earth(lat: float, lon: float) -> tuple[int, int, int]:
    """Latitude and longitude in degrees as a point on the sphere."""
    across, up = math.cos(math.radians(lat)), math.sin(math.radians(lat))
    point = (across * math.cos(math.radians(lon)), across * math.sin(math.radians(lon)), up)
    x, y, z = (round(one * UNITS) for one in point)
    return x, y, z


def square_within(km: float) -> int:
    """The square of the longest straight line between two points so many kilometres apart, in units: at most 4 · 10^14."""
    return math.floor((2 * UNITS * math.sin(min(km / RADIUS, math.pi) / 2)) ** 2)
