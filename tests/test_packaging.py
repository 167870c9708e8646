"""What is installed: locked versions, hashes, and nothing of the machine that made the lists."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import entry_points
from itertools import chain
from pathlib import Path

import pytest

from shared.cli import __main__ as entry

ROOT = Path(__file__).parents[1]
PINNED = re.compile(r"^([a-z0-9._-]+)==([^ ;\\]+)(?: ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:([0-9a-f]{64})(?: \\)?$")


def requirements() -> dict[tuple[str, str], set[str]]:
    """Hashes by (name, version); a line that is neither pin, hash nor comment fails."""
    found: dict[tuple[str, str], set[str]] = {}
    hashes: set[str] = set()
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if pin := PINNED.match(line):
            hashes = found.setdefault((pin[1], pin[2]), set())
        elif digest := HASH.match(line):
            hashes.add(digest[1])
        else:
            assert line.lstrip().startswith("#"), f"neither a pin nor a hash: {line}"
    return found


def locked() -> dict[tuple[str, str], set[str]]:
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    return {
        (package["name"], package["version"]): {
            file["hash"].removeprefix("sha256:")
            for file in [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        }
        for package in packages
    }


def test_every_requirement_is_the_locked_version_with_the_locked_hashes() -> None:
    pins, lock = requirements(), locked()
    assert pins
    assert {name: lock.get(name) for name in pins} == pins


def test_every_dependency_and_extra_is_among_the_requirements() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    names = {re.split(r"[<>=]", dependency)[0] for dependency in declared}
    assert names <= {name for name, _ in requirements()}


def test_the_requirements_name_no_host_and_no_folder() -> None:
    text = (ROOT / "requirements.txt").read_text()
    assert not re.search(r"://|--(extra-)?index|--find-links|(^|\s)(/|file:|\.\.?/)", text, re.MULTILINE)


def test_the_lock_knows_one_public_index() -> None:
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    assert {package["source"].get("registry", "") for package in packages} == {"https://pypi.org/simple", ""}


def test_arb_without_its_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "find_spec", lambda name: None if name == "duckdb" else object())
    with pytest.raises(SystemExit, match=r"arb needs duckdb: pip install 'kalshi-arb\[local\]'"):
        entry.main()


def test_the_arb_command_can_be_imported() -> None:
    [arb] = [found for found in entry_points(group="console_scripts") if found.name == "arb"]
    assert callable(arb.load())
