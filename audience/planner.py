"""Cuts a rule at its groups so that each piece goes to an engine which answers it exactly; puts the sets together again.

Law: whatever engines are at hand, the answer is the database's own (tests/laws/test_backends_agree.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pyroaring import BitMap64

from audience.backends.base import Engine
from audience.rules.bound import Bound, Constant, Group, Member, Related, Zoned, below

NARROW = 20_000  # a running set of at most this many ids is handed on, so that the next query looks only at them


@dataclass(frozen=True, slots=True)
class Ask:
    """One query: `node` as a whole, to one engine."""

    engine: Engine
    node: Bound


@dataclass(frozen=True, slots=True)
class Combine:
    """Set operations on the parts: those of `wanted` (at least one) joined by `op`, without those of `unwanted`."""

    op: Literal["all", "any"]
    wanted: tuple[Plan, ...]
    unwanted: tuple[Plan, ...] = ()


Plan = Ask | Combine


def plan(rule: Bound, engines: Sequence[Engine]) -> Plan:
    """How to answer the rule. engines: the preferred one first; the last must answer everything."""
    return _Planner(engines).plan(rule)


def ids(found: Plan, workspace_id: int, *, within: BitMap64 | None = None) -> BitMap64:
    """The profiles that match, with `within` only those of these ids. Raises EngineUnavailable."""
    return _Execution(workspace_id).ids(found, within)


def asked(found: Plan) -> Iterator[Ask]:
    """The queries of a plan, each once, in the order in which they are put."""
    seen: set[int] = set()
    stack: list[Plan] = [found]
    while stack:
        here = stack.pop()
        if id(here) in seen:
            continue
        seen.add(id(here))
        if isinstance(here, Ask):
            yield here
        else:
            stack.extend(reversed((*here.wanted, *here.unwanted)))


@dataclass(frozen=True, slots=True)
class _Size:
    conditions: int
    depth: int
    answered: frozenset[str]  # names of the engines that answer every condition below
    wanted: frozenset[str]  # names of the engines that answer at least one condition below


@dataclass(slots=True)
class _Planner:
    engines: Sequence[Engine]
    sizes: dict[int, _Size] = field(default_factory=dict)
    plans: dict[int, Plan] = field(default_factory=dict)

    @property
    def everyone(self) -> Plan:
        """All profiles, asked of the engine that knows them all."""
        return Ask(self.engines[-1], Constant(True))

    def plan(self, node: Bound) -> Plan:
        """The plan of one node; the same node has one plan, so a segment that is used twice is asked once."""
        if id(node) not in self.plans:
            engine = self.engine_for(node)
            self.plans[id(node)] = Ask(engine, node) if engine else self.cut(node)
        return self.plans[id(node)]

    def engine_for(self, node: Bound) -> Engine | None:
        """The first engine that answers the whole node in one query; none if a preferred one answers a part of it."""
        size = self.size(node)
        for engine in self.engines:
            fits = size.conditions <= engine.max_conditions and size.depth <= engine.max_depth
            if engine.name in size.answered and (fits or not below(node)):
                return engine
            if engine.name in size.wanted:
                return None
        return None

    def cut(self, node: Bound) -> Plan:
        if isinstance(node, Member):
            return self.plan(node.rule)
        if not isinstance(node, Group):
            raise AssertionError(f"no engine answers {type(node).__name__}")
        if node.op == "any":
            return Combine("any", self.parts(node.children, "any", node.path))
        if node.op == "none":
            return Combine("all", (self.everyone,), self.parts(node.children, "any", node.path))
        unwanted = [child for group in node.children if _is_none(group) for child in below(group)]
        wanted = [child for child in node.children if not _is_none(child)]
        return Combine("all", self.parts(wanted, "all", node.path) or (self.everyone,), self.parts(unwanted, "any", node.path))

    def parts(self, children: Sequence[Bound], op: Literal["all", "any"], path: str) -> tuple[Plan, ...]:
        """Siblings that one engine answers are put to it together; the rest each get a plan of their own."""
        together: dict[str, list[Bound]] = {engine.name: [] for engine in self.engines}
        rest: list[Bound] = []
        for child in children:
            engine = self.engine_for(child)
            (together[engine.name] if engine else rest).append(child)
        merged = [Ask(engine, part) for engine in self.engines for part in self.merged(together[engine.name], op, path, engine)]
        return (*merged, *(self.plan(child) for child in rest))

    def merged(self, children: list[Bound], op: Literal["all", "any"], path: str, engine: Engine) -> Iterator[Bound]:
        """The children in as few groups as the engine's bounds allow."""
        held: list[Bound] = []
        conditions = 0
        for child in children:
            size = self.size(child)
            if held and (conditions + size.conditions > engine.max_conditions or size.depth >= engine.max_depth):
                yield held[0] if len(held) == 1 else Group(op, tuple(held), path)
                held, conditions = [], 0
            held.append(child)
            conditions += size.conditions
            if size.depth >= engine.max_depth:
                yield held[0]
                held, conditions = [], 0
        if held:
            yield held[0] if len(held) == 1 else Group(op, tuple(held), path)

    def size(self, node: Bound) -> _Size:
        if id(node) not in self.sizes:
            self.sizes[id(node)] = self.measured(node)
        return self.sizes[id(node)]

    def measured(self, node: Bound) -> _Size:
        if not isinstance(node, Group | Member):
            names = frozenset(engine.name for engine in self.engines if engine.answers(node))
            cases = len(node.cases) if isinstance(node, Zoned) else 0
            cases += sum(len(test.cases) for test in node.where) if isinstance(node, Related) else 0
            conditions = 1 + cases // 4  # its statement grows with its zones
            return _Size(conditions, 0, names, frozenset() if isinstance(node, Constant) else names)
        sizes = [self.size(child) for child in below(node)]
        depth = max(size.depth for size in sizes) + isinstance(node, Group)
        answered = frozenset.intersection(*(size.answered for size in sizes))
        return _Size(sum(size.conditions for size in sizes), depth, answered, frozenset().union(*(size.wanted for size in sizes)))


def _is_none(node: Bound) -> bool:
    return isinstance(node, Group) and node.op == "none"


@dataclass(slots=True)
class _Execution:
    workspace_id: int
    answers: dict[int, BitMap64] = field(default_factory=dict)

    def ids(self, found: Plan, within: BitMap64 | None) -> BitMap64:
        if within is not None:
            return self.answer(found, within)
        if id(found) not in self.answers:
            self.answers[id(found)] = self.answer(found, None)
        return self.answers[id(found)]

    def answer(self, found: Plan, within: BitMap64 | None) -> BitMap64:
        if isinstance(found, Ask):
            return found.engine.ids(self.workspace_id, found.node, within=within)
        return self.joined(found, within) if found.op == "any" else self.narrowed(found, within)

    def joined(self, found: Combine, within: BitMap64 | None) -> BitMap64:
        total = BitMap64()
        for part in found.wanted:
            total |= self.ids(part, within)
        return total

    def narrowed(self, found: Combine, within: BitMap64 | None) -> BitMap64:
        """Each part looks only at whom the parts before it left, once these are few."""
        running = self.ids(found.wanted[0], within)
        for part in found.wanted[1:]:
            running = running & self.ids(part, _few(running, within))
        for part in found.unwanted:
            running = running - self.ids(part, _few(running, within))
        return running


def _few(running: BitMap64, within: BitMap64 | None) -> BitMap64 | None:
    return running if len(running) <= NARROW else within
