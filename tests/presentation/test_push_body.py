"""A push message as a document: what may stand in it, where it may lead, and what its author is told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from governance.door import CheckContext, Invalid, parse
from presentation import template_forms, template_places
from presentation.checks import template_checks
from presentation.door import TemplateBody
from rendering.door import check_content, compile, compile_untracked, fill, preview
from rendering.values import Recipient
from tests.presentation.letters import Person, content, email, push, sms


def paths(body: dict[str, Any]) -> list[str]:
    with pytest.raises(Invalid) as invalid:
        parse(TemplateBody, body)
    return [finding.path for finding in invalid.value.findings]


def test_every_part_of_a_push_message_may_hold_expressions() -> None:
    body = push(
        "Hello {{ first_name }}",
        "{{ city }} is waiting",
        link="shop://places/{{ city }}?n={{ total }}",
        image="https://img.example.com/{{ city }}.png",
        data={"place": "{{ city }}", "kind": "offer", "none": "{{ '' }}"},
        collapse_key="offer-{{ city }}",
    )
    (filled,) = fill(compile(content(body), base_url="https://omni.example.com"), [_ada({"total": 7})])
    assert (filled.subject, filled.text, filled.html) == ("Hello Ada", b"St. Gallen is waiting", None)  # type: ignore[union-attr]
    assert filled.options == {  # type: ignore[union-attr]
        "link": "shop://places/St.%20Gallen?n=7",
        "image": "https://img.example.com/St.%20Gallen.png",
        "collapse_key": "offer-St. Gallen",
        "data": {"place": "St. Gallen", "kind": "offer"},
    }


def test_a_link_goes_to_the_app_as_written_unless_clicks_are_to_be_counted() -> None:
    for tracking, link in ((None, "https://shop.example.com/a"), ("clicks", "https://omni.example.com/t/tok/0")):
        body = push(link="https://shop.example.com/a", tracking=tracking)
        (filled,) = fill(compile(content(body), base_url="https://omni.example.com"), [_ada()])
        assert filled.options["link"] == link  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (push(title=" "), "/locales/en/subject"),
        (push(text=""), "/locales/en/text"),
        (push(text="x" * 1_501), "/locales/en/text"),
        (push(link="javascript://%0aalert(1)"), "/locales/en/link"),
        (push(link="data:text/html,x"), "/locales/en/link"),
        (push(link="{{ city }}://x"), "/locales/en/link"),
        (push(link="shop://{{ unheard }}"), "/locales/en/link"),
        (push(image="http://img.example.com/a.png"), "/locales/en/image"),
        (push(data={"1st": "x"}), "/locales/en/data/1st"),
        (push(data={"aps": "x"}), "/locales/en/data/aps"),
        (push(data={"google.sent": "x"}), "/locales/en/data/google.sent"),
        (push(data={"a": "{{ unheard }}"}), "/locales/en/data/a"),
        (push(collapse_key="{{ unheard }}"), "/collapse_key"),
        (push(ttl=-1), "/ttl"),
        (push(ttl=2_419_201), "/ttl"),
        (sms("Hello", ttl=60), "/ttl"),
        (sms("Hello", locales={"en": {"text": "Hello", "link": "https://a.example"}}), "/locales/en/link"),
        (email(collapse_key="x"), "/collapse_key"),
        (push(locales={"en": {"subject": "A", "text": "B", "preheader": "C"}}), "/locales/en/preheader"),
    ],
)
def test_what_cannot_be_pushed_is_found_where_it_stands(body: dict[str, Any], path: str) -> None:
    assert path in paths(body)


def test_a_payload_over_the_platforms_limit_is_refused_or_found() -> None:
    with pytest.raises(Invalid):
        compile_untracked(content(push(data={f"d{n}": "x" * 400 for n in range(11)})), base_url="")
    (found,) = check_content(content(push(data={f"d{n}": "x" * 390 for n in range(10)})))
    assert (found.level, found.path) == ("error", "/locales/en") and "bytes with samples" in found.found
    compiled = compile_untracked(content(push(text="{{ city }}")), base_url="")
    outcomes = fill(compiled, [_ada(), Recipient(1, Person(attributes={"city": "x" * 5_000}), {}, token="tok")])
    assert [getattr(each, "detail", "") for each in outcomes] == ["", "a message of more than 4 KiB"]


def test_an_author_hears_what_a_lock_screen_cuts_off(now: datetime) -> None:
    context = CheckContext(1, "letter", None, lambda kind, key: None, now)
    body = parse(TemplateBody, push("A title " * 8, "A body " * 30))
    found = {finding.path: finding.level for finding in template_checks(context, body) if finding.path.startswith("/locales/en/")}
    assert found == {"/locales/en/subject": "warning", "/locales/en/text": "warning", "/locales/en/link": "note"}


def test_a_preview_shows_all_that_travels() -> None:
    made = preview(content(push(link="shop://x", data={"a": "{{ first_name }}"})), None, {})
    assert (made.subject, made.text, made.html) == ("Your order", "It is on its way.", "")
    assert made.options == {"link": "shop://x", "data": {"a": "there"}} and 60 < made.bytes < 140


def test_the_editor_shows_data_a_line_each_and_points_at_them() -> None:
    body = push(data={"order": "{{ total }}", "kind": "offer: new"})
    form = template_forms.to_form(body)
    assert form["locales"]["en"]["data"] == "order: {{ total }}\nkind: offer: new"
    assert template_forms.to_body(form)["locales"] == body["locales"]
    assert template_places.place("/locales/en/data/order", form) == "/locales/en/data"
    assert template_places.label("/locales/en/subject", form) == "Title (English)"


def _ada(data: dict[str, Any] | None = None) -> Recipient:
    return Recipient(0, Person(attributes={"first_name": "Ada", "city": "St. Gallen"}), data or {}, token="tok")
