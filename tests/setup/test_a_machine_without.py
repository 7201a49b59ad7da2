"""What a machine lacks is said in words that mend it, loudly, and never passes for a green run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from omni.environment import BASE_DIR

TOOLS = ("sh", "rm", "env", "dirname")


def run_tests_of_elasticsearch(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The one test of Elasticsearch on a machine without Maven, in a run of its own."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("OMNI_", "DJANGO_", "PYTEST_", "CI"))}
    lacking = {"OMNI_TEST_MAVEN_REPOSITORY": str(tmp_path / "m2"), "OMNI_TEST_CACHE": str(tmp_path / "cache"), "PATH": str(tmp_path)}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "tests/setup/test_engines.py", "-k", "elasticsearch", "-p", "no:cacheprovider"],
        cwd=BASE_DIR,
        env={**outside, **lacking, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_missing_engine_is_one_loud_closing_line(tmp_path: Path) -> None:
    done = run_tests_of_elasticsearch(tmp_path)
    assert done.returncode == 0
    loud = [line for line in done.stdout.splitlines() if "!!!" in line]
    assert len(loud) == 1
    assert loud[0].startswith("!!! 1 TEST DID NOT RUN: Elasticsearch: Elasticsearch is fetched by `mvn`, which is not installed")


def test_with_ci_a_missing_engine_is_a_failure(tmp_path: Path) -> None:
    done = run_tests_of_elasticsearch(tmp_path, CI="true")
    assert done.returncode == 1
    assert "with CI=true a skip is a failure" in done.stdout


def fake_machine(folder: Path, *pythons: str, script: str) -> dict[str, str]:
    """A PATH with a few tools and these Pythons, each of which is `script`."""
    for tool in TOOLS:
        found = next(Path(part) / tool for part in os.environ["PATH"].split(":") if (Path(part) / tool).exists())
        (folder / tool).symlink_to(found)
    for name in pythons:
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    return {"PATH": str(folder)}


def make_venv(tmp_path: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    project = tmp_path / "a clone"
    project.mkdir()
    return subprocess.run(
        ["/bin/sh", str(BASE_DIR / "scripts/make_venv.sh")], cwd=project, env=environment, capture_output=True, text=True, check=False
    )


def test_a_machine_with_an_old_python_is_told_which_one_is_needed(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    done = make_venv(tmp_path, fake_machine(tools, "python3", script="#!/bin/sh\nexit 1\n"))
    assert done.returncode == 1 and "Python 3.11 or newer" in done.stderr


def test_a_python_without_ensurepip_is_told_the_package_to_install(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    script = '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; *print*) echo python3.12-venv;; esac\nexit 0\n'
    done = make_venv(tmp_path, fake_machine(tools, "python3.12", script=script))
    assert done.returncode == 1 and "apt-get install python3.12-venv" in done.stderr


def test_the_first_python_that_will_do_is_taken(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    script = '#!/bin/sh\ncase "$1" in --version) echo "Python 3.13.1";; -m) echo "made with $0 $*";; esac\nexit 0\n'
    done = make_venv(tmp_path, fake_machine(tools, "python3.13", "python3", script=script))
    assert done.returncode == 0 and "python3.13 -m venv .venv" in done.stdout


@pytest.mark.parametrize("target", ["demo", "serve", "test", "lint", "format", "openapi", "settings-table", "lock", "clean"])
def test_make_help_names_every_target(target: str) -> None:
    done = subprocess.run(["make", "help"], cwd=BASE_DIR, capture_output=True, text=True, check=True)
    assert any(line.split()[:2] == ["make", target] for line in done.stdout.splitlines())
