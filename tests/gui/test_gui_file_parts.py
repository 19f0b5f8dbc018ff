"""Channels that a reader makes layers of: each has paint and a project of its own."""

import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtWidgets import QApplication

from napari_sashiko.gui.file_parts import MILLISECONDS

pytestmark = pytest.mark.gui
RNG = np.random.default_rng(0)
LONG = 30_000  # milliseconds


@pytest.fixture
def of_file(tmp_path):
    """A layer as a reader makes it: ``of_file(name) -> layer``."""
    path = tmp_path / "cells.czi"
    path.touch()

    def make(name, **options):
        voxels = RNG.integers(0, 99, (6, 32, 40), np.uint8)
        data = [voxels, voxels[:, ::2, ::2]] if options else voxels
        layer = Image(data, name=name, **options)
        layer._source = layer.source.model_copy(
            update={"path": str(path), "reader_plugin": "some-reader"}
        )
        return layer

    return make


def turn_to(dock, name):
    dock.volumes.setCurrentText(name)
    return dock.session.folder.name


def test_each_channel_has_a_project_of_its_own(open_dock, of_file, qtbot):
    dock = open_dock()
    for name in ("dapi", "gfp"):
        dock.viewer.add_layer(of_file(name))
    expected = "cells.czi_dapi.sashiko"
    # The first one was chosen before the second was there.
    qtbot.waitUntil(lambda: dock.session.folder.name == expected, timeout=LONG)
    dock.label.start()
    dock.label.layer.data[2, 3:9, 5] = 1
    assert turn_to(dock, "gfp") == "cells.czi_gfp.sashiko"
    assert dock.session.labels.paint is None
    dock.viewer.layers["dapi"].name = "nuclei"
    assert turn_to(dock, "nuclei") == expected
    assert dock.session.labels.paint.counts()[1] == 6


def test_layers_that_are_there_before_the_dock_are_told_apart_too(open_dock, of_file):
    dock = open_dock(of_file("dapi"), of_file("gfp"))
    assert turn_to(dock, "gfp") == "cells.czi_gfp.sashiko"
    assert turn_to(dock, "dapi") == "cells.czi_dapi.sashiko"


def test_a_file_that_was_opened_twice_is_the_same_image(open_dock, of_file):
    dock = open_dock(of_file("cells"), of_file("cells"))
    names = [layer.name for layer in dock.viewer.layers]
    assert names == ["cells", "cells [1]"]
    assert {turn_to(dock, name) for name in names} == {"cells.czi.sashiko"}


def test_what_is_painted_on_stays_the_image_of_its_project(open_dock, of_file, qtbot):
    dock = open_dock(of_file("cells"))
    dock.label.start()
    dock.viewer.add_layer(of_file("other"))
    qtbot.wait(2 * MILLISECONDS)
    assert turn_to(dock, "other") == "cells.czi.sashiko"
    assert turn_to(dock, "cells") == "cells.czi.sashiko"


def test_a_level_of_a_channel_has_its_own_project_too(open_dock, of_file):
    layers = [of_file(name, multiscale=True) for name in ("dapi", "gfp")]
    dock = open_dock(*layers)
    QApplication.processEvents()
    dock.choose_level(layers[1], 1)
    assert dock.session.folder.name == "cells.czi_gfp_level_1.sashiko"
