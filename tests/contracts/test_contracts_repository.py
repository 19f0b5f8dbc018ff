"""The repository keeps its promises: commands exist, versions agree, bounds are low."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
README = (ROOT / "README.md").read_text()
QT_BINDINGS = {"napari", "pyside6", "pyside6-essentials", "pyqt6", "pyqt5"}


def _code_blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def _commands(program):
    lines = "\n".join(_code_blocks("bash")).splitlines()
    return [line for line in lines if line.startswith(program)]


def _name(requirement):
    return re.split(r"[^A-Za-z0-9_.-]", requirement)[0].lower()


def _help(*command):
    plain = {**os.environ, "COLUMNS": "300", "NO_COLOR": "1", "TERM": "dumb"}
    return subprocess.run(
        [sys.executable, *command, "--help"],
        cwd=ROOT,
        env=plain,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("line", _commands("python3 run.py"))
def test_a_set_up_command_of_the_readme_exists(line):
    words = line.split("#")[0].split()
    answer = _help(*words[1:])
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("line", _commands("sashiko "))
def test_a_command_line_of_the_readme_exists_with_its_options(line):
    words = line.split()
    answer = _help("-m", "napari_sashiko.cli", words[1])
    assert answer.returncode == 0, answer.stderr
    for option in (word for word in words if word.startswith("-")):
        assert re.search(rf"(?<![\w-]){option}(?![\w-])", answer.stdout), option


def test_the_readme_shows_both_set_up_commands_before_anything_else():
    first = _code_blocks("bash")[0]
    assert [line.split("#")[0].split() for line in first.splitlines()] == [
        ["python3", "run.py", "demo"],
        ["python3", "run.py", "test"],
    ]
    assert README.startswith("![")


def test_ci_runs_the_test_command_of_the_readme():
    assert "python3 run.py test" in (ROOT / ".ci" / "run").read_text().splitlines()


def test_base_dependencies_bring_no_window_and_only_lower_bounds():
    names = {_name(requirement) for requirement in PROJECT["dependencies"]}
    assert names.isdisjoint(QT_BINDINGS)
    bounded = [
        r for r in PROJECT["dependencies"] if not re.fullmatch(r"[\w.-]+>=[\d.]+", r)
    ]
    assert bounded == []
    assert {_name(r) for r in PROJECT["optional-dependencies"]["all"]} >= {"napari"}


def test_versions_agree():
    version = PROJECT["version"]
    assert f"## {version} " in (ROOT / "CHANGELOG.md").read_text()
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text()


def test_the_constraint_satisfies_the_project():
    (pin,) = [
        line
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if not line.startswith("#")
    ]
    (floor,) = [r for r in PROJECT["dependencies"] if _name(r) == "torch"]
    pinned, lowest = (
        tuple(map(int, re.findall(r"\d+", text)[:2])) for text in (pin, floor)
    )
    assert pinned >= lowest


def test_the_manifest_at_the_top_is_the_one_in_the_package():
    inside = ROOT / "src" / "napari_sashiko" / "napari.yaml"
    assert (ROOT / "napari.yaml").resolve() == inside.resolve()
