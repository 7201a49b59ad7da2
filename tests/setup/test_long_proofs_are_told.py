"""`make prove`: each proof is told with what it must show, and what was not run is said to be so."""

from __future__ import annotations

import json
from pathlib import Path

from omni.environment import BASE_DIR
from scripts import prove
from tests.crash.proof import Call, Found, NotHere, Proof


def proof(name: str, found: Found | Exception) -> Proof:
    def run(call: Call) -> Found:
        if isinstance(found, Exception):
            raise found
        return found

    return Proof(name, "something breaks", "it holds", run)


def test_every_proof_names_what_breaks_and_what_must_hold_and_the_docs_know_it() -> None:
    known, page = prove.proofs(), (BASE_DIR / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert {"R01", "R04", "R21", "C03", "C04", "C06"} <= set(known)
    assert all(each.wrong and each.holds for each in known.values())
    assert [name for name in known if name not in page] == []


def test_what_was_not_run_is_listed_as_not_run(tmp_path: Path) -> None:
    known = {name: proof(name, Found({"lost": 0})) for name in ("X01", "X02")}
    prove.keep(prove.prove(known["X01"], Call()), tmp_path)
    told = prove.table(known, prove.results(tmp_path)).splitlines()
    assert "passed" in told[2] and "lost 0" in told[2]
    assert "X02" in told[3] and "not run" in told[3]


def test_a_result_counts_for_its_own_commit_only(tmp_path: Path) -> None:
    known = {name: proof(name, Found()) for name in ("X01", "X02")}
    said = prove.prove(known["X01"], Call())
    prove.keep(said, tmp_path)
    assert prove.due(known, prove.results(tmp_path), said["commit"]) == ["X02"]
    assert prove.due(known, prove.results(tmp_path), "another") == ["X01", "X02"]


def test_a_fault_fails_a_proof_and_so_does_one_that_breaks_off(tmp_path: Path) -> None:
    faulty = prove.prove(proof("X01", Found(faults=["3 messages are lost"])), Call())
    broken = prove.prove(proof("X02", RuntimeError("no more")), Call())
    missing = prove.prove(proof("X03", NotHere("needs root")), Call())
    assert [each["passed"] for each in (faulty, broken, missing)] == [False, False, None]
    prove.keep(faulty, tmp_path)
    assert json.loads((tmp_path / "X01.json").read_text())["faults"] == ["3 messages are lost"]
