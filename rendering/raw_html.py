"""An administrator's own HTML, cleaned by an allow-list of tags, attributes and styles."""

from __future__ import annotations

import re
from html import unescape

import nh3

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
_ADDRESS = re.compile(r'(<[a-z0-9]+(?:\s[^<>]*?)?\s)(href|src)="([^"]*)"')


def cleaned(source: str, holes: Holes) -> str:
    """The HTML with its expressions and links stood in for. Scripts, forms, frames, styles that hide or load are gone."""
    html = nh3.clean(
        holes.text(source),
        tags=set(TAGS),
        attributes=ATTRIBUTES,
        filter_style_properties=set(STYLES),
        url_schemes={"https", "http", "mailto", "tel", "sms"},
        link_rel=None,
        strip_comments=True,
    )
    while True:
        stood = _ADDRESS.sub(lambda found: f'{found[1]}{found[2]}="{_stand(found[2], unescape(found[3]), holes)}"', html)
        if stood == html:
            return html
        html = stood


def _stand(name: str, target: str, holes: Holes) -> str:
    if holes.is_link(target):
        return target
    return holes.link(target) if name == "href" else holes.picture(target)
