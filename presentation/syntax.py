"""Reading expressions: Jinja's parser, asked for trees only."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.parser import Parser

from presentation.segments import segments

_SYNTAX = Environment(autoescape=False)


def names_in(source: str) -> set[str]:
    """The variables that a (sound) text mentions."""
    return set().union(*(names_of(segment.text) for segment in segments(source) if segment.expression))


def names_of(expression: str) -> set[str]:
    """The variables that one (sound) expression mentions."""
    tree = syntax(expression)
    return {name.name for name in tree.find_all(nodes.Name)} | ({tree.name} if isinstance(tree, nodes.Name) else set())


def unguarded_names(source: str) -> set[str]:
    """The variables that a (sound) text uses without |default(…) around them and without asking whether they are defined."""
    free: set[str] = set()
    for segment in segments(source):
        if segment.expression:
            free |= _unguarded(syntax(segment.text), frozenset())
    return free


def syntax(expression: str) -> nodes.Expr:
    """The tree of one expression, without its braces. Raises TemplateSyntaxError."""
    parser = Parser(_SYNTAX, expression, state="variable")
    tree = parser.parse_expression()
    if not parser.stream.eos:
        raise TemplateSyntaxError(f"unexpected {parser.stream.current.value!r}", parser.stream.current.lineno)
    return tree


def tokens(expression: str) -> Iterator[tuple[str, str]]:
    """The kinds and texts of an expression's tokens, blanks included: joined they are the expression."""
    return ((kind, value) for _, kind, value in _SYNTAX.lexer.tokeniter(expression, None, None, "variable"))


def _unguarded(node: nodes.Node, asked: frozenset[str]) -> set[str]:
    if isinstance(node, nodes.Name):
        return set() if node.name in asked else {node.name}
    if isinstance(node, nodes.Filter) and node.name == "default":
        return set().union(*(_unguarded(argument, asked) for argument in node.args))
    if isinstance(node, nodes.Test):
        return set()
    if isinstance(node, nodes.CondExpr):
        sure = asked | {test.node.name for test in [node.test] if isinstance(test, nodes.Test) and isinstance(test.node, nodes.Name)}
        return set().union(*(_unguarded(child, sure) for child in node.iter_child_nodes()))
    return set().union(*(_unguarded(child, asked) for child in node.iter_child_nodes()))
