"""Who must not be written to: set by many, lifted by a person, never weaker, and never kept in the clear."""

from __future__ import annotations

import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from delivery.door import address_hash, suppress, suppressed, unsuppress
from delivery.models import Suppression
from delivery.suppression import MARKETING_ONLY, REASONS
from governance import door as governance
from governance.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db


def home() -> int:
    return governance.default_workspace().pk


def stops(address: str, channel: str = "email", message_class: str = "promotional", workspace_id: int | None = None) -> bool:
    where = workspace_id or home()
    hashed = address_hash(where, channel, address)
    return suppressed(where, channel, [hashed, 12345], message_class=message_class) == {hashed}


def put(address: str, reason: str = "manual", channel: str = "email", *, now: datetime) -> bool:
    return suppress(home(), channel, address, reason=reason, source="tests", now=now)


def test_case_and_space_make_no_difference_and_other_addresses_do(now: datetime) -> None:
    assert put("Ann@EXAMPLE.com ", now=now) and not put("ann@example.com", now=now)
    assert stops("ann@example.com") and stops("ANN@example.COM")
    assert not stops("ann+promo@example.com") and not stops("a.nn@example.com")


def test_a_suppression_holds_in_its_workspace_and_channel(now: datetime) -> None:
    other = governance.create_workspace("other", "Other")
    put("+44 7911 123456", channel="sms", now=now)
    assert stops("+447911123456", "sms") and not stops("+447911123456", "email")
    assert not stops("+447911123456", "sms", workspace_id=other.pk)


def test_a_suppression_of_every_channel_holds_on_each(now: datetime) -> None:
    put("ann@example.com", channel="*", now=now)
    assert stops("ann@example.com", "email") and stops("ann@example.com", "sms")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(sorted(REASONS)), min_size=1, max_size=5))
def test_in_whatever_order_reasons_come_the_strongest_stands(now: datetime, reasons: list[str]) -> None:
    Suppression.objects.all().delete()
    for day, reason in enumerate(reasons):
        put("ann@example.com", reason, now=now + timedelta(days=day))
    assert stops("ann@example.com")
    assert stops("ann@example.com", message_class="transactional") == any(reason not in MARKETING_ONLY for reason in reasons)


def test_an_unknown_channel_or_reason_is_refused_by_name(now: datetime) -> None:
    with pytest.raises(governance.Invalid) as refused:
        suppress(home(), "pigeon", "x", reason="because", source="tests", now=now)
    assert [finding.path for finding in refused.value.findings] == ["/channel", "/reason"]


def test_no_address_is_stored(now: datetime) -> None:
    put("ann@example.com", now=now)
    assert "ann@" not in str(list(Suppression.objects.values()))


# ── lifting ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_person_lifts_a_suppression_with_a_reason_and_it_is_audited(now: datetime) -> None:
    put("ann@example.com", now=now)
    unsuppress(factories.person("ben", now=now), "email", "Ann@example.com", reason="she asked us to", now=now)
    assert not stops("ann@example.com")
    entry = AuditEntry.objects.get(action="suppression.lifted")
    assert entry.data["was"] == "manual" and "ann" not in entry.subject


def test_an_author_may_not_lift_and_nobody_may_without_a_reason(now: datetime) -> None:
    put("ann@example.com", now=now)
    with pytest.raises(governance.Refused):
        unsuppress(factories.person("ada", now=now), "email", "ann@example.com", reason="please", now=now)
    with pytest.raises(governance.Invalid):
        unsuppress(factories.person("ben", now=now), "email", "ann@example.com", reason=" ", now=now)
    with pytest.raises(governance.Missing):
        unsuppress(factories.person("ben", now=now), "email", "bob@example.com", reason="please", now=now)
    assert stops("ann@example.com")


# ── lists from files ──────────────────────────────────────────────────────────────────────────────────────────────


def imported(tmp_path: Path, content: str | bytes, *options: str, name: str = "list.csv") -> dict[str, Any]:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    out = io.StringIO()
    try:
        call_command("import_suppressions", str(path), "--json", *options, stdout=out, stderr=io.StringIO())
        status: object = 0
    except SystemExit as ended:
        status = ended.code
    found: dict[str, Any] = json.loads(out.getvalue())
    assert status == (2 if found["rejected"] else 0), "a program learns from the status that lines were left"
    return found


def test_a_list_is_taken_over_and_bad_lines_are_listed_beside_it(tmp_path: Path) -> None:
    lines = "name,E-Mail\nAnn,Ann@Example.com\nBob,bob@example.com\nEve,=cmd()\nAnn,ann@example.com\n,\n"
    assert imported(tmp_path, lines) == {"lines": 5, "added": 2, "known": 1, "rejected": 2}
    assert stops("ann@example.com", message_class="transactional") and stops("bob@example.com")
    sheet = (tmp_path / "list.csv.rejects.csv").read_text()
    assert sheet.splitlines()[0] == "line,found,expected" and "4,'=cmd()," in sheet


def test_importing_twice_changes_nothing(tmp_path: Path) -> None:
    imported(tmp_path, "ann@example.com\nbob@example.com\n")
    assert imported(tmp_path, "ann@example.com\nbob@example.com\n") == {"lines": 2, "added": 0, "known": 2, "rejected": 0}


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("ann@example.com\n", "list.txt"),
        ("\ufeffemail\r\nann@example.com\r\n", "bom.csv"),
        ("id;email\n1;ann@example.com\n", "semicolons.csv"),
        ("id\temail\n1\tann@example.com\n", "tabs.tsv"),
        ('{"email": "ann@example.com"}\n', "list.ndjson"),
        ('"ann@example.com"\n', "strings.jsonl"),
        ('id,email\n1,"ann@example.com\n2,bob@example.com\n', "stray quotation mark.csv"),
        ("id,email\n\x00,ann@example.com\n", "nul.csv"),
    ],
)
def test_lists_of_many_shapes_are_read(tmp_path: Path, content: str, name: str) -> None:
    imported(tmp_path, content, name=name)
    assert stops("ann@example.com") and ("bob" not in content or stops("bob@example.com"))


def test_bytes_that_are_no_text_spoil_their_own_line_only(tmp_path: Path) -> None:
    assert imported(tmp_path, b"email\n\xff\xfe@example.com\nann@example.com\n")["rejected"] == 1
    assert stops("ann@example.com")


def test_phone_numbers_are_read_as_in_their_country(tmp_path: Path) -> None:
    imported(tmp_path, "phone\n07911 123456\n+44 7911 123457\n", "--channel", "sms", "--region", "gb")
    assert stops("+447911123456", "sms") and stops("+447911123457", "sms")


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        ("id,name\n1,Ann\n", (), "/column"),
        ("email\nx\n", ("--column", "mail"), "/column"),
        (b"\xff\xfea\x00", (), "/file"),
        (b"PK\x03\x04zip", (), "/file"),
    ],
)
def test_a_file_that_cannot_be_a_list_is_refused_whole(tmp_path: Path, content: str | bytes, options: tuple[str, ...], words: str) -> None:
    path, told = tmp_path / "list.csv", io.StringIO()
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(SystemExit) as stopped:
        call_command("import_suppressions", str(path), *options, stdout=io.StringIO(), stderr=told)
    assert stopped.value.code == 2 and words in told.getvalue() and not Suppression.objects.exists()


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        call_command("import_suppressions", str(tmp_path / "nowhere.csv"), stdout=io.StringIO(), stderr=io.StringIO())
    assert stopped.value.code == 2
