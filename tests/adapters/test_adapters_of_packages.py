"""A vendor that somebody else ships: the guide's own package, installed, is among the vendors; a broken one stops nobody."""

from __future__ import annotations

import hmac
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from importlib import invalidate_caches
from importlib.metadata import EntryPoint, distributions
from pathlib import Path
from typing import Any

import pytest

from delivery.adapters.base import Account, Adapter, Unreadable, Unsupported, VendorEvent, VendorResponse, Webhook
from delivery.adapters.registry import GROUP, HOUSE, with_packages
from omni.environment import BASE_DIR
from tests.adapters import letters

GUIDE = BASE_DIR / "docs" / "how-to" / "add-a-vendor.md"
ACCOUNT = Account("https://pigeon.test", {"api_key": "coo-secret", "loft_key": "loft"}, {"loft": "north"}, letters.BASE)


def install(folder: Path, name: str, code: str, entries: dict[str, str]) -> None:
    """As an installer leaves it: the module, and beside it what the distribution says of itself."""
    (folder / f"{name}.py").write_text(code)
    said = folder / f"{name}-1.0.dist-info"
    said.mkdir()
    (said / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (said / "entry_points.txt").write_text(f"[{GROUP}]\n" + "".join(f"{key} = {value}\n" for key, value in entries.items()))


def from_the_guide(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.S)
    assert found
    return found.group(1)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that Python imports from, with the guide's package in it."""
    install(tmp_path, "omni_pigeon", from_the_guide("python"), {"pigeon": "omni_pigeon:Pigeon"})
    monkeypatch.syspath_prepend(str(tmp_path))
    invalidate_caches()
    yield tmp_path
    for name in ("omni_pigeon", "omni_broken"):
        sys.modules.pop(name, None)


def found(folder: Path) -> list[EntryPoint]:
    return [entry for one in distributions(path=[str(folder)]) for entry in one.entry_points if entry.group == GROUP]


@pytest.fixture
def pigeon(packages: Path) -> Adapter:
    known, broken = with_packages(HOUSE, found(packages))
    assert not broken and list(known)[: len(HOUSE)] == [one.key for one in HOUSE]
    return known["pigeon"]


def test_the_guides_package_names_its_adapter_as_the_installer_reads_it() -> None:
    assert '[project.entry-points."omni.adapters"]\npigeon = "omni_pigeon:Pigeon"' in from_the_guide("toml")


def test_the_guides_adapter_builds_one_letter_with_our_id(pigeon: Adapter) -> None:
    one = letters.messages(1)
    built = pigeon.build(letters.request(one), ACCOUNT)
    assert built == pigeon.build(letters.request(one), ACCOUNT) and built.idempotent and built.url == "https://pigeon.test/v2/letters"
    assert json.loads(built.body)["number"] == one[0].message_id and "coo-secret" not in repr(built) + repr(ACCOUNT)
    with pytest.raises(Unsupported):
        pigeon.build(letters.request(letters.messages(2)), ACCOUNT)
    assert [name for name, _ in pigeon.faults({})] == ["loft"]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (201, b'{"ring": "GB-1"}', "accepted"),
        (201, b"{", "ambiguous"),
        (404, b"", "permanent_address"),
        (429, b"", "throttled"),
        (500, b"", "ambiguous"),
        (418, b"", "permanent_message"),
    ],
)
def test_the_guides_adapter_reads_answers_carefully(pigeon: Adapter, status: int, body: bytes, kind: str) -> None:
    assert pigeon.read(VendorResponse(status, {}, body), ["m1"]).kind == kind


def test_the_guides_adapter_believes_its_vendor_only(pigeon: Adapter) -> None:
    landing = {"ring": "GB-1", "number": "AQ-token", "what": "landed", "at": "2026-03-02T09:00:00Z"}
    body = json.dumps({"landings": [landing, {"what": "eaten"}, 7, {**landing, "at": "soon"}]}).encode()
    signature = hmac.new(b"loft", body, sha256).hexdigest()
    webhook = Webhook(f"{letters.BASE}/hooks/pigeon", {"x-loft-signature": signature}, body, letters.AT)
    assert pigeon.verify(webhook, ACCOUNT) and not pigeon.verify(webhook, Account("", {"loft_key": "other"}))
    assert not pigeon.verify(Webhook(webhook.url, {}, body, letters.AT), ACCOUNT)
    heard = list(pigeon.events(webhook))
    assert isinstance(heard[0], VendorEvent) and heard[0].kind == "delivered"
    assert [type(one) for one in heard[1:]] == [Unreadable, Unreadable, Unreadable]


BASE = "from delivery.adapters.base import Adapter\nclass Bad(Adapter):\n    "
BROKEN = {
    "def nothing(": "SyntaxError",
    "import a_module_that_nobody_has": "ModuleNotFoundError",
    "class Bad: pass": "not a subclass",
    "Bad = 7": "not a subclass",
    "from delivery.adapters.twilio import Twilio as Bad": "is taken by Twilio Messages",
    BASE + "key = 'no name'": "its key is not a name",
    BASE + "key = 'a_key_that_is_far_too_long'": "at most 20",
    BASE + "key = 'bad'": "it has no title",
    BASE + "key = title = 'bad'\n    channels = {'email'}": "its channels",
    BASE + "key = title = 'bad'\n    channels = frozenset({'fax'})": "its channels",
    BASE + "key = title = 'bad'\n    channels = frozenset({'push'})": "its platforms",
    BASE + "def __init__(self): 1 / 0": "ZeroDivisionError",
}


@pytest.mark.parametrize("code", BROKEN, ids=[re.sub(r"\W+", "-", why) + str(place) for place, why in enumerate(BROKEN.values())])
def test_a_broken_package_is_named_and_the_others_go_on(packages: Path, code: str) -> None:
    install(packages, "omni_broken", code, {"bad": "omni_broken:Bad"})
    known, broken = with_packages(HOUSE, found(packages))
    assert "pigeon" in known and set(known) == {"pigeon", *(one.key for one in HOUSE)}
    assert [one.entry for one in broken] == ["bad = omni_broken:Bad"] and BROKEN[code] in broken[0].why


def test_an_installation_lists_the_vendor_and_its_check_names_the_broken_one(packages: Path) -> None:
    install(packages, "omni_broken", "import a_module_that_nobody_has", {"bad": "omni_broken:Bad"})
    environment = {**os.environ, "PYTHONPATH": str(packages), "OMNI_DATA_DIR": str(packages), "DJANGO_SETTINGS_MODULE": "omni.settings"}

    def run(*arguments: str) -> Any:
        return subprocess.run([sys.executable, *arguments], cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=120)

    checked = run("manage.py", "check")
    assert checked.returncode == 0 and "delivery.W001" in checked.stderr and "bad = omni_broken:Bad" in checked.stderr
    assert "a_module_that_nobody_has" in checked.stderr and "pigeon" not in checked.stderr
    listed = run("-c", "import django; django.setup(); from delivery.route_document import VENDORS; print(VENDORS['words']['pigeon'])")
    assert listed.stdout.strip().endswith("Pigeon Post"), listed.stderr
