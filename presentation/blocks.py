"""The typed blocks that an e-mail is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Literal, TypeGuard

from pydantic import AfterValidator, Field, WrapValidator, model_validator
from pydantic_core import PydanticCustomError

from governance.door import DocumentModel, Slug
from presentation.characters import Body, Line
from presentation.conditions import MOST_ITEMS
from presentation.faults import Fault, raise_faults
from presentation.links import fault_in_image, fault_in_link
from presentation.translatable import Translatable

Align = Literal["start", "center", "end"]
READ_OUT, ON_A_BUTTON = "Read out to those who don’t see the picture.", "Words on a button."  # to translators
BLOCK_ID = r"^[a-z0-9][a-z0-9_-]{0,39}$"


def _link(value: str) -> str:
    if expected := fault_in_link(value):
        raise ValueError(expected)
    return value


def _image(value: str) -> str:
    if expected := fault_in_image(value):
        raise ValueError(expected)
    return value


Link = Annotated[Line, Field(max_length=2000), AfterValidator(_link)]
ImageAddress = Annotated[Line, Field(max_length=2000), AfterValidator(_image)]


class Repeat(DocumentModel):
    """For which list a block stands there once per item, and what an item is called in its texts."""

    over: str = Field(max_length=40, description="A variable of type list.")
    name: str = Field(alias="as", pattern=r"^[a-z][a-z0-9_]{0,39}$", description="What one item is called in the block's expressions.")
    most: int = Field(default=10, ge=1, le=MOST_ITEMS, description="Later items are left out.")
    least: int = Field(default=0, ge=0, le=MOST_ITEMS, description="Nobody whose list is shorter gets the message.")


class _Block(DocumentModel):
    id: str = Field(pattern=BLOCK_ID, description="Stable and unique in its locale; the same block has the same id in every locale.")


class PlacedBlock(_Block):
    """A block that may be there for some only, or several times."""

    when: Line | None = Field(
        default=None, max_length=500, description="An expression without braces: the block is there only for those for whom it holds."
    )
    repeat: Repeat | None = Field(
        default=None, description="The block once for each item of a list; with `when`, for those items for which it holds."
    )


class HeadingBlock(PlacedBlock):
    """A heading of one line."""

    type: Literal["heading"]
    text: Annotated[Line, Translatable()] = Field(min_length=1, max_length=300)
    level: Literal[1, 2, 3] = 1
    align: Align = "start"


class TextBlock(PlacedBlock):
    """Paragraphs in Markdown: emphasis, links, lists and quotes; no HTML, no images."""

    type: Literal["text"]
    text: Annotated[Body, Translatable("markdown")] = Field(min_length=1)
    align: Align = "start"
    size: Literal["normal", "small", "large"] = "normal"


class ImageBlock(PlacedBlock):
    """A picture. `alt` says what it shows; only a picture that says nothing may be marked decorative."""

    type: Literal["image"]
    src: ImageAddress
    alt: Annotated[Line, Translatable(note=READ_OUT)] = Field(default="", max_length=300)
    decorative: bool = False
    href: Link | None = None
    width: int | None = Field(default=None, ge=16, le=600, description="Pixels; by default the whole column.")
    align: Align = "center"
    rounded: bool = False
    bleed: bool = Field(default=False, description="From edge to edge of the sheet, without a margin.")


class ButtonBlock(PlacedBlock):
    """A link that looks like a button in every mail client."""

    type: Literal["button"]
    label: Annotated[Line, Translatable(note=ON_A_BUTTON)] = Field(min_length=1, max_length=120)
    href: Link
    look: Literal["filled", "outlined"] = "filled"
    align: Align = "start"


class DividerBlock(PlacedBlock):
    """A thin line."""

    type: Literal["divider"]


class SpacerBlock(PlacedBlock):
    """Empty height in pixels."""

    type: Literal["spacer"]
    height: int = Field(default=24, ge=4, le=120)


class FooterBlock(_Block):
    """Who writes and how to leave: the postal address and, unless the mail is transactional, the unsubscribe link."""

    type: Literal["footer"]
    address: Body = Field(default="", max_length=500, description="By default the named sender's.")
    text: Annotated[Body, Translatable("markdown")] = Field(
        default="", max_length=2000, description="Markdown above the address: why the reader gets this."
    )
    unsubscribe_label: Annotated[Line, Translatable(note="Words of a link.")] = Field(
        default="", max_length=80, description="By default the locale's own word."
    )
    preferences_label: Annotated[Line, Translatable(note="Words of a link.")] = Field(
        default="", max_length=80, description="Words of a link to the preference page; without them none."
    )


class FragmentBlock(_Block):
    """The blocks of a fragment, in the language of the message."""

    type: Literal["fragment"]
    fragment: Slug = Field(description="The key of a fragment.")
    when: Line | None = Field(default=None, max_length=500, description="As of other blocks; its footer is there for everybody.")


class HtmlBlock(PlacedBlock):
    """HTML as written, cleaned by an allow-list. Only an administrator may save it."""

    type: Literal["html"]
    html: Annotated[Body, Translatable("html")] = Field(min_length=1)


class HeroBlock(PlacedBlock):
    """The head of a letter: a picture from edge to edge, a title, words and a button; plain, or on the accent."""

    type: Literal["hero"]
    src: ImageAddress | None = None
    alt: Annotated[Line, Translatable(note=READ_OUT)] = Field(default="", max_length=300)
    decorative: bool = False
    title: Annotated[Line, Translatable()] = Field(min_length=1, max_length=300)
    text: Annotated[Body, Translatable("markdown")] = Field(default="", max_length=2000, description="Markdown below the title.")
    label: Annotated[Line, Translatable(note=ON_A_BUTTON)] = Field(
        default="", max_length=120, description="Words of the button; without them none."
    )
    href: Link | None = None
    look: Literal["plain", "accent"] = "plain"
    align: Align = "center"

    @model_validator(mode="after")
    def _whole_button(self) -> HeroBlock:
        raise_faults("HeroBlock", _half_a_button(self.label, self.href))
        return self


class CardBlock(PlacedBlock):
    """Something that can be had: a picture, a title, a price, words and a button. With `repeat`, one for each of a list."""

    type: Literal["card"]
    src: ImageAddress | None = None
    alt: Annotated[Line, Translatable(note=READ_OUT)] = Field(default="", max_length=300)
    decorative: bool = False
    title: Annotated[Line, Translatable()] = Field(min_length=1, max_length=300)
    price: Annotated[Line, Translatable()] = Field(default="", max_length=120)
    text: Annotated[Body, Translatable("markdown")] = Field(default="", max_length=2000, description="Markdown below the title.")
    label: Annotated[Line, Translatable(note=ON_A_BUTTON)] = Field(
        default="", max_length=120, description="Words of the button; without them none."
    )
    href: Link | None = Field(default=None, description="Where the picture and the button lead.")
    layout: Literal["beside", "stacked"] = Field(default="beside", description="Picture and words; in columns always stacked.")

    @model_validator(mode="after")
    def _whole_button(self) -> CardBlock:
        raise_faults("CardBlock", [fault for fault in _half_a_button(self.label, self.href) if fault.at == ("href",)])
        return self


NETWORKS = {
    "bluesky": "Bluesky",
    "facebook": "Facebook",
    "instagram": "Instagram",
    "linkedin": "LinkedIn",
    "mastodon": "Mastodon",
    "pinterest": "Pinterest",
    "telegram": "Telegram",
    "threads": "Threads",
    "tiktok": "TikTok",
    "website": "Website",
    "whatsapp": "WhatsApp",
    "x": "X",
    "youtube": "YouTube",
}


class Profile(DocumentModel):
    """Where one is to be found in one network."""

    network: Literal[
        "bluesky",
        "facebook",
        "instagram",
        "linkedin",
        "mastodon",
        "pinterest",
        "telegram",
        "threads",
        "tiktok",
        "website",
        "whatsapp",
        "x",
        "youtube",
    ]
    href: Link


class SocialBlock(PlacedBlock):
    """Links to where one is to be found, by the networks' names: pictures of others' marks would be loaded from elsewhere."""

    type: Literal["social"]
    links: list[Profile] = Field(min_length=1, max_length=8)
    align: Align = "center"


def _half_a_button(label: str, href: str | None) -> list[Fault]:
    if label and href is None:
        return [Fault(("href",), "nothing", "where the button leads")]
    return [Fault(("label",), "nothing", "the button's words")] if href is not None and not label else []


_LEAVES: dict[str, type[_Block]] = {
    "heading": HeadingBlock,
    "text": TextBlock,
    "image": ImageBlock,
    "button": ButtonBlock,
    "divider": DividerBlock,
    "spacer": SpacerBlock,
    "card": CardBlock,
    "social": SocialBlock,
}


def _one_of(known: dict[str, type[_Block]]) -> WrapValidator:
    """Validate by the block's type, so that findings point at the field and not at a member of a union."""

    def validate(value: Any, handler: Any) -> Any:
        if isinstance(value, _Block):
            return value
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in known:
            raise PydanticCustomError("block_type", "{expected}", {"expected": "a block with a type: " + ", ".join(known)})
        return known[kind].model_validate(value)

    return WrapValidator(validate)


