"""Compiled modules that bring a library which another one brought before."""

import os
import sys

import pytest

from napari_sashiko.runners import load_apart


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module that notes how compiled code would have been loaded."""
    name = "sashiko_test_apart"
    (tmp_path / f"{name}.py").write_text("import sys\nflags = sys.getdlopenflags()\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)


@pytest.mark.skipif(not hasattr(os, "RTLD_DEEPBIND"), reason="a flag of Linux")
def test_a_module_is_loaded_with_its_own_symbols_first(module):
    before = sys.getdlopenflags()
    load_apart(module)
    assert sys.modules[module].flags & os.RTLD_DEEPBIND
    assert sys.getdlopenflags() == before


def test_what_is_not_installed_is_left_alone():
    load_apart("sashiko_no_such_module.inner")
