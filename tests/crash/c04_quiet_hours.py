"""C04: every hour of a leap year in every IANA zone, asked of the rule that the last look asks; the judge is zoneinfo alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from audience.door import Person
from delivery.policy_document import QuietHours
from delivery.quiet import QuietClock
from tests.crash.proof import Call, Found, Proof

YEAR, DAYS, OPEN = 2028, 366, range(8, 21)  # hours of the wall clock in which a promotional text may go
PLACES = ("US", "FR")  # the law's night for texts to the USA, and a policy's night elsewhere


def run(call: Call) -> Found:
    policy = QuietHours(start="21:00", end="08:00", channels=["sms"])
    zones = sorted(available_timezones())[:: 1 if call.scale == 1 else 20]
    people = {(zone, place): Person(1, "p", None, None, "+15005550006", None, place, zone, {}) for zone in zones for place in PLACES}
    places = {zone: ZoneInfo(zone) for zone in zones}
    asked = at_night = kept_waiting = waits_into_night = 0
    moment = datetime(YEAR, 1, 1, tzinfo=UTC)
    while moment < datetime(YEAR, 1, 1, tzinfo=UTC) + timedelta(days=DAYS):
        clocks = {"US": QuietClock(None, "sms", "promotional", moment), "FR": QuietClock(policy, "sms", "promotional", moment)}
        for (zone, place), person in people.items():
            opens, hour = clocks[place].opens_at(person), moment.astimezone(places[zone]).hour
            asked += 1
            if opens is None:
                at_night += hour not in OPEN
            else:
                kept_waiting += hour in OPEN
                waits_into_night += opens.astimezone(places[zone]).hour not in OPEN
        moment += timedelta(hours=1)
    found = Found({"zones": len(zones), "questions": asked, "let go at night": at_night, "held by day": kept_waiting})
    found.figures["told to wait for a moment of the night"] = waits_into_night
    found.must(at_night == 0, f"{at_night:,} texts would go at night")
    found.must(kept_waiting == 0, f"{kept_waiting:,} texts would wait by day")
    found.must(waits_into_night == 0, f"{waits_into_night:,} would wait for a moment of the night")
    return found


PROOF = Proof(
    "C04",
    "every hour of 366 days in every IANA zone, by the policy's night and by the law's for the USA",
    "no promotional text outside 8 to 21 by the wall clock there, and none held inside",
    run,
)
