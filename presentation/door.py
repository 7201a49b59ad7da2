"""What other rooms may use of presentation."""

from presentation.blocks import (
    NETWORKS,
    AnyBlock,
    ButtonBlock,
    CardBlock,
    ColumnsBlock,
    DividerBlock,
    FooterBlock,
    HeadingBlock,
    HeroBlock,
    HtmlBlock,
    ImageBlock,
    SocialBlock,
    SpacerBlock,
    TextBlock,
    is_placed,
    walk,
)
from presentation.channels import CHANNEL_WORDS, Channel, Country
from presentation.checks import add_content_check
from presentation.conditions import bound, guarded
from presentation.content import (
    Content,
    LocalizedContent,
    compose,
    compose_body,
    sender_among,
)
from presentation.documents import TemplateBody
from presentation.expressions import problems
from presentation.filters import FILTERS
from presentation.fragments import FragmentBody, alone, dressed
from presentation.grammar import BUILT_IN, Problem
from presentation.links import fault_in_image, fault_in_link, host_of, is_own_page
from presentation.locales import babel_locale, canonical, choose_locale, direction
from presentation.markdown import parse as parse_markdown
from presentation.markdown import stand_in
from presentation.named import Named, add_dresser, among, drafted, named_documents
from presentation.parts import LocaleBody, Sender, Variable
from presentation.plurals import form as plural_form
from presentation.segments import segments
from presentation.senders import SenderBody, ascii_domain, domain_of
from presentation.services.answers import Ask, Told, Unaskable
from presentation.services.client import Way
from presentation.services.documents import ContentSourceBody
from presentation.services.fetching import Source, fetch
from presentation.services.pinned import drafted_sources, sources_among, sources_named
from presentation.services.url_templates import url_parts
from presentation.syntax import names_of, syntax
from presentation.theme import FONTS, Brand, Override, Theme, ThemeBody, base_of, contrast, readable_on
from presentation.topics import topics
from presentation.translation.pseudo import PSEUDO, as_pseudo
from presentation.values import LARGEST, MAX_VALUE_CHARS, Plain, UnfitValue, plain
from presentation.views.fragments import fragment_editor
from presentation.views.templates import template_editor
from presentation.views.themes import theme_editor
from presentation.views.translations import posted_at_desk

__all__ = [
    "CHANNEL_WORDS",
    "Channel",
    "Country",
    "BUILT_IN",
    "FILTERS",
    "FONTS",
    "LARGEST",
    "MAX_VALUE_CHARS",
    "NETWORKS",
    "AnyBlock",
    "Ask",
    "Brand",
    "ButtonBlock",
    "CardBlock",
    "ColumnsBlock",
    "Content",
    "ContentSourceBody",
    "DividerBlock",
    "FooterBlock",
    "FragmentBody",
    "HeadingBlock",
    "HeroBlock",
    "HtmlBlock",
    "ImageBlock",
    "LocaleBody",
    "Override",
    "LocalizedContent",
    "Named",
    "Plain",
    "Problem",
    "Sender",
    "SenderBody",
    "SocialBlock",
    "Source",
    "SpacerBlock",
    "TemplateBody",
    "TextBlock",
    "Theme",
    "ThemeBody",
    "Told",
    "Unaskable",
    "UnfitValue",
    "Variable",
    "Way",
    "add_content_check",
    "alone",
    "add_dresser",
    "among",
    "PSEUDO",
    "as_pseudo",
    "ascii_domain",
    "babel_locale",
    "base_of",
    "bound",
    "canonical",
    "choose_locale",
    "compose",
    "compose_body",
    "contrast",
    "direction",
    "domain_of",
    "drafted",
    "dressed",
    "drafted_sources",
    "fault_in_image",
    "fault_in_link",
    "fragment_editor",
    "guarded",
    "fetch",
    "host_of",
    "is_own_page",
    "is_placed",
    "named_documents",
    "names_of",
    "parse_markdown",
    "plural_form",
    "posted_at_desk",
    "plain",
    "problems",
    "readable_on",
    "segments",
    "sender_among",
    "sources_among",
    "sources_named",
    "stand_in",
    "syntax",
    "topics",
    "template_editor",
    "theme_editor",
    "url_parts",
    "walk",
]
