"""The single fields of a schema's form: texts, numbers, shares, money, choices."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from governance.findings import Finding
from governance.form_values import read_value

LONG = 200  # characters from which a text gets several lines
SHORT = 12  # characters up to which a text gets a short field
FEW = 20  # suggestions up to which one chooses instead of typing
MICROS = 1_000_000
ACRONYMS = {"sms": "SMS", "email": "E-mail", "id": "ID", "url": "URL", "api": "API"}
TYPED = frozenset({"text", "lines", "number", "choice", "list", "json"})  # one field each
NOTHING = object()


@dataclass(frozen=True, slots=True)
class FormField:
    """One field as the template draws it.

    look: text, lines, number, bool, choice, choices, picked, list, json, group, items, rows, row, entries, entry, folded, absent or fixed.
    given: the body says something here, and of what is folded, something is to be done in it; usual: what counts where it doesn't;
    unsaid: the same for the form's reader, as JSON; kept: JSON of what the body says where the field is empty. options: of a choice
    (value, words), of choices and picked (value, words, name, chosen); offered: values that may be typed, with words; told: how a folded
    field is summed up, such as "decimal {}".
    """

    look: str
    path: str
    name: str
    label: str
    help: str = ""
    value: Any = ""
    given: bool = True
    usual: str = ""
    unsaid: str = ""
    required: bool = False
    options: Sequence[tuple[Any, ...]] = ()
    suggestions: Sequence[str] = ()
    offered: Sequence[tuple[str, str]] = ()
    children: Sequence[FormField] = ()
    bounds: str = ""
    unit: str = ""
    short: bool = False
    item: str = ""
    none: str = ""
    fault: Finding | None = None
    removable: bool = False
    told: str = ""
    kept: str = ""

    @property
    def described(self) -> bool:
        """Whether help stands below the field."""
        return bool(self.help or self.bounds or self.look in {"list", "json"})

    @property
    def meaning(self) -> str:
        """What the value is called, where it is one of those that are offered by other words."""
        said = dict(self.offered).get(str(self.value), "")
        return said if said != self.value else ""

    @property
    def named(self) -> str:
        """What a row is called: by what stands in it, else by its place."""
        name = str(self.children[0].value or "") if self.children else ""
        return name or self.label

    @property
    def words(self) -> str:
        """What the field says, for reading: "Messages at most 4, within 168 hours"."""
        if self.look == "folded":
            begun = [each for each in self.children if each.given and each.words]
            return ", ".join(each.told.replace("{}", each.words) if each.told else f"{each.label} {each.words}" for each in begun)
        if self.look == "list":
            return ", ".join(str(self.value).split("\n")) if self.value else self.usual
        if self.look in {"group", "entry"}:
            told = ((each.words if each.look == "folded" else f"{each.label} {each.words}", each) for each in self.children)
            return ", ".join(words for words, each in told if each.look != "fixed" and each.words)
        if self.look == "row":
            return f"{self.children[0].words} = {self.children[1].words}"
        if self.look == "rows":
            return ", ".join(each.words for each in self.children)
        if self.look in {"items", "entries"}:
            return "; ".join(each.words for each in self.children)
        if self.look in {"choices", "picked"}:
            return ", ".join([*(str(word) for _, word, _, chosen in self.options if chosen), *(each.words for each in self.children)])
        if self.look == "bool":
            return "yes" if self.value else "no"
        said = self.usual if self.value in ("", None) else self.meaning or str(self.value)
        if self.look == "choice":
            said = next((str(word) for value, word in self.options if value == self.value), self.usual or self.none)
        return f"{said} {self.unit}".strip() if said else ""


def leaf(
    said: Mapping[str, Any], value: Any, usual: Any, example: str, path: str, optional: bool, currency: str, common: dict[str, Any]
) -> FormField:
    """The field of a value that isn't an object. said: its schema and what the schema says of its look; example: for a placeholder.

    A value that its usual field would send otherwise than it is written is shown as JSON.
    """
    found = _usual_leaf(said, value, usual, example, path, optional, currency, common)
    if value is NOTHING:
        return found
    if optional and value in (None, "", []):
        return replace(found, kept=json.dumps(value)) if found.look in TYPED else found
    if found.look in TYPED and not _comes_back(found, value):
        text = json.dumps(value, ensure_ascii=False, indent=2)
        found = FormField("json", name=f"{path}:json" + ("?" if optional else ""), value=text, **common)
    return found


def _comes_back(field: FormField, value: Any) -> bool:
    """Whether what a browser sends of an untouched field is read as this value."""
    shown, type_ = str(field.value), field.name.rpartition(":")[2].rstrip("?") if ":" in field.name else "text"
    broken = "\r" in shown or shown.startswith("\n") or ("\n" in shown and field.look not in {"lines", "list", "json"})
    read = read_value(type_, shown)
    return not broken and type(read) is type(value) and read == value


def _usual_leaf(
    said: Mapping[str, Any], value: Any, usual: Any, example: str, path: str, optional: bool, currency: str, common: dict[str, Any]
) -> FormField:
    sort, mark, given = said.get("type"), "?" if optional else "", value is not NOTHING
    default = "" if usual is NOTHING or usual is None else usual
    words = said.get("words", {})
    money, share = said.get("shown_as") == "money", said.get("shown_as") == "share"
    shown = default if usual is not NOTHING else example
    common = {
        **common,
        "usual": _words(_shown(shown, money, share), words) if not isinstance(shown, dict) else "",
        "unit": "%" if share else currency if money else str(said.get("unit", "")),
        "none": str(said.get("none", "")),
    }
    filled = "" if not given or value is None else value
    if "enum" in said:
        options = [(str(option), _word(option, words)) for option in said["enum"]]
        options += [(filled, f"{filled} (not known here)")] if isinstance(filled, str) and filled and filled not in dict(options) else []
        return FormField("choice", name=f"{path}:text{mark}", value=filled, options=options, **common)
    if sort == "boolean" and (not given or isinstance(value, bool)):
        checked = bool(value) if given else bool(default)
        unsaid = "" if given else json.dumps(checked)
        return FormField("bool", name=f"{path}:bool", value=checked, unsaid=unsaid, **common)
    if sort in {"integer", "number"}:
        typed = "micros" if money else "share" if share else "int" if sort == "integer" else "number"
        bounds = "" if money else _bounds(said, share)
        return FormField("number", name=f"{path}:{typed}{mark}", value=_shown(filled, money, share), bounds=bounds, short=True, **common)
    if sort == "array" and "enum" in said.get("items", {}) and (not given or texts_once(value)):
        return _choices(said["items"]["enum"], words, value if given else default, given, path, common)
    listed = {"string": "list", "integer": "ints"}.get(said.get("items", {}).get("type", "")) if sort == "array" else None
    if listed and (not given or isinstance(value, list | None)):
        lines = "\n".join(str(item) for item in value or ()) if given else ""
        return FormField("list", name=f"{path}:{listed}{mark}", value=lines, **common)
    if sort == "string" and (not given or isinstance(value, str | None)):
        return _text(said, filled, example, path, mark, common)
    text = "" if not given or value is None else json.dumps(value, ensure_ascii=False, indent=2)
    if sort in ("object", "array") and isinstance(value, str):
        text = value  # what was typed and is no JSON: as it was typed
    return FormField("json", name=f"{path}:json{mark}", value=text, **common)


def _text(said: Mapping[str, Any], value: str, example: str, path: str, mark: str, common: dict[str, Any]) -> FormField:
    """Free text; with a few known values a choice among them, which keeps a value that is none of them."""
    known, words = [str(each) for each in said.get("suggestions", ())], said.get("words", {})
    name = f"{path}:text{mark}" if mark else path
    if known and len(known) <= FEW:
        values = known if value in ("", *known) else [*known, value]
        return FormField("choice", name=name, value=value, options=[(each, _word(each, words)) for each in values], **common)
    longest = said.get("maxLength")
    look = "lines" if longest and longest > LONG else "text"
    short = bool(longest and longest <= SHORT) or bool(example and len(example) <= SHORT // 2)
    return FormField(look, name=name, value=value, short=short, suggestions=known, **common)


def _choices(enum: Sequence[Any], words: Mapping[str, str], value: Any, given: bool, path: str, common: dict[str, Any]) -> FormField:
    """A list of fixed values as boxes to tick. Each chosen one keeps its place in the list, whatever the order on the page."""
    chosen = [each for each in value if isinstance(each, str)] if isinstance(value, (list, tuple)) else []
    lost = [each for each in chosen if each not in enum]
    free = len(chosen)
    options = []
    for place, option in enumerate(enum):
        at = chosen.index(option) if option in chosen else free + place
        options.append((str(option), _word(option, words), f"{path}/{at}", option in chosen))
    options += [(each, f"{each} (not known here)", f"{path}/{chosen.index(each)}", True) for each in lost]
    unsaid = "" if given else json.dumps(chosen)
    return FormField("choices", name=path, options=options, unsaid=unsaid, **common)


def texts_once(value: Any) -> bool:
    """Whether a value is a list of texts, each of them once."""
    return isinstance(value, list) and all(isinstance(each, str) for each in value) and len(set(value)) == len(value)


def _shown(value: Any, money: bool, share: bool) -> Any:
    """A number as it is typed: 0.002 as "0.2" per cent, 18600000 millionths as "18.6". What is no number stays as it was typed."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not (money or share):
        return value
    exact = Decimal(repr(value))
    return f"{(exact / MICROS if money else exact * 100).normalize():f}"


def _words(value: Any, words: Mapping[str, str]) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(_words(item, words) for item in value) if isinstance(value, list) else words.get(str(value), str(value))


def _word(option: Any, words: Mapping[str, str]) -> str:
    return words.get(str(option)) or label_of(str(option))


def _bounds(said: Mapping[str, Any], share: bool) -> str:
    least, most = (
        said.get(closed, said.get(open_)) for closed, open_ in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum"))
    )
    low, high = (None if bound is None else _shown(bound, False, True) if share else f"{bound:,}" for bound in (least, most))
    if share and (least, most) == (0, 1):
        return ""
    unit = " %" if share else ""
    if low is not None and high is not None:
        return f"From {low} to {high}{unit}."
    return f"At least {low}{unit}." if low not in (None, "0", "1") else f"At most {high}{unit}." if high is not None else ""


def label_of(name: str) -> str:
    """A field's name as a label: max_per_request → "Max per request"."""
    words = ACRONYMS.get(name.lower()) or name.replace("_", " ").replace("-", " ")
    return words[:1].upper() + words[1:]
