"""Stand-ins for what isn't constant, carried through Markdown and MJML and found again in what comes out.

A stand-in is letters and digits only, so nothing on the way changes it; it holds a digest of the whole content, so no text
of that content can contain it."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

from presentation.door import AnyBlock, guarded, is_placed, names_of, stand_in
from rendering.outline import Branch, Repeated, Shown

T = TypeVar("T")
TOKEN = "token"  # the built-in name of a message's own token; authors can't use it
CONFIRM_TOKEN = "confirm_token"  # the same of what a message asks its reader to confirm
OWN_PAGES = {  # pages of our own about one message, {base}/u/{token}: where, and by which token
    "unsubscribe_url": ("u", TOKEN),
    "preferences_url": ("p", TOKEN),
    "confirm_url": ("c", CONFIRM_TOKEN),
}
BUILT_IN = (*OWN_PAGES, TOKEN, CONFIRM_TOKEN)  # what every message has a value for
_KEPT = "%/?:@!$&'()*+,;=-._~"  # what a written address may hold as it is


class Stand(NamedTuple):
    """One stand-in found in an output: the expression, the link or the verbatim text of that number."""

    kind: Literal["expression", "link", "verbatim", "opening", "closing"]
    number: int


EDGES = frozenset({"opening", "closing"})  # of a part that may be there or not
_KINDS: dict[str, Literal["expression", "link", "verbatim", "opening", "closing"]] = {
    "e": "expression",
    "l": "link",
    "v": "verbatim",
    "o": "opening",
    "x": "closing",
}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a link leads: constant texts between expressions. tracked: its number k, None when it is not counted;
    scope: the repeated branch that it stands in."""

    constants: tuple[str, ...]
    expressions: tuple[str, ...]
    tracked: int | None
    scope: int | None = None

    @property
    def source(self) -> str:
        """The target as an author would write it."""
        written = self.constants[0]
        for expression, constant in zip(self.expressions, self.constants[1:], strict=True):
            written += "{{ " + expression + " }}" + constant
        return written


