"""Menus and samples: one click, with or without the dock open."""

import numpy as np
import pytest
from gui_trained import VOXEL_SIZE, balls
from napari.layers import Image, Labels, Layer

from napari_sashiko.gui import menu
from napari_sashiko.gui.sample_data import sample_layers
from napari_sashiko.labels import LabelClass
from napari_sashiko.pipeline import SAMPLES, Sample

LONG = 60_000


@pytest.fixture
def viewer(make_napari_viewer):
    viewer = make_napari_viewer()
    yield viewer
    dock = menu.find_dock(viewer)
    if dock is not None:
        dock.shutdown()


def add_balls(viewer, name="balls"):
    return viewer.add_image(balls()[0], name=name, scale=VOXEL_SIZE, units=("um",) * 3)


def test_the_dock_is_opened_once(viewer):
    dock = menu.open_dock(viewer)
    assert dock is not None
    assert menu.open_dock(viewer) is dock


def test_the_selected_image_is_segmented_with_the_last_model(
    viewer, trained_model, qtbot
):
    add_balls(viewer)
    menu.open_dock(viewer).session.open_model(trained_model)
    add_balls(viewer, "other")
    viewer.layers.selection.active = viewer.layers["other"]
    menu.segment_with_last_model(viewer)
    dock = menu.find_dock(viewer)
    assert dock.volumes.currentText() == "other"

    def shown():
        job = dock.session.job("predict")
        assert "other - classes" in viewer.layers, (dock.status.text(), job)

    qtbot.waitUntil(shown, timeout=LONG)
    qtbot.waitUntil(dock.segment.form.working.isHidden, timeout=LONG)
    assert np.asarray(viewer.layers["other - classes"].data).all()
    assert "balls - classes" not in viewer.layers


def test_without_model_or_image_the_menu_says_so(viewer):
    with _notes() as said:
        menu.segment_with_last_model(viewer)
    assert "no image" in said[-1].lower()
    add_balls(viewer)
    with _notes() as said:
        menu.segment_with_last_model(viewer)
    assert "no model" in said[-1].lower()


def test_annotate_starts_labelling_of_the_selected_image(viewer):
    add_balls(viewer)
    menu.start_labelling(viewer)
    assert isinstance(viewer.layers.selection.active, Labels)
    assert viewer.layers.selection.active.mode == "paint"


def test_measure_without_a_prediction_says_what_to_do(viewer):
    add_balls(viewer)
    menu.find_instances(viewer)
    assert "Segment a volume first" in menu.find_dock(viewer).status.text()


def test_a_sample_is_an_image_and_strokes_that_lie_on_it():
    classes = (
        LabelClass(id=1, name="matrix", color="#999999"),
        LabelClass(id=2, name="fibre", color="#e69f00"),
    )
    image, strokes = (
        np.random.default_rng(0).random((6, 8, 9)),
        np.zeros((6, 8, 9), int),
    )
    strokes[2, 3, 4] = 2
    sample = Sample(
        name="fibres",
        title="Fibres",
        arrays={"image": image, "labels": strokes.astype(np.uint8)},
        voxel_size=(3.0, 1.0, 1.0),
        unit="um",
        classes=classes,
        source="made",
    )
    first, second = (Layer.create(*data) for data in sample_layers(sample))
    assert isinstance(first, Image)
    assert isinstance(second, Labels)
    assert tuple(first.scale) == tuple(second.scale) == (3, 1, 1)
    assert str(first.units[0]) == "micrometer"
    assert second.data[2, 3, 4] == 2
    np.testing.assert_allclose(second.colormap.map(2)[:3], (0.9, 0.624, 0), atol=0.01)
    assert first.name == "fibres"


SHAPES = {"moving-nuclei": (2, 8, 32, 32)}
MADE = sorted(set(SAMPLES) - {"nuclei"})  # that one is fetched


@pytest.mark.parametrize("name", MADE)
def test_a_sample_opens_with_all_that_is_known_of_it(name):
    sample = SAMPLES[name](shape=SHAPES.get(name, (12, 64, 64)))
    layers = [Layer.create(*data) for data in sample_layers(sample)]
    assert [layer.name for layer in layers if layer.visible] == [
        name,
        *([f"{name} - strokes"] if sample.sparse_labels is not None else []),
    ]
    if sample.sparse_labels is not None:
        assert layers[-1].name == f"{name} - strokes"
    known = [key for key, array in sample.arrays.items() if array.ndim > 1]
    assert len(layers) == len(known)
    for layer in layers:
        assert any(
            np.array_equal(layer.data, a, equal_nan=a.dtype.kind == "f")
            for a in sample.arrays.values()
        )
        if layer.data.shape == sample.image.shape:
            np.testing.assert_array_equal(layer.scale, layers[0].scale)
    assert np.isfinite(layers[0].contrast_limits).all()


class _notes:  # noqa: N801 - reads as a word in a with statement
    """Collect what napari tells the user."""

    def __enter__(self):
        from napari.utils.notifications import notification_manager  # noqa: PLC0415

        self.manager, self.said = notification_manager, []
        self.manager.notification_ready.connect(self._hear)
        return self.said

    def __exit__(self, *_):
        self.manager.notification_ready.disconnect(self._hear)

    def _hear(self, note):
        self.said.append(note.message)
