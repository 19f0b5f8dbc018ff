"""The set-up commands: what they ask for, and what they say where they may not."""

import importlib.util
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def setup(monkeypatch):
    spec = importlib.util.spec_from_file_location("sashiko_run", ROOT / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    said, ran = [], []
    monkeypatch.setattr(module, "say", said.append)
    module.really_run = module.run
    monkeypatch.setattr(module, "run", lambda *a, **k: ran.append(list(a[0])) or 0)
    module.said, module.ran = said, ran
    return module


def test_a_group_brings_the_groups_that_it_includes(setup):
    engine, test, dev = map(setup.requirements, ("engine-test", "test", "dev"))
    assert set(engine) < set(test) < set(dev)
    assert all(isinstance(requirement, str) for requirement in dev)


def test_the_engines_environment_asks_for_no_window(setup):
    extras, group = setup.KINDS["engine"]
    assert "all" not in extras.split(",")
    assert not [name for name in setup.requirements(group) if "qt" in name.lower()]


def test_another_place_or_request_makes_another_environment(setup, monkeypatch):
    before = setup.digest("all", "dev")
    assert setup.digest("all", "dev") == before
    assert setup.digest("all", "test") != before
    monkeypatch.setattr(setup.platform, "python_version", lambda: "3.99.0")
    assert setup.digest("all", "dev") != before


@pytest.mark.parametrize("user", [0, 1000])
def test_only_root_installs_libraries_and_others_read_one_line(
    setup, monkeypatch, user
):
    monkeypatch.setattr(setup.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(setup, "installed", lambda name: name != "xvfb")
    monkeypatch.setattr(setup.os, "geteuid", lambda: user, raising=False)
    setup.install_libraries(["libgl1", "xvfb"])
    assert len(setup.said) == 1
    assert setup.said[0].endswith("--no-install-recommends xvfb")
    assert bool(setup.ran) == (user == 0)


def test_the_cpu_build_is_asked_for_only_without_a_gpu(setup, monkeypatch):
    monkeypatch.setattr(setup, "LINUX", True)
    monkeypatch.setattr(setup.platform, "machine", lambda: "x86_64")
    for gpu in (False, True):
        monkeypatch.setattr(setup, "has_gpu", lambda gpu=gpu: gpu)
        setup.install_torch(Path(sys.executable))
    cpu, default = (command[-1] for command in setup.ran)
    assert cpu == default + "+cpu"
    assert default.startswith("torch==")


@pytest.mark.parametrize(
    ("ci", "display", "seen"),
    [("", ":0", True), ("", "", False), ("true", ":0", False)],
)
def test_a_window_stays_open_only_where_someone_sees_it(
    setup, monkeypatch, ci, display, seen
):
    monkeypatch.setattr(setup, "LINUX", True)
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert setup.has_screen() is seen


def test_no_window_without_a_screen_is_said_before_anything_runs(setup, monkeypatch):
    monkeypatch.setattr(setup, "LINUX", True)
    monkeypatch.setattr(setup, "has_screen", lambda: False)
    monkeypatch.setattr(setup.shutil, "which", lambda name: None)
    with pytest.raises(setup.SetupError, match="xvfb"):
        setup.on_screen()


def test_the_engine_is_tested_without_any_screen(setup, monkeypatch):
    monkeypatch.setattr(setup, "LINUX", True)
    monkeypatch.setattr(setup, "has_screen", lambda: False)
    monkeypatch.setattr(setup.shutil, "which", lambda name: None)
    assert setup.check(Path(sys.executable), "engine", ["-k", "stitch"]) == 0
    (command,) = setup.ran
    assert "--ignore=tests/gui" in command
    assert command[-2:] == ["-k", "stitch"]


def test_what_hangs_is_ended_with_all_that_it_started(setup, tmp_path):
    alive = tmp_path / "alive"
    write = f"open({str(alive)!r}, 'a').write('.')"
    child = f"import time\nwhile True:\n    {write}\n    time.sleep(0.05)"
    hangs = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])"
    assert setup.really_run([sys.executable, "-c", hangs], minutes=4 / 60) == 124
    assert "Not done after" in setup.said[0]
    written = alive.stat().st_size
    time.sleep(0.5)
    assert alive.stat().st_size == written > 0


def test_an_exit_code_and_variables_are_passed_on(setup):
    code = "import os, sys; sys.exit(int(os.environ['CODE']))"
    assert setup.really_run([sys.executable, "-c", code], CODE="7") == 7
