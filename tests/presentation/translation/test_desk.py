"""The translation desk: a person types beside the source, saves a draft, and loses nothing to whoever saved meanwhile."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from governance.door import Actor, User, document, parse, save
from presentation.door import TemplateBody, as_pseudo
from presentation.translation.pseudo import pseudo
from presentation.translation.units import units
from tests.presentation.letters import block, email

PAGE = "/console/templates/letter/translations/"
INTRO = 'Hello {{ first_name|default("there") }}, see [our shop](https://shop.example.com/).'


@pytest.fixture
def desk(author: Actor, now: datetime, client: Client) -> Client:
    """Ada's browser, and her letter."""
    body = email(
        block("text", id="intro", text=INTRO), block("button", id="go", label="See more"), subject="Your {{ total|number }} points"
    )
    save(author, "template", "letter", body, base=None, now=now)
    client.force_login(User.objects.get(pk=author.user_id))
    return client


def says(tag: str = "de") -> dict[str, tuple[str, str]]:
    workspace = User.objects.get(username="ada").membership_set.get().workspace_id
    model = document(workspace, "template", "letter").latest.model
    return {unit.id: (unit.text, unit.status) for unit in units(model, tag)}


def sent(client: Client, base: int = 1, **fields: str) -> Any:
    """A save of these texts; the others of the form are empty."""
    texts = {"text:subject": "", "text:blocks/intro/text": "", "text:blocks/go/label": ""}
    return client.post(PAGE + "de/", {"base": base, "desk": "de", **texts, **fields}, follow=True)


@pytest.mark.django_db
def test_what_is_typed_becomes_a_draft(desk: Client) -> None:
    page = desk.get(PAGE + "de/").content.decode()
    assert "English → German" in page and 'data-insert="{{ total|number }}"' in page and 'dir="ltr"' in page
    answer = sent(
        desk, **{"text:blocks/go/label": "Mehr sehen", "reviewed:blocks/go/label": "on", "text:subject": "{{ total|number }} Punkte"}
    )
    assert "Saved as revision 2." in answer.content.decode()
    assert says() == {
        "subject": ("{{ total|number }} Punkte", "draft"),
        "blocks/intro/text": (INTRO, "missing"),
        "blocks/go/label": ("Mehr sehen", "reviewed"),
    }
    assert "Nothing to save" in sent(desk, base=2, **{"text:blocks/go/label": "Mehr sehen"}).content.decode()


@pytest.mark.django_db
def test_a_lost_placeholder_is_said_beside_its_text_and_nothing_typed_is_lost(desk: Client) -> None:
    answer = sent(desk, **{"text:blocks/go/label": "Mehr", "text:subject": "Deine Punkte"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "the placeholder {{ total|number }}" in page and "\nDeine Punkte</textarea>" in page and "\nMehr</textarea>" in page
    assert says()["blocks/go/label"][1] == "missing"


@pytest.mark.django_db
def test_who_saved_meanwhile_is_shown_beside_and_may_be_replaced(desk: Client) -> None:
    sent(desk, **{"text:blocks/go/label": "Zum Laden"})
    answer = sent(desk, base=1, **{"text:blocks/go/label": "Mehr sehen", "text:subject": "{{ total|number }} Punkte"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Somebody saved meanwhile." in page and "Zum Laden" in page and "\nMehr sehen</textarea>" in page
    assert says()["subject"][1] == "missing"
    sent(desk, base=2, **{"text:blocks/go/label": "Mehr sehen", "text:subject": "{{ total|number }} Punkte"})
    assert says()["blocks/go/label"][0] == "Mehr sehen" and says()["subject"][1] == "draft"


@pytest.mark.django_db
def test_texts_of_others_that_one_didnt_touch_are_merged(desk: Client) -> None:
    sent(desk, **{"text:blocks/go/label": "Zum Laden"})
    sent(desk, base=1, **{"text:subject": "{{ total|number }} Punkte"})
    assert (says()["blocks/go/label"][0], says()["subject"][0]) == ("Zum Laden", "{{ total|number }} Punkte")


@pytest.mark.django_db
def test_a_right_to_left_language_is_written_from_the_right(desk: Client) -> None:
    page = desk.get(PAGE + "ar/").content.decode()
    assert 'lang="ar" dir="rtl"' in page
    assert desk.get(PAGE + "?tag=pt_br")["Location"] == PAGE + "pt-BR/"
    assert desk.get(PAGE + "en/").status_code == 422 and desk.get(PAGE + "klingon/").status_code == 422


@pytest.mark.django_db
def test_files_go_out_and_come_back_on_the_page(desk: Client) -> None:
    answer = desk.get(PAGE + "pt_br/file/?format=po")
    assert answer["Content-Disposition"] == 'attachment; filename="letter.pt-BR.po"'
    back = answer.content.replace(b'msgid "See more"\nmsgstr ""', b'msgid "See more"\nmsgstr "Ver mais"')
    page = desk.post(PAGE, {"file": SimpleUploadedFile("letter.po", back)}).content.decode()
    assert "Saved as revision 2." in page and "1 translated: blocks/go/label" in page
    bad = desk.post(PAGE, {"file": SimpleUploadedFile("letter.po", b"no")})
    assert bad.status_code == 422 and "Nothing of this file was taken." in bad.content.decode()
    assert desk.post(PAGE).status_code == 422
    assert desk.get(PAGE + "de/file/?format=doc").status_code == 422


@pytest.mark.django_db
def test_the_preview_shows_what_is_typed_at_the_desk(desk: Client) -> None:
    fields = {"desk": "de", "look_key": "letter", "/shown": "de", "text:subject": "Punkte", "text:blocks/go/label": "Mehr sehen"}
    page = desk.post("/console/look/templates/frame/", fields).content.decode()
    assert "Mehr sehen" in page and "our shop" in page


@pytest.mark.django_db
def test_a_language_that_nobody_speaks_shows_what_breaks(desk: Client) -> None:
    assert "Šéééé mööŕéé" not in desk.get("/console/templates/letter/frame/1/").content.decode()
    accented = desk.get("/console/templates/letter/frame/1/?locale=en-XA").content.decode()
    assert "⟦Šéééé mööŕéé⟧" in accented and "shop.example.com" in accented
    assert 'dir="rtl"' in desk.get("/console/templates/letter/frame/1/?locale=ar-XB").content.decode()
    assert "Right to left" in desk.get("/console/templates/letter/preview/").content.decode()


def test_a_pseudo_locale_leaves_markup_and_expressions_alone() -> None:
    text = "# Hello **{{ city }}**, write to a@example.com or see [us](https://example.com/a)"
    said = pseudo(text, "markdown", "en-XA")
    assert said == "# ⟦Hééllöö **{{ city }}**, wŕíítéé töö a@example.com ööŕ šéééé [ûûš⟧](https://example.com/a)"
    assert pseudo("Yes <b>no</b> &amp; {{ city }}", "html", "ar-XB") == "ي" + pseudo("es ", "line", "ar-XB") + "<b>نو</b> &amp; {{ city }}"
    assert pseudo("{{ city }}", "line", "en-XA") == "{{ city }}"


def test_a_pseudo_locale_is_never_longer_than_a_field() -> None:
    body = email(block("button", label="a" * 119), subject="o" * 199)
    made = as_pseudo(parse(TemplateBody, body), "en-XA")
    assert made.locales["en-XA"].subject == "ö" * 199
