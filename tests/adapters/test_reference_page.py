"""The reference page says what the adapters are."""

from __future__ import annotations

from delivery.adapters.facts import SECTIONS, with_facts
from delivery.adapters.registry import ADAPTERS
from delivery.management.commands.vendor_facts import PAGE


def test_the_reference_page_holds_the_adapters_facts() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_facts(page) == page, "run `manage.py vendor_facts`"
    assert all(f"<!-- facts: {name} -->" in page for name in SECTIONS) and all(one.title in page for one in ADAPTERS.values())
