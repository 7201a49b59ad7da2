"""Which software fetches mail links and pictures by itself. Facts: the proxies' and scanners' own user agents, read 2026-11.

A proxy that fetches *because* the person opened the message (Gmail's and Yahoo's image proxies) is not a machine open; one
that fetches on arrival (Apple's privacy protection, security gateways, chat previews, monitors) is.
"""

from __future__ import annotations

import re
from functools import lru_cache

APPLE_PRIVACY = "Mozilla/5.0"  # all that Apple's mail privacy relay says about itself
_MACHINES = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|scan|monitor|check|curl/|wget/|python-|java/|go-http-client|okhttp|libwww|headless|"
    r"phantomjs|safelinks|barracuda|mimecast|proofpoint|trendmicro|symantec|messagelabs|forcepoint|zscaler|fireeye|cisco|"
    r"microsoft office existence|ms-office;|skypeuripreview|facebookexternalhit|whatsapp/|telegram|slack|discord|linkexpander|"
    r"vkshare|yandex|baidu|applebot|gsa-crawler|urlgrabber|virustotal|bitdefender|kaspersky|sophos|avast|trellix|cloudmark|postmark",
    re.IGNORECASE,
)
_IMAGE_PROXIES = re.compile(r"GoogleImageProxy|ggpht\.com|YahooMailProxy", re.IGNORECASE)


@lru_cache(maxsize=4_096)  # a vendor's thousand events name few programs
def is_machine(agent: str) -> bool:
    """Whether a request with this user agent was made by software alone. Nothing at all is a machine, too."""
    agent = agent.strip()
    return not agent or agent == APPLE_PRIVACY or bool(_MACHINES.search(agent))


def is_image_proxy(agent: str) -> bool:
    """A mail service's picture proxy: counts as the person's open, never as their click."""
    return bool(_IMAGE_PROXIES.search(agent))
