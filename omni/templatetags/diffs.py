"""Two texts side by side: aligned lines, changed words marked."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.template import Library
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = Library()
WORDS = re.compile(r"\s+|\d+(?:[.,]\d+)*|\w+|[^\w\s]")
CONTEXT = 3  # unchanged lines kept around a change
ALIKE = 0.5  # from which share of the same text two lines are one that was changed
LONGEST = 4_000  # characters of one line whose words are still compared


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table. op: "", changed, added, removed or skip (then `skipped` unchanged lines are left out)."""

    op: str
    old_n: int | None = None
    old: SafeString | str = ""
    new_n: int | None = None
    new: SafeString | str = ""
    skipped: int = 0


def side_by_side(before: str, after: str) -> list[Line]:
    """The rows of a diff; empty if the texts are equal."""
    if before == after:
        return []
    old, new = before.splitlines(), after.splitlines()
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    lines: list[Line] = []
    for op, a, b, c, d in matcher.get_opcodes():
        lines += _same(old, a, b, c) if op == "equal" else _different(old[a:b], new[c:d], a, c)
    return list(_folded(lines))


def _same(old: list[str], a: int, b: int, c: int) -> list[Line]:
    return [Line("", a + step + 1, old[a + step], c + step + 1, old[a + step]) for step in range(b - a)]


def _different(old: list[str], new: list[str], a: int, c: int) -> list[Line]:
    lines = []
    for step in range(max(len(old), len(new))):
        if step >= len(new):
            lines.append(Line("removed", a + step + 1, mark("del", old[step])))
        elif step >= len(old):
            lines.append(Line("added", new_n=c + step + 1, new=mark("ins", new[step])))
        else:
            left, right = word_marks(old[step], new[step])
            lines.append(Line("changed", a + step + 1, left, c + step + 1, right))
    return lines


def _folded(lines: list[Line]) -> Iterator[Line]:
    """Long unchanged stretches become one row that says how many lines it leaves out."""
    near = {place + step for place, line in enumerate(lines) if line.op for step in range(-CONTEXT, CONTEXT + 1)}
    skipped = 0
    for place, line in enumerate(lines):
        if place in near:
            if skipped:
                yield Line("skip", skipped=skipped)
            skipped = 0
            yield line
        else:
            skipped += 1
    if skipped:
        yield Line("skip", skipped=skipped)


def mark(tag: str, text: str) -> SafeString:
    """`text` escaped inside ins or del."""
    return mark_safe(f"<{tag}>{escape(text)}</{tag}>") if text else mark_safe("")


def word_marks(before: str, after: str) -> tuple[SafeString, SafeString]:
    """Both texts with the words that differ marked; wholly different texts are marked whole."""
    if len(before) > LONGEST or len(after) > LONGEST:
        return mark("del", before), mark("ins", after)
    old, new = WORDS.findall(before), WORDS.findall(after)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    left, right = [], []
    for op, a, b, c, d in matcher.get_opcodes():
        gone, came = "".join(old[a:b]), "".join(new[c:d])
        left.append(escape(gone) if op == "equal" else mark("del", gone))
        right.append(escape(came) if op == "equal" else mark("ins", came))
    return mark_safe("".join(left)), mark_safe("".join(right))


def line_marks(before: str, after: str) -> tuple[SafeString, SafeString]:
    """Both texts with what differs marked line by line: within lines that are alike, else the whole of them. Each line is a block that
    says how far it is indented (two spaces and four more for each step), so that what is wrapped stays below it."""
    old, new = before.splitlines(), after.splitlines()
    left, right = [], []
    for op, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for step in range(max(b - a, d - c)):
            one = old[a + step] if a + step < b else ""
            other = new[c + step] if c + step < d else ""
            if op == "equal" or difflib.SequenceMatcher(None, one, other).ratio() > ALIKE:
                marked = word_marks(one.strip(), other.strip())
            else:
                marked = mark("del", one.strip()), mark("ins", other.strip())
            left += [_block(one, marked[0])] if one else []
            right += [_block(other, marked[1])] if other else []
    return mark_safe("".join(left)), mark_safe("".join(right))


def _block(line: str, marked: str) -> str:
    depth = (len(line) - len(line.lstrip()) + 2) // 4
    return f'<span class="change-line" data-depth="{depth}">{marked}</span>'


@register.inclusion_tag("components/diff.html")
def diff(before: str, after: str, before_title: str = "Before", after_title: str = "After", label: str = "") -> dict[str, Any]:
    """A side-by-side diff of two texts."""
    return {
        "lines": side_by_side(before, after),
        "before_title": before_title,
        "after_title": after_title,
        "label": label or f"{before_title} and {after_title}, line by line",
    }


@register.inclusion_tag("components/changes.html")
def changes(items: Any, before_title: str = "Before", after_title: str = "After") -> dict[str, Any]:
    """Field-by-field changes. items: Change objects, or their plain data."""
    rows = []
    for item in items:
        plain = item if isinstance(item, dict) else item.as_dict()
        before, after = as_words(plain["before"]), as_words(plain["after"])
        mark_both = line_marks if "\n" in before and "\n" in after else word_marks
        left, right = mark_both(before, after) if plain["op"] == "changed" else (mark("del", before), mark("ins", after))
        rows.append(
            {
                "where": plain.get("where") or path_words(str(plain["path"])),
                "path": plain["path"],
                "op": plain["op"],
                "before": left,
                "after": right,
            }
        )
    return {"rows": rows, "before_title": before_title, "after_title": after_title}


def as_words(value: Any) -> str:
    """A value as it stands in a list of changes."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, list) and value and not any(isinstance(item, (dict, list)) for item in value):
        return ", ".join(as_words(item) for item in value)
    return json.dumps(value, ensure_ascii=False, indent=2 if isinstance(value, (dict, list)) else None)


def path_words(path: str) -> str:
    """A JSON Pointer as a way through the document: `/locales/en/subject` → "Locales › en › subject"."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    parts = [str(int(part) + 1) if part.isdigit() else part.replace("_", " ") for part in parts]
    words = " › ".join(parts)
    return words[:1].upper() + words[1:] or "The whole document"


register.filter("path_words", path_words)
