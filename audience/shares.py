"""A part of everybody, drawn as if by chance and always the same: who is in it hangs on their number and a salt alone.

The same arithmetic in Python and in SQL, on whole numbers below 2^63, so that every engine draws the same people: two linear steps modulo a
prime with a square between them, without which the shares of two salts would overlap by more or less than chance.
"""

from __future__ import annotations

from hashlib import blake2b

PRIME = 2**31 - 1
MILLION = 1_000_000


def constants(salt: str) -> tuple[int, int, int, int]:
    """The four numbers, 1 to PRIME - 1, that stand for a salt."""
    digest = blake2b(salt.encode(), digest_size=32).digest()
    first, second, third, fourth = (int.from_bytes(digest[start : start + 8], "big") % (PRIME - 1) + 1 for start in range(0, 32, 8))
    return first, second, third, fourth


def place_of(number: int, salt: str) -> int:
    """Where a person's number falls, 0 to 999,999."""
    one, two, three, four = constants(salt)
    mixed = (number % PRIME * one + two) % PRIME
    mixed = mixed * mixed % PRIME
    return (mixed * three + four) % PRIME % MILLION


def place_sql(column: str, salt: str) -> str:
    """The same in SQL, each % doubled as in a statement with parameters. The salt's numbers are ours, so they stand in the text."""
    one, two, three, four = constants(salt)
    mixed = f"(({column} %% {PRIME}) * {one} + {two}) %% {PRIME}"
    return f"((({mixed}) * ({mixed})) %% {PRIME} * {three} + {four}) %% {PRIME} %% {MILLION}"
