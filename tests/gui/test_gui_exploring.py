"""The exploring dock: patches as points, a click goes to one, images are compared."""

import sys

import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtCore import QPoint, Qt

from napari_sashiko.gui.explore_dock import ExploreDock

SHAPE = (5, 40, 44)
QUICK = {"epochs": 1, "minutes": None, "patch": 12, "latent": 3, "device": "cpu"}
LONG = 60_000  # milliseconds


def grains(seed=1):
    rng = np.random.default_rng(seed)
    grey = np.zeros(SHAPE, np.float32)
    grey[:, 10:30, 12:34] = 100
    return grey + rng.normal(0, 10, SHAPE).astype(np.float32)


@pytest.fixture
def dock(make_napari_viewer, tmp_path, monkeypatch):
    """The dock beside an image, in a window."""
    monkeypatch.setenv("SASHIKO_HOME", str(tmp_path / "home"))
    viewer = make_napari_viewer()
    viewer.add_layer(Image(grains(), name="grains", scale=(2, 1, 1)))
    dock = ExploreDock(viewer)
    viewer.window.add_dock_widget(dock, name="Sashiko explore")
    dock.show_more(on=True)
    dock.form.settings.set_values(**QUICK)
    dock.form.scatter.resize(300, 300)
    yield dock
    dock.shutdown()


@pytest.fixture
def explored(dock, click, qtbot):
    click(dock, "explore")
    assert dock.form.stop_button.isEnabled()
    finish(dock, qtbot)
    return dock


def finish(dock, qtbot):
    def done():
        assert not dock.form.scatter.isHidden(), dock.form.status.text()
        assert dock.form.start_button.isEnabled()

    qtbot.waitUntil(done, timeout=LONG)


def press(dock, qtbot, index):
    """Click the real widget where a point is drawn."""
    dock.form.scatter.resize(300, 300)
    x, y = dock.form.scatter.on_screen()[index]
    place = QPoint(round(x), round(y))
    qtbot.mouseClick(dock.form.scatter, Qt.MouseButton.LeftButton, pos=place)
    return dock.form.scatter.marked


def test_patches_become_points_and_a_click_goes_to_one(explored, qtbot):
    scatter, viewer = explored.form.scatter, explored.viewer
    assert len(scatter.points) == 5 * 4 * 4
    assert "80 patches" in explored.form.state.text()
    places = scatter.on_screen()
    assert (places >= 0).all()
    assert (places <= [scatter.width(), scatter.height()]).all()
    viewer.layers.selection.active = viewer.layers["grains"]
    picked = press(explored, qtbot, 50)
    z, y, x = explored.found.places[picked]
    assert viewer.dims.point[0] == pytest.approx(2 * z)
    center = viewer.scene.camera.center[-2:]
    np.testing.assert_allclose(center, [y + 5.5, x + 5.5])
    mark = viewer.layers["patch"]
    corners = np.asarray(mark.data[0])
    assert set(corners[:, 0]) == {z}
    np.testing.assert_allclose(corners[:, 1:].min(0), [y - 0.5, x - 0.5])
    np.testing.assert_allclose(corners[:, 1:].max(0), [y + 11.5, x + 11.5])
    assert f"z {z}, y {y}, x {x}" in explored.form.patch.text()
    assert viewer.layers.selection.active is viewer.layers["grains"]
    before = len(viewer.layers)
    other = press(
        explored,
        qtbot,
        int(abs(scatter.points - scatter.points[picked]).sum(1).argmax()),
    )
    assert other != picked
    assert len(viewer.layers) == before


def test_another_image_is_compared_with_what_was_learned(explored, click, qtbot):
    strange = np.random.default_rng(0).normal(0, 400, SHAPE).astype(np.float32)
    explored.viewer.add_layer(Image(strange, name="strange"))
    form = explored.form
    form.images.setCurrentIndex(form.images.findText("strange"))
    assert form.models.count() == 2
    form.models.setCurrentIndex(1)
    assert form.settings.isHidden()  # nothing is to be learned
    said = []
    explored.session.event.connect(
        lambda _kind, event: said.append(type(event).__name__)
    )
    click(explored, "explore")
    finish(explored, qtbot)
    assert "EpochDone" not in said
    assert "80 of 80 patches (100%) lie outside" in form.state.text()
    assert form.scatter.strange.all()


def test_which_patches_are_shown_is_chosen(explored, click, qtbot):
    form = explored.form
    assert set(form.using.values()) == {"step", "most", "seed"}
    form.models.setCurrentIndex(1)
    assert not form.more.isHidden()
    assert form.using.isVisibleTo(form.more_area)
    drawn = []
    for seed in (0, 0, 1):
        form.using.set_values(step=6, most=30, seed=seed)
        click(explored, "explore")
        finish(explored, qtbot)
        assert "30 patches" in form.state.text()
        drawn.append(explored.found.places.tolist())
    assert drawn[0] == drawn[1] != drawn[2]
    ways = [np.diff(np.unique(np.asarray(drawn[0])[:, axis])) for axis in (1, 2)]
    assert min(np.concatenate(ways)) < 12  # closer than their edge


def test_points_go_with_their_image(explored, qtbot):
    press(explored, qtbot, 0)
    explored.viewer.layers.remove(explored.viewer.layers["grains"])
    assert explored.form.scatter.isHidden()
    assert "patch" not in explored.viewer.layers
    assert not explored.form.start_button.isEnabled()


def test_a_failure_is_a_sentence(dock, click, qtbot):
    dock.viewer.layers["grains"].data = np.full(SHAPE, np.nan, np.float32)
    click(dock, "explore")
    qtbot.waitUntil(lambda: "no finite voxel" in dock.form.status.text(), timeout=LONG)
    assert dock.form.start_button.isEnabled()


def test_what_cannot_be_shown_is_not_learned(dock, click, qtbot, monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    dock.form.methods.setCurrentIndex(dock.form.methods.findData("umap"))
    dock.form.settings.set_values(epochs=10_000)
    click(dock, "explore")
    qtbot.waitUntil(lambda: "umap-learn" in dock.form.status.text(), timeout=LONG)
    assert not dock.models()


def test_closing_in_the_middle_ends_the_work(dock, click, qtbot):
    dock.form.settings.set_values(epochs=10_000)
    click(dock, "explore")
    qtbot.waitUntil(
        lambda: "numbers of a patch" in dock.form.state.text(), timeout=LONG
    )
    job = dock.session.job("explore")
    dock.shutdown()
    assert job.status.ended
