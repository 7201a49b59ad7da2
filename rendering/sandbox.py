"""What an expression may do when it runs: Jinja's immutable sandbox with nothing in it but plain values and our filters.

What an author wrote is checked when it is saved (presentation); here the checked tree is rewritten, so that what runs
never reaches a Python attribute: `order.city` is an item of a dict, and nothing else."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, nodes
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.runtime import Context as JinjaContext
from jinja2.runtime import Undefined, new_context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from presentation.door import syntax
from rendering.escapes import ESCAPES, Unrenderable, show
from rendering.filters import bounded, filters_for

Values = Mapping[str, Any]
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
TROUBLES = (Unrenderable, UndefinedError, SecurityError, TypeError, ZeroDivisionError, OverflowError, ArithmeticError)


class Sandbox(ImmutableSandboxedEnvironment):
    """No globals, no calls, no attributes; arithmetic on bounded numbers only."""

    intercepted_binops = frozenset(_OPERATORS)
    intercepted_unops = frozenset("+-")

    def __init__(self, locale: str) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=False, optimized=False, keep_trailing_newline=True, cache_size=0)
        self.globals = {}
        self.filters = {
            **filters_for(locale),
            "_show": show,
            "_item": self.item,
            **{f"_{name}": _shown(escape) for name, escape in ESCAPES.items()},
        }
        self.tests = {name: self.tests[name] for name in ("defined", "undefined")}

    def call_binop(self, context: JinjaContext, operator: str, left: Any, right: Any) -> Any:
        return bounded(_OPERATORS[operator](_number(left), _number(right)))

    def call_unop(self, context: JinjaContext, operator: str, arg: Any) -> Any:
        return bounded(-_number(arg) if operator == "-" else _number(arg))

    def getitem(self, obj: Any, argument: Any) -> Any:
        if type(obj) is dict or (type(obj) is list and type(argument) is int):
            try:
                return obj[argument]
            except LookupError:
                return self.undefined(obj=None, name=str(argument))
        if isinstance(obj, Undefined):
            raise UndefinedError(f"{obj._undefined_name} has no value and no fallback")
        raise Unrenderable("an attribute of something that has none")

    def item(self, held: Any, place: int, called: str) -> Any:
        """An item of a list; one that isn't there is told by what the expression calls it."""
        found = self.getitem(held, place)
        return self.undefined(obj=None, name=called) if isinstance(found, Undefined) else found

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def call(self, context: JinjaContext, obj: Any, *args: Any, **kwargs: Any) -> Any:
        raise SecurityError("calls are not allowed")


class _Rewrite(NodeTransformer):
    """Attributes become items, joined text is shown as everywhere else, and a condition without else is empty."""

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Expr:
        return nodes.Getitem(self.visit(node.node), nodes.Const(node.attr), "load", lineno=node.lineno)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Expr:
        name = called(node)
        node.node, node.arg = self.visit(node.node), self.visit(node.arg)
        place = node.arg.value if isinstance(node.arg, nodes.Const) else None
        return nodes.Filter(node.node, "_item", [node.arg, nodes.Const(name)], [], None, None, lineno=1) if type(place) is int else node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:
        node.nodes = [_filtered(self.visit(part), "_show") for part in node.nodes]
        return node

    def visit_CondExpr(self, node: nodes.CondExpr) -> nodes.Expr:
        node.test, node.expr1 = self.visit(node.test), self.visit(node.expr1)
        node.expr2 = nodes.Const("") if node.expr2 is None else self.visit(node.expr2)
        return node


def called(node: nodes.Node) -> str:
    """What stands in the expression, as its author would say it: "stays[0]"."""
    if isinstance(node, nodes.Getattr):
        return f"{called(node.node)}.{node.attr}"
    if isinstance(node, nodes.Getitem):
        return f"{called(node.node)}[{node.arg.value if isinstance(node.arg, nodes.Const) else '…'}]"
    return node.name if isinstance(node, nodes.Name) else "a list"


def tree(expression: str) -> nodes.Expr:
    """The rewritten tree of a checked expression."""
    rewritten = _Rewrite().visit(syntax(expression))
    assert isinstance(rewritten, nodes.Expr)
    return rewritten


def escaped(expression: str, context: str) -> nodes.Expr:
    """The tree of an expression, shown and escaped for where it stands."""
    return _filtered(tree(expression), f"_{context}")


def shown(node: nodes.Expr) -> nodes.Expr:
    """The tree of a value as text, without escaping."""
    return _filtered(node, "_plain")


@lru_cache(maxsize=256)
def sandbox(locale: str) -> Sandbox:
    """One environment per locale: filters write as its people do."""
    return Sandbox(locale)


@lru_cache(maxsize=8192)
def evaluator(expression: str, locale: str) -> Callable[[Values], object]:
    """A function from values to the value of the expression, by Jinja. Raises one of TROUBLES."""
    environment = sandbox(locale)
    target = nodes.Name("result", "store", lineno=1)
    template = environment.from_string(_template([nodes.Assign(target, tree(expression), lineno=1)], environment))
    run = template.root_render_func

    def evaluate(values: Values) -> object:
        context = new_context(environment, None, {}, dict(values), True, None, None)
        for _ in run(context):
            pass
        return context.vars["result"]

    return evaluate


def document(body: list[nodes.Node], locale: str) -> Callable[[Values], str]:
    """A whole document as one Jinja template."""
    environment = sandbox(locale)
    template = environment.from_string(_template(body, environment))
    run = template.root_render_func

    def render(values: Values) -> str:
        return "".join(run(new_context(environment, None, {}, dict(values), True, None, None)))

    return render


def _template(body: list[nodes.Node], environment: Sandbox) -> nodes.Template:
    return nodes.Template(body, lineno=1).set_environment(environment)  # type: ignore[return-value]


def _filtered(node: nodes.Expr, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=1)


def _shown(escape: Callable[[str], str]) -> Callable[[object], str]:
    return lambda value: escape(show(value))


def _number(value: object) -> int | float:
    if isinstance(value, Undefined):
        raise UndefinedError(f"{value._undefined_name} has no value and no fallback")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unrenderable("arithmetic works on numbers only")
    return value


def words(error: Exception) -> str:
    """What is wrong with a value, without the value."""
    if isinstance(error, Unrenderable):
        return str(error)
    if isinstance(error, ZeroDivisionError):
        return "a division by zero"
    if type(error).__name__ == "UndefinedError":
        return str(error).replace("'", "").replace(" is undefined", " has no value and no fallback")
    return "an expression doesn't fit the values"
