"""Files go out and come back by commands."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from governance.door import Actor, document, save
from tests.presentation.letters import email


@pytest.fixture
def letter(author: Actor, now: datetime) -> Actor:
    """Ada's letter, "Hello"."""
    save(author, "template", "letter", email(), base=None, now=now)
    return author


def status(*command: str, **options: Any) -> object:
    with pytest.raises(SystemExit) as caught:
        call_command(*command, **options)
    return caught.value.code


@pytest.mark.django_db
def test_a_file_goes_out_and_comes_back_translated(letter: Actor, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("export_translations", "letter", "de", format="po")
    sent = capsys.readouterr().out
    back = tmp_path / "letter.po"
    back.write_text(sent.replace('msgid "Hello"\nmsgstr ""', 'msgid "Hello"\nmsgstr "Hallo"'))

    call_command("import_translations", "letter", str(back), as_user="ada", dry_run=True)
    assert "nothing is saved\n1 translated: subject" in capsys.readouterr().out
    assert document(letter.workspace_id, "template", "letter").latest.number == 1
    call_command("import_translations", "letter", str(back), as_user="ada", json=True, locale="de")
    assert json.loads(capsys.readouterr().out)["revision"] == 2
    latest = document(letter.workspace_id, "template", "letter").latest
    assert (latest.body["locales"]["de"]["subject"], latest.author, latest.via) == ("Hallo", "ada", "command")
    call_command("import_translations", "letter", str(back), as_user="ada")
    assert "nothing new" in capsys.readouterr().out


@pytest.mark.django_db
def test_a_file_can_be_written_beside_the_others(letter: Actor, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("export_translations", "letter", "pt-BR", out=str(tmp_path / "letter.xlf"))
    assert b'trgLang="pt-BR"' in (tmp_path / "letter.xlf").read_bytes()
    assert "revision 1 of letter" in capsys.readouterr().out


@pytest.mark.django_db
def test_what_cant_be_taken_is_said_on_a_line_each(letter: Actor, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.po"
    bad.write_bytes(b"no translation")
    assert status("import_translations", "letter", str(bad), as_user="ada") == 2
    assert "/lines/1: found no translation" in capsys.readouterr().err
    assert status("import_translations", "letter", str(tmp_path / "none.po"), as_user="ada") == 2
    assert status("import_translations", "letter", str(bad)) == 3
    assert status("export_translations", "letter", "en") == 2
    assert status("export_translations", "other", "de") == 2
    assert status("export_translations", "letter", "de", out=str(tmp_path / "no" / "where.xlf")) == 2