LeafBlock = Annotated[
    Annotated[
        HeadingBlock | TextBlock | ImageBlock | ButtonBlock | DividerBlock | SpacerBlock | CardBlock | SocialBlock,
        Field(discriminator="type"),
    ],
    _one_of(_LEAVES),
]


class ColumnsBlock(PlacedBlock):
    """Two or three columns side by side; one below the other on a phone."""

    type: Literal["columns"]
    columns: list[list[LeafBlock]] = Field(min_length=2, max_length=3)
    widths: list[int] | None = Field(default=None, description="Per cent per column, together 100; equal by default.")


_BLOCKS: dict[str, type[_Block]] = {
    **_LEAVES,
    "hero": HeroBlock,
    "columns": ColumnsBlock,
    "footer": FooterBlock,
    "fragment": FragmentBlock,
    "html": HtmlBlock,
}

AnyBlock = (
    HeadingBlock
    | TextBlock
    | ImageBlock
    | ButtonBlock
    | DividerBlock
    | SpacerBlock
    | CardBlock
    | SocialBlock
    | HeroBlock
    | ColumnsBlock
    | FooterBlock
    | FragmentBlock
    | HtmlBlock
)
Block = Annotated[Annotated[AnyBlock, Field(discriminator="type")], _one_of(_BLOCKS)]
At = tuple[str | int, ...]


