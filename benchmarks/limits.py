"""How well an account's limits are kept and used: texts through the Twilio adapter to the stand-in, two sending processes.

    python -m benchmarks.limits [--per-second 200] [--per-minute 6000] [--seconds 120]

Judged by the stand-in's own log, of moments at which it accepted: the most that any second and any minute saw, however they are
laid, and what was sent of what might have been.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from benchmarks.instance import Instance, instance


def main() -> None:
    """Run once and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-second", type=float, default=200.0)
    parser.add_argument("--per-minute", type=int, default=0)
    parser.add_argument("--seconds", type=int, default=90)
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    many = int(max(args.per_second, args.per_minute / 60) * (args.seconds + 30))
    with instance(database="postgresql") as made:
        limits = ["--per-second", str(args.per_second), "--per-minute", str(args.per_minute)]
        made.run("-m", "benchmarks.scene", "--mails", "0", "--texts", str(many), *limits)
        made.lab.post("/_lab/reset")
        made.manage("send_campaign", "texts", "--yes", "--no-wait", "--as", "bo")
        moments = _send(made, args)
    ran = moments[-1] - moments[0]
    for span, limit in ((1.0, args.per_second), (60.0, float(args.per_minute))):
        if limit:
            print(f"any {span:>2.0f} s     at most {most_in(moments, span):,} of {limit:,.0f} allowed")
    allowed = min([args.per_second * ran] * bool(args.per_second) + [args.per_minute * (ran // 60 + 1)] * bool(args.per_minute))
    print(f"in {ran:.0f} s    {len(moments):,} of {allowed:,.0f} that might have been sent, {len(moments) / allowed:.1%}")


def _send(made: Instance, args: argparse.Namespace) -> list[float]:
    """Moments (s) at which texts were accepted, in order, in so many seconds of sending."""
    process = made.worker("--lane", "promotional", "--processes", str(args.processes))
    began = time.monotonic()
    while not made.lab.get("/_lab/stats")["accepted"] and time.monotonic() - began < 30:
        time.sleep(0.1)
    time.sleep(args.seconds)
    process.terminate()
    process.wait()
    rows = [line.split("\t") for line in str(made.lab.get("/_lab/log")).splitlines() if line and line[0].isdigit()]
    return sorted(int(row[1]) / 1e9 for row in rows)


def most_in(moments: Sequence[float], span: float) -> int:
    """The most moments in any span of that length."""
    first = most = 0
    for place, moment in enumerate(moments):
        while moment - moments[first] >= span:
            first += 1
        most = max(most, place - first + 1)
    return most


if __name__ == "__main__":
    main()
