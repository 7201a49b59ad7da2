"""The manners that every authored body shares: strict, closed, frozen, and text without surprises."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")
LINE_BREAKS = frozenset("\n\r\u0085\u2028\u2029")


class DocumentModel(BaseModel):
    """Base of every document schema: no coercion, no unknown fields, no changes after validation."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def _slug(value: str) -> str:
    if not SLUG.fullmatch(value):
        raise ValueError("lower-case letters, digits, - and _, starting with a letter or digit, at most 80 characters")
    return value


Slug = Annotated[str, AfterValidator(_slug), Field(json_schema_extra={"pattern": f"^{SLUG.pattern}$"}, examples=["spring-sale"])]


@dataclass(frozen=True, slots=True)
class Text:
    """Text of a bounded length, for `Annotated[str, Text(120)]`: NFC, no control characters, no lone surrogates.

    One line unless `lines`; then line feeds and tabs are welcome and CR LF is read as a line feed.
    """

    max: int
    min: int = 1
    lines: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        return {**handler(schema), "minLength": self.min, "maxLength": self.max}

    def check(self, value: str) -> str:
        """The text as it is kept. Raises ValueError with what was expected."""
        text = unicodedata.normalize("NFC", value)
        text = text.replace("\r\n", "\n") if self.lines else text.strip()
        if len(text) > self.max:
            raise ValueError(f"at most {self.max} characters, not {len(text)}")
        if len(text.strip()) < self.min:
            raise ValueError(f"at least {self.min} character{'s' if self.min > 1 else ''} besides spaces")
        for char in text:
            if _forbidden(char, lines=self.lines):
                raise ValueError(f"no control character U+{ord(char):04X}")
        return text


@dataclass(frozen=True, slots=True)
class Like:
    """Text of a pattern, for `Annotated[str, Like("[A-Z]{2}", "two capital letters")]`: what doesn't fit is told in these words."""

    pattern: str
    expected: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        return {**handler(schema), "pattern": f"^{self.pattern}$"}

    def check(self, value: str) -> str:
        """The same text. Raises ValueError with what was expected."""
        if not re.fullmatch(self.pattern, value):
            raise ValueError(self.expected)
        return value


def _forbidden(char: str, *, lines: bool) -> bool:
    if char in LINE_BREAKS or char == "\t":
        return not lines or char == "\r"
    return unicodedata.category(char) in {"Cc", "Cs"}
