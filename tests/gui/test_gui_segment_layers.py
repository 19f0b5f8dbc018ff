"""Result layers lie where the image lies, fill as blocks come, and are not piled up."""

from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtWidgets import QApplication

from napari_sashiko.gui import live_layers
from napari_sashiko.gui.label_layer import KEY
from napari_sashiko.gui.live_layers import hits_view
from napari_sashiko.gui.restored_layers import RestoredLayers
from napari_sashiko.gui.result_layers import ResultLayers, hide_classes
from napari_sashiko.labels import LabelClass
from napari_sashiko.volumes import Stacking

CLASSES = (
    LabelClass(id=1, name="matrix", color="#999999"),
    LabelClass(id=3, name="fibre", color="#e69f00"),
    LabelClass(id=4, name="void", color="#0072b2"),
)
SHAPE = (6, 20, 30)
PLACE = {
    "scale": (4.0, 2.0, 2.0),
    "translate": (1.0, 2.0, 3.0),
    "rotate": (0, 0, 20),
    "units": ("um", "um", "um"),
    "axis_labels": ("z", "y", "x"),
}


def prediction(shape=SHAPE, classes=CLASSES):
    return SimpleNamespace(
        path="x.zarr",
        mean=np.zeros((len(classes), *shape), np.float16),
        std=np.zeros((len(classes), *shape), np.float16),
        class_ids=np.zeros(shape, np.uint8),
        stack=Stacking((1, 1, *shape)[-3:], flat=len(shape) == 2),
        classes=classes,
        model_digest="abc",
        coarser={},
    )


@pytest.fixture
def viewer():
    viewer = ViewerModel()
    viewer.add_image(np.zeros(SHAPE, np.float32), name="ct", **PLACE)
    return viewer


def names(viewer):
    return [layer.name for layer in viewer.layers]


def test_each_foreground_class_deviation_and_classes_get_a_layer(qtbot, viewer):
    ResultLayers(viewer, viewer.layers["ct"]).show(prediction())
    expected = ["ct", "ct - mean fibre", "ct - mean void", "ct - std", "ct - classes"]
    assert names(viewer) == expected
    mean, classes = viewer.layers["ct - mean fibre"], viewer.layers["ct - classes"]
    assert tuple(mean.contrast_limits) == (0, 1)
    np.testing.assert_allclose(mean.colormap.colors[-1][:3], (0.9, 0.624, 0), atol=0.01)
    np.testing.assert_allclose(
        classes.colormap.map(3)[:3], (0.902, 0.624, 0), atol=0.01
    )
    assert classes.get_status(position=(1, 2, 3), world=True)["value"] is not None
    assert viewer.layers["ct - std"].colormap.name != mean.colormap.name
    assert mean.metadata[KEY]["class_id"] == 3


def test_results_lie_where_the_image_lies(qtbot, viewer):
    source = viewer.layers["ct"]
    source.affine = np.diag([1, 1.5, 1, 1])
    ResultLayers(viewer, source).show(prediction())
    corners = [(0, 0, 0), (5, 19, 29), (2, 0, 29)]
    for layer in list(viewer.layers)[1:]:
        assert tuple(map(str, layer.units)) == tuple(map(str, source.units))
        assert tuple(layer.axis_labels) == ("z", "y", "x")
        for corner in corners:
            np.testing.assert_allclose(
                layer.data_to_world(corner), source.data_to_world(corner)
            )


def test_a_second_run_updates_the_layers_and_keeps_what_the_user_set(qtbot, viewer):
    ResultLayers(viewer, viewer.layers["ct"]).show(prediction())
    first = list(viewer.layers)
    viewer.layers["ct - std"].visible = True
    viewer.layers["ct - classes"].opacity = 0.2
    again = prediction()
    again.class_ids[:] = 3
    ResultLayers(viewer, viewer.layers["ct"]).show(again)
    assert list(viewer.layers) == first
    assert viewer.layers["ct - std"].visible
    assert viewer.layers["ct - classes"].opacity == 0.2
    assert viewer.layers["ct - classes"].get_value((2, 3, 4)) == 3


def test_layers_of_classes_that_are_gone_are_removed(qtbot, viewer):
    ResultLayers(viewer, viewer.layers["ct"]).show(prediction())
    viewer.add_image(np.zeros(SHAPE), name="ct - mean mine")
    ResultLayers(viewer, viewer.layers["ct"]).show(prediction(classes=CLASSES[:2]))
    assert "ct - mean void" not in names(viewer)
    assert "ct - mean mine" in names(viewer)


def test_a_layer_of_the_user_with_such_a_name_is_left_alone(qtbot, viewer):
    mine = viewer.add_image(np.ones(SHAPE), name="ct - std")
    ResultLayers(viewer, viewer.layers["ct"]).show(prediction())
    assert mine in viewer.layers
    assert float(mine.data.max()) == 1
    assert "ct - std [1]" in names(viewer)


def test_the_paint_stays_on_top_and_the_tool_in_hand(qtbot, viewer):
    paint = viewer.add_labels(
        np.zeros(SHAPE, int), name="p", metadata={KEY: {"store": 1}}
    )
    paint.mode = "paint"
    ResultLayers(viewer, viewer.layers["ct"]).show(prediction())
    assert viewer.layers[-1] is paint
    assert viewer.layers.selection.active is paint
    assert paint.mode == "paint"