def fragment_keys(blocks: Iterable[AnyBlock]) -> list[str]:
    """The keys of the fragments that stand among these blocks."""
    return sorted({block.fragment for block in blocks if isinstance(block, FragmentBlock)})


def is_placed(block: AnyBlock) -> TypeGuard[PlacedBlock]:
    """Whether a block is there on a condition, or for each item of a list."""
    return isinstance(block, PlacedBlock) and (block.when is not None or block.repeat is not None)


def walk(blocks: Sequence[AnyBlock], at: At = ()) -> Iterator[tuple[At, AnyBlock]]:
    """Every block with its path, those inside columns after their columns block."""
    return ((path, block) for path, block, _ in walk_repeated(blocks, at))


def walk_repeated(
    blocks: Sequence[AnyBlock], at: At = (), within: tuple[Repeat, ...] = ()
) -> Iterator[tuple[At, AnyBlock, tuple[Repeat, ...]]]:
    """The same, each with the repetitions that it stands in, its own included."""
    for place, block in enumerate(blocks):
        mine = (*within, block.repeat) if isinstance(block, PlacedBlock) and block.repeat else within
        yield (*at, place), block, mine
        if isinstance(block, ColumnsBlock):
            for number, column in enumerate(block.columns):
                yield from walk_repeated(column, (*at, place, "columns", number), mine)
