"""The template editor's form: one locale's blocks as fields, the other locales carried along, and back.

What a block doesn't say stays unsaid, so saving an untouched form changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from governance.door import Body, Finding, Invalid, listed, look_up, mapped, place
from presentation.push import with_data, with_lines

ALIGN = (("start", "Start"), ("center", "Centre"), ("end", "End"))


@dataclass(frozen=True, slots=True)
class BlockField:
    """One field of a block. look: text, lines, code, choice, int or bool; usual: what counts where the block says nothing."""

    name: str
    label: str
    look: str = "text"
    options: Sequence[tuple[str, str]] = ()
    usual: str = ""
    needed: bool = False
    aside: bool = False

    @property
    def typed(self) -> str:
        """The field's name with the type that it is read as."""
        kind = {"int": "int", "bool": "bool"}.get(self.look, "text")
        kind = "int" if self.name == "level" else kind
        return f"{self.name}:{kind}" + ("" if self.needed or self.look == "bool" else "?")


@dataclass(frozen=True, slots=True)
class BlockLook:
    """One type of block: its word, icon, fields, and what a new one says."""

    word: str
    icon: str
    fields: Sequence[BlockField]
    fresh: Mapping[str, Any]


PLACING = (
    BlockField("when", "Only there if", usual="there for everybody"),
    BlockField("repeat/over", "Once for each item of", "choice", usual="no list: once"),
    BlockField("repeat/as", "An item is called", usual="item"),
    BlockField("repeat/most", "Items at most", "int", usual="10"),
    BlockField("repeat/least", "Not sent with fewer items than", "int", usual="0"),
)
"""When and how often a block is there: what every block but the footer may say."""
_ALIGN = BlockField("align", "Align", "choice", ALIGN, "start", aside=True)
BLOCKS: dict[str, BlockLook] = {
    "heading": BlockLook(
        "Heading",
        "heading",
        (
            BlockField("text", "Text", needed=True),
            BlockField("level", "Size", "choice", (("1", "Large"), ("2", "Medium"), ("3", "Small")), "large", aside=True),
            _ALIGN,
        ),
        {"text": "A heading"},
    ),
    "text": BlockLook(
        "Text",
        "text",
        (
            BlockField("text", "Text, in Markdown", "lines", needed=True),
            BlockField("size", "Size", "choice", (("normal", "Normal"), ("small", "Small"), ("large", "Large")), "normal", aside=True),
            _ALIGN,
        ),
        {"text": "A paragraph with **emphasis** and a [link](https://example.com)."},
    ),
    "image": BlockLook(
        "Picture",
        "image",
        (
            BlockField("src", "Address of the picture", needed=True),
            BlockField("alt", "What it shows, for those who don’t see it"),
            BlockField("href", "Leads to"),
            BlockField("width", "Width in pixels", "int", usual="the whole column", aside=True),
            BlockField("align", "Align", "choice", ALIGN, "centre", aside=True),
            BlockField("decorative", "Says nothing: decoration only", "bool", aside=True),
            BlockField("rounded", "Rounded corners", "bool", aside=True),
            BlockField("bleed", "From edge to edge", "bool", aside=True),
        ),
        {"src": "https://example.com/picture.png", "alt": "What the picture shows"},
    ),
    "button": BlockLook(
        "Button",
        "button",
        (
            BlockField("label", "Words on it", needed=True),
            BlockField("href", "Leads to", needed=True),
            BlockField("look", "Look", "choice", (("filled", "Filled"), ("outlined", "Outlined")), "filled", aside=True),
            _ALIGN,
        ),
        {"label": "See more", "href": "https://example.com"},
    ),
    "hero": BlockLook(
        "Hero",
        "desktop",
        (
            BlockField("title", "Title", needed=True),
            BlockField("text", "Words, in Markdown", "lines"),
            BlockField("src", "Address of the picture"),
            BlockField("alt", "What it shows, for those who don’t see it"),
            BlockField("label", "Words on the button"),
            BlockField("href", "It leads to"),
            BlockField("look", "Look", "choice", (("plain", "Plain"), ("accent", "On the accent")), "plain", aside=True),
            BlockField("align", "Align", "choice", ALIGN, "centre", aside=True),
            BlockField("decorative", "The picture says nothing: decoration only", "bool", aside=True),
        ),
        {"title": "A title that carries the letter", "label": "See more", "href": "https://example.com"},
    ),
    "card": BlockLook(
        "Card",
        "document",
        (
            BlockField("title", "Title", needed=True),
            BlockField("price", "Price"),
            BlockField("text", "Words, in Markdown", "lines"),
            BlockField("src", "Address of the picture"),
            BlockField("alt", "What it shows, for those who don’t see it"),
            BlockField("label", "Words on the button"),
            BlockField("href", "Picture and button lead to"),
            BlockField("layout", "Layout", "choice", (("beside", "Picture beside"), ("stacked", "Picture above")), "beside", aside=True),
            BlockField("decorative", "The picture says nothing: decoration only", "bool", aside=True),
        ),
        {"title": "What is offered", "label": "See it", "href": "https://example.com"},
    ),
    "social": BlockLook(
        "Networks",
        "globe",
        (
            BlockField("links", "One a line: the network, and the address", "lines", needed=True),
            BlockField("align", "Align", "choice", ALIGN, "centre", aside=True),
        ),
        {"links": [{"network": "instagram", "href": "https://www.instagram.com/yours"}]},
    ),
    "divider": BlockLook("Line", "divider", (), {}),
    "spacer": BlockLook("Space", "minus", (BlockField("height", "Height in pixels", "int", usual="24", aside=True),), {}),
    "columns": BlockLook("Columns", "columns", (), {}),
    "footer": BlockLook(
        "Footer",
        "document",
        (
            BlockField("text", "Why the reader gets this, in Markdown", "lines"),
            BlockField("address", "Postal address (by default the named sender’s)", "lines"),
            BlockField("unsubscribe_label", "Words of the unsubscribe link", usual="the locale’s own", aside=True),
            BlockField("preferences_label", "Words of the link to preferences", usual="no such link", aside=True),
        ),
        {"address": "Your company · Street 1 · City"},
    ),
    "fragment": BlockLook(
        "Fragment", "template", (BlockField("fragment", "Which", "choice", usual="none chosen", needed=True),), {"fragment": ""}
    ),
    "html": BlockLook("HTML", "code", (BlockField("html", "HTML, cleaned by an allow-list", "code", needed=True),), {"html": "<p></p>"}),
}
IN_COLUMNS = ("heading", "text", "image", "button", "card", "social", "divider", "spacer")
NEW: dict[str, Body] = {
    "email": {"subject": "", "blocks": [{"type": "heading", "id": "title", "text": "A heading"}]},
    "sms": {"text": ""},
    "push": {"subject": "", "text": ""},
}
STARTER: Body = {
    "title": "",
    "channel": "email",
    "message_class": "promotional",
    "topic": "",
    "sender": {"name": "", "address": ""},
    "default_locale": "en",
    "variables": {"first_name": {"source": "attribute.first_name", "type": "text", "fallback": "there", "sample": "Maria"}},
    "locales": {
        "en": {
            "subject": "",
            "preheader": "",
            "blocks": [
                {"type": "heading", "id": "title", "text": "Hello {{ first_name }}"},
                {"type": "text", "id": "intro", "text": "Say here what this is about."},
                {"type": "button", "id": "go", "label": "See more", "href": "https://example.com"},
                {"type": "footer", "id": "footer", "address": "Your company · Street 1 · City"},
            ],
        }
    },
}