def test_an_image_of_two_axes_gets_flat_layers(qtbot):
    viewer = ViewerModel()
    source = viewer.add_image(np.zeros((20, 30)), name="photo", scale=(2, 3))
    results = ResultLayers(viewer, source)
    results.show(prediction(shape=(20, 30)))
    layer = viewer.layers["photo - classes"]
    assert layer.ndim == 2
    assert hits_view(viewer, layer, ((0, 1), (0, 5), (0, 5)))


def test_a_stack_with_channels_gets_layers_of_its_last_axes(qtbot):
    viewer = ViewerModel()
    data = np.zeros((1, *SHAPE), np.float32)
    source = viewer.add_image(
        data, name="s", scale=(1, 4, 2, 2), translate=(0, 5, 6, 7)
    )
    ResultLayers(viewer, source).show(prediction())
    layer = viewer.layers["s - classes"]
    np.testing.assert_allclose(layer.data_to_world((1, 2, 3)), (9, 10, 13))


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (((0, 3), (0, 5), (0, 5)), True),
        (((3, 6), (0, 20), (0, 30)), False),
        (((2, 3), (15, 20), (0, 30)), True),
    ],
)
def test_only_blocks_in_the_slice_shown_meet_the_view(qtbot, viewer, cell, expected):
    ResultLayers(viewer, viewer.layers["ct"]).show(prediction())
    classes = viewer.layers["ct - classes"]
    viewer.dims.set_point(0, classes.data_to_world((2, 0, 0))[0])
    assert hits_view(viewer, classes, cell) is expected
    classes.visible = False
    assert hits_view(viewer, classes, cell) is False


def drawn(viewer):
    """Return the list that what is drawn of the classes is appended to."""
    viewer.dims.set_point(0, viewer.layers["ct"].data_to_world((2, 0, 0))[0])
    classes, found = viewer.layers["ct - classes"], []
    classes.events.set_data.connect(
        lambda _: found.append(classes._slice.image.raw + 0)
    )
    return found


def test_many_blocks_are_drawn_at_once_and_the_last_is_seen(qtbot, viewer, monkeypatch):
    monkeypatch.setattr(live_layers, "MILLISECONDS", 3_600_000)
    found = prediction()
    results = ResultLayers(viewer, viewer.layers["ct"])
    results.show(found)
    seen = drawn(viewer)
    for row in range(20):
        found.class_ids[2, row] = 3
        results.cell_done(((0, 6), (row, row + 1), (0, 30)))
        QApplication.processEvents()
    assert not seen
    results._timer.start(0)
    qtbot.waitUntil(lambda: bool(seen), timeout=30_000)
    assert len(seen) == 1
    assert (seen[0] == 3).all()


def test_a_block_is_drawn_soon_and_the_next_one_too(qtbot, viewer):
    found = prediction()
    results = ResultLayers(viewer, viewer.layers["ct"])
    results.show(found)
    seen = drawn(viewer)
    for number in (1, 2):
        results.cell_done(((0, 6), (0, 20), (0, 30)))
        qtbot.waitUntil(lambda number=number: len(seen) == number, timeout=30_000)


def test_removed_layers_are_not_repainted(qtbot, viewer):
    results = ResultLayers(viewer, viewer.layers["ct"])
    results.show(prediction())
    viewer.layers.remove("ct - classes")
    results.cell_done(((0, 6), (0, 20), (0, 30)))
    results.finish()
    assert len(results.there()) == 3
    assert all(isinstance(layer, Image) for layer in results.there())


def test_layers_of_other_images_with_such_names_are_left_alone(qtbot, viewer):
    source = viewer.layers["ct"]
    other = viewer.add_image(np.zeros(SHAPE), name="ct - level 1")
    ResultLayers(viewer, other).show(prediction())
    restored = SimpleNamespace(
        mean=np.zeros((1, *SHAPE)),
        std=np.zeros((1, *SHAPE)),
        coarser={},
        stack=Stacking(SHAPE),
        path="restored.zarr",
    )
    RestoredLayers(viewer).show(restored, source)
    before = names(viewer)
    ResultLayers(viewer, source).show(prediction())
    assert names(viewer)[: len(before)] == before


def test_another_image_of_the_old_name_gets_layers_of_its_own(qtbot, viewer):
    first = viewer.layers["ct"]
    ResultLayers(viewer, first).show(prediction())
    results = list(viewer.layers)[1:]
    first.name = "control"
    second = viewer.add_image(np.ones(SHAPE), name="ct", translate=(0, 40, 0))
    for _ in range(2):
        ResultLayers(viewer, second).show(prediction())
        hide_classes(viewer, second)
        assert len(viewer.layers) == 2 * (1 + len(results))
    for layer in results:
        assert tuple(layer.translate) == tuple(first.translate)
    assert viewer.layers["ct - classes"].visible
    assert not viewer.layers["ct - classes [1]"].visible


def test_a_renamed_image_keeps_its_layers(qtbot, viewer):
    ResultLayers(viewer, viewer.layers["ct"]).show(prediction())
    before = list(viewer.layers)
    viewer.layers["ct"].name = "control"
    ResultLayers(viewer, viewer.layers["control"]).show(prediction())
    assert list(viewer.layers) == before
