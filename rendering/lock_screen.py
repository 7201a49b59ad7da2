"""A push message on a lock screen: a small page for the console's sandboxed frames, light and dark."""

from __future__ import annotations

from html import escape

from presentation.door import direction

_PAGE = """<!doctype html><html lang="{locale}" dir="{direction}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
:root {{ color-scheme: light; --night: #20304f; --day: #8fa6c8; --card: rgb(255 255 255 / .86); --ink: #16181d;
  --soft: #4b505c; }}
@media (prefers-color-scheme: dark) {{ :root {{ color-scheme: dark;
  --night: #0b0f1a; --day: #2b3550; --card: rgb(38 41 50 / .9); --ink: #f2f3f6; --soft: #b9bdc9; }} }}
* {{ box-sizing: border-box; margin: 0; }}
body {{ min-height: 100vh; padding: 12px; display: grid; justify-items: center; align-items: start; background: transparent;
  font: 15px/1.35 -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Liberation Sans", "Noto Sans", Arial, sans-serif; }}
main {{ width: 100%; max-width: 390px; min-height: 460px; padding: 44px 12px 24px; border-radius: 36px; display: grid; align-content: start;
  gap: 28px; background: linear-gradient(165deg, var(--day), var(--night)); }}
header {{ text-align: center; color: #fff; text-shadow: 0 1px 8px rgb(0 0 0 / .35); }}
time {{ display: block; font-size: 64px; line-height: 1; font-weight: 300; letter-spacing: -1px; font-variant-numeric: tabular-nums; }}
article {{ display: grid; grid-template-columns: 38px minmax(0, 1fr) auto; gap: 2px 12px; padding: 13px 14px; border-radius: 20px;
  background: var(--card); color: var(--ink); box-shadow: 0 6px 24px rgb(0 0 0 / .18); }}
article > i {{ grid-row: 1 / span 2;
  width: 38px; height: 38px; border-radius: 9px; background: linear-gradient(145deg, #7a68e6, #5640c4); }}
h1 {{ font-size: 15px; font-weight: 600; overflow-wrap: anywhere; }}
small {{ color: var(--soft); font-size: 13px; }}
p {{ grid-column: 2 / -1;
  white-space: pre-wrap; overflow: hidden; overflow-wrap: anywhere; display: -webkit-box; -webkit-box-orient: vertical;
  -webkit-line-clamp: 6; }}
figure {{ grid-column: 2 / -1; position: relative; height: 130px; margin-top: 8px; border-radius: 12px; overflow: hidden;
  background: rgb(128 128 140 / .25); }}
img {{ width: 100%; height: 100%; object-fit: cover; }}
figcaption {{ display: none; position: absolute; inset: 0; place-content: center; color: var(--soft); font-size: 13px; }}
img[src^="data:"] + figcaption {{ display: grid; }} /* the frame holds pictures from the web back: an empty one stands for it */
</style><main><header><time>9:41</time></header><article><i></i>
<h1>{title}</h1><small>now</small><p>{body}</p>{picture}</article></main></html>"""


def lock_screen(title: str, body: str, *, image: str = "", locale: str = "en") -> str:
    """The page. image: the picture's address, asked for only where the frame allows pictures."""
    picture = f'<figure><img src="{escape(image)}" alt=""><figcaption>Picture</figcaption></figure>' if image else ""
    return _PAGE.format(locale=escape(locale), direction=direction(locale), title=escape(title), body=escape(body), picture=picture)
