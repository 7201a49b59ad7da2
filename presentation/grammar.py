"""The allow-list of expressions: which parts of Jinja's syntax tree may stand where. Everything that is not named here is refused,
so nothing new in Jinja becomes possible by itself."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import NamedTuple

from jinja2 import nodes

from governance.door import zone_names
from presentation.characters import fault_in_body
from presentation.filters import FILTERS, JOINTS, MAX_DIGITS, MAX_LENGTH, STYLES, Filter
from presentation.plurals import FORMS, fault_in_forms
from presentation.values import LARGEST, WORDS

BUILT_IN = {"unsubscribe_url": "text", "preferences_url": "text", "confirm_url": "text"}
MAX_NODES, MAX_NESTING, MAX_STEPS = 100, 12, 4
ALLOWED = 'an expression over declared variables, such as {{ first_name|default("there") }}'
_ARITHMETIC: dict[type[nodes.Node], str] = {nodes.Add: "+", nodes.Sub: "-", nodes.Mul: "*", nodes.Div: "/"}
_REFUSED: dict[type[nodes.Node], str] = {
    nodes.Pow: "** is not allowed",
    nodes.FloorDiv: "// is not allowed",
    nodes.Mod: "% is not allowed",
    nodes.Slice: "a slice is not allowed",
    nodes.Dict: "an object {…} is not allowed",
    nodes.List: "a list […] is allowed only after in",
    nodes.Tuple: "a list (…) is allowed only after in",
}
_WORD_OPERATORS = (nodes.And, nodes.Or)


class Problem(NamedTuple):
    """One thing that an expression may not say. line: in the text, from 1."""

    line: int
    words: str
    expected: str = ALLOWED

    def __str__(self) -> str:
        return f"line {self.line}: {self.words}"


class Check:
    """Walks one expression and collects what is wrong."""

    def __init__(self, declared: Mapping[str, str], line: int) -> None:
        self.declared = {**BUILT_IN, **declared}
        self.first_line = line
        self.seen = 0
        self.found: list[Problem] = []

    def refuse(self, node: nodes.Node, words: str, expected: str = ALLOWED) -> None:
        problem = Problem(self.first_line + (node.lineno or 1) - 1, words, expected)
        if problem not in self.found:
            self.found.append(problem)

    def visit(self, node: nodes.Node, depth: int) -> None:
        """Check a node and, if it may stand, what is below it."""
        self.seen += 1
        if self.seen == MAX_NODES + 1:
            self.refuse(node, f"an expression of more than {MAX_NODES} parts")
        if self.seen > MAX_NODES or depth > MAX_NESTING:
            if depth > MAX_NESTING:
                self.refuse(node, "an expression nested too deeply")
            return
        visitor = getattr(self, "_" + type(node).__name__.lower(), None)
        if type(node) in _ARITHMETIC:
            self._arithmetic(node, depth)
        elif isinstance(node, (*_WORD_OPERATORS, nodes.Not, nodes.Neg, nodes.Pos, nodes.Concat, nodes.CondExpr)):
            self._below(node, depth)
        elif visitor is None:
            self.refuse(node, _REFUSED.get(type(node), f"{type(node).__name__.lower()} is not allowed"))
            self._names_below(node)
        else:
            visitor(node, depth)

    def _below(self, node: nodes.Node, depth: int) -> None:
        for child in node.iter_child_nodes():
            self.visit(child, depth + 1)

    def _names_below(self, node: nodes.Node) -> None:
        """Inside something refused, still name what is reached for: that is what the author must see."""
        for inner in node.find_all(nodes.Getattr):
            if inner.attr.startswith("_"):
                self.refuse(inner, f"attribute {inner.attr} is not allowed")

    def _name(self, node: nodes.Name, depth: int) -> None:
        if node.name not in self.declared:
            near = difflib.get_close_matches(node.name, self.declared, n=3, cutoff=0.6)
            known = ", ".join(near or sorted(self.declared)[:8])
            self.refuse(
                node,
                f"{node.name[:60]} isn't declared",
                f"a declared variable: {'did you mean ' if near else ''}{known}{'?' if near else ''}",
            )

    def _const(self, node: nodes.Const, depth: int) -> None:
        value = node.value
        if isinstance(value, str) and (fault := fault_in_body(value)):
            self.refuse(node, f"text contains an invalid character: {fault}", "text without control characters")
        elif isinstance(value, (int, float)) and not abs(value) <= LARGEST:
            self.refuse(node, "a number beyond 2^53", "a number between -2^53 and 2^53")
        elif value is None:
            self.refuse(node, "none is not allowed", "|default(…) for what may be missing")

    def _getattr(self, node: nodes.Getattr, depth: int) -> None:
        self._step(node, node.attr, depth)

    def _getitem(self, node: nodes.Getitem, depth: int) -> None:
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, (str, int)) and not isinstance(node.arg.value, bool):
            self._step(node, node.arg.value, depth)
        else:
            self.refuse(node, "only a fixed name or place may stand in [ ]", 'a field such as order["city"] or a place such as items[0]')
            self._names_below(node)

    def _step(self, node: nodes.Getattr | nodes.Getitem, step: str | int, depth: int) -> None:
        root, steps = _chain(node)
        if isinstance(step, str) and step.startswith("_"):
            self.refuse(node, f"attribute {step[:60]} is not allowed")
        elif isinstance(step, int) and abs(step) > 1_000:
            self.refuse(node, f"place {step} is not allowed", "a place between 0 and 1,000")
        elif not isinstance(root, nodes.Name):
            self.refuse(node, f"attribute {str(step)[:60]} is not allowed", "attributes of declared variables of type object only")
        elif steps > MAX_STEPS:
            self.refuse(node, f"more than {MAX_STEPS} steps into {root.name}")
        elif self.declared.get(root.name) in {"text", "number", "boolean", "date", "datetime"}:
            self.refuse(node, f"attribute {str(step)[:60]} is not allowed: {root.name} is {WORDS[self.declared[root.name]]}")
        self.visit(node.node, depth + 1)

    def _call(self, node: nodes.Call, depth: int) -> None:
        called = node.node
        if isinstance(called, nodes.Getattr):
            self.refuse(node, f".{called.attr[:60]}() is not allowed: there are no calls, only filters")
            self.visit(called.node, depth + 1)
            self._names_below(called)
            if called.attr.startswith("_"):
                self.refuse(called, f"attribute {called.attr[:60]} is not allowed")
        else:
            name = called.name[:60] if isinstance(called, nodes.Name) else "this"
            self.refuse(node, f"{name}() is not allowed: there are no calls, only filters")
            self._names_below(called)

    def _filter(self, node: nodes.Filter, depth: int) -> None:
        known = FILTERS.get(node.name)
        if known is None:
            near = difflib.get_close_matches(node.name, FILTERS, n=2)
            self.refuse(node, f"filter |{node.name[:60]} is not allowed", "one of the filters " + ", ".join(near or FILTERS))
            self._names_below(node)
            return
        if node.kwargs or node.dyn_args or node.dyn_kwargs:
            self.refuse(node, f"|{node.name} takes no named arguments")
        elif not known.required <= len(node.args) <= len(known.arguments):
            self.refuse(node, f"|{node.name} with {len(node.args)} arguments", f"|{node.name}: {known.meaning}")
        else:
            self._arguments(node, known)
        if node.node is not None:
            self._takes(node, node.node, known)
            self.visit(node.node, depth + 1)
        for argument in node.args:
            self.visit(argument, depth + 1)

    def _takes(self, node: nodes.Filter, value: nodes.Expr, known: Filter) -> None:
        given = self.type_of(value)
        if known.takes == "any" or given in {"any", known.takes}:
            return
        if (known.takes, given) in {("date", "datetime"), ("text", "number")} or (
            known.takes == "list" and given == "text" and node.name not in {"each", "join", "list"}
        ):
            return
        self.refuse(node, f"|{node.name} of {WORDS.get(given, given)}", f"{WORDS[known.takes]} before |{node.name}")

    def _arguments(self, node: nodes.Filter, known: Filter) -> None:
        for kind, argument in zip(known.arguments, node.args, strict=False):
            fixed = argument.value if isinstance(argument, nodes.Const) else None
            if kind in {"digits", "length"}:
                most = MAX_DIGITS if kind == "digits" else MAX_LENGTH
                if not isinstance(fixed, int) or isinstance(fixed, bool) or not 0 <= fixed <= most:
                    self.refuse(node, f"|{node.name} with an unfit argument", f"a whole number from 0 to {most:,}")
            elif kind == "style" and fixed not in STYLES:
                self.refuse(node, f"|{node.name} with an unfit style", "one of " + ", ".join(STYLES))
            elif kind == "joint" and fixed not in JOINTS:
                self.refuse(node, f"|{node.name} with an unfit argument", "one of " + ", ".join(JOINTS))
            elif kind in {"text", "form"} and not isinstance(fixed, str):
                self.refuse(node, f"|{node.name} with an unfit argument", "fixed text in quotes")
            elif (
                kind == "currency"
                and fixed is not None
                and not (isinstance(fixed, str) and len(fixed) == 3 and fixed.isalpha() and fixed.isupper())
            ):
                self.refuse(node, "|money with an unfit currency", 'a currency code such as "EUR"')
            elif kind == "zone" and fixed is not None and fixed not in zone_names():
                self.refuse(node, f"|{node.name} with an unknown zone", 'a time zone such as "Europe/Paris"')

        fixed_forms = [argument.value for argument in node.args if isinstance(argument, nodes.Const) and isinstance(argument.value, str)]
        if "form" in known.arguments and len(fixed_forms) == len(node.args) and (fault := fault_in_forms(fixed_forms)):
            self.refuse(node, f"|{node.name} with {fault}", FORMS)

    def _test(self, node: nodes.Test, depth: int) -> None:
        if node.name not in {"defined", "undefined"} or node.args:
            self.refuse(node, f"is {node.name[:60]} is not allowed", "is defined, or a comparison")
        self.visit(node.node, depth + 1)

    def _compare(self, node: nodes.Compare, depth: int) -> None:
        self.visit(node.expr, depth + 1)
        for operand in node.ops:
            inner = operand.expr
            if operand.op in {"in", "notin"} and isinstance(inner, (nodes.List, nodes.Tuple)):
                for item in inner.items:
                    self.visit(item, depth + 2)
            else:
                self.visit(inner, depth + 1)

    def _arithmetic(self, node: nodes.Node, depth: int) -> None:
        assert isinstance(node, nodes.BinExpr)
        sign = _ARITHMETIC[type(node)]
        for side in (node.left, node.right):
            if self.type_of(side) not in {"number", "any"}:
                self.refuse(node, f"{sign} works on numbers only", "numbers on both sides; join text with ~")
                break
        if isinstance(node, nodes.Div) and isinstance(node.right, nodes.Const) and node.right.value == 0:
            self.refuse(node, "division by zero", "a number other than 0 after /")
        self._below(node, depth)

    def type_of(self, node: nodes.Node) -> str:
        """The type that a node surely has, else "any"."""
        if isinstance(node, nodes.Const):
            return "boolean" if isinstance(node.value, bool) else "number" if isinstance(node.value, (int, float)) else "text"
        if isinstance(node, nodes.Name):
            return self.declared.get(node.name, "any")
        if isinstance(node, nodes.Concat):
            return "text"
        if isinstance(node, (*_ARITHMETIC, nodes.Neg, nodes.Pos)):
            return "number"
        if isinstance(node, (nodes.Compare, nodes.Not, nodes.Test)):
            return "boolean"
        if isinstance(node, nodes.Filter) and node.node is not None:
            return self.type_of(node.node) if node.name == "default" else FILTERS[node.name].gives if node.name in FILTERS else "any"
        if isinstance(node, nodes.CondExpr) and node.expr2 is not None:
            return self.type_of(node.expr1) if self.type_of(node.expr1) == self.type_of(node.expr2) else "any"
        return "any"


def _chain(node: nodes.Node) -> tuple[nodes.Node, int]:
    steps = 0
    while isinstance(node, (nodes.Getattr, nodes.Getitem)):
        node, steps = node.node, steps + 1
    return node, steps
