"""The reference page names everything a template may hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from presentation.blocks import _BLOCKS
from presentation.door import FILTERS, FONTS, TemplateBody, Theme
from presentation.values import WORDS

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "templates.md").read_text()
NAMES = [*_BLOCKS, *FILTERS, *FONTS, *WORDS, *TemplateBody.model_fields, *Theme.model_fields]
NAMES += [field for kind in _BLOCKS.values() for field in kind.model_fields if field not in {"id", "type"}]


@pytest.mark.parametrize("name", sorted(set(NAMES)))
def test_the_page_mentions(name: str) -> None:
    assert f"`{name}" in PAGE
