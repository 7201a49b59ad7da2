"""An administrator's own HTML, cleaned by an allow-list of tags, attributes and styles."""

from __future__ import annotations

import nh3

from presentation.door import fault_in_image, fault_in_link
from rendering.holes import Holes

TAGS = frozenset(
    "a abbr b blockquote br code div em h1 h2 h3 h4 hr i img li ol p pre s small span strong sub sup "
    "table tbody td tfoot th thead tr u ul".split()
)
_LOOK = {"style", "align", "width", "dir", "lang", "title", "role"}
ATTRIBUTES = {
    "*": _LOOK,
    "a": {"href", "target"},
    "img": {"src", "alt", "height"},
    "table": {"cellpadding", "cellspacing", "border", "bgcolor"},
    "td": {"valign", "bgcolor", "colspan", "rowspan", "height"},
    "th": {"valign", "bgcolor", "colspan", "rowspan", "height"},
    "tr": {"valign", "bgcolor"},
    "ol": {"start"},
}
STYLES = frozenset(
    "background-color border border-bottom border-collapse border-color border-left border-radius border-right border-spacing "
    "border-style border-top border-width color direction display font-family font-size font-style font-weight height "
    "letter-spacing line-height list-style-type margin margin-bottom margin-left margin-right margin-top max-width min-width "
    "padding padding-bottom padding-left padding-right padding-top text-align text-decoration text-transform vertical-align "
    "white-space width word-break".split()
)


def cleaned(source: str, holes: Holes) -> str:
    """The HTML with its expressions and links stood in for. Scripts, forms, frames, styles that hide or load are gone,
    and so are addresses that may not be linked to."""

    def keep(tag: str, name: str, value: str) -> str | None:
        if name == "href":
            return None if fault_in_link(holes.written(value)) else holes.link(value)
        if name == "src":
            return None if fault_in_image(holes.written(value)) else holes.picture(value)
        return value

    return nh3.clean(
        holes.text(source),
        tags=set(TAGS),
        attributes=ATTRIBUTES,
        attribute_filter=keep,
        filter_style_properties=set(STYLES),
        url_schemes={"https", "http", "mailto", "tel", "sms"},
        link_rel=None,
        strip_comments=True,
    )
