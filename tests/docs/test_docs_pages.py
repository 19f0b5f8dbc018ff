"""Pages lead where they say, name what exists, and are what the code makes of them."""

import ast
import importlib
import shlex
import subprocess
import sys

import pytest
import typer
import yaml
from doc_pages import ROOT, anchors, blocks, command_lines, links, page_name, pages

from napari_sashiko.cli._app import app

BLOCKS = [block for page in pages() for block in blocks(page)]
PYTHON = [block for block in BLOCKS if block.language == "python"]
COMMANDS = [
    pytest.param(line, id=f"{block.name} {line[:40]}")
    for block in BLOCKS
    if block.language == "bash"
    for line in command_lines(block)
    if line.startswith("sashiko ")
]


def test_there_are_pages_and_commands():
    assert len(pages()) > 12
    assert len(COMMANDS) > 20
    assert len(PYTHON) > 5


@pytest.mark.parametrize("page", pages(), ids=page_name)
def test_links_lead_somewhere(page):
    for link in links(page):
        path, _, anchor = link.partition("#")
        if "://" in path or path.startswith("mailto:"):
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        assert target.is_relative_to(ROOT), f"{link} leads out of the project"
        if anchor:
            assert anchor in anchors(target), f"{link} has no such heading"


@pytest.mark.parametrize(
    "picture", sorted((ROOT / "docs").rglob("*.png")), ids=lambda path: path.name
)
def test_every_picture_is_shown(picture):
    shown = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in pages()
        for link in links(page)
    }
    assert picture.resolve() in shown


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_are_understood(line):
    command, *words = shlex.split(line.split(" > ")[0])[1:]
    group = typer.main.get_command(app)
    assert command in group.commands
    group.commands[command].make_context(command, words)


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.name)
def test_python_names_exist(block):
    # The functions of other libraries are not looked at.
    for node in ast.walk(ast.parse(block.code)):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("napari_sash"):
            module = importlib.import_module(node.module)
            for alias in node.names:
                assert hasattr(module, alias.name), alias.name
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "ns":
            assert hasattr(importlib.import_module("napari_sashiko"), node.attr)


def test_the_manifest_of_kubernetes_gives_commands_that_exist():
    pytest.importorskip("distributed")
    page = ROOT / "docs" / "how-to" / "dask.md"
    (block,) = [block for block in blocks(page) if block.language == "yaml"]
    documents = list(yaml.safe_load_all(block.code))
    service, *deployments = documents
    assert [each["kind"] for each in deployments] == ["Deployment"] * 2
    from distributed.cli import dask_scheduler, dask_worker  # noqa: PLC0415

    parsers = {"scheduler": dask_scheduler.main, "worker": dask_worker.main}
    for each in deployments:
        spec = each["spec"]
        assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
        (container,) = spec["template"]["spec"]["containers"]
        program, command, *words = container["command"] + container.get("args", [])
        assert program == "dask"
        parsers[command].make_context(command, words)
    host = service["metadata"]["name"]
    port = service["spec"]["ports"][0]["port"]
    assert f"tcp://{host}:{port}" in container["command"]
    assert service["spec"]["selector"] == {"app": host}


@pytest.mark.parametrize("name", ["make_reference.py", "make_samples.py"])
def test_a_page_that_is_made_from_the_code_is_up_to_date(name):
    command = [sys.executable, str(ROOT / "docs" / name), "--check"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
