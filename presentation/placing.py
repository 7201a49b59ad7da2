"""What must hold of the conditions and repetitions of blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from presentation.blocks import At, Repeat, walk_repeated
from presentation.expressions import condition_problems
from presentation.faults import Fault
from presentation.grammar import BUILT_IN
from presentation.parts import LocaleBody
from presentation.syntax import names_of

WORDS_OF_THE_LANGUAGE = frozenset("true false none and or not if else in is loop self token confirm_token".split())


def placing_faults(locale: LocaleBody, declared: Mapping[str, str], at: At) -> Iterator[Fault]:
    """Whatever is wrong with when and where the blocks of a translation stand there."""
    for path, block, within in walk_repeated(locale.blocks, ("blocks",)):
        repeat = getattr(block, "repeat", None)
        if repeat is not None:
            yield from _repeat_faults(repeat, within[:-1], declared, (*at, *path, "repeat"))
        condition = getattr(block, "when", None)
        if condition is not None:
            for problem in condition_problems(condition, named_in(within, declared)):
                yield Fault((*at, *path, "when"), str(problem), problem.expected)


def named_in(within: tuple[Repeat, ...], declared: Mapping[str, str]) -> dict[str, str]:
    """The names that expressions may use inside these repetitions, and their types."""
    return {**declared, **{repeat.name: "any" for repeat in within}}


def names_placed(locale: LocaleBody) -> set[str]:
    """The variables that (sound) conditions and repetitions of a translation read."""
    found: set[str] = set()
    for _, block, within in walk_repeated(locale.blocks):
        if condition := getattr(block, "when", None):
            found |= names_of(condition)
        found |= {repeat.over for repeat in within}
    return found


def _repeat_faults(repeat: Repeat, outer: tuple[Repeat, ...], declared: Mapping[str, str], at: At) -> Iterator[Fault]:
    if outer:
        yield Fault(at, "a repetition inside another", "one repetition: of the columns, or of a block in them")
    if declared.get(repeat.over) != "list":
        lists = ", ".join(sorted(name for name, kind in declared.items() if kind == "list")) or "none is declared yet"
        yield Fault((*at, "over"), repeat.over, f"a declared variable of type list: {lists}")
    if repeat.name in declared or repeat.name in BUILT_IN or repeat.name in WORDS_OF_THE_LANGUAGE:
        yield Fault((*at, "as"), repeat.name, "a name that no variable has, and that isn't a word of the expression language")
    if repeat.least > repeat.most:
        yield Fault((*at, "least"), repeat.least, f"at most {repeat.most}, of which the message shows no more")