def to_form(body: Body, shown: str = "") -> Body:
    """The body with its variables as a list, and the locale that is shown."""
    locales = body.get("locales")
    tags = list(locales) if isinstance(locales, Mapping) else []
    first = shown if shown in tags else str(body.get("default_locale", ""))
    variables = body.get("variables")
    listed = [{"name": name, **_shown(each)} for name, each in variables.items()] if isinstance(variables, Mapping) else []
    fallbacks = body.get("fallbacks")
    return {
        **body,
        **({"sender": {"key": body["sender"]}} if isinstance(body.get("sender"), str) else {}),
        **({"theme": _dress_shown(body["theme"])} if "theme" in body else {}),
        **({"locales": {tag: _lined(with_lines(each)) for tag, each in locales.items()}} if isinstance(locales, Mapping) else {}),
        "variables": listed,
        "fallbacks": "\n".join(f"{tag}: {', '.join(others)}" for tag, others in fallbacks.items())
        if isinstance(fallbacks, Mapping)
        else "",
        "shown": first if first in tags else (tags[0] if tags else ""),
        "unsaid": [name for name in ("variables", "fallbacks") if name not in body],
    }


def _shown(variable: Any) -> Body:
    """A variable's values as text; lists and objects as JSON would be, which the form keeps untouched."""
    return dict(variable) if isinstance(variable, Mapping) else {}


