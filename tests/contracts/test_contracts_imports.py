"""The floors hold: arrows point down, the engine knows no GUI, imports stay light."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "napari_sashiko"
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc", "core", "base", "manager"}
GUI_LIBRARIES = ("napari", "qtpy", "superqt", "magicgui", "PySide6", "PyQt6")


def _modules_after(statement):
    """Top-level modules that a fresh interpreter has loaded after `statement`."""
    code = f"import sys; {statement}; print(*{{m.split('.')[0] for m in sys.modules}})"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return set(answer.stdout.split())


def text(path):
    return path.read_text(encoding="utf-8")


def _files():
    return sorted(SOURCE.rglob("*.py"))


def test_arrows_point_down():
    pytest.importorskip("importlinter")
    code = "from importlinter.cli import lint_imports_command as lint; lint()"
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_importing_the_package_loads_neither_torch_nor_napari():
    loaded = _modules_after("import napari_sashiko")
    assert loaded.isdisjoint({"torch", "numpy", "zarr", "dask", *GUI_LIBRARIES})


def test_the_whole_engine_runs_without_a_gui_library():
    engine = sorted(
        "napari_sashiko." + ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        for path in _files()
        if path.relative_to(SOURCE).parts[0] != "gui" and path.stem != "__main__"
        # Compiled code, imported by others only where numba is installed.
        if importlib.util.find_spec("numba") or "\nimport numba\n" not in text(path)
    )
    names = ", ".join(name.removesuffix(".__init__") for name in engine)
    loaded = _modules_after(f"import {names}")
    assert loaded.isdisjoint(GUI_LIBRARIES)


def test_no_room_has_a_name_that_says_nothing():
    names = {path.stem for path in SOURCE.rglob("*") if path.suffix in ("", ".py")}
    assert names.isdisjoint(FORBIDDEN_NAMES)


@pytest.mark.parametrize("path", _files(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_source_states_its_purpose_and_never_asserts(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    asserts = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    assert asserts == []


@pytest.mark.parametrize(
    "room",
    sorted(p.parent.name for p in SOURCE.glob("*/__init__.py")),
)
def test_every_room_names_its_public_parts(room):
    tree = ast.parse((SOURCE / room / "__init__.py").read_text(encoding="utf-8"))
    targets = [t for n in tree.body if isinstance(n, ast.Assign) for t in n.targets]
    assert "__all__" in {getattr(target, "id", "") for target in targets}
