"""The sample documents are sound, use only what the sample people have, and are written as export writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from governance import door as governance
from omni import demo
from samples.people import generate

FILES = sorted(demo.SAMPLES.rglob("*.yaml"))


@pytest.fixture
def applied(db: None) -> governance.Workspace:
    """A workspace with the demonstration's four people and all sample documents."""
    workspace = governance.default_workspace()
    demo.make_logins(workspace, now=datetime(2026, 3, 2, 9, tzinfo=UTC))
    demo.save_documents()
    return workspace


def test_no_check_objects_to_a_sample_document(applied: governance.Workspace) -> None:
    remarks = [
        f"{view.kind} {view.key}: {finding}"
        for kind in governance.kinds()
        for view in governance.documents(applied.pk, kind.name)
        for finding in view.latest.findings
        if finding.level == "error"
    ]
    assert remarks == []


def test_every_file_became_a_document(applied: governance.Workspace) -> None:
    saved = sum(len(governance.documents(applied.pk, kind.name)) for kind in governance.kinds())
    assert saved == len(FILES)


def test_the_files_are_byte_for_byte_what_export_writes(applied: governance.Workspace, tmp_path: Path) -> None:
    call_command("export", str(tmp_path), stdout=StringIO())
    for file in FILES:
        assert (tmp_path / file.parent.name / file.name).read_bytes() == file.read_bytes(), file


def test_applying_the_samples_again_changes_nothing(applied: governance.Workspace) -> None:
    out = StringIO()
    call_command("apply", str(demo.SAMPLES / "documents"), as_user="author", stdout=out)
    assert "0 new, 0 changed" in out.getvalue()


def test_the_people_have_only_attributes_of_the_catalogue() -> None:
    catalogue = {file.stem for file in FILES if file.parent.name == "attributes"}
    used = {name for person in generate(500, seed=7, as_of=datetime(2026, 3, 2, tzinfo=UTC)) for name in person.attributes}
    assert used <= catalogue