def to_body(form: Body) -> Body:
    """The document that the form describes."""
    body = {name: value for name, value in form.items() if name not in {"shown", "new_locale", "unsaid", "variables", "fallbacks"}}
    unsaid = listed(form.get("unsaid"))
    variables = form.get("variables")
    if isinstance(variables, list) and (variables or "variables" not in unsaid):
        named = [(str(each.get("name", "")).strip(), each) for each in variables if isinstance(each, Mapping)]
        _refuse_twice([name for name, _ in named])
        body["variables"] = {name: _variable(each) for name, each in named if name}
    if isinstance(locales := body.get("locales"), Mapping):
        body["locales"] = {tag: _settled(with_data(each)) for tag, each in locales.items()}
    if isinstance(remembered := body.get("translations"), Mapping):
        body["translations"] = {tag: each for tag, each in remembered.items() if tag in mapped(body.get("locales"))}
    if key := mapped(form.get("sender")).get("key"):
        body["sender"] = key
    if isinstance(theme := body.get("theme"), Mapping):
        body["theme"] = _dress(theme)
    lines = [line.partition(":") for line in str(form.get("fallbacks") or "").split("\n") if line.strip()]
    if lines or "fallbacks" not in unsaid:
        body["fallbacks"] = {tag.strip(): [other.strip() for other in rest.split(",") if other.strip()] for tag, _, rest in lines}
    return body


def _dress_shown(theme: Any) -> Any:
    """A theme as fields; one that is only named is a base without changes."""
    if isinstance(theme, str):
        return {"base": theme}
    return {**theme, "as_object": True} if isinstance(theme, Mapping) and set(theme) == {"base"} else theme


def _dress(theme: Mapping[str, Any]) -> Any:
    said = {name: value for name, value in theme.items() if name != "as_object"}
    return said["base"] if set(said) == {"base"} and not theme.get("as_object") else said


def _lined(value: Any) -> Any:
    """Links to networks as lines, where they can be told apart so."""
    if isinstance(value, list):
        return [_lined(inner) for inner in value]
    if not isinstance(value, Mapping):
        return value
    lined = {name: _lined(inner) for name, inner in value.items()}
    if value.get("type") == "social" and isinstance(links := value.get("links"), list):
        lines = [f"{mapped(link).get('network')} {mapped(link).get('href')}" for link in links]
        if [_linked(line) for line in lines] == links:
            lined["links"] = "\n".join(lines)
    return lined


def _linked(line: str) -> Body:
    network, _, href = line.strip().partition(" ")
    return {"network": network, "href": href.strip()}


def _settled(value: Any) -> Any:
    """Blocks without the repetition of one that names no list; an item that isn't given a name is called item."""
    if isinstance(value, list):
        return [_settled(inner) for inner in value]
    if not isinstance(value, Mapping):
        return value
    settled = {name: _settled(inner) for name, inner in value.items()}
    if settled.get("type") == "social" and isinstance(lines := settled.get("links"), str):
        settled["links"] = [_linked(line) for line in lines.split("\n") if line.strip()]
    if isinstance(repeat := settled.get("repeat"), Mapping) and "type" in settled:
        settled["repeat"] = {"over": repeat.get("over"), "as": "item", **repeat}
        if not repeat.get("over"):
            del settled["repeat"]
    return settled


def _refuse_twice(names: Sequence[str]) -> None:
    twice = {name for name in names if name and names.count(name) > 1}
    if twice:
        raise Invalid([Finding("error", "/variables", f"{name} twice", "each variable once") for name in sorted(twice)])


def _variable(shown: Mapping[str, Any]) -> Body:
    kind = str(shown.get("type", ""))
    made = {name: value for name, value in shown.items() if name != "name"}
    for name in ("fallback", "sample"):
        if name in made:
            made[name] = _plain(made[name], kind)
    return made


