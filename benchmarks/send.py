"""100,000 mails through the SendGrid adapter to the stand-in on PostgreSQL, beside a bare loop in the same run.

    python -m benchmarks.send [--mails 100000] [--processes 2] [--kills 3]

The bare loop reads full rows, fills the same template, writes one durable COPY row per message and posts batches of 1,000:
what no sender of ours could beat. CPU seconds are those of the launching command and of the sending worker, its start
included (about a second, whatever is sent). With --kills the worker is killed with SIGKILL at random instants and started again, while
the stand-in's signed events arrive: the judge's audit must then say lost 0, duplicates 0.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from dataclasses import dataclass

import psutil

from benchmarks import cpu
from benchmarks.instance import Instance, instance, ledger
from scripts.judge_lab import Webhooks


def main() -> None:
    """Run both and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2, help="sending processes of the one worker command")
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--no-floor", action="store_true", help="leave the bare loop out")
    args = parser.parse_args()
    with instance(database="postgresql", in_doubt_after="10", vendor_timeout="5", lease_seconds="20" if args.kills else "60") as made:
        made.run("-m", "benchmarks.scene", "--mails", str(args.mails), "--batch", str(args.batch))
        if not args.kills and not args.no_floor:
            floor = json.loads(made.run("-m", "benchmarks.floor"))
            print(f"bare loop   {floor['per_second']:>9,.0f} mails/s  {floor['rss_mb']:.0f} MB")
            made.lab.post("/_lab/reset")
        if args.kills:
            made.serve()
            posting = Webhooks(made)
            posting.start()
        began, idle = time.monotonic(), cpu.spent(made)
        made.manage("send_campaign", "mails", "--yes", "--no-wait", "--as", "bo")
        launched, planned = time.monotonic() - began, cpu.spent(made)
        before = made.lab.get("/_lab/stats")
        sent = _send(made, args)
        seconds, memory, killed = sent.seconds, sent.memory, sent.killed
        posted = cpu.spent(made)
        accepted = made.lab.get("/_lab/stats")
        rate, span = args.mails / seconds, f"{seconds:.1f} s from first to last accept"
        print(f"OMNI        {rate:>9,.0f} mails/s  {memory:.0f} MB at most ({sent.largest:.0f} of one process), {span}")
        print(f"stand-in    {accepted['lab_cpu_seconds'] - before['lab_cpu_seconds']:.1f} CPU s, {accepted['tcp_connections']} connections")
        print(f"launch      {launched:.1f} s in a process of its own: who, who not, in which order")
        print(f"CPU, launch {(planned - idle).told(args.mails)}")
        print(f"CPU, send   {(posted - planned).told(args.mails)}")
        print(f"CPU, marginal, after the first accept  {sent.going.told(sent.counted)}")
        if args.no_floor:
            return
        if not args.kills:
            print(f"ratio       {args.mails / seconds / floor['per_second']:.2f} of the bare loop")
            whole = launched + seconds
            print(
                f"in all      {whole:.1f} s from launch to last accept, {whole * floor['per_second'] / args.mails:.2f} times the bare loop"
            )
            return
        _settle(made)
        found = ledger(made)
        audit = made.lab.post("/_lab/audit", "\n".join(found.expected).encode())
        lost, doubled = audit["expected_but_never_accepted"], audit["extra_accepts"]
        print(f"after {killed} kills: lost {lost}, duplicates {doubled}; ledger {found.states}")


@dataclass(frozen=True)
class Sent:
    """seconds: from the first accepted mail to the last; memory: the largest of all the worker's processes together, in MB; largest: of
    one of them alone; going: what was spent while `counted` mails were accepted, the first batches and the worker's start left out."""

    seconds: float
    memory: float
    largest: float
    killed: int
    going: cpu.Cpu
    counted: int


def _send(made: Instance, args: argparse.Namespace) -> Sent:
    """Send everything with one worker command, killed now and then where that is asked for."""
    command = ("--lane", "promotional", "--processes", str(args.processes))
    process = made.worker(*command)
    memory, largest, measured, killed = 0.0, 0.0, time.monotonic(), 0
    begun, skipped = cpu.spent(made), 0
    first = last = 0.0
    count, quiet = 0, time.monotonic()
    next_kill = random.uniform(0.1, 1.5)
    while count < args.mails and time.monotonic() - quiet < 90:
        time.sleep(0.05)  # each look costs the stand-in a little of the machine that is measured
        now_count = made.lab.get("/_lab/stats")["accepted"]
        now = time.monotonic()
        if now_count > count:
            if not first:
                begun, skipped = cpu.spent(made), now_count
            first, last, quiet = first or now, now, now
            count = now_count
        if now - measured > (0.5 if args.mails < 500_000 else 5):  # what shares pages is costly to look at
            all_of_them, one = _memory(process.pid)
            memory, largest, measured = max(memory, all_of_them), max(largest, one), now
        if first and killed < args.kills and now - first > next_kill:
            for each in reversed(_processes(process.pid)):
                each.kill()
            process.wait()
            killed += 1
            next_kill += random.uniform(0.1, 1.5)
            process = made.worker(*command)
    return Sent(max(last - first, 1e-9), memory, largest, killed, cpu.spent(made) - begun, max(count - skipped, 1))


def _processes(pid: int) -> list[psutil.Process]:
    """The command's processes: the parent first, the others after it."""
    parent = psutil.Process(pid)
    return [parent, *parent.children()]


def _memory(pid: int) -> tuple[float, float]:
    """MB of all processes together, what they share counted once (proportional set size), and of the largest alone (resident)."""
    try:
        infos = [each.memory_full_info() for each in _processes(pid)]
    except psutil.Error:
        return 0.0, 0.0
    return sum(info.pss for info in infos) / 1e6, max(info.rss for info in infos) / 1e6


def _settle(made: Instance) -> None:
    until = time.monotonic() + 240
    while time.monotonic() < until:
        time.sleep(4)
        found = ledger(made)
        if found.open == 0 and not found.states.get("sending") and not found.states.get("in_doubt"):
            return


if __name__ == "__main__":
    main()