@dataclass(slots=True)
class Holes:
    """The stand-ins of one locale. base_url: where counted links, the pixel and leaving are served;
    track: whether http(s) links are counted; fleeting: variables that nobody can read again when a link is followed."""

    seal: str
    base_url: str
    track: bool
    fleeting: frozenset[str] = frozenset()
    expressions: list[str] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    tracked: list[Target] = field(default_factory=list)
    _numbers: dict[Hashable, int] = field(default_factory=dict, repr=False)
    verbatims: list[str] = field(default_factory=list)
    branches: list[Branch] = field(default_factory=list)
    _scope: int | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self._pattern = re.compile(f"q{self.seal}([elvox])([0-9]+)z")

    _pattern: re.Pattern[str] = field(init=False, repr=False)

    def text(self, source: str) -> str:
        """An authored text with a stand-in for each expression."""
        return stand_in(source, self.expression)

    def expression(self, expression: str) -> str:
        """The stand-in of an expression (without braces)."""
        return f"q{self.seal}e{self._number(expression, expression, self.expressions)}z"

    def verbatim(self, text: str) -> str:
        """A stand-in for finished HTML, so that nothing on the way reads or changes it."""
        self.verbatims.append(text)
        return f"q{self.seal}v{len(self.verbatims) - 1}z"

    def link(self, target: str) -> str:
        """The stand-in of a link; `target` is as written, its expressions already stood in for or not."""
        return self._address(target, track=self.track)

    def picture(self, source: str) -> str:
        """The stand-in of an image's address, which is never counted."""
        return self._address(source, track=False)

    def placed(self, block: AnyBlock, write: Callable[[], str], mark: Callable[[str], str] = str) -> str:
        """What is written of a block, between marks where it is there on a condition or for each item of a list."""
        if not is_placed(block):
            return write()
        inner = [self._branch(block.id, Shown(guarded(block.when)))] if block.when is not None else []
        outer = (
            [self._branch(block.id, Repeated(block.repeat.over, block.repeat.name, block.repeat.most, block.repeat.least))]
            if (block.repeat is not None)
            else []
        )
        before, self._scope = self._scope, outer[0] if outer else self._scope
        written = write()
        self._scope = before
        for number in inner + outer:
            written = mark(f"q{self.seal}o{number}z") + written + mark(f"q{self.seal}x{number}z")
        return written

    def _branch(self, block_id: str, branch: Branch) -> int:
        return self._number(("branch", block_id, type(branch)), branch, self.branches)

    def pixel(self) -> str:
        """The stand-in of the address whose fetching is an open."""
        return self._known(Target((f"{self.base_url}/o/", ".gif"), (TOKEN,), None))

    def written(self, text: str) -> str:
        """The text with its expressions as an author writes them."""
        return self._pattern.sub(lambda found: "{{ " + self.expressions[int(found[2])] + " }}" if found[1] == "e" else found[0], text)

    def _address(self, target: str, *, track: bool) -> str:
        cut = self._pattern.split(self.text(target.strip()))
        constants = [_address(text, first=place == 0) for place, text in enumerate(cut[::3])]
        expressions = [self.expressions[int(number)] for number in cut[2::3]]
        if len(expressions) == 1 and expressions[0] in OWN_PAGES and constants == ["", ""]:
            where, token = OWN_PAGES[expressions[0]]
            return self._known(Target((f"{self.base_url}/{where}/", ""), (token,), None))
        return self._known(self._target(constants, expressions, track=track))

    def _known(self, target: Target) -> str:
        return f"q{self.seal}l{self._number(target, target, self.targets)}z"

    def _number(self, key: Hashable, item: T, items: list[T]) -> int:
        """The place of an item in its list; a new one is added."""
        if key not in self._numbers:
            self._numbers[key] = len(items)
            items.append(item)
        return self._numbers[key]

    def _target(self, constants: list[str], expressions: list[str], *, track: bool) -> Target:
        counted = track and constants[0].lower().startswith(("http://", "https://"))
        counted = counted and not any(names_of(expression) & self.fleeting for expression in expressions if self.fleeting)
        plain = Target(tuple(constants), tuple(expressions), None)
        if not counted:
            return plain
        numbered = Target(plain.constants, plain.expressions, len(self.tracked), self._scope)
        return self.tracked[self._number(("tracked", plain, self._scope), numbered, self.tracked)]

    def laid_open(self, output: str) -> str:
        """The output with all verbatim texts put back (they may hold further stand-ins)."""
        while True:
            opened = self._pattern.sub(lambda found: self.verbatims[int(found[2])] if found[1] == "v" else found[0], output)
            if opened == output:
                return output
            output = opened

    def cut(self, output: str) -> Iterator[tuple[int, str | Stand]]:
        """Constant texts and stand-ins of an output in order, each with its position."""
        place = 0
        for found in self._pattern.finditer(output):
            yield place, output[place : found.start()]
            yield found.start(), Stand(_KINDS[found[1]], int(found[2]))
            place = found.end()
        yield place, output[place:]


def _address(text: str, *, first: bool) -> str:
    """A written address in ASCII: the host by IDNA, everything else percent-encoded where it must be."""
    if first and "://" in text:
        parts = urlsplit(text)
        return urlunsplit((parts.scheme, _host(parts.netloc), *(quote(part, safe=_KEPT) for part in parts[2:]))) + _lost(text, parts[4])
    return quote(text, safe=_KEPT + "#")


def _lost(text: str, fragment: str) -> str:
    """urlsplit drops an empty query or fragment; an expression may follow it."""
    return text[-1] if text[-1:] in {"?", "#"} and not fragment else ""


def _host(netloc: str) -> str:
    if netloc.isascii():
        return netloc
    try:
        return netloc.encode("idna").decode()
    except UnicodeError:
        return quote(netloc, safe=":")
