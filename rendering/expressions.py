"""Checking one expression for a form: what presentation checks in a whole template."""

from __future__ import annotations

from collections.abc import Mapping

from governance.door import Finding
from presentation.door import problems


def validate_expression(source: str, declared: Mapping[str, str]) -> list[Finding]:
    """What is wrong with an expression (with or without braces). declared: variable names and their types."""
    text = source if "{{" in source or "{%" in source or "{#" in source else "{{ " + source + " }}"
    return [Finding("error", "", str(problem), problem.expected) for problem in problems(text, declared)]
