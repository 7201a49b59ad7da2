"""What people type into a form's fields as values: numbers, shares, money, lists. What doesn't fit its type stays text."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any


def read_value(type_: str, text: str) -> Any:
    """The value of a field of this type: text, int, number, share (per cent), micros (an amount of money), bool,
    list (one item a line), ints (one whole number a line), json, or empty.
    """
    if type_ == "int":
        return int(text) if re.fullmatch(r"\s*[-+]?\d{1,18}\s*", text) else _spaced_int(text)
    if type_ == "number":
        return _number(text)
    if type_ == "share":
        return _share(text)
    if type_ == "micros":
        return _micros(text)
    if type_ == "bool":
        return {"true": True, "on": True, "false": False, "": False}.get(text, text)
    if type_ == "list":
        return [line.strip() for line in text.split("\n") if line.strip()]
    if type_ == "ints":
        return [read_value("int", line) for line in text.split("\n") if line.strip()]
    if type_ == "json":
        return _json(text)
    if type_ == "empty":
        return {} if text == "object" else []
    return text


def _spaced_int(text: str) -> Any:
    """12,408 and 12 408 are whole numbers too, as people copy them from a page."""
    tight = re.sub(r"[\s,_'’]", "", text)
    return int(tight) if re.fullmatch(r"[-+]?\d{1,18}", tight) else text


def _number(text: str) -> Any:
    whole = _spaced_int(text)
    if not isinstance(whole, str):
        return whole
    try:
        number = float(text)
    except ValueError:
        return text
    return number if abs(number) <= 2**53 else text  # false for nan


def _share(text: str) -> Any:
    """20, 20% and 0.2 % are shares of 0.2, 0.2 and 0.002: exact, as they were typed."""
    tight = re.sub(r"[\s%]", "", text)
    if not re.fullmatch(r"[-+]?(\d{1,15}(\.\d{0,20})?|\.\d{1,20})", tight):
        return text
    share = Decimal(tight) / 100
    return int(share) if share == int(share) else float(share)


def _micros(text: str) -> Any:
    """$1,250.50 and 1250.5 are 1,250,500,000 millionths; what is finer, or has a decimal comma, stays text."""
    tight = re.sub(r"[\s_'’]|^\s*[A-Z]{3}(?=[\s\d])|[A-Z]{3}\s*$|[$€£¥₹]", "", text)
    if "," in tight and re.fullmatch(r"[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?", tight):
        tight = tight.replace(",", "")
    if not re.fullmatch(r"[-+]?(\d{1,12}(\.\d{0,6})?|\.\d{1,6})", tight):
        return text
    return int(Decimal(tight) * 1_000_000)


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=lambda word: word)
    except (ValueError, RecursionError):
        return text
