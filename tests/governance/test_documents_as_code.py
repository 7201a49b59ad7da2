from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from governance import door as governance
from governance.door import Revision
from tests.governance.office import Office


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def refused(capsys: pytest.CaptureFixture[str], *command: Any, **options: Any) -> list[str]:
    """The lines on stderr of a command that exits with 2."""
    with pytest.raises(SystemExit) as caught:
        call_command(*command, **options)
    assert caught.value.code == 2
    return capsys.readouterr().err.splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "pages/welcome.yaml", "title: Welcome\ntext: |\n  Hello,\n  you\nuses: [footer]\n")
    write(tmp_path, "pages/footer.yaml", "title: Footer\ntext: Bye\n")
    write(tmp_path, "plans/spring.yaml", "title: Spring\npage: welcome\n")
    write(tmp_path, "README.md", "Notes beside the folders are left alone.")
    return tmp_path


def test_a_folder_is_saved_what_is_used_first(office: Office, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("apply", folder, as_user="ada", note="First")
    assert [line.split() for line in capsys.readouterr().out.splitlines()][:3] == [
        ["new", "pages/footer.yaml"],
        ["new", "pages/welcome.yaml"],
        ["new", "plans/spring.yaml"],
    ]
    view = office.view("page", "welcome").latest
    assert (view.body["text"], view.author, view.via, view.note, view.findings) == ("Hello,\nyou\n", "ada", "command", "First", ())


def test_applying_twice_changes_nothing(office: Office, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("apply", folder, as_user="ada")
    call_command("apply", folder, as_user="abe")
    assert "3 documents: 0 new, 0 changed were saved" in capsys.readouterr().out
    assert Revision.objects.count() == 3


def test_export_and_apply_are_a_round_trip_to_the_byte(office: Office, folder: Path, tmp_path: Path) -> None:
    call_command("apply", folder, as_user="ada")
    first, second = tmp_path / "first", tmp_path / "second"
    call_command("export", first)
    call_command("apply", first, as_user="ada")
    call_command("export", second)
    files = sorted(path.relative_to(first) for path in first.rglob("*.yaml"))
    assert [str(name) for name in files] == ["pages/footer.yaml", "pages/welcome.yaml", "plans/spring.yaml"]
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in files)
    assert Revision.objects.count() == 3


def test_an_export_reads_well(office: Office, folder: Path, tmp_path: Path) -> None:
    call_command("apply", folder, as_user="ada")
    call_command("export", tmp_path / "out")
    assert (tmp_path / "out/pages/welcome.yaml").read_text() == "title: Welcome\ntext: |\n  Hello,\n  you\nuses:\n  - footer\n"


def test_an_export_may_be_of_what_is_in_force(office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    office.publish("page", "welcome", text="Hello")
    office.save(office.ada, "page", "welcome", text="Not yet")
    office.save(office.ada, "page", "draft", text="Not yet")
    write(tmp_path, "pages/stranger.yaml", "title: Old\n")
    call_command("export", tmp_path, released=True)
    assert "Not yet" not in (tmp_path / "pages/welcome.yaml").read_text()
    assert not (tmp_path / "pages/draft.yaml").exists()
    assert "stranger   pages/stranger.yaml" in capsys.readouterr().out


def test_a_dry_run_says_what_would_change_and_saves_nothing(office: Office, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("apply", folder, as_user="ada")
    write(folder, "pages/footer.yaml", "title: Footer\ntext: Ciao\n")
    call_command("apply", folder, as_user="ada", dry_run=True)
    out = capsys.readouterr().out
    assert "changed    pages/footer.yaml: /text" in out
    assert "1 changed would be saved" in out
    assert office.latest("page", "footer") == 1


def test_one_faulty_file_stops_all_and_every_fault_is_listed(office: Office, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, "pages/bad.yaml", "title: ''\nsize: big\n")
    write(folder, "plans/worse.yaml", "title: Worse\npage: nowhere\n")
    write(folder, "pages/broken.yaml", "title: [\n")
    write(folder, "poems/ode.yaml", "title: Ode\n")
    lines = refused(capsys, "apply", folder, as_user="ada")
    assert any(line.startswith("pages/bad.yaml /title: found") for line in lines)
    assert any(line.startswith("pages/bad.yaml /size: found big, expected") for line in lines)
    assert any(line.startswith("pages/broken.yaml /: found") for line in lines)
    assert any(line.startswith("poems/ode.yaml /: found the folder poems, expected one of") for line in lines)
    assert Revision.objects.count() == 0


def test_what_the_checks_find_stops_all_too(office: Office, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, "plans/worse.yaml", "title: Worse\npage: nowhere\n")
    lines = refused(capsys, "apply", folder, as_user="ada")
    assert lines == ["plans/worse.yaml /page: found page nowhere, which doesn't exist, expected a page of this workspace"]
    assert Revision.objects.count() == 0
    call_command("apply", folder, as_user="ada", keep_errors=True)
    assert Revision.objects.count() == 4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &x [1]\nb: *x\n", "anchor or alias"),
        ("title: !!python/object:os.system x\n", "tag"),
        ("title: A\ntitle: B\n", "duplicate key title"),
        ("%YAML 1.1\n---\ntitle: A\n", "directive"),
        ("title: A\n---\ntitle: B\n", "second document"),
        ("1: A\n", "field name"),
        ("- a\n", "expected an object"),
        ("", "expected an object"),
        ("title: .inf\n", "finite number"),
        ("title: \x01\n", "valid YAML"),
        ("blocks:\n  - " + "[" * 60 + "]" * 60, "nested too deeply"),
        ("title: " + "x" * 1_000_001, "at most 1,000,000"),
    ],
)
def test_tricks_in_yaml_are_refused(office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str) -> None:
    write(tmp_path, "pages/trick.yaml", text)
    (line,) = refused(capsys, "apply", tmp_path, as_user="ada")
    assert line.startswith("pages/trick.yaml /") and words in line


def test_a_bomb_of_aliases_is_refused_unexploded(office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    write(tmp_path, "pages/bomb.yaml", "\n".join(lines))
    assert "anchor or alias" in refused(capsys, "apply", tmp_path, as_user="ada")[0]


def test_files_that_are_no_documents_are_named(office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "pages/Welcome.yaml", "title: A\n")
    write(tmp_path, "pages/notes.txt", "hello")
    (tmp_path / "pages/latin.yaml").write_bytes("title: caf\xe9\n".encode("latin-1"))
    write(tmp_path, "pages/.hidden.yaml", "not: read")
    lines = refused(capsys, "apply", tmp_path, as_user="ada")
    assert [line.split(":")[0] for line in lines] == ["pages/Welcome.yaml /key", "pages/latin.yaml /", "pages/notes.txt /"]


def test_a_link_out_of_the_folder_is_not_followed(office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text("title: Secret\n")
    inside = tmp_path / "in"
    (inside / "pages").mkdir(parents=True)
    (inside / "pages/link.yaml").symlink_to(outside)
    assert "not a .yaml file of this folder" in refused(capsys, "apply", inside, as_user="ada")[0]


def test_no_folder_is_said(office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no folder" in refused(capsys, "apply", tmp_path / "nowhere", as_user="ada")[0]


def test_a_loop_between_files_is_named(office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "pages/a.yaml", "title: A\nuses: [b]\n")
    write(tmp_path, "pages/b.yaml", "title: B\nuses: [a]\n")
    assert any("a loop: page" in line for line in refused(capsys, "apply", tmp_path, as_user="ada", keep_errors=True))
    assert Revision.objects.count() == 0


def test_somebody_must_say_who_they_are(office: Office, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        call_command("apply", folder)
    assert caught.value.code == 3
    assert "--as USER" in capsys.readouterr().err


def test_what_only_admins_save_may_lie_unchanged_in_an_authors_folder(
    office: Office, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, "approval-policies/default.yaml", "title: Policy\napprovals: 2\n")
    call_command("apply", folder, as_user="cleo")
    call_command("apply", folder, as_user="ada")
    write(folder, "approval-policies/default.yaml", "title: Policy\napprovals: 1\n")
    with pytest.raises(SystemExit) as caught:
        call_command("apply", folder, as_user="ada")
    assert caught.value.code == 3
    assert "approval-policies/default.yaml: the role author may not do this" in capsys.readouterr().err


def test_the_author_of_a_file_is_bound_by_the_same_rules(office: Office, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("apply", folder, as_user="ben", submit=True)
    assert "submitted  plan spring: 1 approval(s) needed" in capsys.readouterr().out
    with pytest.raises(SystemExit) as caught:
        call_command("approve", "plan", "spring", as_user="ben")
    assert caught.value.code == 3
    assert "second person" in capsys.readouterr().err
    call_command("approve", "plan", "spring", as_user="bea", comment="Good")
    call_command("release", "plan", "spring", as_user="ben")
    assert office.approval("plan", "spring").deciders == ("bea",)


def test_only_what_stands_on_top_is_submitted_and_only_once(office: Office, folder: Path) -> None:
    for _ in range(2):
        call_command("apply", folder, as_user="ada", submit=True)
    assert [submission.document.key for submission in governance.Submission.objects.all()] == ["spring"]
    call_command("approve", "plan", "spring", as_user="bea")
    call_command("apply", folder, as_user="ada", submit=True)
    call_command("release", "plan", "spring", as_user="bea")
    call_command("apply", folder, as_user="ada", submit=True)
    assert governance.Submission.objects.count() == 1


def test_a_change_below_submits_what_uses_it(office: Office, folder: Path) -> None:
    call_command("apply", folder, as_user="ada", submit=True)
    call_command("approve", "plan", "spring", as_user="bea")
    call_command("release", "plan", "spring", as_user="bea")
    write(folder, "pages/footer.yaml", "title: Footer\ntext: Ciao\n")
    call_command("apply", folder, as_user="ada", submit=True)
    waiting = office.view("plan", "spring").open_submission
    assert waiting is not None
    assert [item["key"] for item in waiting.bill if item["changed"]] == ["footer"]


def test_what_cannot_be_submitted_is_not_saved_either(office: Office, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("apply", folder, as_user="ada", submit=True)
    before = Revision.objects.count()
    write(folder, "pages/footer.yaml", "title: Footer\ntext: TODO\n")
    [said] = refused(capsys, "apply", folder, as_user="ada", submit=True, keep_errors=True)
    assert said.startswith("plans/spring.yaml ") and "footer" in said and "TODO" in said
    assert Revision.objects.count() == before


def test_a_draft_that_somebody_left_broken_holds_up_nothing(office: Office, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, "pages/stray.yaml", "title: Stray\ntext: TODO\n")
    call_command("apply", folder, as_user="abe", keep_errors=True)
    write(folder, "pages/footer.yaml", "title: Footer\ntext: Ciao\n")
    call_command("apply", folder, as_user="ada", submit=True)
    said = capsys.readouterr().out
    assert "submitted  plan spring: 1 approval(s) needed" in said
    assert "not submitted  pages/stray.yaml /text: found TODO" in said


def elsewhere(office: Office) -> None:
    """Abe changes the footer in the console after the folder was applied."""
    latest = office.view("page", "footer").latest
    body = {**latest.body, "text": "Abe was here"}
    governance.save(office.abe, "page", "footer", body, base=latest.number, now=office.now())


def test_an_edit_made_elsewhere_is_not_saved_over(office: Office, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("apply", folder, as_user="ada")
    elsewhere(office)
    write(folder, "pages/welcome.yaml", "title: Welcome\ntext: Hi\n")
    for options in ({}, {"dry_run": True}):
        with pytest.raises(SystemExit) as caught:
            call_command("apply", folder, as_user="ada", **options)
        assert caught.value.code == 3
        said = capsys.readouterr().err
        assert "pages/footer.yaml: abe made revision 2 through the console on" in said and "differs in /text" in said
        assert "nothing was saved" in said and "--overwrite" in said and "pages/welcome.yaml" not in said
    assert (office.latest("page", "footer"), office.latest("page", "welcome")) == (2, 1)


def test_an_export_brings_the_edit_into_the_folder(office: Office, folder: Path) -> None:
    call_command("apply", folder, as_user="ada")
    elsewhere(office)
    call_command("export", folder)
    call_command("apply", folder, as_user="ada")
    assert office.latest("page", "footer") == 2
    for words in ("Ciao", "Addio"):
        write(folder, "pages/footer.yaml", f"title: Footer\ntext: {words}\n")
        call_command("apply", folder, as_user="ada")
    assert (office.latest("page", "footer"), office.view("page", "footer").latest.body["text"]) == (4, "Addio")


def test_an_old_export_is_no_leave_for_a_later_edit(office: Office, folder: Path) -> None:
    call_command("apply", folder, as_user="ada")
    call_command("export", folder)
    elsewhere(office)
    with pytest.raises(SystemExit):
        call_command("apply", folder, as_user="ada")
    assert office.view("page", "footer").latest.body["text"] == "Abe was here"


def test_the_edit_is_kept_or_saved_over_where_that_is_said(office: Office, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("apply", folder, as_user="ada")
    elsewhere(office)
    call_command("apply", folder, as_user="ada", elsewhere="keep")
    assert "kept       pages/footer.yaml: edited elsewhere" in capsys.readouterr().out
    assert office.view("page", "footer").latest.body["text"] == "Abe was here"
    call_command("apply", folder, "--overwrite", as_user="ada")
    assert (office.latest("page", "footer"), office.view("page", "footer").latest.body["text"]) == (3, "Bye")


def test_what_export_noted_is_read_strictly(office: Office, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for noted in ("[", "[]", "[" * 100_000, '{"pages/footer.yaml": 1}'):
        write(folder, ".exported.json", noted)
        assert ".exported.json: found something else" in refused(capsys, "apply", folder, as_user="ada")[0]
