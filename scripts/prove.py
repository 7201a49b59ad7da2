"""Runs the proofs that are too long for every change, keeps what each came to in var/proofs/, and prints the table.

    python -m scripts.prove            # what has no result for this commit
    python -m scripts.prove R01,R04    # these, whatever was found before
    python -m scripts.prove --table    # what was found, and what was not run

OMNI_VENDORLAB names the folder of an independent vendor simulator, which then is the judge; without it the stand-in of the tests is.
Exit status 1 where a proof failed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import platform
import signal
import subprocess
import sys
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omni.settings")

import django  # noqa: E402

django.setup()  # for the proofs that ask a rule directly; what sends is always a process of its own

from tests import crash, engines  # noqa: E402
from tests.crash.proof import Call, Found, NotHere, Proof  # noqa: E402

KEPT = ROOT / "var" / "proofs"
STOPPED = "stopped"


def proofs() -> dict[str, Proof]:
    """Every proof of tests/crash, by its id, in the order of the modules' names."""
    names = sorted(module.name for module in pkgutil.iter_modules(crash.__path__))
    modules = [importlib.import_module(f"tests.crash.{name}") for name in names if name[0] in "rc" and name[1:3].isdigit()]
    return {module.PROOF.id: module.PROOF for module in modules}


def results(folder: Path = KEPT) -> dict[str, dict[str, Any]]:
    """What was found last, by the proof's id."""
    found = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))] if folder.is_dir() else []
    return {each["id"]: each for each in found}


def commit() -> str:
    """The commit that is checked out, with a + where files differ from it."""
    head = _git("rev-parse", "--short=10", "HEAD")
    return head + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")


def due(known: dict[str, Proof], found: dict[str, dict[str, Any]], now: str) -> list[str]:
    """The ids of those that have no result for this commit."""
    return [each for each in known if found.get(each, {}).get("commit") != now]


def prove(proof: Proof, call: Call) -> dict[str, Any]:
    """Run one and say what it came to. passed: true, false, or null where this machine can't run it."""
    print(f"── {proof.id}  {proof.wrong}", flush=True)
    began, passed, code = time.monotonic(), None, commit()
    try:
        found = proof.run(call)
        passed = not found.faults
    except NotHere as reason:
        found = Found(faults=[str(reason)])
    except (Exception, SystemExit) as error:  # a proof that breaks has shown nothing
        if str(error) == STOPPED:
            raise
        traceback.print_exc()
        found, passed = Found(faults=[f"the proof broke: {error!r}"[:2_000]]), False
    said = {
        "id": proof.id,
        "wrong": proof.wrong,
        "holds": proof.holds,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": code,
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "judge": "vendorlab" if os.environ.get("OMNI_VENDORLAB") and not proof.by_hand else "stand-in",
        "seconds": round(time.monotonic() - began, 1),
        "seed": call.seed,
        "figures": found.figures,
        "faults": found.faults,
        "passed": passed,
    }
    print(f"   {_word(said)} in {said['seconds']:.0f} s: {_figures(said)}", flush=True)
    for fault in found.faults:
        print(f"   {'NOT HERE' if passed is None else 'WRONG'} {fault}", flush=True)
    return said


def keep(said: dict[str, Any], folder: Path = KEPT) -> None:
    """One file per proof; the next run of it takes its place."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{said['id']}.json").write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n")


def table(known: dict[str, Proof], found: dict[str, dict[str, Any]]) -> str:
    """Markdown: one line per proof, those that were not run among them."""
    lines = ["| proof | must hold | came to | figures | run |", "|---|---|---|---|---|"]
    for proof in known.values():
        said = found.get(proof.id)
        told = (
            (_word(said), _figures(said), f"{said['date'][:10]}, {said['commit']}, {said['seconds']:.0f} s, {said['judge']}")
            if said
            else ()
        )
        lines.append("| " + " | ".join([f"{proof.id}: {proof.wrong}", proof.holds, *(told or ("**not run**", "", ""))]) + " |")
    return "\n".join(lines)


def _word(said: dict[str, Any]) -> str:
    return {True: "passed", False: "**FAILED**", None: "not on this machine"}[said["passed"]]


def _figures(said: dict[str, Any]) -> str:
    return " · ".join(f"{name} {_value(value)}" for name, value in said["figures"].items() if name not in ("said", "ledger"))


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{name} {_value(one)}" for name, one in value.items()) + ")"
    return f"{value:,}" if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ids", nargs="?", default="", help="of proofs, with commas")
    parser.add_argument("--table", action="store_true", help="print what was found and run nothing")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0, help="a share of everybody, for a quick look that is not kept")
    asked = parser.parse_args()
    known = proofs()
    if asked.table:
        print(table(known, results()))
        return 0
    chosen = [each.strip().upper() for each in asked.ids.split(",") if each.strip()]
    if strange := [each for each in chosen if each not in known]:
        sys.exit(f"no proof {', '.join(strange)}; there are {', '.join(known)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(STOPPED))  # what was started is ended
    now, before = commit(), results()
    chosen = chosen or due(known, before, now)
    try:
        engines.postgres()
    except engines.EngineMissing as reason:
        sys.exit(f"no PostgreSQL, no proof: {reason}")
    failed = 0
    for each in chosen:
        said = prove(known[each], Call(asked.scale, asked.seed))
        failed += said["passed"] is False
        if asked.scale == 1:
            keep(said)
    if asked.scale == 1:
        print("\n" + table(known, results()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