def _plain(value: Any, kind: str) -> Any:
    """A value as its variable's type; what doesn't fit stays text, so that the check names it."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if kind in {"number", "money"} and re.fullmatch(r"-?\d{1,15}", text):
        return int(text)
    if kind in {"number", "money"} and re.fullmatch(r"-?\d{0,15}\.\d{1,15}", text):
        return float(text)
    if kind == "boolean" and text in {"true", "false"}:
        return text == "true"
    return value


def make(path: str, what: str, form: Body) -> Any:
    """What "add" puts in: a block, a variable."""
    if path == "/variables":
        return {"name": "", "source": "", "type": "text"}
    return new_block(what, form)


def new_block(what: str, form: Body) -> Body:
    """A block of this type with an id that its locale doesn't have yet."""
    if what not in BLOCKS:
        raise Invalid([Finding("error", "/blocks", what[:40], f"one of {', '.join(BLOCKS)}")])
    taken = set(_ids(form.get("locales", {})))
    if what == "columns":
        first, second = (f"{_free('column', taken)}-{side}" for side in ("start", "end"))
        cells = [[{"type": "text", "id": name, "text": "Text"}] for name in (first, second)]
        return {"type": "columns", "id": _free("columns", taken), "columns": cells}
    return dict(_lined({"type": what, "id": _free(what, taken), **BLOCKS[what].fresh}))


def _ids(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        own = [str(value["id"])] if "id" in value and "type" in value else []
        return own + [found for inner in value.values() for found in _ids(inner)]
    return [found for inner in value for found in _ids(inner)] if isinstance(value, list) else []


def _free(word: str, taken: set[str]) -> str:
    return next(name for name in [word, *(f"{word}-{n}" for n in range(2, 500))] if name not in taken)


def steps(step: str, form: Body) -> Body | None:
    """The editor's own steps: `show:TAG`, `new-locale:` (by the field new_locale), `drop-locale:TAG`, `insert:/path:type`, `copy:/path`."""
    verb, _, rest = step.partition(":")
    if verb == "show":
        return {**form, "shown": rest}
    if verb == "new-locale":
        return _with_locale(form)
    if verb == "drop-locale":
        locales = {tag: each for tag, each in mapped(form.get("locales")).items() if tag != rest}
        return {**form, "locales": locales, "shown": str(form.get("default_locale", ""))}
    if verb == "insert":
        path, _, what = rest.partition(":")
        return _inserted(form, path, new_block(what, form))
    if verb == "copy":
        return _inserted(form, rest, _renamed(look_up(form, rest), set(_ids(form.get("locales", {})))))
    return None


def _with_locale(form: Body) -> Body:
    """Another locale, begun as a copy of the one that is shown, so that the blocks keep their ids."""
    tag, locales = str(form.get("new_locale") or "").strip(), mapped(form.get("locales"))
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", tag) or tag in locales:
        found = f"{tag}, which is there already" if tag in locales else tag or "nothing"
        raise Invalid([Finding("error", "/new_locale", found, "a language tag such as pt-BR that this template doesn’t have yet")])
    begun = locales.get(str(form.get("shown", ""))) or NEW.get(str(form.get("channel")), NEW["email"])
    return {**form, "locales": {**locales, tag: begun}, "shown": tag, "new_locale": ""}


def _inserted(form: Body, path: str, block: Any) -> Body:
    """The form with a block behind the one at `path`."""
    holder, _, at = path.rpartition("/")
    blocks = look_up(form, holder)
    if not isinstance(blocks, list) or not at.isdigit():
        raise Invalid([Finding("error", holder, "no list of blocks", "a place in a list of blocks")])
    copied = list(blocks)
    copied.insert(int(at) + 1, block)
    return dict(place(form, holder, copied))


def _renamed(block: Any, taken: set[str]) -> Any:
    """A copy of a block with ids of its own."""
    if isinstance(block, Mapping):
        renamed = {name: _renamed(value, taken) for name, value in block.items()}
        if "id" in block and "type" in block:
            stem = re.sub(r"-\d+$", "", str(block["id"]))
            renamed["id"] = _free(stem, taken)
            taken.add(renamed["id"])
        return renamed
    return [_renamed(inner, taken) for inner in block] if isinstance(block, list) else block
