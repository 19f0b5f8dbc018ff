"""A folder of pictures with its parts is an image like any other in every dock."""

import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog
from skimage.io import imsave

from napari_sashiko.gui.explore_dock import ExploreDock
from napari_sashiko.gui.reader import get_reader
from napari_sashiko.gui.restore_dock import RestoreDock
from napari_sashiko.runners import Message

pytestmark = pytest.mark.gui
LONG = 60_000  # milliseconds
QUICK = {"epochs": 1, "minutes": None, "device": "cpu"}
PARTS = (("train", 4), ("validate", 2), ("test", 1))


def pictures(folder, noise, damaged=""):
    rng = np.random.default_rng(0)
    for part, count in PARTS:
        (folder / part / "images").mkdir(parents=True)
        for number in range(count):
            grey = np.full((40, 44), 60.0)
            grey[10:30, 12 : 34 - number] = 160
            grey += noise * rng.normal(size=grey.shape)
            name = folder / part / "images" / f"{part}_{number}.png"
            imsave(name, grey.clip(0, 255).astype(np.uint8), check_contrast=False)
    if damaged:
        (folder / damaged).write_bytes(b"no picture")
    return folder


@pytest.fixture
def opened(make_napari_viewer, tmp_path, monkeypatch, qtbot):
    """Show a dock, press the *Open* beside a box, and choose a folder."""
    monkeypatch.setenv("SASHIKO_HOME", str(tmp_path / "home"))
    docks = []

    def show(kind, **folders):
        dock = docks[0] if docks else kind(make_napari_viewer())
        if not docks:
            docks.append(dock)
            dock.viewer.window.add_dock_widget(dock, name="Sashiko")
            dock.said, dock.shown = [], []
            dock.session.message.connect(lambda *told: dock.shown.append(told))
            dock.session.event.connect(lambda _kind, event: dock.said.append(event))
        for name, folder in folders.items():
            monkeypatch.setattr(
                QFileDialog, "getExistingDirectory", lambda *_, f=folder: str(f)
            )
            box = getattr(dock.form, name)
            button = dock.form.rows.parentWidget().findChild(
                object, f"open_{box.objectName()}"
            )
            button.menu().actions()[1].trigger()
            qtbot.waitUntil(
                lambda box=box, f=folder: box.currentText() == f.name, timeout=LONG
            )
        return dock

    yield show
    docks[0].shutdown()


def told(dock):
    return [event.text for event in dock.said if isinstance(event, Message)]


def test_exploring_learns_from_one_part_and_is_judged_by_another(
    opened, tmp_path, click, qtbot
):
    folder = pictures(tmp_path / "cells", 10)
    dock = opened(ExploreDock, images=folder)
    assert dock.viewer.layers["cells"].data.shape == (7, 40, 44)
    dock.show_more(on=True)
    dock.form.settings.set_values(**QUICK, patch=12, latent=3)
    click(dock, "explore")
    qtbot.waitUntil(
        lambda: not dock.form.scatter.isHidden() and dock.form.start_button.isEnabled(),
        timeout=LONG,
    )
    assert "4 pictures to learn from, 2 to judge by." in told(dock)
    assert set(dock.found.places[:, 0]) == set(range(7))  # points of all pictures
    assert dock.form.models.itemData(1).parents[1].name == "cells.sashiko"


def test_restoring_by_clean_pictures_of_another_folder(opened, tmp_path, click, qtbot):
    noisy = pictures(tmp_path / "noisy", 25, damaged="train/images/train_1.png")
    clean = pictures(tmp_path / "clean", 0)
    dock = opened(RestoreDock, images=noisy)
    assert "train_1.png" in dock.form.status.text()  # what is told stands in the dock
    assert [text for text, level in dock.shown if level == "warning"] == [
        dock.form.status.text()
    ]
    dock.form.tasks.setCurrentIndex(dock.form.tasks.findData("paired"))
    opened(RestoreDock, clean=clean)
    assert dock.form.images.currentText() == "noisy"
    assert dock.form.clean.isVisibleTo(dock)
    assert dock.viewer.layers["noisy"].data.shape == (6, 40, 44)  # one is damaged
    dock.show_more(on=True)
    dock.form.settings.set_values(**QUICK | {"epochs": 4}, members=1, patch=16)
    click(dock, "restore")

    def done():
        assert "Done" in dock.form.state.text(), dock.form.status.text()

    qtbot.waitUntil(done, timeout=LONG)
    assert "3 pictures to learn from, 2 to judge by." in told(dock)
    assert any("train_1.png" in text for text in told(dock))
    restored = np.asarray(dock.viewer.layers["noisy - restored"].data)
    before = np.asarray(dock.viewer.layers["noisy"].data[5])
    assert restored.shape == (6, 40, 44)
    assert restored[5, 14:26, 16:28].std() < 0.6 * before[14:26, 16:28].std()


def test_the_row_of_the_clean_image_goes_with_its_task(opened):
    dock = opened(RestoreDock)
    button = dock.findChild(object, "open_restore_clean")
    for task, shown in (("blind", False), ("paired", True), ("gaps", False)):
        dock.form.tasks.setCurrentIndex(dock.form.tasks.findData(task))
        assert dock.form.clean.isVisibleTo(dock) == shown
        assert button.isVisibleTo(dock) == shown


def test_napari_opens_such_a_folder_and_damaged_pictures_are_named(
    tmp_path, monkeypatch
):
    from napari_sashiko.gui import volume_reader  # noqa: PLC0415

    said = []
    monkeypatch.setattr(volume_reader, "notify", lambda *told: said.append(told))
    folder = pictures(tmp_path / "cells", 10, damaged="test/images/test_0.png")
    ((data, look, kind),) = get_reader(str(folder))(str(folder))
    assert (kind, look["name"], data.shape) == ("image", "cells", (6, 40, 44))
    assert len(said) == 1
    assert "test_0.png" in said[0][0]
    assert said[0][1] == "warning"
    for file in folder.glob("*/images/*.png"):
        file.write_bytes(b"no picture")
    assert get_reader(str(folder))(str(folder)) == [(None,)]
    assert "No picture of" in said[-1][0]
    for file in folder.glob("*/images/*.png"):
        file.unlink()
    assert get_reader(str(folder))(str(folder)) == [(None,)]
    assert "There are no pictures in the folder" in said[-1][0]
