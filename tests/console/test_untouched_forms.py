"""Opening a document in its editor and saving it changes nothing: what it doesn't say stays unsaid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from audience import rule_forms
from governance.door import canonical, read_yaml
from presentation import template_forms
from workflow import campaign_forms, campaign_places

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "documents"
TYPES = {path.stem: read_yaml(path.read_bytes())["type"] for path in (SAMPLES / "attributes").glob("*.yaml")} | {
    "home": "place",
    "churn": "number",
    "address.city": "text",
    "record:booking.nights": "number",
    "record:booking.paid": "boolean",
    "record:booking.arrival": "date",
}


def _bodies(folder: str) -> list[Any]:
    return [pytest.param(read_yaml(path.read_bytes()), id=path.stem) for path in sorted((SAMPLES / folder).glob("*.yaml"))]


@pytest.mark.parametrize("body", _bodies("segments"))
def test_a_segment_comes_back_as_it_was(body: dict[str, Any]) -> None:
    assert canonical(rule_forms.to_body(rule_forms.to_form(body, TYPES), TYPES)) == canonical(body)


@pytest.mark.parametrize("body", _bodies("templates"))
def test_a_template_comes_back_as_it_was(body: dict[str, Any]) -> None:
    assert canonical(template_forms.to_body(template_forms.to_form(body))) == canonical(body)


@pytest.mark.parametrize("body", _bodies("campaigns"))
def test_a_campaign_comes_back_as_it_was(body: dict[str, Any]) -> None:
    assert canonical(campaign_forms.to_body(campaign_forms.to_form(body))) == canonical(body)


@pytest.mark.parametrize(
    "rule",
    [
        {"profile": "country", "op": "missing"},
        {"everyone": True},
        {"none": [{"segment": "vips"}]},
        {"event": "paid", "op": "never"},
        {"event": "paid", "where": [{"property": "plan", "op": "is", "value": "5"}, {"property": "sum", "op": "gt", "value": 5}]},
        {"all": [{"consent": {"channel": "email", "topic": "*"}}, {"reachable": "sms"}]},
        {"all": [{"consent": {"channel": "sms", "topic": "offers", "state": "pending"}}]},
        {"attribute": "stays", "op": "between", "value": [1, 4]},
        {"attribute": "has_app", "op": "is", "value": False},
        {"attribute": "interests", "op": "has_all", "value": ["beach", "food"]},
        {"attribute": "birthday", "op": "anniversary"},
        {"attribute": "birthday", "op": "anniversary", "value": {"amount": 7, "unit": "days"}},
        {"share": {"percent": 12.5, "salt": "spring"}},
        {"measure": "paid", "how": "sum", "of": "total", "op": "between", "value": [5, 9], "within": {"last": 1, "unit": "years"}},
        {
            "measure": "paid",
            "how": "first",
            "op": "in_last",
            "value": {"amount": 7, "unit": "days"},
            "within": {"last": 6, "unit": "months"},
            "where": [{"property": "plan", "op": "is", "value": "5"}],
        },
        {"attribute": "birthday", "op": "anniversary", "zone": "own"},
        {"profile": "created_at", "op": "after", "value": "2026-01-31", "zone": "own"},
        {
            "message": "opened",
            "campaign": "spring",
            "channel": "email",
            "op": "at_least",
            "count": 2,
            "within": {"last": 30, "unit": "days"},
        },
        {"message": "clicked", "op": "never"},
        {"attribute": "home", "op": "near", "value": {"lat": 48.1, "lon": -11.5, "km": 25}},
        {"attribute": "churn", "op": "gte", "value": 0.5, "fresh": {"amount": 7, "unit": "days"}},
        {"attribute": "address.city", "op": "in", "value": ["Rome", "Oslo"]},
        {"sequence": [{"event": "cart"}, {"event": "paid"}], "op": "not_followed", "apart": {"amount": 3, "unit": "hours"}},
        {
            "sequence": [{"event": "a"}, {"event": "b", "where": [{"property": "plan", "op": "is", "value": "5"}]}, {"event": "c"}],
            "apart": {"amount": 2, "unit": "weeks"},
            "within": {"last": 1, "unit": "months"},
        },
        {"record": "booking"},
        {
            "record": "booking",
            "role": "guest",
            "op": "exactly",
            "count": 2,
            "where": [{"field": "city", "op": "in", "value": ["5", "Oslo"]}],
        },
        {
            "record": "booking",
            "op": "never",
            "where": [
                {"field": "nights", "op": "between", "value": [2, 5]},
                {"field": "paid", "op": "is", "value": False},
                {"field": "arrival", "op": "in_next", "value": {"amount": 7, "unit": "days"}, "zone": "own"},
                {"field": "left", "op": "missing"},
            ],
        },
        {"something": "new"},
    ],
)
def test_every_kind_of_condition_comes_back_as_it_was(rule: dict[str, Any]) -> None:
    assert rule_forms.to_body(rule_forms.to_form({"rule": rule}, TYPES), TYPES)["rule"] == rule


PLAN, LONG_STAY = {"property": "plan", "op": "is", "value": "5"}, {"property": "nights", "op": "between", "value": [7, 30]}


@pytest.mark.parametrize(
    ("where", "shown"),
    [
        (None, 0),
        ({"trigger": PLAN}, 1),
        ({"all": [{"trigger": PLAN}]}, 1),
        ({"all": [{"trigger": PLAN}, {"trigger": LONG_STAY}]}, 2),
        ({"any": [{"trigger": PLAN}, {"trigger": LONG_STAY}]}, None),
        ({"all": [{"trigger": PLAN}, {"profile": "country", "op": "is", "value": "PT"}]}, None),
    ],
)
def test_what_an_event_must_be_like_comes_back_as_it_was(where: dict[str, Any] | None, shown: int | None) -> None:
    trigger = {"type": "event", "event": "booked", **({"where": where} if where else {})}
    body = {"title": "T", "segment": "s", "template": "t", "trigger": trigger}
    form = campaign_forms.to_form(body)
    assert (len(form["trigger"]["only"]) if "only" in form["trigger"] else None) == shown
    assert canonical(campaign_forms.to_body(form)) == canonical(body)


@pytest.mark.parametrize(
    ("cron", "every"),
    [
        ("0 9 * * MON", "week"),
        ("0 9 * * 1", "week"),
        ("00 09 * * sun", "week"),
        ("15 7 * * *", "day"),
        ("0 18 * * 1-5", "weekdays"),
        ("0 18 * * MON-FRI", "weekdays"),
        ("30 8 31 * *", "month"),
        ("30 8 1 1 *", "own"),
        ("0 */4 * * *", "own"),
        ("0 9 * * MON,THU", "own"),
        ("0 9 * * MON#1", "own"),
    ],
)
def test_a_schedule_comes_back_as_it_was_written(cron: str, every: str) -> None:
    body = {"title": "T", "segment": "s", "template": "t", "trigger": {"type": "schedule", "cron": cron}}
    form = campaign_forms.to_form(body)
    assert form["trigger"]["often"]["every"] == every
    assert canonical(campaign_forms.to_body(form)) == canonical(body)


@pytest.mark.parametrize(
    ("said", "cron"),
    [
        ({"every": "day", "time": "07:05"}, "5 7 * * *"),
        ({"every": "weekdays", "time": "18:00"}, "0 18 * * MON-FRI"),
        ({"every": "week", "weekday": "THU", "time": "09:30"}, "30 9 * * THU"),
        ({"every": "month", "day": "15", "time": "00:00"}, "0 0 15 * *"),
        ({"every": "own", "time": "09:00"}, "0 */6 * * *"),
    ],
)
def test_a_schedules_fields_write_its_cron_line(said: dict[str, str], cron: str) -> None:
    form = campaign_forms.to_form({"title": "T", "trigger": {"type": "schedule", "cron": "0 9 * * MON", "zone": "Europe/Paris"}})
    form["trigger"] |= {"often": said, "cron": "0 */6 * * *"}
    assert campaign_forms.to_body(form)["trigger"] == {"type": "schedule", "cron": cron, "zone": "Europe/Paris"}


def test_variants_weights_are_read_as_shares_of_the_people() -> None:
    def shares(*weights: object) -> list[str]:
        return [share for _, share in campaign_forms.with_shares([{"weight": each} for each in weights])]

    assert shares(1.0, 1.0) == ["50 %", "50 %"]
    assert shares(1, 2) == ["33.3 %", "66.7 %"]
    assert shares(3, "many") == ["", ""] == shares(3, 0)


def test_conditions_on_an_event_are_added_and_their_faults_are_shown_where_they_are() -> None:
    form = campaign_forms.to_form({"title": "T", "trigger": {"type": "event", "event": "booked"}})
    form["trigger"]["only"] = [{"property": "plan", "op": "is", "value": "pro"}, {"property": "nights", "op": "gte", "value": "7"}]
    where = campaign_forms.to_body(form)["trigger"]["where"]
    assert where == {
        "all": [
            {"trigger": {"property": "plan", "op": "is", "value": "pro"}},
            {"trigger": {"property": "nights", "op": "gte", "value": 7}},
        ]
    }
    assert campaign_places.place("/trigger/where/all/1/trigger/value", form) == "/trigger/only/1"
    assert campaign_places.place("/trigger/event", form) == "/trigger/event"


def test_the_campaigns_limits_are_read_as_people_write_them() -> None:
    form = {**campaign_forms.to_form({"title": "T"}), "ramp": "1, 10, 100", "holdout": "5 %", "budget": "$1,250.50", "currency": "USD"}
    body = campaign_forms.to_body(form)
    assert (body["ramp"], body["holdout"]) == ([0.01, 0.1, 1.0], 0.05)
    assert body["budget"] == {"micros": 1_250_500_000, "currency": "USD"}


def test_a_new_language_begins_as_a_copy_with_the_same_block_ids() -> None:
    form = template_forms.to_form(template_forms.STARTER)
    grown = template_forms.steps("new-locale:", {**form, "new_locale": "pt-BR"})
    assert grown is not None
    assert grown["shown"] == "pt-BR"
    ids = [[block["id"] for block in locale["blocks"]] for locale in grown["locales"].values()]
    assert ids[0] == ids[1]


def test_copied_blocks_get_ids_of_their_own() -> None:
    form = template_forms.to_form(template_forms.STARTER)
    copied = template_forms.steps("copy:/locales/en/blocks/0", form)
    assert copied is not None
    ids = [block["id"] for block in copied["locales"]["en"]["blocks"]]
    assert len(set(ids)) == len(ids) == 5


def test_a_block_for_some_or_for_each_item_comes_back_as_it_was_and_one_without_a_list_is_there_once() -> None:
    block = {"type": "text", "id": "row", "text": "{{ tag }}", "when": "tag", "repeat": {"over": "tags", "as": "tag", "most": 3}}
    body = {"locales": {"en": {"blocks": [block, {"type": "columns", "id": "c", "columns": [[block], []]}]}}}
    assert template_forms.to_body({**body, "unsaid": ["variables", "fallbacks"]})["locales"] == body["locales"]
    chosen = {"locales": {"en": {"blocks": [{**block, "repeat": {"over": "tags"}}, {**block, "repeat": {"as": "tag", "most": 3}}]}}}
    made = template_forms.to_body({**chosen, "unsaid": ["variables", "fallbacks"]})["locales"]["en"]["blocks"]
    assert made[0]["repeat"] == {"over": "tags", "as": "item"}
    assert "repeat" not in made[1]


@pytest.mark.parametrize("theme", ["house", {"base": "house"}, {"base": "house", "accent": "#112233"}, {"accent": "#112233"}, {}])
def test_a_theme_comes_back_as_it_was_named_changed_or_written_out(theme: Any) -> None:
    assert template_forms.to_body({**template_forms.to_form({"theme": theme}), "unsaid": ["variables", "fallbacks"]})["theme"] == theme


def test_a_theme_that_is_chosen_in_the_form_is_named_by_its_key() -> None:
    assert template_forms.to_body({"theme": {"base": "house"}, "unsaid": ["variables", "fallbacks"]})["theme"] == "house"


@pytest.mark.parametrize("theme", ["winter", {"base": "winter", "accent": "#112233"}, {"accent": "#112233"}])
def test_a_campaigns_theme_comes_back_as_it_was(theme: Any) -> None:
    assert campaign_forms.to_body(campaign_forms.to_form({"title": "T", "theme": theme}))["theme"] == theme
