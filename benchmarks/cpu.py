"""CPU seconds of the three who share the machine: OMNI's processes, PostgreSQL with all its backends, and the vendor simulator."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from benchmarks.instance import Instance


@dataclass(frozen=True)
class Cpu:
    """Seconds so far, or of a span where two were subtracted."""

    omni: float
    postgresql: float
    simulator: float

    def __sub__(self, before: Cpu) -> Cpu:
        return Cpu(self.omni - before.omni, self.postgresql - before.postgresql, self.simulator - before.simulator)

    def told(self, messages: int) -> str:
        """Of each: seconds, its share, and µs a message."""
        all_of_it = self.omni + self.postgresql + self.simulator
        named = (("OMNI", self.omni), ("PostgreSQL", self.postgresql), ("simulator", self.simulator))
        parts = [f"{name} {spent:.1f} s ({spent / all_of_it:.0%}, {spent * 1e6 / messages:.1f} µs)" for name, spent in named]
        return f"{', '.join(parts)}; OMNI and PostgreSQL {(self.omni + self.postgresql) * 1e6 / messages:.1f} µs a message"


def spent(made: Instance) -> Cpu:
    """What was spent up to now. OMNI: commands that have ended, and the processes of those that go on."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    going = sum(_of(each.pid) for each in made.processes if each.poll() is None)
    return Cpu(ended.ru_utime + ended.ru_stime + going, _of(made.postgresql), float(made.lab.get("/_lab/stats")["lab_cpu_seconds"]))


def _of(pid: int) -> float:
    """A process with its children, those included that it has outlived."""
    try:
        parent = psutil.Process(pid)
        times = parent.cpu_times()
        own = times.user + times.system + times.children_user + times.children_system
        return own + sum(_of(child.pid) for child in parent.children())
    except psutil.Error:
        return 0.0
