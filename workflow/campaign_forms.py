"""The campaign editor's form: who, what, when and within which limits, as plain fields, and back.

What a campaign doesn't say stays unsaid, so saving an untouched form changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from audience import door as audience
from governance.door import Body, listed, mapped
from workflow.schedule_fields import kept_line, schedule_fields

STARTER: Body = {"title": "", "segment": "", "template": "", "trigger": {"type": "manual"}}
KEPT = frozenset({"ramp", "holdout", "budget", "trigger", "variants"})
"""What the form carries as it was written, to write it so again where nobody changed it."""
TRIGGER_FIELDS = {
    "manual": (),
    "once": ("at", "zone", "late_limit_minutes"),
    "schedule": ("cron", "zone", "late_limit_minutes"),
    "event": ("event", "where", "delay_minutes"),
}


def to_form(body: Body) -> Body:
    """The body with its ramp, holdout and budget as people write them."""
    ramp, budget = body.get("ramp"), body.get("budget")
    trigger = body.get("trigger")
    return {
        **body,
        "ramp": ", ".join(_percent(share) for share in ramp) if isinstance(ramp, list) else "",
        "holdout": _percent(body["holdout"]) if "holdout" in body else "",
        "budget": _money(budget) if isinstance(budget, Mapping) else "",
        "currency": str(budget.get("currency", "")) if isinstance(budget, Mapping) else "",
        "content": "variants" if body.get("variants") else "template",
        "trigger": _shown_trigger(trigger) if isinstance(trigger, Mapping) else {"type": "manual"},
        "was": {name: said for name, said in body.items() if name in KEPT or said is None},
    }


def to_body(form: Body) -> Body:
    """The document that the form describes."""
    given = form.get("was")
    was: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    own = {"ramp", "holdout", "budget", "currency", "content", "was", "trigger", "template", "variants"}
    body = {name: value for name, value in form.items() if name not in own}
    body |= _content(form, was) | _trigger(form.get("trigger"), was)
    for name, value in _limits(form, was).items():
        unchanged = name in was and to_form({name: was[name]}).get(name) == form.get(name)
        same_currency = name != "budget" or to_form({"budget": was.get("budget")}).get("currency") == form.get("currency")
        body[name] = was[name] if unchanged and same_currency else value
    return body | _still_empty(was, body)


def _still_empty(was: Mapping[str, Any], body: Body) -> Body:
    """What was said to be nothing, and still is nothing."""
    return {name: said for name, said in was.items() if said is None and body.get(name) in (None, "")}


def _limits(form: Body, was: Mapping[str, Any]) -> Body:
    """Ramp, holdout and budget, as far as something is or was said about them."""
    said: Body = {}
    ramp = [_share(part) for part in re.split(r"[,;\s]+", str(form.get("ramp") or "")) if part]
    if ramp or "ramp" in was:
        said["ramp"] = ramp
    if holdout := str(form.get("holdout") or "").strip():
        said["holdout"] = _share(holdout)
    amount = str(form.get("budget") or "").strip()
    if amount or "budget" in was:
        currency = {"currency": form["currency"]} if form.get("currency") else {}
        said["budget"] = {"micros": micros_of(amount), **currency} if amount else None
    return said


def _content(form: Body, was: Mapping[str, Any]) -> Body:
    variants = form.get("variants")
    if form.get("content") == "variants":
        listed = [dict(each) for each in variants if isinstance(each, Mapping)] if isinstance(variants, list) else []
        return {"variants": listed}
    made: Body = {"template": form.get("template") or ""}
    return made | ({"variants": []} if "variants" in was and not variants else {})


def _shown_trigger(trigger: Mapping[str, Any]) -> Body:
    """The trigger with its cron line as fields (`often`) and its rule as conditions on the event (`only`), if it is no more than these."""
    if trigger.get("type") == "schedule":
        return {**trigger, "often": schedule_fields(trigger.get("cron"))}
    only = [] if trigger.get("where") is None else audience.trigger_form(trigger["where"])
    return {**trigger} if only is None else {**{name: value for name, value in trigger.items() if name != "where"}, "only": only}


def _trigger(shown: Any, was: Mapping[str, Any]) -> Body:
    """The trigger with the fields of its type only."""
    given = dict(shown) if isinstance(shown, Mapping) else {}
    kind, before = str(given.get("type", "manual")), mapped(was.get("trigger"))
    if isinstance(given.get("often"), Mapping):
        given["cron"] = kept_line(given["often"], given.get("cron"), before.get("cron"))
    if "only" in given:
        same = _shown_trigger(before).get("only") == given["only"]
        given["where"] = before.get("where") if same else audience.trigger_rule(given["only"])
    if kind == "manual" and "trigger" not in was:
        return {}
    wanted = TRIGGER_FIELDS.get(kind, ())
    made = {name: given[name] for name in wanted if given.get(name) not in (None, "")}
    empty = _still_empty(before, made) if before.get("type") == kind else {}
    return {"trigger": {"type": kind, **made, **{name: said for name, said in empty.items() if name in wanted}}}


def make(path: str, what: str, form: Body) -> Any:
    """A new arm of an experiment, or a new condition on the event."""
    if what == "property":
        return audience.fresh_property()
    arms = form.get("variants") if isinstance(form.get("variants"), list) else []
    return {"key": f"variant-{len(arms or ()) + 1}", "weight": 1.0, "template": ""}


def steps(step: str, form: Body) -> Body | None:
    """The editor's own step: `compare:`, which makes an experiment of the one template."""
    if step != "compare:":
        return None
    first = {"key": "a", "weight": 1.0, "template": form.get("template") or ""}
    return {**form, "content": "variants", "variants": [first, {"key": "b", "weight": 1.0, "template": ""}]}


def with_shares(variants: Any) -> list[tuple[Any, str]]:
    """Each variant with the share of people that its weight gives it, in words; "" while a weight is no number."""
    arms = listed(variants)
    weights = [_weight(mapped(arm).get("weight")) for arm in arms]
    whole = sum(weights) if all(weights) else 0.0
    return [(arm, f"{_percent(round(weight / whole, 3))} %" if whole else "") for arm, weight in zip(arms, weights, strict=True)]


def _weight(value: Any) -> float:
    """A variant's weight; 0 where it is none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9 else 0.0


def _percent(share: Any) -> str:
    if isinstance(share, bool) or not isinstance(share, int | float):
        return str(share)
    return f"{share * 100:.4f}".rstrip("0").rstrip(".")


def _share(text: str) -> Any:
    """ "10" and "10 %" are a tenth; what is no number stays text, so that the check names it."""
    tight = text.strip().rstrip("%").strip()
    try:
        share = float(tight) / 100
    except ValueError:
        return text
    return round(share, 8) if share == share and abs(share) < 1e9 else text


def _money(budget: Mapping[str, Any]) -> str:
    micros = budget.get("micros")
    return f"{micros / 1_000_000:.6f}".rstrip("0").rstrip(".") if isinstance(micros, int) else str(micros)


def micros_of(text: str) -> Any:
    """$1,250.50 as millionths of its currency; text that is no sum as it is."""
    tight = re.sub(r"(?<=\d)[,\s'](?=\d{3}\b)", "", text).strip().lstrip("$€£").strip()
    if not re.fullmatch(r"\d{1,12}(\.\d{1,6})?", tight):
        return text
    whole, _, rest = tight.partition(".")
    return int(whole) * 1_000_000 + int(rest.ljust(6, "0") or 0)
